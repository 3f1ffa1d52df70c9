"""Calibrations judged by rows that they were not fitted on.

Constants are fitted on out-of-fold predictions. To judge them, `cross_fit` applies to each fold constants from the
other folds: on its own residuals, a 90 % interval covers 90 % by construction.
"""

from __future__ import annotations

import dataclasses
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

CLUSTER_WEIGHT = 0.5
"""How much a row counts that was held out with its cluster, beside one that was held out at random."""


@dataclasses.dataclass(frozen=True, eq=False)
class Apart:
    """How far n rows lie from what was learned; see `Applicability.relative_distance` and `excess`."""

    distance: Array
    excess: Array

    def take(self, rows: Rows) -> Apart:
        """Return those of some rows."""
        return Apart(self.distance[rows], self.excess[rows])


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
    """
    apart, beyond, labels = (None if each is None else np.asarray(each) for each in (distance, excess, truth))
    errors, spreads = np.abs(np.asarray(residuals, np.float64)), np.asarray(std, np.float64)
    held = Residuals(errors, spreads, np.asarray(fold_ids), np.asarray(groups), apart, beyond, labels)
    half_widths, _ = cross_fitted(held, level=level)
    return None if half_widths is None else share_inside(errors <= half_widths, groups)


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOut:
    """What members say of n rows that they never saw.

    Args:
        mean: shape (n, sum of the targets' widths).
        std: the raw spreads, likewise.
        fold_ids: shape (n,), integers: the fold that held each row out.
        groups: shape (n,), integers: rows that are drawn together.
        apart: how far the rows lie from what was learned by the members that judge them.
    """

    mean: Array
    std: Array
    fold_ids: NDArray[np.int64]
    groups: NDArray[np.int64]
    apart: Apart

    def take(self, rows: Rows, columns: slice) -> HeldOut:
        """Return what is said of some rows and of one target."""
        return HeldOut(
            self.mean[rows, columns],
            self.std[rows, columns],
            self.fold_ids[rows],
            self.groups[rows],
            self.apart.take(rows),
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Residuals:
    """Errors of held-out answers and what foretells them, all of shape (n,).

    Args:
        errors: |prediction - truth|.
        spreads: raw.
        fold_ids: integers: the fold that held each row out.
        groups: integers: rows that belong together share one.
        distance: to what was learned; None: not known.
        excess: of the worst column; None: none.
        truth: the targets; None: not known.
    """

    errors: Array
    spreads: Array
    fold_ids: NDArray[Any]
    groups: NDArray[Any]
    distance: Array | None = None
    excess: Array | None = None
    truth: Array | None = None


def cross_fitted(
    random: Residuals, clusters: Residuals | None = None, level: float = 0.9, weight: float = CLUSTER_WEIGHT
) -> tuple[Array | None, Array | None]:
    """Return half-widths of intervals for rows held out at random and by cluster, by constants from other rows.

    Args:
        random: n rows, from random folds.
        clusters: the same n rows, from folds that hold whole clusters out, NaN where one is not; None: none are.
        level: the fraction that is to be covered.
        weight: how much a row of `clusters` counts beside one of `random`.

    Returns:
        Shape (n,) each; None where there is one fold only, or a fold for which no interval could be fitted.
    """

    def fit(rows: Rows) -> IntervalCalibration:
        return fit_both(random, clusters, rows, level, weight)

    def judged(held: Residuals | None) -> Array | None:
        if held is None:
            return None
        excess = np.zeros(len(held.errors)) if held.excess is None else held.excess

        def half_width(constants: IntervalCalibration, rows: Rows) -> Array:
            apart = None if held.distance is None else held.distance[rows]
            return constants.factor * constants.sigma(held.spreads[rows], apart, excess[rows])

        widths = cross_fit(fit, half_width, held.fold_ids)
        return None if widths is None or not np.isfinite(widths[np.isfinite(held.errors)]).all() else widths

    return judged(random), judged(clusters)


def fit_both(
    random: Residuals,
    clusters: Residuals | None = None,
    rows: Rows | None = None,
    level: float = 0.9,
    weight: float = CLUSTER_WEIGHT,
) -> IntervalCalibration:
    """Return the constants that fit residuals of random and of cluster-held-out rows.

    Args:
        random: n rows, from random folds.
        clusters: the same n rows, from folds that hold whole clusters out, NaN where one is not; None: none are.
        rows: which of them are used, shape (n,); None: all.
        level: the fraction that is to be covered.
        weight: how much a row of `clusters` counts beside one of `random`.
    """
    asked = np.ones(len(random.errors), bool) if rows is None else rows
    parts = [(random, asked)]
    if clusters is not None:
        parts.append((clusters, asked & np.isfinite(clusters.errors)))

    def joined(name: str) -> Any:
        values = [(getattr(part, name), used) for part, used in parts]
        return None if any(each is None for each, _ in values) else np.concatenate([v[used] for v, used in values])

    return fit_interval(
        joined("errors"),
        joined("spreads"),
        level,
        distance=joined("distance"),
        truth=joined("truth"),
        weights=np.repeat([1.0, weight][: len(parts)], [used.sum() for _, used in parts]),
    )


def share_inside(inside: ArrayLike, groups: ArrayLike) -> Figure:
    """Return the share of rows that are inside, shape (n,), with its standard error over groups, shape (n,).

    Example:
        >>> share_inside([True, False], [0, 1])
        Figure(value=0.5, error=0.5)

    Source of the error (residuals summed by cluster): Liang and Zeger, Biometrika 73, 13 (1986).
    """
    covered = np.asarray(inside, np.float64)
    value = float(covered.mean())
    # Rows of a group err together: the error of the mean sums their residuals before it squares them.
    sums = np.bincount(np.unique(np.asarray(groups), return_inverse=True)[1], covered - value)
    error = math.sqrt(sums @ sums * len(sums) / (len(sums) - 1)) / len(covered) if len(sums) > 1 else math.nan
    return Figure(value, error)
