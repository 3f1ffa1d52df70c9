"""Keras's optimizers, as functions without a memory of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from amalthea import backend
from amalthea.errors import AmaltheaError


def fresh(optimizer: Any, variables: Sequence[Any]) -> Any:
    """Return an optimizer like the given one, built on variables, with a state of its own.

    Args:
        optimizer: a `keras.optimizers.Optimizer`, or its name.
        variables: Keras variables that it is to change.

    Raises:
        AmaltheaError: there is no such optimizer.
    """
    backend.prepare()
    try:
        known = keras.optimizers.get(optimizer)
    except ValueError:
        raise AmaltheaError(
            f"Keras has no optimizer {optimizer!r}. It has, for instance: sgd, rmsprop, adam."
        ) from None
    config = known.get_config()
    if not isinstance(known._learning_rate, keras.Variable):
        config["learning_rate"] = known._learning_rate  # a schedule need not be serializable
    copy = type(known).from_config(config)
    copy.build(list(variables))
    return copy


def state(optimizer: Any, values: Sequence[Any]) -> dict[str, Any]:
    """Return what an optimizer remembers of its weights, by Keras's names: ..._momentum, ..._velocity.

    Args:
        optimizer: a built one.
        values: of its variables, in their order.

    Example:
        >>> weight = keras.Variable([1.0, 2.0], name="weight")
        >>> adam = fresh("adam", [weight])
        >>> sorted(state(adam, [variable.value for variable in adam.variables]))
        ['weight_momentum', 'weight_velocity']
    """
    remembered: dict[str, Any] = {}
    for variable, value in zip(optimizer.variables, values, strict=True):
        if variable.name not in ("iteration", "learning_rate"):
            again = sum(name.split("#")[0] == variable.name for name in remembered)
            remembered[f"{variable.name}#{again + 1}" if again else variable.name] = value
    return remembered
