"""What is found before training: words, layers, targets and cells that would end it, or falsify it in silence."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError, DataError, TrainingWarning
from amalthea.training.buckets import some
from amalthea.training.initialization import build, fitted_to, make_variables, normalizations

INSTEAD = {
    "validation_split": "validation_fraction=... sets rows of each member's own aside",
    "initial_epoch": "fit always begins anew; ensemble[0] is a keras.Model that goes on learning",
    "shuffle": "every member has an order of its own",
    "validation_steps": "all of validation_data is measured",
    "validation_batch_size": "all of validation_data is measured",
    "validation_freq": "validation_data is measured after each epoch",
}
"""Words of `keras.Model.fit` that `Ensemble.fit` does not have, and what serves their purpose."""

NEUTRAL = {"validation_split": 0.0, "initial_epoch": 0, "shuffle": True, "validation_freq": 1}
"""Values of such words that ask for nothing."""

ELEMENTWISE = (
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "huber",
    "log_cosh",
    "hinge",
    "squared_hinge",
    "poisson",
    "kl_divergence",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
)
"""Keras's losses that compare a target with an answer of the same shape."""


def check_words(words: Mapping[str, Any]) -> None:
    """Refuse words that `fit` does not have, unless they ask for nothing.

    Raises:
        AmaltheaError: the message says what serves their purpose.
    """
    for word, value in words.items():
        if value is not None and value != NEUTRAL.get(word):
            instead = INSTEAD.get(word, "see help(amalthea.Ensemble.fit) for those that it has")
            raise AmaltheaError(f"Ensemble.fit has no {word}={value!r}: {instead}.")


def check_compiled(model: Any) -> None:
    """Refuse what is no compiled model, or has a training step of its own.

    Raises:
        AmaltheaError: the message says what to do.
    """
    if not getattr(model, "compiled", False):
        raise AmaltheaError('Compile the model first, as for fit: model.compile(optimizer="adam", loss="mse").')
    if type(model).train_step is not keras.Model.train_step:
        raise AmaltheaError(
            f"{type(model).__name__} has a train_step of its own, which the compiled program would not call: "
            "put what it does into compute_loss, or into a layer's add_loss."
        )


def share_aside(patience: int | None, asked: float | None, validation_data: bool) -> float:
    """Return the share of a member's own training rows that are set aside.

    Args:
        patience: epochs without a lower validation loss; None: never stop.
        asked: the share asked for; None: 0.1 with patience and no validation data, else 0.
        validation_data: whether the user gives rows for the validation loss.

    Raises:
        AmaltheaError: it is no share, patience would have nothing to look at, or there are two validation losses.
    """
    by_default = 0.1 if patience is not None and not validation_data else 0.0
    fraction = by_default if asked is None else asked
    sources = (fraction > 0) + validation_data
    if not 0 <= fraction < 1 or sources > 1 or (patience is not None and not sources):
        raise AmaltheaError(
            "validation_fraction must lie between 0 and 1, above 0 with patience; with validation_data leave it out. "
            f"Received: validation_fraction={asked!r}, patience={patience!r}"
        )
    return fraction


def prepare(model: keras.Model, x: Any, y: Any, sample_weight: Any, folds: int) -> None:
    """Build a model, and find what would end its training, or falsify it in silence.

    Args:
        model: a compiled model.
        x: inputs, arrays of n rows.
        y: targets, likewise.
        sample_weight: weights of the rows, or None.
        folds: with several, layers that know held-out rows are warned of.

    Raises:
        AmaltheaError: the model cannot be served; the message names the layer.
        DataError: the data do not suit it; the message names the row.
    """
    _check_layers(model)
    try:
        make_variables(model, some(x))
        check_targets(model, x, y)
        build(model, x, y, sample_weight)
    except (TypeError, ValueError) as error:
        sizes = [tensor.shape[0] for tensor in getattr(model, "inputs", None) or () if tensor.shape[0] is not None]
        if not sizes:
            raise
        raise AmaltheaError(
            f"The model {model.name!r} takes batches of {sizes[0]} rows, but members answer in batches of any size: "
            "give keras.Input the shape of one row (shape=...) in place of batch_shape or batch_size."
        ) from error
    _check_finite(model, x, y, sample_weight)
    if folds > 1:
        _warn_of_leaks(model, x, y)


def _check_layers(model: keras.Model) -> None:
    """Refuse layers that hang on the order of batches."""
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False):
            raise AmaltheaError(
                f"The layer {layer.name!r} keeps a state from batch to batch (stateful=True), but each member has its "
                "rows in an order of its own: leave stateful out, and give whole sequences as rows."
            )


def check_targets(model: keras.Model, x: Any, y: Any) -> None:
    """Refuse targets that one of Keras's losses does not take, or takes to mean something else."""
    if not model.trainable_variables:
        raise AmaltheaError(f"The model {model.name!r} has no weights to train: every layer is frozen, or has none.")
    for loss, target, answer in _outputs(model, x, y):
        function = getattr(loss, "fn", loss)
        name = getattr(function, "__name__", "") if getattr(function, "__module__", "").startswith("keras.") else ""
        classes = answer[-1]
        if name == "sparse_categorical_crossentropy":
            if target.shape[1:] == answer[1:] and target.ndim > 1 and classes > 1:
                raise DataError(
                    f"y has {classes} columns (one-hot), but {name} takes the numbers of classes, one a row: compile "
                    "with categorical_crossentropy, or give y.argmax(axis=-1)."
                )
            ignored = getattr(loss, "ignore_class", None)
            wrong = ~np.isin(target, np.arange(classes)) & (target != ignored) & np.isfinite(target)
            _refuse(wrong, target, f"{name} over {classes} outputs takes classes numbered from 0 to {classes - 1}")
        elif name in ELEMENTWISE:
            if _squeezed(target.shape[1:]) != _squeezed(answer[1:]):
                advice = "sparse_categorical_crossentropy" if name == "categorical_crossentropy" else "another loss"
                raise DataError(
                    f"y has the shape {target.shape} for an output of shape {('n', *answer[1:])}, and {name} compares "
                    f"number with number: give y the output's shape, change the last layer, or compile with {advice}."
                )
            if name.startswith("binary"):
                _refuse((target < 0) | (target > 1), target, f"{name} takes labels between 0 and 1")


def _check_finite(model: keras.Model, x: Any, y: Any, sample_weight: Any) -> None:
    """Refuse NaN and infinite cells, unless the loss of their row is a number: some layers and losses expect gaps."""
    given = {"x": x, "y": y, "sample_weight": sample_weight}
    bad = [(name, values, ~np.isfinite(values)) for name in given for values in jax.tree.leaves(given[name])]
    gaps = sum(cells.reshape(len(cells), -1).any(axis=1) for _, _, cells in bad)
    for name, values, cells in bad:
        if not cells.any():
            continue
        place = np.argwhere(cells)[0].tolist()
        # One such row, and one without gaps: a loss over none but gaps may be no number, and a training's still one.
        rows = np.array([place[0], int(np.argmin(gaps))])
        some = jax.tree.map(lambda each, r=rows: each[r], (x, y, sample_weight))
        variables = [[v.value for v in part] for part in (model.trainable_variables, model.non_trainable_variables)]
        metrics = [variable.value for variable in model.metrics_variables]
        loss, _ = model.compute_loss_and_updates(*variables, metrics, *some, training=False)
        if not np.isfinite(loss):
            column = f", column {', '.join(map(str, place[1:]))}" if place[1:] else ""
            raise DataError(
                f"{name} holds {values[tuple(place)]} in row {place[0]}{column} (counted from 0), and the loss of that "
                f"row is no number; {int(cells.sum())} such cell(s) in all. Fill them, or leave their rows out."
            )


def _warn_of_leaks(model: keras.Model, x: Any, y: Any) -> None:
    """Warn of each `Normalization` that was adapted to all rows, held-out ones among them."""
    for layer in normalizations(model):
        if fitted_to(model, layer, x, y):
            warnings.warn(
                f"The layer {layer.name!r} was adapted to all rows, those among them that members are judged on: leave "
                "its adapt(...) out, and each member adapts it to its own training rows.",
                TrainingWarning,
                stacklevel=3,
            )


def _outputs(model: keras.Model, x: Any, y: Any) -> Iterator[tuple[Any, NDArray[Any], tuple[int, ...]]]:
    """Yield for each output its loss, its target, and the shape of its answers to two rows, where all are known."""
    if type(model).compute_loss is not keras.Model.compute_loss or model.loss is None:
        return
    variables = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]
    some = jax.tree.map(lambda values: values[:2], x)
    answers, _ = jax.eval_shape(lambda: model.predict_step(variables, (some,)))
    if isinstance(y, dict) != isinstance(answers, dict):
        return
    # Dicts are put in the order of their names, all in the same.
    targets, shapes = jax.tree.leaves(y), [leaf.shape for leaf in jax.tree.leaves(answers)]
    losses = [model.loss] * len(targets)
    if isinstance(model.loss, dict | list | tuple):
        by_name = isinstance(model.loss, dict)
        losses = [model.loss[name] for name in sorted(model.loss)] if by_name else list(model.loss)
        if by_name != isinstance(y, dict):
            return
    if len(losses) == len(targets) == len(shapes):
        yield from zip([keras.losses.get(loss) for loss in losses], targets, shapes, strict=True)


def _refuse(wrong: NDArray[np.bool_], target: NDArray[Any], rule: str) -> None:
    if wrong.any():
        place = np.argwhere(wrong)[0].tolist()
        raise DataError(
            f"{rule}. Received: y from {np.nanmin(target):g} to {np.nanmax(target):g}, "
            f"{target[tuple(place)]:g} in row {place[0]} (counted from 0)."
        )


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:-1] if shape and shape[-1] == 1 else shape
