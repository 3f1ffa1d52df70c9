"""Features that say what the target is: the target in another unit, on another scale, or under another name."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.columns import is_missing, is_numeric, numbers
from amalthea.datasets.dataset import Target

FEWEST = 10
"""Rows, at least, before a relation is believed."""

UNEXPLAINED = 2e-4
"""The share of the target's variance that a restated target leaves open at most: the rounding of its last digits."""


def restates(column: pd.Series, target: Target, values: NDArray[np.float64]) -> str:
    """Return why a column says what the target is, "" where it does not.

    Of numbers: one is a line of the other, of its logarithm, or both logarithms are, in rank and in size. Of classes:
    each value of the column stands for one class, and each class for one value.

    Args:
        column: n values as text.
        target: what is learned.
        values: the target's values, shape (n,), NaN where unknown.

    Example:
        >>> grams = np.linspace(1.0, 9.0, 20)
        >>> restates(pd.Series([f"{1000 * g:.1f}" for g in grams]), Target("mass", "regression"), grams)
        "it is 'mass' in another unit"
    """
    known = np.isfinite(values) & ~is_missing(column)
    if target.task == "regression":
        return _restated_number(numbers(column), target, values) if is_numeric(column) else ""
    if known.sum() < FEWEST:
        return ""
    pairs = pd.DataFrame({"value": column[known].to_numpy(object), "class": values[known]}).drop_duplicates()
    one_to_one = pairs["value"].is_unique and pairs["class"].is_unique and len(pairs) > 1
    return f"each of its values is one class of '{target.name}'" if one_to_one else ""


def _restated_number(x: NDArray[np.float64], target: Target, y: NDArray[np.float64]) -> str:
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(np.unique(x)) < FEWEST or len(np.unique(y)) < FEWEST:
        return ""
    if np.array_equal(x, y):
        return f"it is '{target.name}' itself"
    # One far value makes any line look straight: ranks must agree as well.
    ranks = abs(_correlation(_ranks(x), _ranks(y)))
    if ranks < 0.999:
        return ""
    scales = {"in another unit": (x, y)}
    if (x > 0).all():
        scales["on a logarithmic scale"] = (np.log(x), y)
    if (y > 0).all():
        scales["as a logarithm"] = (x, np.log(y))
    if (x > 0).all() and (y > 0).all():
        scales["to a power"] = (np.log(x), np.log(y))
    for how, (first, second) in scales.items():
        if 1 - _correlation(first, second) ** 2 < UNEXPLAINED:
            return f"it is '{target.name}' {how}"
    return ""


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(pd.Series(values).rank(), np.float64)


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return Pearson's correlation; 0 where one of both never changes."""
    if not (first.std() > 0 and second.std() > 0):
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
