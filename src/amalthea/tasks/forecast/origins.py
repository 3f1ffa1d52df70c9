"""Which windows are learned from, and which are judged by whom: the past learns, the future judges."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray

from amalthea.domains.sequences.panel import Panel
from amalthea.domains.sequences.windows import WindowShape
from amalthea.errors import DataError
from amalthea.training.windows import Windows

Integers = NDArray[np.int64]

VALIDATION = 0.25
"""The last share of a past on which its members are measured, and by which networks are mixed."""

FEWEST_LEARNED = 64
"""Windows to learn from below which nothing is set aside for that."""

FEWEST_FIRST = 8
"""Windows that the first part's members learn from, where the series are long enough."""

MOST_JUDGED = 20_000
"""Windows that are judged at most."""


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """Windows: track and origin, the position of the first step that is foretold.

    Args:
        track: shape (n,).
        origin: shape (n,).
    """

    track: Integers
    origin: Integers

    def __len__(self) -> int:
        return len(self.track)

    def take(self, rows: NDArray[np.intp]) -> Rows:
        """Return some of them."""
        return Rows(self.track[rows], self.origin[rows])


@dataclasses.dataclass(frozen=True)
class Fold:
    """A past, and the part of the future that its members judge.

    Args:
        past: the first position that is not known to its members at all: scales and choices use what lies before.
        start: where the part that is judged begins.
        end: where it ends; the same as `start` for the members that learned from all.
    """

    past: int
    start: int
    end: int

    def learned(self, panel: Panel) -> Integers:
        """Return for each track the first position that no member learns from, shape (N,).

        The last quarter of what is known of it in the past is set aside, wherever a track ends.
        """
        end = np.minimum(panel.last + 1, self.past)
        return end - np.round(VALIDATION * np.maximum(end - panel.first, 0)).astype(np.int64)


def folds(panel: Panel, window: WindowShape, asked: int) -> tuple[Fold, ...]:
    """Return the parts of the last half of the time, each with its past, and last of all the whole as a past.

    Args:
        panel: the series.
        window: its horizon is the gap between what is learned and what is judged.
        asked: the number of parts; fewer where they would be shorter than the horizon.

    Raises:
        DataError: not even one part is as long as the horizon.
    """
    begin, end, horizon = int(panel.first.min()), int(panel.last.max()) + 1, window.horizon
    # Less than half is judged where the first part would leave hardly a window to learn from.
    needed = begin + 2 * horizon + _fewest(window) + FEWEST_FIRST
    half = min(max(begin + (end - begin) // 2, needed), end - horizon)
    count = min(asked, (end - half) // horizon)
    if count < 1 or half - horizon - begin < 2:
        raise DataError(f"{end - begin} steps are too few to foretell {horizon} and to be judged. Shorten --horizon.")
    edges = np.linspace(half, end, count + 1).round().astype(int).tolist()
    pasts = [
        *((start - horizon, start, stop) for start, stop in itertools.pairwise(edges)),
        (end, end, end),
    ]
    return tuple(Fold(*each) for each in pasts)


def learnable(panel: Panel, window: WindowShape, start: int | Integers, end: int | Integers) -> Rows:
    """Return the windows whose future lies between two positions, and whose past is half full or more.

    Args:
        panel: the series.
        window: its sizes.
        start: the first origin, one for all or one a track.
        end: nothing from here on is seen, likewise.
    """
    return between(
        np.maximum(panel.first + _fewest(window), start), np.minimum(panel.last + 1, end) - window.horizon, 1
    )


def _fewest(window: WindowShape) -> int:
    """Return the steps of the past that a window to learn from must have."""
    return max(1, min(window.context // 2, window.patch))


def judgeable(panel: Panel, window: WindowShape, start: int, end: int, stride: int) -> Rows:
    """Return the windows with origins between two positions, every `stride`-th, whose future is known."""
    first = np.full(len(panel), start)
    ends = np.minimum(panel.last + 1 - window.horizon, end - 1)
    return between(first, np.where(panel.first < start, ends, start - 1), stride)


def between(first: Integers, last: Integers, stride: int) -> Rows:
    """Return for each track the origins from `first` to `last`, both counted."""
    counts = np.maximum(0, (last - first) // stride + 1)
    track = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return Rows(track, first[track] + within * stride)


def apart(rows: Rows, horizon: int) -> NDArray[np.bool_]:
    """Return shape (n,): True for windows whose futures do not overlap with another's of the same track.

    Example:
        >>> apart(Rows(np.zeros(5, int), np.array([3, 0, 1, 2, 4])), 2).tolist()
        [False, True, False, True, True]
    """
    free, chosen = dict.fromkeys(np.unique(rows.track).tolist(), -(2**62)), np.zeros(len(rows), bool)
    for row in np.argsort(rows.origin, kind="stable").tolist():
        track, origin = int(rows.track[row]), int(rows.origin[row])
        if origin >= free[track]:
            chosen[row], free[track] = True, origin + horizon
    return chosen


def windows(panel: Panel, rows: Rows, window: WindowShape) -> tuple[Windows, Windows]:
    """Return the past and the future of windows, to be cut where they are asked for."""
    values = panel.values.astype(np.float32)
    starts = (panel.offset[rows.track] + rows.origin - window.context).astype(np.int32)
    seen = Windows(values, starts, window.shape[0], window.hidden)
    return seen, Windows(values, (starts + window.context).astype(np.int32), window.horizon)


def futures(panel: Panel, rows: Rows, horizon: int) -> NDArray[np.float64]:
    """Return what came, shape (n, horizon), NaN where unknown."""
    return np.asarray(panel.values[(panel.offset[rows.track] + rows.origin)[:, None] + np.arange(horizon), 0])
