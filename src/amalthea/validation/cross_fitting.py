"""Calibrations judged by rows that they were not fitted on.

Constants are fitted on out-of-fold predictions. To judge them, `cross_fit` applies to each fold constants from the
other folds: on its own residuals, a 90 % interval covers 90 % by construction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.validation.calibration import IntervalCalibration, fit_interval
from amalthea.validation.metrics import Figure

Array = NDArray[np.float64]
Rows = NDArray[np.bool_]
Constants = TypeVar("Constants")


def cross_fit(
    fit: Callable[[Rows], Constants], apply: Callable[[Constants, Rows], ArrayLike], fold_ids: ArrayLike
) -> NDArray[Any] | None:
    """Judge each fold with constants from the other folds; None where there is only one.

    Args:
        fit: returns constants from the rows (a mask of shape (n,)) that it is given.
        apply: returns what these constants make of some rows, shape (rows, ...).
        fold_ids: shape (n,), integers: the fold that held each row out.

    Returns:
        What `apply` returned, in the order of the rows, shape (n, ...).

    Example:
        >>> x = np.array([1.0, 3.0, 10.0])
        >>> cross_fit(lambda rows: x[rows].mean(), lambda mean, rows: x[rows] - mean, [0, 0, 1])
        array([-9., -7.,  8.])
    """
    folds = np.asarray(fold_ids)
    held_out = [folds == fold for fold in np.unique(folds)]
    if len(held_out) < 2:
        return None
    parts = [np.asarray(apply(fit(~rows), rows)) for rows in held_out]
    result = np.empty((len(folds), *parts[0].shape[1:]), np.result_type(*parts))
    for rows, part in zip(held_out, parts, strict=True):
        result[rows] = part
    return result


def coverage(
    residuals: ArrayLike,
    std: ArrayLike,
    fold_ids: ArrayLike,
    groups: ArrayLike,
    level: float = 0.9,
    *,
    distance: ArrayLike | None = None,
    excess: ArrayLike | None = None,
    truth: ArrayLike | None = None,
) -> Figure | None:
    """Return the fraction of rows inside their cross-fitted interval, with its standard error over groups.

    Args:
        residuals: shape (n,), out-of-fold prediction minus truth.
        std: shape (n,), the raw spreads of the same predictions.
        fold_ids: shape (n,), integers: the fold that held each row out.
        groups: shape (n,), integers: rows that belong together share one.
        level: the fraction that is to be covered.
        distance: shape (n,), as for `fit_interval`.
        excess: shape (n,), as for `IntervalCalibration.sigma`.
        truth: shape (n,), as for `fit_interval`.

    Returns:
        The fraction, or None where there is one fold only, or a fold for which no interval could be fitted.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> str(coverage(rng.normal(size=5000), np.ones(5000), np.arange(5000) % 5, np.arange(5000)))
        '0.900 ± 0.004'

    Source of the error (residuals summed by cluster): Liang and Zeger, Biometrika 73, 13 (1986).
    """
    errors, spreads = np.abs(np.asarray(residuals, np.float64)), np.asarray(std, np.float64)
    apart, beyond, labels = (None if each is None else np.asarray(each) for each in (distance, excess, truth))

    def of(values: Array | None, rows: Rows) -> Array | None:
        return None if values is None else values[rows]

    def fit(rows: Rows) -> IntervalCalibration:
        return fit_interval(errors[rows], spreads[rows], level, distance=of(apart, rows), truth=of(labels, rows))

    def half_width(constants: IntervalCalibration, rows: Rows) -> Array:
        columns = 0.0 if beyond is None else beyond[rows]
        return constants.factor * constants.sigma(spreads[rows], of(apart, rows), columns)

    half_widths = cross_fit(fit, half_width, fold_ids)
    if half_widths is None or not np.isfinite(half_widths).all():
        return None
    # Rows of a group err together: the error of the mean sums their residuals before it squares them.
    covered = (errors <= half_widths).astype(np.float64)
    value = float(covered.mean())
    sums = np.bincount(np.unique(np.asarray(groups), return_inverse=True)[1], covered - value)
    error = math.sqrt(sums @ sums * len(sums) / (len(sums) - 1)) / len(errors) if len(sums) > 1 else math.nan
    return Figure(value, error)
