"""How much each of several models should count, decided on rows that none of them saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target

Array = NDArray[np.float64]

LEAST_PROBABILITY = 1e-6
"""Below this no probability is believed."""

CLEARLY = 1.28
"""Standard errors by which one is better than the other with 90 % confidence."""


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


def likeliest_shares(probabilities: Array) -> Array:
    """Return the shares, none negative and 1 together, with which the models' mixture finds the labels likeliest.

    Where a class is rare, squared errors are nearly the same whatever is said of its few rows; likelihoods are not.

    Args:
        probabilities: shape (models, n): what each model gives the class that each example has.

    Returns:
        Shape (models,).

    Example:
        >>> likeliest_shares(np.array([[0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.9, 0.9]])).round(3).tolist()
        [0.5, 0.5]

    Source: the likelihood of a mixture on rows left out: Smyth and Wolpert, Mach. Learn. 36, 59 (1999), equation 6.
    """
    from scipy.optimize import minimize

    likely = np.maximum(probabilities, LEAST_PROBABILITY)

    def unlikeliness(weights: Array) -> tuple[float, Array]:
        mixed = np.maximum(weights @ likely, LEAST_PROBABILITY)
        return -float(np.log(mixed).mean()), -(likely / mixed).mean(axis=1)

    found = minimize(
        unlikeliness,
        np.full(len(likely), 1 / len(likely)),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * len(likely),
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": np.ones_like},
    )
    weights: Array = np.clip(found.x, 0, 1)
    mixture: Array = weights / weights.sum()
    return mixture


def cautious_shares(probabilities: Array, simplest: int) -> Array:
    """Return the likeliest shares; those of the simplest model alone where they are not clearly likelier.

    Of few examples of a class it is by chance which model finds them likelier, and other folds' choice would be another
    one.

    Args:
        probabilities: as `likeliest_shares` takes them.
        simplest: the number of the model.

    Source: with one-sided 90 % confidence in place of one standard error, the rule of Breiman, Friedman, Olshen and
        Stone, Classification and Regression Trees (1984), section 3.4.3.
    """
    found = likeliest_shares(probabilities)
    likely = np.maximum(probabilities, LEAST_PROBABILITY)
    gain = np.log(found @ likely) - np.log(likely[simplest])
    if gain.mean() > CLEARLY * gain.std() / np.sqrt(len(gain)):
        return found
    alone: Array = np.eye(len(probabilities))[simplest]
    return alone


def shares_by_fold(
    targets: Sequence[Target],
    values: Array,
    predictions: Sequence[NDArray[np.float32]],
    simplest: int | None = None,
) -> NDArray[np.float64]:
    """Return how much each model counts in each fold and for each output, from that fold's training part alone.

    Args:
        targets: the targets.
        values: shape (n, targets), NaN where a label is missing.
        predictions: for each model what `nested_cv_predictions` returned, shape (folds, n, sum of the targets' widths).
        simplest: the model that alone answers for classes unless others make them clearly likelier; None: no model is
            preferred, and the squared error decides.

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
                share = _target_shares(target, values[known, index], answers[:, known], simplest)
                result[:, fold, columns] = share[:, None]
    return result


def _target_shares(target: Target, label: Array, answers: Array, simplest: int | None) -> Array:
    if target.task == "regression":
        return shares(label[:, None], answers)
    codes = label.astype(int)
    if simplest is None:
        return shares(np.eye(target.width)[codes], answers)
    return cautious_shares(answers[:, np.arange(len(codes)), codes], simplest)
