"""A Keras model as a function of its weights and one example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

from amalthea.errors import AmaltheaError
from amalthea.insight.computational_graph.grouping import Path
from amalthea.insight.computational_graph.labels import argument_names
from amalthea.training.arrays import as_arrays

LOSS = "compile_loss"
"""The scope in which Keras computes the loss."""


class Question(NamedTuple):
    """A model's function, what to call it with, and how these are called.

    Args:
        function: of the arguments, returning the model's answer or its loss.
        arguments: (trainable weights, other variables, x, y).
        names: for each array of these.
        roles: for each array "weight", "state" or "argument".
        notes: what a reader should know.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    names: list[str]
    roles: tuple[str, ...]
    notes: tuple[str, ...]


def question(model: keras.Model, arguments: Sequence[Any]) -> Question:
    """Return a model as a function to be traced; layers behave as when the model answers, not as when it trains.

    Args:
        model: built or not.
        arguments: (x,) for its answer, (x, y) for the loss that it was compiled with.

    Raises:
        AmaltheaError: the arguments do not fit, or there is no loss.
    """
    if len(arguments) not in (1, 2):
        raise AmaltheaError(f"A model's graph needs x, or x and y. Received: {len(arguments)} arguments.")
    arrays = [as_arrays(value, name) for name, value in zip("xy", arguments, strict=False)]
    arrays = _as_batch(model, arrays)
    if not model.built:
        model(arrays[0])
    if len(arrays) == 2 and not (model.compiled and model.optimizer):
        raise AmaltheaError("The model has no loss: call model.compile(optimizer=..., loss=...), or leave y out.")
    function = _loss(model) if len(arrays) == 2 else _answer(model)
    variables = (_copies(model.trainable_variables), _copies(model.non_trainable_variables))
    paths = [_short(model, variable.path) for variable in (*model.trainable_variables, *model.non_trainable_variables)]
    data = argument_names(function, [*variables, *arrays])[len(paths) :]
    roles = ("weight",) * len(variables[0]) + ("state",) * len(variables[1]) + ("argument",) * len(data)
    notes = ("The model as it answers: dropout is off, and batch normalization uses its stored statistics.",)
    sleeping = any(isinstance(layer, keras.layers.Dropout | keras.layers.BatchNormalization) for layer in _all(model))
    return Question(function, (*variables, *arrays), [*paths, *data], roles, notes if sleeping else ())


def _loss(model: keras.Model) -> Callable[..., Any]:
    optimizer, metrics = _copies(model.optimizer.variables), _copies(model.metrics_variables)

    def loss(trainable: Any, others: Any, x: Any, y: Any) -> Any:
        return model.compute_loss_and_updates(
            trainable, others, metrics, x, y, None, training=False, optimizer_variables=optimizer
        )[0]

    return loss


def _answer(model: keras.Model) -> Callable[..., Any]:
    def answer(trainable: Any, others: Any, x: Any) -> Any:
        outputs = model.stateless_call(trainable, others, x, training=False)[0]
        if len(jax.tree.leaves(outputs)) != 1:
            raise AmaltheaError("The model has several outputs: give y as well, and the graph ends with the loss.")
        return jax.tree.leaves(outputs)[0]

    return answer


def paths(scopes: Sequence[Path], loss: bool) -> list[Path]:
    """Return the paths of a model's operations, with all that follows its last layer as one node, the loss.

    Args:
        scopes: of each operation.
        loss: the operations go on to the loss; a model that has its own way to it leaves it without a scope.
    """
    end = max((position + 1 for position, path in enumerate(scopes) if path), default=0) if loss else len(scopes)
    first = next((position for position, path in enumerate(scopes) if path and path[0] == LOSS), end)
    return [path if position < first else ("loss", *path[1:]) for position, path in enumerate(scopes)]


def _as_batch(model: keras.Model, arrays: list[Any]) -> list[Any]:
    """Give a single example its leading axis."""
    wanted = getattr(model, "input_shape", None) if model.built else None
    if isinstance(wanted, tuple) and hasattr(arrays[0], "ndim") and arrays[0].ndim == len(wanted) - 1:
        return [jax.tree.map(lambda value: value[None], array) for array in arrays]
    return [jax.tree.map(jnp.atleast_1d, array) for array in arrays]


def _copies(variables: Sequence[Any]) -> list[Any]:
    """Return the values of variables; Keras gives the arrays themselves away when it trains or evaluates."""
    return [jnp.array(variable.value, copy=True) for variable in variables]


def _short(model: keras.Model, path: str) -> str:
    return path.removeprefix(f"{model.name}/")


def _all(model: keras.Model) -> list[Any]:
    return list(model._flatten_layers())
