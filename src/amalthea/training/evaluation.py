"""How good an ensemble's mean is, in the model's own loss and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class Evaluation(dict[str, float]):
    """Loss and metrics of the ensemble's mean, by name.

    Args:
        values: loss and metrics of the mean prediction.
        members: by name, each member's own, shape (members,).
    """

    def __init__(self, values: Mapping[str, float], members: Mapping[str, NDArray[np.float64]]) -> None:
        super().__init__(values)
        self.members = dict(members)

    @property
    def spread(self) -> dict[str, float]:
        """By name, the standard deviation over the members."""
        return {
            name: float(np.std(values, ddof=1)) if len(values) > 1 else 0.0 for name, values in self.members.items()
        }

    def __repr__(self) -> str:
        figures = ", ".join(
            f"{name} {value:.4g} (members {self.members[name].mean():.4g} ± {self.spread[name]:.2g})"
            for name, value in self.items()
        )
        return f"<Evaluation: {figures}>"


def measure(
    model: keras.Model, variables: list[list[NDArray[Any]]], y: Any, answer: Any, sample_weight: Any
) -> dict[str, float]:
    """Return the loss and metrics of some answers, with the penalties and scales of one member.

    Args:
        model: a compiled model; it stays as it is.
        variables: the member's trainable and other variables.
        y: targets of n rows.
        answer: what is to be judged, in the shape of the model's outputs.
        sample_weight: each row's weight, or None.
    """
    metrics = model.metrics_variables
    with keras.StatelessScope() as scope:
        model.reset_metrics()
    start = [scope.get_current_value(variable) for variable in metrics]
    loss, (_, _, counted) = model.stateless_compute_loss(
        *variables, start, x=None, y=y, y_pred=answer, sample_weight=sample_weight, training=False
    )
    with keras.StatelessScope(zip(metrics, counted, strict=True)):
        results = model.compute_metrics(None, y, answer, sample_weight)
    return {name: float(value) for name, value in {**results, "loss": loss}.items()}
