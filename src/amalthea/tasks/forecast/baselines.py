"""Forecasts without any learning, that are hard to beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amalthea.domains.sequences.panel import Panel
from amalthea.tasks.forecast.origins import Rows

Floats = NDArray[np.float64]

PERIODS = 7
"""Periods over which a mean by phase is taken."""


def baselines(panel: Panel, rows: Rows, horizon: int, periods: tuple[int, ...]) -> dict[str, Floats]:
    """Return the forecasts of simple rules for windows, shape (n, horizon) each, by their names.

    "last value"; "drift": on along the line from the first value to the last; for each period "seasonal naive": what
    was one period before; and of the shortest the mean of seven periods, phase by phase.

    Args:
        panel: the series; nothing from a window's origin on is looked at.
        rows: the windows.
        horizon: steps that are foretold.
        periods: those that were found, in steps.

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. (2021), section 5.2.
    """
    filled = _filled(panel)
    origin = (panel.offset[rows.track] + rows.origin)[:, None]
    first = (panel.offset[rows.track] + panel.first[rows.track])[:, None]
    ahead = np.arange(horizon)
    last = np.repeat(filled[origin - 1], horizon, axis=1)
    slope = (filled[origin - 1] - filled[first]) / np.maximum(origin - 1 - first, 1)
    answers = {"last value": last, "drift": last + (ahead + 1) * slope}
    for period in periods:
        back = origin + ahead % period - period
        answers[f"seasonal naive, {period} steps"] = np.where(back >= first, filled[np.maximum(back, first)], last)
    if periods:
        backs = [origin + ahead % periods[0] - periods[0] * turn for turn in range(1, PERIODS + 1)]
        values = np.stack([np.where(back >= first, filled[np.maximum(back, first)], np.nan) for back in backs])
        known = np.isfinite(values)
        mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        answers[f"mean of {PERIODS} periods"] = np.where(known.any(axis=0), mean, last)
    return answers


def naive2(panel: Panel, rows: Rows, horizon: int, period: int, past: int) -> Floats:
    """Return the last value, seasonally adjusted: what an OWA is measured against, shape (n, horizon).

    Args:
        panel: the series.
        rows: the windows.
        horizon: steps that are foretold.
        period: of the season; below 2 for none.
        past: the seasonal indices are taken from what lies before this position.

    Source: Makridakis, Spiliotis and Assimakopoulos, Int. J. Forecast. 36, 54 (2020), appendix A: multiplicative
    indices by classical decomposition.
    """
    filled = _filled(panel)
    factors = np.ones((len(panel), max(1, period)))
    if period > 1:
        for track in np.unique(rows.track).tolist():
            first, offset = int(panel.first[track]), int(panel.offset[track])
            factors[track] = _indices(
                filled[offset + first : offset + min(past, int(panel.last[track]) + 1)], first, period
            )
    phases = (rows.origin[:, None] + np.arange(-1, horizon)) % max(1, period)
    seasonal = np.take_along_axis(factors[rows.track], phases, axis=1)
    last = filled[panel.offset[rows.track] + rows.origin - 1][:, None]
    return np.asarray(last / seasonal[:, :1] * seasonal[:, 1:])


def _indices(track: Floats, first: int, period: int) -> Floats:
    """Return the multiplicative seasonal indices by phase, shape (period,); ones where they have no meaning."""
    if len(track) < 3 * period or not (track > 0).all():
        return np.ones(period)
    # A centred moving average over one period is the trend.
    weights = np.ones(period) / period if period % 2 else np.r_[0.5, np.ones(period - 1), 0.5] / period
    trend = np.convolve(track, weights, "valid")
    half = period // 2
    ratio = track[half : half + len(trend)] / trend
    phases = (first + half + np.arange(len(ratio))) % period
    means = np.bincount(phases, ratio, period) / np.maximum(np.bincount(phases, minlength=period), 1)
    means = np.where(means > 0, means, 1.0)
    return np.asarray(means * period / means.sum())


def _filled(panel: Panel) -> Floats:
    """Return all values with gaps filled by the last known one of the same track."""
    values = panel.values[:, 0]
    known = np.where(np.isfinite(values), np.arange(len(values)), 0)
    return values[np.maximum.accumulate(known)]
