"""All series on one grid of times, one behind the other in memory, so that windows can be cut out of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.sequences.reading import POSITION, SERIES, SeriesState

Integers = NDArray[np.int64]

FEWEST_SEASONS = 2
"""Turns of a period that must have been seen."""


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """N tracks, one for each target of each series, with room before the first step and behind the last.

    Args:
        values: shape (total, 1 + known + fixed): the target, what is known in advance, codes of what never changes;
            NaN where unknown.
        series: shape (N,): the name of each track's series.
        channel: shape (N,): which target a track is.
        first: shape (N,): the position of its first known step.
        last: shape (N,): the position of its last known step.
        offset: shape (N,): where position 0 of a track would lie in `values`.
    """

    values: NDArray[np.float64]
    series: NDArray[np.object_]
    channel: Integers
    first: Integers
    last: Integers
    offset: Integers

    def __len__(self) -> int:
        return len(self.first)

    def track(self, number: int, start: int, end: int) -> NDArray[np.float64]:
        """Return a track's target from position `start` to before `end`, NaN outside of what is known.

        Args:
            number: of the track.
            start: a position, at most `before` steps before its first.
            end: a position, at most `behind` steps behind its last.
        """
        offset = int(self.offset[number])
        return self.values[offset + start : offset + max(start, end), 0]

    def filled(self) -> NDArray[np.float64]:
        """Return all values of the target with gaps filled by the last known one of the same track, shape (total,)."""
        values = self.values[:, 0]
        known = np.where(np.isfinite(values), np.arange(len(values)), 0)
        return values[np.maximum.accumulate(known)]


def panel(examples: pd.DataFrame, state: SeriesState, before: int, behind: int) -> Panel:
    """Return the series of a table.

    Args:
        examples: as `read_series` returns them, without problems.
        state: how they were read.
        before: steps of nothing before each track.
        behind: steps behind each track's last known one; what is known in advance stands in them.
    """
    codes = {name: {value: code for code, value in enumerate(values)} for name, values in state.fixed.items()}
    parts, names, channels, firsts, lasts, offsets = [], [], [], [], [], []
    total = 0
    for series, rows in examples.groupby(SERIES, sort=False):
        positions = rows[POSITION].to_numpy(np.int64)
        for channel, target in enumerate(state.targets):
            known = np.isfinite(rows[target].to_numpy(np.float64))
            if not known.any():
                continue
            first, last = int(positions[known].min()), int(positions[known].max())
            start, end = first - before, last + 1 + behind
            block = np.full((end - start, 1 + len(state.known) + len(state.fixed)), np.nan)
            inside = (positions >= start) & (positions < end)
            block[positions[inside] - start, 0] = rows[target][inside]
            for column, (name, (mean, spread)) in enumerate(state.known.items(), start=1):
                block[positions[inside] - start, column] = (rows[name][inside] - mean) / spread
            for column, fixed in enumerate(state.fixed, start=1 + len(state.known)):
                block[:, column] = codes[fixed].get(rows[fixed].iloc[0], np.nan)
            parts.append(block)
            names.append(series)
            channels.append(channel)
            firsts.append(first)
            lasts.append(last)
            offsets.append(total - start)
            total += len(block)
    integers = (np.array(each, np.int64) for each in (channels, firsts, lasts, offsets))
    empty = np.empty((0, 1 + len(state.known) + len(state.fixed)))
    return Panel(np.concatenate([empty, *parts]), np.array(names, object), *integers)


def seasons(panel: Panel, candidates: Sequence[int], end: int) -> tuple[int, ...]:
    """Return the periods that show in the series before a position: their mean autocorrelation is high.

    Without candidates, the lag of the highest peak of the autocorrelation is taken, or a lag as good that is shorter.

    Args:
        panel: the series.
        candidates: periods in steps, the shortest first.
        end: nothing from this position on is looked at.

    Source of the test: Makridakis, Spiliotis and Assimakopoulos, Int. J. Forecast. 36, 54 (2020), appendix A (90 %).
    """
    chosen = range(0, len(panel), max(1, len(panel) // 200))
    spans = [(number, int(panel.first[number]), min(end, int(panel.last[number]) + 1)) for number in chosen]
    # Series that are much shorter than the longest have no say.
    lengths = np.array([last - first for _, first, last in spans])
    length = int(np.median(lengths[2 * lengths >= lengths.max()]))
    tracks = [panel.track(number, last - length, last) for number, first, last in spans if last - first >= length > 2]
    if not tracks:
        return ()
    correlation = np.mean([_autocorrelation(track) for track in tracks], axis=0)
    lags = [lag for lag in candidates if FEWEST_SEASONS * lag <= length] if candidates else _peak(correlation)
    return tuple(
        lag
        for lag in lags
        if correlation[lag] > 1.645 * np.sqrt((1 + 2 * (correlation[1:lag] ** 2).sum()) / (length * len(tracks)))
    )


def _autocorrelation(track: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the autocorrelation of steps from one to the next, at lags 0 to n - 2; gaps count as nothing.

    Of steps, not of values: what drifts is correlated at all lags.
    """
    steps = np.diff(track)
    known = np.isfinite(steps)
    centred = np.where(known, steps - (steps[known].mean() if known.any() else 0.0), 0.0)
    products = np.fft.irfft(np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2)[: len(centred)]
    correlation: NDArray[np.float64] = products / max(float(products[0]), 1e-300)
    return correlation


def _peak(correlation: NDArray[np.float64]) -> list[int]:
    """Return the shortest lag, of three or more, whose peak is nearly the highest; none where none is high."""
    shown = correlation[: len(correlation) // 3 + 1]
    inner = np.arange(3, len(shown) - 1)
    peaks = inner[(shown[inner] > shown[inner - 1]) & (shown[inner] > shown[inner + 1]) & (shown[inner] > 0.1)]
    if not len(peaks):
        return []
    shortest = int(peaks[shown[peaks] >= 0.8 * shown[peaks].max()][0])
    # Seven of it are a second period where they stand out from six and eight: days make weeks. At long lags fewer
    # pairs are summed, which is made up for.
    longer = FEWEST_SEASONS * 7 * shortest <= len(correlation)
    if not longer:
        return [shortest]
    six, week, eight = (correlation[n * shortest] / (1 - n * shortest / len(correlation)) for n in (6, 7, 8))
    return [shortest, 7 * shortest] if week > max(six, eight) else [shortest]
