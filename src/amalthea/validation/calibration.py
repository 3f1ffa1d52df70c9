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

MOST_BASE = 0.95
"""The most that the base rate may be of a probability: with more of it another class would be named."""

ENDLESS = 1e9
"""A relative distance beyond all others."""

MOST_EXCESS = 0.5
"""Standard deviations beyond a column's training range from which on an example is outside."""

_LOG_VARIANCES = (-14.0, 3.0)  # bounds of ln a² and ln b², where residuals and spreads are of size 1
_POWERS = (0.5, 1.0)  # a power near 0 would make any disagreement count for nothing
_DISTANCE_POWERS = (0.0, 3.0)
_NEAREST = 0.2  # relative distances below it count as that: a copy is not known better than its neighbours' errors
_NINETY = 1.645  # standard deviations that hold 90 % of a Gaussian
_TEMPERATURES = (0.05, 20.0)
_SMALLEST_PROBABILITY = 1e-12


@dataclasses.dataclass(frozen=True)
class Reach:
    """What was judged when a calibration was fitted; nothing is known beyond it.

    Args:
        spread_99: the 99 % quantile of the raw spreads, in the target's unit.
        largest_spread: the largest.
        distance_99: the 99 % quantile of the relative distances to the training set.
        largest_distance: the largest.
        typical: the 90 % quantile of |truth - its mean|, in the target's unit.
    """

    spread_99: Number
    largest_spread: Number
    distance_99: Number
    largest_distance: Number
    typical: Number

    @classmethod
    def of(cls, spreads: Array, distances: Array, truth: Array) -> Reach:
        """Return the reach of judged rows, shape (n,) each."""
        (spread, widest), (distance, farthest) = (np.quantile(each, [0.99, 1.0]) for each in (spreads, distances))
        typical = np.quantile(np.abs(truth - truth.mean()), 0.9)
        return cls(float(spread), float(widest), float(distance), float(farthest), float(typical))


@dataclasses.dataclass(frozen=True)
class IntervalCalibration:
    """What turns a mean, a raw spread and a distance to the training set into an interval, mean ± factor * sigma.

    Where examples like those asked were judged, sigma is sqrt(a² + (b * spread^power)²) * distance^distance_power.
    The spread of a few members is noisy: where it is large, it is so in part by chance, and a power below 1 says so.
    Beyond the judged range the interval's half-width grows by what spread, distance and columns exceed it, in squares:
    1.645 (spread - spread_99), typical (distance / distance_99 - 1) and typical * excess.

    Args:
        a: the part of the error that the spread does not show, in the target's unit.
        b: what the raw spread, raised to the power, is multiplied by.
        factor: half the interval's width in units of sigma; NaN where too few residuals are known for any finite one.
        level: the fraction of new examples that the interval is to cover.
        power: above 0, at most 1.
        distance_power: at least 0.
        farthest: the relative distance beyond which the power of it stays the same.
        reach: what was judged; None: nothing is known of it, and nothing grows.

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
    distance_power: float = 0.0
    farthest: float = ENDLESS
    reach: Reach | None = None

    def sigma(self, std: ArrayLike, distance: ArrayLike | None = None, excess: ArrayLike = 0.0) -> Array:
        """Return the calibrated standard deviation, in the target's unit; it grows with each argument.

        Args:
            std: the raw spreads, shape (n,), in the target's unit.
            distance: to the training set, in units of the training examples' own; None: not known.
            excess: how far a column lies outside of its training range, in its standard deviations.
        """
        spread = np.asarray(std, np.float64)
        judged: Array = np.hypot(self.a, self.b * spread**self.power)
        if distance is None:
            return judged
        apart = np.asarray(distance, np.float64)
        judged = judged * np.clip(apart, _NEAREST, self.farthest) ** self.distance_power
        if self.reach is None:
            return judged
        beyond = _NINETY * np.maximum(spread - self.reach.spread_99, 0.0)
        far = np.maximum(apart / max(self.reach.distance_99, _NEAREST) - 1.0, 0.0)
        growth = np.sqrt(beyond**2 + self.reach.typical**2 * (far**2 + np.asarray(excess, np.float64) ** 2))
        return np.hypot(judged, growth / (self.factor if self.factor > 0 else _NINETY))

    def interval(
        self, mean: ArrayLike, std: ArrayLike, distance: ArrayLike | None = None, excess: ArrayLike = 0.0
    ) -> tuple[Array, Array]:
        """Return the interval's lower and upper ends, each of shape (n,); NaN where `factor` is."""
        centre, half = np.asarray(mean, np.float64), self.factor * self.sigma(std, distance, excess)
        return centre - half, centre + half

    def outside(self, std: ArrayLike, distance: ArrayLike, excess: ArrayLike = 0.0) -> Rows:
        """Say which examples lie where none was judged, shape (n,); the arguments are those of `sigma`."""
        spread, apart, columns = np.broadcast_arrays(*(np.asarray(each, float) for each in (std, distance, excess)))
        if self.reach is None:
            return np.zeros(spread.shape, bool)
        far = (spread > self.reach.largest_spread) | (apart > self.reach.largest_distance)
        return np.asarray(far | (columns > MOST_EXCESS))


def fit_interval(
    residuals: ArrayLike,
    std: ArrayLike,
    level: float = 0.9,
    *,
    distance: ArrayLike | None = None,
    truth: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> IntervalCalibration:
    """Return the constants that fit out-of-fold residuals: sigma by likelihood, the width by the conformal quantile.

    a, b and the powers maximize the likelihood of Gaussian residuals with the variance of `IntervalCalibration`. The
    factor is then the ⌈level (n + 1)⌉-th smallest |residual| / sigma; where that exceeds n (fewer than 9 residuals for
    0.9), no finite interval keeps the promise and the factor is NaN. A spread that is the same for all rows tells
    nothing: b is 0. Residuals or spreads that are not finite leave nothing to promise: all constants are NaN.

    Args:
        residuals: shape (n,), prediction minus truth (or the reverse), in the target's unit.
        std: shape (n,), the raw spreads of the same predictions.
        level: the fraction to be covered.
        distance: shape (n,), the relative distances of the rows to what was learned by the members that judge them.
        truth: shape (n,), the targets: with `distance` it gives the calibration a `reach`.
        weights: shape (n,), how much each row counts; None: all the same.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> calibration = fit_interval([0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8, 0.9, -1.0], [0.0] * 10)
        >>> calibration.b, round(calibration.factor * calibration.a, 6)
        (0.0, 1.0)

    Source: Lei et al., J. Am. Stat. Assoc. 113, 1094 (2018), algorithm 2 and section 5.2 (locally weighted residuals);
    with weights Tibshirani et al., NeurIPS 2019 (arXiv 1904.06019), lemma 3.
    """
    errors, spreads = np.abs(np.asarray(residuals, np.float64)), np.asarray(std, np.float64)
    if errors.ndim != 1 or errors.shape != spreads.shape:
        raise ValueError(f"residuals and std must have shape (n,). Received: {errors.shape}, {spreads.shape}")
    if not len(errors) or not (np.isfinite(errors).all() and np.isfinite(spreads).all()):
        return IntervalCalibration(math.nan, math.nan, math.nan, level)
    counts = np.ones(len(errors)) if weights is None else np.asarray(weights, np.float64)
    apart = None if distance is None else np.asarray(distance, np.float64)
    if apart is not None and not np.isfinite(apart).all():
        apart = None
    farthest = ENDLESS if apart is None else max(float(np.quantile(apart, 0.98)), _NEAREST)
    # How the error grows with spread and distance, by likelihood.
    near = np.ones(len(errors)) if apart is None else np.clip(apart, _NEAREST, farthest)
    a, b, power, by_distance = _likeliest_variance(errors, spreads, near, counts)
    fitted = IntervalCalibration(a, b, math.nan, level, power, by_distance, farthest)
    sigma = fitted.sigma(spreads, apart)
    # How wide, by the conformal quantile of the errors in units of sigma: no shape of their distribution is assumed.
    scaled = np.divide(errors, sigma, out=np.zeros_like(errors), where=sigma > 0)  # sigma 0: all errors are 0
    order = np.argsort(scaled, kind="stable")
    reached = np.cumsum(counts[order]) / counts.mean()
    enough = np.flatnonzero(reached >= level * (len(scaled) + 1) - 1e-9)  # rounding must not lift a whole number
    factor = float(scaled[order[enough[0]]]) if len(enough) else math.nan
    known = None if apart is None or truth is None else Reach.of(spreads, apart, np.asarray(truth, np.float64))
    return dataclasses.replace(fitted, factor=factor, reach=known)


def _likeliest_variance(
    errors: Array, spreads: Array, distance: Array, counts: Array
) -> tuple[float, float, float, float]:
    """Return a, b and the powers of spread and distance under which Gaussian errors are likeliest."""
    from scipy.optimize import minimize

    shares = counts / counts.sum()
    size, spread = float(np.sqrt(shares @ errors**2)), float(np.sqrt(np.mean(spreads**2)))
    if size == 0.0:
        return 0.0, 0.0, 1.0, 0.0
    # In units of the typical error and spread, one set of bounds and starts serves all targets.
    squares, relative = (errors / size) ** 2, spreads / (spread or 1.0)
    logarithms, apart = np.log(np.where(relative > 0, relative, 1.0)), np.log(distance)

    def negative_log_likelihood(constants: Array) -> tuple[float, Array]:
        grown = np.exp(2 * constants[3] * apart)
        floor = np.exp(constants[0]) * grown
        shown = np.exp(constants[1]) * relative ** (2 * constants[2]) * grown
        variance = floor + shown
        slope = 1 / variance - squares / variance**2
        by = [slope * floor, slope * shown, 2 * slope * shown * logarithms, 2 * slope * variance * apart]
        return float(shares @ (np.log(variance) + squares / variance)), np.array([shares @ part for part in by])

    # What is the same for all rows tells nothing.
    telling, varied = np.ptp(spreads) > 1e-9 * spread, np.ptp(apart) > 1e-9
    bounds = [_LOG_VARIANCES, _LOG_VARIANCES if telling else (-700.0, -700.0), _POWERS]
    bounds.append(_DISTANCE_POWERS if varied else (0.0, 0.0))
    # From three starts, for the likelihood can have a second maximum where one of the two parts is all.
    starts = [np.array([np.log(share), np.log(1 - share), 0.8, 0.0]) for share in (0.5, 0.95, 0.05)]
    fits = [minimize(negative_log_likelihood, start, jac=True, bounds=bounds) for start in starts]
    *logs, power, by_distance = min(fits, key=lambda fit: float(fit.fun)).x
    # Back to the target's own units.
    a, b = np.exp(np.array(logs) / 2)
    b = float(b * size / spread**power) if telling else 0.0
    return float(a * size), b, float(power) if telling else 1.0, float(by_distance)


@dataclasses.dataclass(frozen=True)
class Temperature:
    """Softens (above 1) or sharpens (below 1) probabilities, and leads them to the base rate far from the training set.

    Args:
        temperature: what log-probabilities are divided by.
        base: the share of each class in training.
        distance_99: the relative distance from which on the base rate is mixed in: 1 - distance_99 / distance of it,
            0.95 at most.
        largest_distance: the largest at which an example was judged.

    Example:
        >>> Temperature(2.0).apply([[0.9, 0.1]])
        array([[0.75, 0.25]])
        >>> Temperature(1.0, base=(0.5, 0.5), distance_99=2.0).apply([[0.9, 0.1]], [4.0])
        array([[0.7, 0.3]])
    """

    temperature: float
    base: tuple[float, ...] = ()
    distance_99: float = ENDLESS
    largest_distance: float = ENDLESS

    def apply(self, probabilities: ArrayLike, distance: ArrayLike | None = None) -> Array:
        """Return softmax(ln p / T) of probabilities, shape (n, classes), with the base rate by distance, shape (n,)."""
        logits = _log(probabilities) / self.temperature
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        softened: Array = raised / raised.sum(axis=1, keepdims=True)
        if distance is None or not self.base:
            return softened
        apart = np.maximum(np.asarray(distance, np.float64), self.distance_99)
        return toward(softened, self.base, np.minimum(1.0 - self.distance_99 / apart, MOST_BASE))

    def outside(self, distance: ArrayLike) -> Rows:
        """Say which examples lie farther than any that was judged, shape (n,)."""
        return np.asarray(np.asarray(distance, np.float64) > self.largest_distance)


def toward(probabilities: Array, base: ArrayLike, share: Array) -> Array:
    """Return probabilities, shape (n, classes), in which the base rate, shape (classes,), has a share, shape (n,)."""
    part = share[:, None]
    return np.where(part > 0, (1 - part) * probabilities + part * np.asarray(base), probabilities)


def fit_temperature(probabilities: ArrayLike, truth: ArrayLike, distance: ArrayLike | None = None) -> Temperature:
    """Return the temperature between 0.05 and 20 that makes out-of-fold labels likeliest.

    Probabilities below 1e-12 count as that. Where there are none, or some are not finite, the temperature is 1.

    Args:
        probabilities: shape (n, classes).
        truth: shape (n,), codes of classes.
        distance: shape (n,), the relative distances of the rows to what was learned by the members that judge them.

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
    fitted = Temperature(math.exp(float(fit.x)))
    apart = np.asarray([np.nan] if distance is None else distance, np.float64)
    if not np.isfinite(apart).all():
        return fitted
    base = np.bincount(labels, minlength=logits.shape[1]) / len(labels)
    usual, largest = np.quantile(apart, [0.99, 1.0])
    return dataclasses.replace(
        fitted, base=tuple(base.tolist()), distance_99=max(float(usual), _NEAREST), largest_distance=float(largest)
    )


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


def calibrated_probabilities(
    probabilities: ArrayLike, truth: ArrayLike, fold_ids: ArrayLike, distance: ArrayLike | None = None
) -> Array | None:
    """Return out-of-fold probabilities, each fold's with the temperature of the other folds; None for one fold.

    These, and not those with the stored temperature, are what figures are computed from.

    Args:
        probabilities: shape (n, classes), out of fold.
        truth: shape (n,), codes of classes.
        fold_ids: shape (n,), integers: the fold that held each row out.
        distance: shape (n,), as for `fit_temperature`.

    Example:
        >>> calibrated_probabilities([[0.9, 0.1]] * 8, [0, 0, 0, 1] * 2, [0] * 4 + [1] * 4).round(2)[0]
        array([0.75, 0.25])
    """
    raw, labels = np.asarray(probabilities, np.float64), np.asarray(truth)
    apart = np.ones(len(raw)) if distance is None else np.asarray(distance, np.float64)
    return cross_fit(
        lambda rows: fit_temperature(raw[rows], labels[rows], apart[rows]),
        lambda constant, rows: constant.apply(raw[rows], apart[rows]),
        fold_ids,
    )
