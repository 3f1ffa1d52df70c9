"""Intervals whose width follows recent errors."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

FEWEST_ORIGINS = 10
"""Origins whose errors are known before a first width is given."""

GAIN = 1.0
"""By how much the logarithm of a width grows while everything is missed for as long as a forecast reaches."""


FREEDOM = 1.5
"""Degrees of freedom beside those of independent errors: four short and long series held 90 to 95 % with it."""


def follow(
    scores: Floats, origins: NDArray[np.int64], reach: NDArray[np.int64], level: float, start: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return the widths that each forecast is given, from the errors that were known when it was made.

    After each origin whose outcome is known, the logarithm of the width moves by a gain times (missed - (1 - level)),
    so that in the long run the share `level` is covered, whatever the errors do.

    Args:
        scores: shape (n, cells, steps): the errors of each window in each cell (a part of the horizon), NaN where
            unknown.
        origins: shape (n,), ascending: when each forecast was made; several windows may share one.
        reach: shape (cells,): steps after which a cell's errors are known.
        level: the share to be covered.
        start: shape (cells,): the widths to begin with; None: the quantile of the errors of the first origins (a tenth
            of them, ten at least), wider where these are few (`widening`), until which are known no width is given.

    Returns:
        Widths, shape (n, cells), NaN where none is known yet, and the widths after all errors, shape (cells,).

    Example:
        >>> errors = np.abs(np.random.default_rng(0).normal(size=(400, 1, 8)))
        >>> widths, last = follow(errors, np.arange(400) * 8, np.array([8]), 0.9)
        >>> bool(abs((errors[200:] <= widths[200:, :, None]).mean() - 0.9) < 0.03)
        True

    Source: Gibbs and Candès, NeurIPS 2021; Angelopoulos, Candès and Tibshirani, NeurIPS 2023, section 2 (the quantile
    itself is tracked), with a multiplicative step.
    """
    times, index = np.unique(origins, return_inverse=True)
    first, cells = 0, scores.shape[1]
    if start is None:
        # Origins count of which something came to be known.
        known = np.unique(index[np.isfinite(scores).any(axis=(1, 2))])
        fewest = min(len(known), max(FEWEST_ORIGINS, len(times) // 10))
        first = int(known[fewest - 1]) + 1 if fewest else len(times)
    # An origin counts as much as it is far from the next: densely made forecasts tell the same again and again.
    step = np.median(np.diff(times)) if len(times) > 1 else reach.max()
    if start is None:
        # Errors within one reach tell the same; those of several windows at one time count each.
        independent = (times[first - 1] - times[0] + step) / reach * (index < first).sum() / first
        start = np.array(
            [conformal(scores[index < first, c], level) * widening(independent[c], level) for c in range(cells)]
        )
    gain = GAIN * np.minimum(1.0, step / reach)
    widths = np.maximum(start, 1e-300)
    given, missed = np.full((2, len(times), cells), np.nan)
    rows_of = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
    done = np.full(cells, first)
    for number, time in enumerate([*times.tolist(), math.inf]):
        for cell in range(cells):
            # 1. What has come to be known since the last origin moves the widths.
            while done[cell] < number and times[done[cell]] + reach[cell] <= time:
                rate = missed[done[cell], cell]
                widths[cell] *= 1.0 if math.isnan(rate) else math.exp(gain[cell] * (rate - (1 - level)))
                done[cell] += 1
            # 2. This forecast is given today's width, and its misses are kept until they may be known.
            if number < len(times):
                errors = scores[rows_of[number], cell]
                known = np.isfinite(errors)
                missed[number, cell] = (errors[known] > widths[cell]).mean() if known.any() else math.nan
                if not first or times[first - 1] + reach[cell] <= time:
                    given[number, cell] = widths[cell]
    return given[index], widths


def widening(count: float, level: float) -> float:
    """Return by how much an interval that rests on few errors is to be wider: as Student's t is than the normal one.

    Args:
        count: errors that are independent of each other; `FREEDOM` is added to them.
        level: the share to be covered.

    Example:
        >>> round(widening(1, 0.9), 2), round(widening(1000, 0.9), 2)
        (1.56, 1.0)
    """
    upper = (1 + level) / 2
    return float(stats.t.ppf(upper, max(1.0, count) + FREEDOM) / stats.norm.ppf(upper))


def conformal(scores: Floats, level: float) -> float:
    """Return the ⌈level (n + 1)⌉-th smallest score, the largest where there are too few; NaN without any.

    Example:
        >>> conformal(np.arange(1.0, 20.0), 0.9)
        18.0
    """
    known = np.sort(scores[np.isfinite(scores)])
    rank = math.ceil(level * (len(known) + 1) - 1e-9)
    return float(known[min(rank, len(known)) - 1]) if len(known) else math.nan
