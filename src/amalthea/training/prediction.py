"""What a model answers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions for n examples, with what the members say of their certainty.

    From an `Ensemble`: the members' raw spread, and no interval. From a `Predictor`: calibrated.

    Args:
        mean: the mean over the members, shape (n, ...); for a model with several outputs a dict or list of such.
        std: the uncertainty of each value, as `mean`.
        members: each member's own prediction, shape (members, n, ...).
        lower: the lower end of the 90 % interval, as `mean`; None without calibration.
        upper: the upper end.
        applicability: shape (n,): the percentile of the distance to the training set among the training examples' own.
        problems: shape (n,): why nothing was predicted for an example, "" where something was.
        warnings: shape (n,): what should be known about a prediction, "" where nothing.
        classes: for a classification, the labels in the order of the last axis of `mean`.
    """

    mean: Any
    std: Any
    members: Any
    lower: Any = None
    upper: Any = None
    applicability: NDArray[np.float64] | None = None
    problems: NDArray[np.object_] | None = None
    warnings: NDArray[np.object_] | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        import jax

        return len(jax.tree.leaves(self.mean)[0])

    def __repr__(self) -> str:
        import jax

        shapes = ", ".join(str(leaf.shape) for leaf in jax.tree.leaves(self.mean))
        calibrated = "calibrated" if self.lower is not None else "raw spread"
        return f"<Prediction of {len(self)} examples, mean {shapes}, {calibrated}>"
