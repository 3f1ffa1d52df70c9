"""The theta method: simple exponential smoothing with half the slope of the line through all that is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from amalthea.domains.sequences.panel import Panel
from amalthea.tasks.forecast.origins import Rows

Floats = NDArray[np.float64]

SMOOTHINGS = np.linspace(0.05, 0.99, 20)
"""The smoothing constants that are tried."""

LEAST_FACTOR = 0.1
"""A seasonal factor below which a division by it would make much of little."""

MOST_FITS = 30
"""How often season and smoothing are found anew for a track, at most."""


def theta(panel: Panel, rows: Rows, horizon: int, period: int) -> Floats:
    """Return the theta method's forecasts of windows, shape (n, horizon).

    Level and slope are those at each origin. The season and the smoothing constant are found anew once a horizon, and
    at most thirty times for a track, from what lies before the origins that share them.

    Args:
        panel: the series; nothing from a window's origin on is looked at.
        rows: the windows.
        horizon: steps that are foretold.
        period: of the season; below 2 for none.

    Sources: Assimakopoulos and Nikolopoulos, Int. J. Forecast. 16, 521 (2000); in this form Hyndman and Billah, Int. J.
    Forecast. 19, 287 (2003), equation 4.
    """
    filled = panel.filled()
    answers = np.empty((len(rows), horizon))
    order = np.lexsort((rows.origin, rows.track))
    for mine in np.split(order, np.flatnonzero(np.diff(rows.track[order])) + 1):
        if len(mine):
            track = int(rows.track[mine[0]])
            first, offset = int(panel.first[track]), int(panel.offset[track])
            known = rows.origin[mine] - first
            values = filled[offset + first : offset + first + int(known[-1])]
            for part in np.array_split(np.arange(len(mine)), min(MOST_FITS, (known[-1] - known[0]) // horizon + 1)):
                answers[mine[part]] = _ahead(values, known[part], first, period, horizon)
    return answers


def _ahead(values: Floats, known: NDArray[np.int64], first: int, period: int, horizon: int) -> Floats:
    """Return the forecasts behind the first `known` values of one track, shape (n, horizon)."""
    values, learned = values[: known[-1]], values[: known[0]]
    # 1. The season is taken off: a factor of positive series, if nowhere near zero; else a summand.
    indices = seasonal_indices(learned, first, period)
    factor = bool((learned > 0).all()) and bool(indices.min() >= LEAST_FACTOR)
    if not factor:
        indices = seasonal_summands(learned, first, period)
    of_step = indices[(first + np.arange(len(values) + horizon)) % len(indices)]
    rest = values / of_step[: len(values)] if factor else values - of_step[: len(values)]
    # 2. The smoothing constant with the least squared error one step ahead.
    smoothing = min(SMOOTHINGS, key=lambda constant: _error(rest[: len(learned)], constant))
    level = _levels(rest, smoothing)[known - 1]
    # 3. The slope of the line through all that is known at each origin.
    total, moment = np.cumsum(rest)[known - 1], np.cumsum(np.arange(len(rest)) * rest)[known - 1]
    spread = np.maximum(known * (known**2.0 - 1), 1.0)
    slope = np.where(known > 1, (12 * moment - 6 * (known - 1) * total) / spread, 0.0)
    drift = np.arange(horizon) + (1 - (1 - smoothing) ** known[:, None]) / smoothing
    season = of_step[known[:, None] + np.arange(horizon)]
    ahead = level[:, None] + slope[:, None] / 2 * drift
    return np.asarray(ahead * season if factor else ahead + season)


def seasonal_indices(track: Floats, first: int, period: int) -> Floats:
    """Return the multiplicative seasonal indices by phase, shape (period,); ones where they have no meaning.

    Args:
        track: shape (n,): what is known.
        first: the position of its first step.
        period: in steps.
    """
    if len(track) < 2 * period or period < 2 or not (track > 0).all():
        return np.ones(max(1, period))
    trend, there = _trend(track, period)
    means = _by_phase(track[there] / trend, first + there, period)
    means = np.where(means > 0, means, 1.0)
    return np.asarray(means * period / means.sum())


def seasonal_summands(track: Floats, first: int, period: int) -> Floats:
    """Return the additive seasonal indices by phase, as `seasonal_indices`; zeros where they have no meaning."""
    if len(track) < 2 * period or period < 2:
        return np.zeros(max(1, period))
    trend, there = _trend(track, period)
    means = _by_phase(track[there] - trend, first + there, period)
    return np.asarray(means - means.mean())


def _trend(track: Floats, period: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return the centred moving average over one period, and at which steps it stands."""
    weights = np.ones(period) / period if period % 2 else np.r_[0.5, np.ones(period - 1), 0.5] / period
    trend = np.convolve(track, weights, "valid")
    return trend, period // 2 + np.arange(len(trend))


def _by_phase(values: Floats, positions: NDArray[np.int64], period: int) -> Floats:
    phases = positions % period
    counts = np.bincount(phases, minlength=period)
    return np.asarray(np.bincount(phases, values, period) / np.maximum(counts, 1))


def _levels(values: Floats, smoothing: float) -> Floats:
    """Return the smoothed level after each value, begun with the first."""
    if not len(values):
        return values
    levels: Floats = lfilter([smoothing], [1, smoothing - 1], values, zi=[(1 - smoothing) * values[0]])[0]
    return levels


def _error(values: Floats, smoothing: float) -> float:
    return float(((values[1:] - _levels(values, smoothing)[:-1]) ** 2).sum()) if len(values) > 1 else 0.0
