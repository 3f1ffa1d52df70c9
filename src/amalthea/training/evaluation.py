"""How good an ensemble's mean is, in the model's own loss and metrics."""

from __future__ import annotations

from collections.abc import Mapping

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
