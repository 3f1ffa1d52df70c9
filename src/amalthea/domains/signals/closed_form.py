"""Linear models that are solved and not trained: ridge regression and partial least squares.

What is to be chosen, the penalty, the view of a spectrum and the number of components, is chosen inside the given rows.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Method = Literal["ridge", "pls"]

MOST_ROWS = 5_000
"""Rows that are learned from at most."""

PENALTIES = np.logspace(-3, 5, 17)

COMPONENTS = 15

NEAR = 1.5
"""How many times the least squared error still is a good one."""

PARTS = 7
"""Parts of the rows that take turns in the choice of components."""

_GAINS = (0.5, 10.0)  # of answers, 0 or 1 for a class, in an exponent


@dataclasses.dataclass(frozen=True, eq=False)
class Solution:
    """A linear answer, (x - centre) @ weights + offset.

    Args:
        centre: shape (d,).
        weights: shape (d, outputs).
        offset: shape (outputs,).
    """

    centre: Array
    weights: Array
    offset: Array

    def scaled(self, gain: float) -> Solution:
        """Return the solution whose answers are `gain` times as large."""
        return Solution(self.centre, self.weights * gain, self.offset * gain)


def solve(x: NDArray[Any], labels: Array, widths: Sequence[int], method: Method, views: int = 1) -> list[Solution]:
    """Return for each target what answers it best: a number in its standard deviations, or logits of classes.

    Args:
        x: shape (n, d), no value missing.
        labels: shape (n, targets): numbers, or codes of classes; NaN where there is none.
        widths: for each target 1 (a regression) or its number of classes.
        method: "ridge", or "pls" (partial least squares).
        views: parts of the columns, of one size, of which "pls" uses the best.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(50, 4))
        >>> [found] = solve(x, (3 * x[:, :1] + 7), [1], "pls")
        >>> np.corrcoef((x @ found.weights)[:, 0], x[:, 0])[0, 1].round(3)
        np.float64(1.0)
    """
    solutions = []
    for label, width in zip(labels.T, widths, strict=True):
        known = np.flatnonzero(np.isfinite(label))
        known = known[:: -(-len(known) // MOST_ROWS) or 1]
        rows, wanted = np.asarray(x[known], np.float64), label[known].astype(np.float64)
        if len(known) < 3 or np.ptp(wanted) == 0:
            solutions.append(Solution(np.zeros(x.shape[1]), np.zeros((x.shape[1], width)), np.zeros(width)))
            continue
        if width == 1:
            wanted = ((wanted - wanted.mean()) / wanted.std())[:, None]
        else:
            wanted = np.eye(width)[wanted.astype(np.int64)]
        found, unseen = _ridge(rows, wanted) if method == "ridge" else _partial_least_squares(rows, wanted, views)
        solutions.append(found if width == 1 else found.scaled(_gain(unseen, wanted)))
    return solutions


def _ridge(x: Array, wanted: Array) -> tuple[Solution, Array]:
    """Return the ridge regression of standardized columns with the best penalty, and what it says of rows left out."""
    from sklearn.linear_model import RidgeCV

    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale <= 1e-7 * np.abs(centre)] = np.inf  # a constant column has no say
    model = RidgeCV(PENALTIES, scoring="neg_mean_squared_error", store_cv_results=True)
    model.fit((x - centre) / scale, wanted)
    unseen = model.cv_results_.reshape(*wanted.shape, len(PENALTIES))[..., list(PENALTIES).index(model.alpha_)]
    weights = np.reshape(model.coef_, (wanted.shape[1], -1)).T / scale[:, None]
    return Solution(centre, weights, np.atleast_1d(model.intercept_)), unseen


def _partial_least_squares(x: Array, wanted: Array, views: int) -> tuple[Solution, Array]:
    """Return the mean of the good partial least squares over views and scalings, and what it says of rows left out.

    Each view, centred or standardized, has as many components as serve rows that take turns in being left out. Those
    whose squared error is near the least count alike: among few examples the best one is so in part by chance. An
    example has no part in what is said of it but for the columns' deviations.
    """
    size = x.shape[1] // views
    centre, deviation = x.mean(axis=0), x.std(axis=0)
    constant = deviation <= 1e-7 * np.abs(centre)
    tried: list[tuple[float, Array, slice, Array, int]] = []
    for view in range(views):
        columns = slice(view * size, (view + 1) * size)
        for scale in (np.ones(size), deviation[columns]):
            scale = np.where(constant[columns], np.inf, scale)
            # In the space of its rows a spectrum of thousands of places is as short as there are rows.
            unseen = _left_out(_short((x[:, columns] - centre[columns]) / scale), wanted)
            errors = [float(np.mean((each - wanted) ** 2)) for each in unseen]
            number = int(np.argmin(errors))
            tried.append((errors[number], unseen[number], columns, scale, number + 1))
    least = min(error for error, *_ in tried)
    good = [each for each in tried if each[0] <= NEAR * least]
    weights = np.zeros((x.shape[1], wanted.shape[1]))
    for _, _, columns, scale, number in good:
        *_, fitted = _by_components((x[:, columns] - centre[columns]) / scale, wanted, number)
        weights[columns] += fitted / scale[:, None] / len(good)
    return Solution(centre, weights, wanted.mean(axis=0)), np.mean([unseen for _, unseen, *_ in good], axis=0)


def _short(x: Array) -> Array:
    """Return rows with the same products between them, and no more columns than rows."""
    if x.shape[1] <= len(x):
        return x
    values, vectors = np.linalg.eigh(x @ x.T)
    kept = values > 1e-12 * values[-1]
    turned: Array = vectors[:, kept] * np.sqrt(values[kept])
    return turned


def _left_out(x: Array, wanted: Array) -> list[Array]:
    """Return for 1, 2, ... components what models say of rows that they did not see, shape (n, outputs) each."""
    most = min(COMPONENTS, x.shape[1], len(x) - -(-len(x) // PARTS) - 1)
    parts = np.random.default_rng(0).permutation(len(x)) % min(PARTS, len(x))
    answers = np.zeros((max(most, 1), *wanted.shape))
    for part in np.unique(parts):
        held, seen = parts == part, parts != part
        centre, mean = x[seen].mean(axis=0), wanted[seen].mean(axis=0)
        answers[:, held] = mean
        for number, weights in enumerate(_by_components(x[seen] - centre, wanted[seen], most)):
            answers[number:, held] = (x[held] - centre) @ weights + mean
    return list(answers)


def _by_components(x: Array, wanted: Array, most: int) -> Iterator[Array]:
    """Yield the weights of partial least squares with 1, 2, ... components, shape (d, outputs), while there are any.

    Args:
        x: shape (n, d), centred.
        wanted: shape (n, outputs).
        most: the largest number of components.
    """
    from sklearn.cross_decomposition import PLSRegression

    most = min(most, *x.shape)
    if most < 1 or not x.any():
        yield np.zeros((x.shape[1], wanted.shape[1]))
        return
    model = PLSRegression(most, scale=False)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of components behind the last that says something
        model.fit(x, wanted)
    for number in range(1, most + 1):
        weights = model.x_rotations_[:, :number] @ model.y_loadings_[:, :number].T
        if not np.isfinite(weights).all():
            return
        yield weights


def _gain(unseen: Array, wanted: Array) -> float:
    """Return what answers for rows that were not seen must be multiplied by to be the likeliest logits."""
    from scipy.optimize import minimize_scalar

    def unlikeliness(logarithm: float) -> float:
        logits = np.exp(logarithm) * unseen
        largest = logits.max(axis=1, keepdims=True)
        norm = largest[:, 0] + np.log(np.exp(logits - largest).sum(axis=1))
        return float((norm - (logits * wanted).sum(axis=1)).mean())

    return float(np.exp(minimize_scalar(unlikeliness, bounds=tuple(np.log(_GAINS)), method="bounded").x))
