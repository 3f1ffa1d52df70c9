"""From an ensemble's raw spread, and the distance to what it learned from, to intervals that can be believed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.datasets.archive import Number

Array = NDArray[np.float64]
Rows = NDArray[np.bool_]

ENDLESS = 1e9
"""A relative distance beyond all others."""

NEAREST = 0.2
"""Relative distances below it count as that: a copy is not known better than its neighbours' errors."""

MOST_EXCESS = 0.5
"""Standard deviations beyond a column's training range from which on an example is outside."""

_LOG_VARIANCES = (-14.0, 3.0)  # bounds of ln a² and ln b², where residuals and spreads are of size 1
_POWERS = (0.5, 1.0)  # a power near 0 would make any disagreement count for nothing
_DISTANCE_POWERS = (0.0, 3.0)
_NINETY = 1.645  # standard deviations that hold 90 % of a Gaussian


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
        judged = judged * np.clip(apart, NEAREST, self.farthest) ** self.distance_power
        if self.reach is None:
            return judged
        beyond = _NINETY * np.maximum(spread - self.reach.spread_99, 0.0)
        far = np.maximum(apart / max(self.reach.distance_99, NEAREST) - 1.0, 0.0)
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
    farthest = ENDLESS if apart is None else max(float(np.quantile(apart, 0.98)), NEAREST)
    # How the error grows with spread and distance, by likelihood.
    near = np.ones(len(errors)) if apart is None else np.clip(apart, NEAREST, farthest)
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
