"""The learning curve: the error of held-out examples against the number of training examples."""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.validation.metrics import Figure

RESAMPLES = 200


@dataclasses.dataclass(frozen=True, eq=False)
class LearningCurve:
    """Errors of the same held-out examples by networks that learned from more and more others.

    Args:
        target: whose error.
        measure: what the mean error is called: "share of mistakes", "root mean square error", with its unit.
        sizes: shape (sizes,): how many examples a network learned from.
        example_errors: shape (sizes, n): each example's error by networks that never saw it.
        groups: shape (n,): examples that are drawn together.
        power: 2 for the root mean square of the errors, 1 for their mean.

    Example:
        >>> errors = np.outer([1.0, 0.5], [1.0, 2.0, 3.0])
        >>> curve = LearningCurve("y", "mean error", np.array([10, 20]), errors, np.arange(3), 1)
        >>> curve.errors[1].value, round(curve.doubling.value, 3)
        (1.0, 0.5)
    """

    target: str
    measure: str
    sizes: NDArray[np.int64]
    example_errors: NDArray[np.float64]
    groups: NDArray[np.int64]
    power: float

    @cached_property
    def resampled(self) -> NDArray[np.float64]:
        """The mean error of each size, and below it those of resamples of the groups, shape (1 + resamples, sizes)."""
        units = np.unique(self.groups, return_inverse=True)[1]
        count = int(units.max()) + 1
        rng = np.random.default_rng(0)
        draws = [np.bincount(rng.integers(0, count, count), minlength=count)[units] for _ in range(RESAMPLES)]
        weights = np.concatenate([np.ones((1, len(units))), draws])
        powers = weights @ (self.example_errors**self.power).T / weights.sum(axis=1, keepdims=True)
        means: NDArray[np.float64] = powers ** (1 / self.power)
        return means

    @property
    def errors(self) -> tuple[Figure, ...]:
        """The mean error of each size, with its standard error."""
        spreads = self.resampled[1:].std(axis=0, ddof=1)
        return tuple(Figure(float(m), float(s)) for m, s in zip(self.resampled[0], spreads, strict=True))

    @property
    def doubling(self) -> Figure:
        """By which share the error would fall with twice the examples, if the trend goes on.

        The trend is error = c * size^(-b), fitted to the logarithms; its error comes from resampling the groups.
        """
        if not (self.resampled[0] > 0).all():
            return Figure(math.nan, math.nan)
        logs = np.log(np.maximum(self.resampled, 1e-12))
        slopes = np.polyfit(np.log(self.sizes), logs.T, 1)[0]
        gains = 1 - 2.0**slopes
        return Figure(float(gains[0]), float(gains[1:].std(ddof=1)))

    def data(self) -> dict[str, Any]:
        """Return the curve as plain numbers and lists, for JSON."""
        figures = {"errors": list(map(dataclasses.asdict, self.errors)), "doubling": dataclasses.asdict(self.doubling)}
        return {"target": self.target, "measure": self.measure, "sizes": self.sizes.tolist(), **figures}

    def __str__(self) -> str:
        value, error = 100 * self.doubling.value, 100 * self.doubling.error
        if not math.isfinite(value):
            return "The networks make no mistakes: more examples would not show."
        return f"If the trend goes on, twice the examples would lower the error by {value:.0f} ± {error:.0f} %."
