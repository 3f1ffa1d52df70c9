"""Answers in numbers stay near what was learned: at most one width of the training targets' range beyond it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target

Floats = NDArray[np.float64]


def bounds(values: Floats, fold_ids: NDArray[np.int64], folds: int, targets: Sequence[Target]) -> tuple[Floats, Floats]:
    """Return the least and the largest answers of each fold's members.

    Args:
        values: of the targets, shape (n, T), NaN where not known.
        fold_ids: shape (n,): a fold's members learned from the rows of the others; of one fold from all.
        folds: K.
        targets: T.

    Returns:
        Both of shape (K, sum of the targets' widths); classes and targets without values are not bounded.

    Example:
        >>> y = Target("y", "regression", "")
        >>> bounds(np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1]), 2, [y])
        (array([[ 9.], [-1.]]), array([[9.], [2.]]))
    """
    low = np.full((folds, sum(target.width for target in targets)), -np.inf)
    high, column = -low, 0
    for index, target in enumerate(targets):
        for fold in range(folds):
            known = values[(fold_ids != fold) | (folds == 1), index]
            known = known[np.isfinite(known)]
            if target.task == "regression" and len(known):
                width = np.ptp(known)
                low[fold, column], high[fold, column] = known.min() - width, known.max() + width
        column += target.width
    return low, high
