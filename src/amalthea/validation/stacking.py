"""How much each of several models should count, decided on rows that none of them saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target

Array = NDArray[np.float64]


def shares(truth: Array, answers: Array) -> Array:
    """Return the shares, none negative and 1 together, with which the models' mixture has the smallest squared error.

    Args:
        truth: shape (n, width): numbers, or one-hot classes.
        answers: shape (models, n, width).

    Returns:
        Shape (models,).

    Example:
        >>> truth = np.array([[0.0], [1.0], [2.0]])
        >>> shares(truth, np.stack([truth + [[1.0], [-1.0], [0.0]], truth - [[1.0], [-1.0], [0.0]]])).round(3).tolist()
        [0.5, 0.5]

    Source: stacking with non-negative weights: Breiman, Mach. Learn. 24, 49 (1996), equation 4.
    """
    from scipy.optimize import nnls

    columns = answers.reshape(len(answers), -1).T
    # One heavy equation more: the shares are 1 together.
    heavy = 1e3 * max(1.0, float(np.abs(columns).max())) * np.sqrt(len(columns))
    system = np.vstack([columns, np.full((1, len(answers)), heavy)])
    weights, _ = nnls(system, np.append(truth.ravel(), heavy))
    mixture: Array = weights / weights.sum()
    return mixture


def shares_by_fold(
    targets: Sequence[Target], values: Array, predictions: Sequence[NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Return how much each model counts in each fold and for each output, from that fold's training part alone.

    Args:
        targets: the targets.
        values: shape (n, targets), NaN where a label is missing.
        predictions: for each model what `nested_cv_predictions` returned, shape (folds, n, sum of the targets' widths).

    Returns:
        Shape (models, folds, sum of the targets' widths).
    """
    stacked = np.stack(predictions).astype(np.float64)
    result = np.full((*stacked.shape[:2], stacked.shape[-1]), 1.0 / len(predictions))
    ends = np.cumsum([target.width for target in targets]).tolist()
    for index, (target, end) in enumerate(zip(targets, ends, strict=True)):
        # Each target has shares of its own, from rows whose label and answers are all known.
        columns = slice(end - target.width, end)
        for fold in range(stacked.shape[1]):
            answers = stacked[:, fold, :, columns]
            known = np.isfinite(values[:, index]) & np.isfinite(answers).all(axis=(0, 2))
            if known.any():
                label = values[known, index]
                truth = np.eye(target.width)[label.astype(int)] if target.task == "classification" else label[:, None]
                result[:, fold, columns] = shares(truth, answers[:, known])[:, None]
    return result
