"""The weights with which each member begins: fresh draws, and statistics of its own training rows."""

from __future__ import annotations

import contextlib
import copy
import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError
from amalthea.training.assignment import Rows
from amalthea.training.windows import take

Maker = Callable[[], keras.Model]
"""Makes a model of the same layers at each call, with weights of its own, built or not, compiled or not."""

Scaler = tuple[keras.layers.Layer, NDArray[Any]]
"""A layer whose weights are statistics, and the n values that it will meet, one row an example."""


def clone(model: keras.Model) -> keras.Model:
    """Return a new, unbuilt or built model of the same configuration, with weights of its own.

    Raises:
        AmaltheaError: a layer, or the model, cannot be made from its configuration (a subclass without `get_config`).
    """
    classes = {type(layer).__name__: type(layer) for layer in _layers(model)}
    with keras.saving.custom_object_scope(classes), warnings.catch_warnings(action="ignore"):  # of functions
        # What the model consists of comes first, so that an error names the layer.
        for part in [*_layers(model), model]:
            try:
                copied = part.__class__.from_config(part.get_config())
            except (NotImplementedError, TypeError, ValueError) as error:
                raise AmaltheaError(
                    f"{part.name!r} ({part.__class__.__name__}) cannot be made anew from its configuration: give it "
                    "`get_config` and no function without a name, or hand over the function that makes and compiles "
                    "the model, `am.Ensemble(make_model)` in place of `am.Ensemble(make_model())`."
                ) from error
    return copied


def make_variables(model: keras.Model, x: Any) -> None:
    """Create a model's variables from some rows of inputs, where it or one of its layers is not built.

    `build` of a model that is written as a class may leave its layers as they are.
    """
    if not all(layer.built for layer in model._flatten_layers()):
        model(x)


def build(model: keras.Model, x: Any, y: Any, sample_weight: Any) -> None:
    """Create the variables of the model, where it is not built yet, and of its metrics."""
    x, y, sample_weight = take((x, y, sample_weight), slice(2))
    make_variables(model, x)

    def once() -> None:
        answer, _ = model.predict_step(_values(model), (x,))
        metrics = [variable.value for variable in model.metrics_variables]
        model.stateless_compute_loss(*_values(model), metrics, x=x, y=y, y_pred=answer, sample_weight=sample_weight)
        model.compute_metrics(x, y, answer, sample_weight)

    with keras.StatelessScope():  # the variables of the metrics come to life when it closes
        jax.eval_shape(once)


def _values(model: keras.Model) -> tuple[list[Any], list[Any]]:
    return [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]


def draw_trainable(model: keras.Model, x: Any, seeds: NDArray[np.uint32], make: Maker) -> list[NDArray[Any]]:
    """Return fresh trainable variables for each member, drawn by the layers' own initializers.

    Args:
        model: a built model; it stays as it is.
        x: one or more examples, to build a copy.
        seeds: shape (members,).
        make: makes a model like it.

    Returns:
        One array a trainable variable, shape (members, ...).

    Raises:
        AmaltheaError: what it makes has other weights, or is the model itself.
    """
    with _initializers_kept() as kept:
        fresh = make()
        make_variables(fresh, x)
    initializer_of = {id(variable): initializer for variable, initializer in kept}
    # A variable that was made of a value begins with it.
    initializers = [
        (initializer_of.get(id(v), functools.partial(_value, v.value)), v.shape, v.dtype)
        for v in fresh.trainable_variables
    ]
    # A copy with other weights would pair initializers with the wrong variables.
    shapes = [tuple(variable.shape) for variable in model.trainable_variables]
    if fresh is model or [tuple(shape) for _, shape, _ in initializers] != shapes:
        raise AmaltheaError(
            f"A second {model.name!r} has other weights than the first, or is the first itself: its configuration, or "
            "the function that makes it, must give a new model of the same layers each time."
        )

    # Each variable has a key of its own, of the member's seed and its position.
    def draw(seed: jax.Array) -> list[jax.Array]:
        return [
            _seeded(initializer, jnp.stack([seed, jnp.uint32(number + 1)]))(shape, dtype=dtype)
            for number, (initializer, shape, dtype) in enumerate(initializers)
        ]

    # NumPy's arrays: cutting JAX's into the devices' shares would compile a program for each shape.
    return [np.asarray(values) for values in jax.jit(jax.vmap(draw))(seeds)]


@contextlib.contextmanager
def _initializers_kept() -> Iterator[list[tuple[keras.Variable, Any]]]:
    """Yield the variables that come to life while this is open, each with its initializer, which Keras forgets."""
    kind = keras.Variable
    kept: list[tuple[keras.Variable, Any]] = []
    usual = kind._initialize_with_initializer

    def keep(variable: Any, initializer: Any) -> None:
        usual(variable, initializer)
        kept.append((variable, initializer))

    kind._initialize_with_initializer = keep
    try:
        yield kept
    finally:
        kind._initialize_with_initializer = usual


def _value(value: Any, shape: Any, dtype: Any) -> Any:  # noqa: ARG001  (an initializer's signature)
    return value


def _seeded(initializer: Any, key: jax.Array) -> Any:
    if not hasattr(initializer, "seed"):
        return initializer
    seeded = copy.copy(initializer)
    seeded.seed = key
    return seeded


def start_others(model: keras.Model, seeds: NDArray[np.uint32]) -> list[NDArray[Any]]:
    """Return the non-trainable variables as they stand in the model, for each member, with random states of its own.

    Returns:
        One array a non-trainable variable, shape (members, ...).
    """
    stacked = []
    for index, variable in enumerate(model.non_trainable_variables):
        value = np.asarray(variable.value)
        everyone = np.repeat(value[None], len(seeds), axis=0)
        # Dropout and augmentation draw from here: members must not share their masks.
        if variable.name == "seed_generator_state":
            everyone[:, 0] = [np.random.SeedSequence([int(seed), index]).generate_state(1)[0] for seed in seeds]
        stacked.append(everyone)
    return stacked


def scalers(model: keras.Model, x: Any, y: Any) -> list[Scaler]:
    """Return the layers of a model that must be given statistics, each with the values that it will meet.

    These are our own scaling layers and Keras's unadapted `Normalization`, behind an input or at an output. A model
    may say by itself, as `scalers(x, y)`, which layers meet what.

    Args:
        model: a built model.
        x: the inputs, arrays of n rows.
        y: the targets.

    Raises:
        AmaltheaError: a `Normalization` was not adapted and stands where its statistics cannot be found exactly.
    """
    fitted: list[Scaler] = []
    if hasattr(model, "scalers"):
        return list(model.scalers(x, y))
    for layer in _layers(model):
        normalizes = isinstance(layer, keras.layers.Normalization)
        if not (hasattr(layer, "statistics") or (normalizes and _unadapted(layer))):
            continue
        values = _met(model, layer, x, y)
        if values is None:
            raise AmaltheaError(
                f"The layer {layer.name!r} ({layer.__class__.__name__}) was not adapted, and its statistics can be "
                "found for each member only directly behind one input or at the only output of a Sequential or "
                "functional model: move it there"
                + (f", or call {layer.name}.adapt(...) yourself." if normalizes else ".")
            )
        fitted.append((layer, np.asarray(values)))
    return fitted


def fit_scalers(
    model: keras.Model, others: list[NDArray[Any]], statistics: list[Scaler], training: Sequence[Rows]
) -> None:
    """Write into `others`, shape (members, ...) each, the statistics of every member's own training rows."""
    position = {id(variable): index for index, variable in enumerate(model.non_trainable_variables)}
    # Members of one fold that set nothing aside share their rows, and so their statistics.
    known: dict[bytes, list[list[NDArray[Any]]]] = {}
    for member, rows in enumerate(training):
        key = rows.tobytes()
        if key not in known:
            known[key] = [_statistics(layer, values[rows]) for layer, values in statistics]
        for (layer, _), weights in zip(statistics, known[key], strict=True):
            for variable, value in zip(layer.non_trainable_variables, weights, strict=True):
                others[position[id(variable)]][member] = value


def normalizations(model: keras.Model) -> list[keras.layers.Normalization]:
    """Return the `Normalization` layers that keep their statistics in variables."""
    return [
        layer
        for layer in _layers(model)
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None and layer.built
    ]


def fitted_to(model: keras.Model, layer: keras.layers.Normalization, x: Any, y: Any) -> bool:
    """Return whether a layer was adapted to just these rows; False where it cannot be known what it meets."""
    values = None if _unadapted(layer) else _met(model, layer, x, y)
    if values is None:
        return False
    stored, all_rows = (layer.adapt_mean, layer.adapt_variance), _statistics(layer, values)
    return all(
        np.allclose(np.asarray(one), other, rtol=1e-3, atol=1e-6) for one, other in zip(stored, all_rows, strict=False)
    )


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    return list(model._flatten_layers(include_self=False, recursive=True))


def _unadapted(layer: keras.layers.Normalization) -> bool:
    if layer.input_mean is not None:
        return False
    mean, variance = np.asarray(layer.adapt_mean), np.asarray(layer.adapt_variance)
    return bool((mean == 0).all() and (variance == 1).all())


def _met(model: keras.Model, layer: keras.layers.Layer, x: Any, y: Any) -> NDArray[Any] | None:
    """Return the values behind which, or before which, a layer stands in the model; None where it stands elsewhere."""
    if not getattr(model, "inputs", None) or len(layer._inbound_nodes) == 0 or _uses(model, layer) > 1:
        return None
    # At the only output it meets the targets; behind an input, what that input is fed.
    if len(model.outputs) == 1 and layer.output is model.outputs[0]:
        targets = jax.tree.leaves(y)
        return targets[0] if len(targets) == 1 and getattr(layer, "invert", True) else None
    if getattr(layer, "invert", False):
        return None
    return next((values for tensor, values in _fed(model, x) if layer.input is tensor), None)


def _uses(model: keras.Model, layer: keras.layers.Layer) -> int:
    graph = getattr(model, "_functional", None) or model
    nodes = {id(node) for at_depth in graph._nodes_by_depth.values() for node in at_depth}
    return sum(id(node) in nodes for node in layer._inbound_nodes)


def _fed(model: keras.Model, x: Any) -> list[tuple[Any, NDArray[Any]]]:
    """Return each of the model's inputs with the values that it is fed."""
    if isinstance(x, dict):
        named = model.input if isinstance(model.input, dict) else {tensor.name: tensor for tensor in model.inputs}
        return [(named[name], values) for name, values in x.items() if name in named]
    return list(zip(model.inputs, jax.tree.leaves(x), strict=False))


def _statistics(layer: keras.layers.Layer, values: NDArray[Any]) -> list[NDArray[Any]]:
    if not isinstance(layer, keras.layers.Normalization):
        statistics: list[NDArray[Any]] = layer.statistics(values)
        return statistics
    values = values.reshape(-1, 1) if values.ndim == 1 else values
    # As Keras's `adapt`: over all axes but those that keep statistics of their own; in float64, rows may be many.
    kept = {axis % values.ndim for axis in layer.axis}
    reduced = tuple(axis for axis in range(values.ndim) if axis not in kept)
    mean, variance = values.mean(axis=reduced, dtype=np.float64), values.var(axis=reduced, dtype=np.float64)
    shape = tuple(layer.adapt_mean.shape)
    return [mean.reshape(shape), variance.reshape(shape), np.asarray(0)]
