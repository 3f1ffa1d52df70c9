"""Forecasts without any learning, that are hard to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.domains.sequences.panel import Panel
from amalthea.errors import DataError
from amalthea.tasks.forecast.origins import Rows
from amalthea.tasks.forecast.theta import seasonal_indices, theta

Floats = NDArray[np.float64]

PERIODS = 7
"""Periods over which a mean by phase is taken."""


SIMPLE = ("last value", "drift", "seasonal naive", f"mean of {PERIODS} periods", "theta")
"""What a simple model is called, without its period."""


def named(asked: str, names: Sequence[str]) -> str:
    """Return the full name of a simple model.

    Args:
        asked: a name, its beginning, or with hyphens for spaces.
        names: those that there are.

    Raises:
        DataError: there is none of that name.

    Example:
        >>> named("seasonal-naive", ["drift", "seasonal naive, 24 steps"])
        'seasonal naive, 24 steps'
    """
    spaced = asked.replace("-", " ")
    found = [name for name in names if name == spaced] or [name for name in names if name.startswith(spaced)]
    if not found:
        raise DataError(f"these series have no model {asked!r}. There are: {'; '.join(names)}.")
    return found[0]


def baselines(panel: Panel, rows: Rows, horizon: int, periods: tuple[int, ...]) -> dict[str, Floats]:
    """Return the forecasts of simple rules for windows, shape (n, horizon) each, by their names.

    "last value"; "drift": on along the line from the first value to the last; for each period "seasonal naive": what
    was one period before; of the shortest the mean of seven periods, phase by phase; and "theta" (see there).

    Args:
        panel: the series; nothing from a window's origin on is looked at.
        rows: the windows.
        horizon: steps that are foretold.
        periods: those that were found, in steps.

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. (2021), section 5.2.
    """
    filled = panel.filled()
    origin = (panel.offset[rows.track] + rows.origin)[:, None]
    first = (panel.offset[rows.track] + panel.first[rows.track])[:, None]
    ahead = np.arange(horizon)
    last = np.repeat(filled[origin - 1], horizon, axis=1)
    slope = (filled[origin - 1] - filled[first]) / np.maximum(origin - 1 - first, 1)
    answers = {"last value": last, "drift": last + (ahead + 1) * slope}
    before = last
    for period in periods:
        # Where one period is not known yet, the shorter one answers.
        back = origin + ahead % period - period
        before = np.where(back >= first, filled[np.maximum(back, first)], before)
        answers[f"seasonal naive, {period} steps"] = before
    if periods:
        backs = [origin + ahead % periods[0] - periods[0] * turn for turn in range(1, PERIODS + 1)]
        values = np.stack([np.where(back >= first, filled[np.maximum(back, first)], np.nan) for back in backs])
        known = np.isfinite(values)
        mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        answers[f"mean of {PERIODS} periods"] = np.where(known.any(axis=0), mean, last)
    for period in periods or (1,):
        name = "theta" if len(periods) < 2 else f"theta, {period} steps"
        answers[name] = theta(panel, rows, horizon, period)
    return answers


def naive2(panel: Panel, rows: Rows, horizon: int, period: int, past: NDArray[np.int64]) -> Floats:
    """Return the last value, seasonally adjusted: what an OWA is measured against, shape (n, horizon).

    Args:
        panel: the series.
        rows: the windows.
        horizon: steps that are foretold.
        period: of the season; below 2 for none.
        past: shape (N,): the seasonal indices are taken from what lies before this position of each track.

    Source: Makridakis, Spiliotis and Assimakopoulos, Int. J. Forecast. 36, 54 (2020), appendix A: multiplicative
    indices by classical decomposition.
    """
    filled = panel.filled()
    factors = np.ones((len(panel), max(1, period)))
    if period > 1:
        for track in np.unique(rows.track).tolist():
            first, offset = int(panel.first[track]), int(panel.offset[track])
            end = min(int(past[track]), int(panel.last[track]) + 1)
            factors[track] = seasonal_indices(filled[offset + first : offset + max(first, end)], first, period)
    phases = (rows.origin[:, None] + np.arange(-1, horizon)) % max(1, period)
    seasonal = np.take_along_axis(factors[rows.track], phases, axis=1)
    last = filled[panel.offset[rows.track] + rows.origin - 1][:, None]
    return np.asarray(last / seasonal[:, :1] * seasonal[:, 1:])
