"""From an ensemble's raw spread to intervals and probabilities that can be believed.

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

from amalthea.datasets.archive import Number
from amalthea.validation.metrics import Figure

Array = NDArray[np.float64]
Rows = NDArray[np.bool_]
Constants = TypeVar("Constants")

_LOG_VARIANCES = (-14.0, 3.0)  # bounds of ln a² and ln b², where residuals and spreads are of size 1
_POWERS = (0.2, 1.0)
_TEMPERATURES = (0.05, 20.0)
_SMALLEST_PROBABILITY = 1e-12


@dataclasses.dataclass(frozen=True)
class IntervalCalibration:
    """What turns a mean and a raw spread into an interval: mean ± factor * sqrt(a² + (b * std^power)²).

    The spread of a few members is noisy: where it is large, it is so in part by chance, and the error is not as large.
    A power below 1 says so.

    Args:
        a: the part of the error that the spread does not show, in the target's unit.
        b: what the raw spread, raised to the power, is multiplied by.
        factor: half the interval's width in units of sigma; NaN where too few residuals are known for any finite one.
        level: the fraction of new examples that the interval is to cover.
        power: above 0, at most 1.

    Example:
        >>> calibration = IntervalCalibration(a=0.3, b=2.0, factor=1.5)
        >>> calibration.interval([1.0], [0.2])
        (array([0.25]), array([1.75]))
    """

    a: Number
    b: Number
    factor: Number
    level: float = 0.9
    power: float = 1.0

    def sigma(self, std: ArrayLike) -> Array:
        """Return the calibrated standard deviation for raw spreads of shape (n,), in the target's unit."""
        return np.hypot(self.a, self.b * np.asarray(std, np.float64) ** self.power)

    def interval(self, mean: ArrayLike, std: ArrayLike) -> tuple[Array, Array]:
        """Return the interval's lower and upper ends, each of shape (n,); NaN where `factor` is."""
        centre, half = np.asarray(mean, np.float64), self.factor * self.sigma(std)
        return centre - half, centre + half


def fit_interval(residuals: ArrayLike, std: ArrayLike, level: float = 0.9) -> IntervalCalibration:
    """Return the constants that fit out-of-fold residuals: sigma by likelihood, the width by the conformal quantile.

    a, b and the power maximize the likelihood of Gaussian residuals with variance a² + (b * std^power)². The factor is
    then the ⌈level (n + 1)⌉-th smallest |residual| / sigma; where that exceeds n (fewer than 9 residuals for 0.9), no
    finite interval keeps the promise and the factor is NaN. A spread that is the same for all rows tells nothing: b is
    0. Residuals or spreads that are not finite leave nothing to promise: all constants are NaN.

    Args:
        residuals: shape (n,), prediction minus truth (or the reverse), in the target's unit.
        std: shape (n,), the raw spreads of the same predictions.
        level: the fraction to be covered.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> calibration = fit_interval([0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8, 0.9, -1.0], [0.0] * 10)
        >>> calibration.b, round(calibration.factor * calibration.a, 6)
        (0.0, 1.0)

    Source: Lei et al., J. Am. Stat. Assoc. 113, 1094 (2018), algorithm 2 and section 5.2 (locally weighted residuals).
    """
    errors, spreads = np.abs(np.asarray(residuals, np.float64)), np.asarray(std, np.float64)
    if errors.ndim != 1 or errors.shape != spreads.shape:
        raise ValueError(f"residuals and std must have shape (n,). Received: {errors.shape}, {spreads.shape}")
    if not len(errors) or not (np.isfinite(errors).all() and np.isfinite(spreads).all()):
        return IntervalCalibration(math.nan, math.nan, math.nan, level)
    # How the error grows with the spread, by likelihood.
    a, b, power = _likeliest_variance(errors, spreads)
    sigma = IntervalCalibration(a, b, math.nan, power=power).sigma(spreads)
    # How wide, by the conformal quantile of the errors in units of sigma: no shape of their distribution is assumed.
    scaled = np.sort(np.divide(errors, sigma, out=np.zeros_like(errors), where=sigma > 0))  # sigma 0: all errors are 0
    rank = math.ceil(level * (len(scaled) + 1) - 1e-9)  # rounding must not lift a whole number
    factor = float(scaled[rank - 1]) if rank <= len(scaled) else math.nan
    return IntervalCalibration(a, b, factor, level, power)


def _likeliest_variance(errors: Array, spreads: Array) -> tuple[float, float, float]:
    """Return a, b and the power of the variance a² + (b * std^power)² under which Gaussian errors are likeliest."""
    from scipy.optimize import minimize

    size, spread = float(np.sqrt(np.mean(errors**2))), float(np.sqrt(np.mean(spreads**2)))
    if size == 0.0 or np.ptp(spreads) <= 1e-9 * spread:
        return size, 0.0, 1.0
    # In units of the typical error and spread, one set of bounds and starts serves all targets.
    squares, relative = (errors / size) ** 2, spreads / spread
    logarithms = np.log(np.where(relative > 0, relative, 1.0))

    def negative_log_likelihood(constants: Array) -> tuple[float, Array]:
        floor, shown = np.exp(constants[0]), np.exp(constants[1]) * relative ** (2 * constants[2])
        variance = floor + shown
        slope = 1 / variance - squares / variance**2
        by = [slope * floor, slope * shown, 2 * slope * shown * logarithms]
        return float(np.mean(np.log(variance) + squares / variance)), np.array([part.mean() for part in by])

    bounds = [_LOG_VARIANCES, _LOG_VARIANCES, _POWERS]
    # From three starts, for the likelihood can have a second maximum where one of the two parts is all.
    starts = [np.array([np.log(share), np.log(1 - share), 0.8]) for share in (0.5, 0.95, 0.05)]
    fits = [minimize(negative_log_likelihood, start, jac=True, bounds=bounds) for start in starts]
    *logs, power = min(fits, key=lambda fit: float(fit.fun)).x
    # Back to the target's own units.
    a, b = np.exp(np.array(logs) / 2)
    return float(a * size), float(b * size / spread**power), float(power)


@dataclasses.dataclass(frozen=True)
class Temperature:
    """Softens (above 1) or sharpens (below 1) probabilities without changing which label comes first.

    Args:
        temperature: what log-probabilities are divided by.

    Example:
        >>> Temperature(2.0).apply([[0.9, 0.1]])
        array([[0.75, 0.25]])
    """

    temperature: float

    def apply(self, probabilities: ArrayLike) -> Array:
        """Return softmax(ln p / T) for probabilities of shape (n, classes)."""
        logits = _log(probabilities) / self.temperature
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        softened: Array = raised / raised.sum(axis=1, keepdims=True)
        return softened


def fit_temperature(probabilities: ArrayLike, truth: ArrayLike) -> Temperature:
    """Return the temperature between 0.05 and 20 that makes out-of-fold labels likeliest.

    Probabilities below 1e-12 count as that. Where there are none, or some are not finite, the temperature is 1.

    Args:
        probabilities: shape (n, classes).
        truth: shape (n,), codes of classes.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> right_three_times_in_four = fit_temperature([[0.9, 0.1]] * 4, [0, 0, 0, 1])
        >>> round(right_three_times_in_four.temperature, 3)
        2.0

    Source: Guo et al., ICML 2017 (arXiv 1706.04599), section 4.2, on the log-probabilities of the ensemble's mean.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    logits, labels = _log(probabilities), np.asarray(truth).astype(np.int64)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"probabilities (n, classes) and truth (n,) are needed. Received: {logits.shape}, {labels.shape}"
        )
    if not len(labels) or not np.isfinite(logits).all():
        return Temperature(1.0)
    # Relative to the true label's, the log-likelihood is one logsumexp.
    relative = logits - logits[np.arange(len(labels)), labels][:, None]

    def negative_log_likelihood(log_temperature: float) -> float:
        return float(np.mean(logsumexp(relative / math.exp(log_temperature), axis=1)))

    fit = minimize_scalar(negative_log_likelihood, bounds=np.log(_TEMPERATURES), method="bounded")
    return Temperature(math.exp(float(fit.x)))


def _log(probabilities: ArrayLike) -> Array:
    logarithms: Array = np.log(np.maximum(np.asarray(probabilities, np.float64), _SMALLEST_PROBABILITY))
    return logarithms


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
    residuals: ArrayLike, std: ArrayLike, fold_ids: ArrayLike, groups: ArrayLike, level: float = 0.9
) -> Figure | None:
    """Return the fraction of rows inside their cross-fitted interval, with its standard error over groups.

    Args:
        residuals: shape (n,), out-of-fold prediction minus truth.
        std: shape (n,), the raw spreads of the same predictions.
        fold_ids: shape (n,), integers: the fold that held each row out.
        groups: shape (n,), integers: rows that belong together share one.
        level: the fraction that is to be covered.

    Returns:
        The fraction, or None where there is one fold only, or a fold for which no interval could be fitted.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> str(coverage(rng.normal(size=5000), np.ones(5000), np.arange(5000) % 5, np.arange(5000)))
        '0.900 ± 0.004'

    Source of the error (residuals summed by cluster): Liang and Zeger, Biometrika 73, 13 (1986).
    """
    errors, spreads = np.abs(np.asarray(residuals, np.float64)), np.asarray(std, np.float64)
    half_widths = cross_fit(
        lambda rows: fit_interval(errors[rows], spreads[rows], level),
        lambda constants, rows: constants.factor * constants.sigma(spreads[rows]),
        fold_ids,
    )
    if half_widths is None or not np.isfinite(half_widths).all():
        return None
    # Rows of a group err together: the error of the mean sums their residuals before it squares them.
    covered = (errors <= half_widths).astype(np.float64)
    value = float(covered.mean())
    sums = np.bincount(np.unique(np.asarray(groups), return_inverse=True)[1], covered - value)
    error = math.sqrt(sums @ sums * len(sums) / (len(sums) - 1)) / len(errors) if len(sums) > 1 else math.nan
    return Figure(value, error)


def calibrated_probabilities(probabilities: ArrayLike, truth: ArrayLike, fold_ids: ArrayLike) -> Array | None:
    """Return out-of-fold probabilities, each fold's with the temperature of the other folds; None for one fold.

    These, and not those with the stored temperature, are what figures are computed from.

    Args:
        probabilities: shape (n, classes), out of fold.
        truth: shape (n,), codes of classes.
        fold_ids: shape (n,), integers: the fold that held each row out.

    Example:
        >>> calibrated_probabilities([[0.9, 0.1]] * 8, [0, 0, 0, 1] * 2, [0] * 4 + [1] * 4).round(2)[0]
        array([0.75, 0.25])
    """
    raw, labels = np.asarray(probabilities, np.float64), np.asarray(truth)
    return cross_fit(
        lambda rows: fit_temperature(raw[rows], labels[rows]),
        lambda constant, rows: constant.apply(raw[rows]),
        fold_ids,
    )
