"""What errors are measured by: scales of each track, from the past of a fold alone."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from amalthea.domains.sequences.panel import Panel
from amalthea.domains.sequences.windows import WindowShape
from amalthea.tasks.forecast.origins import Fold


@dataclasses.dataclass(frozen=True, eq=False)
class Scales:
    """One number a track.

    Args:
        spread: shape (N,): the standard deviation in the part that is learned from.
        season: shape (N,): the mean absolute seasonal difference in the past; 1 where the past is constant.
        past: shape (N,): the first position that was not looked at.
    """

    spread: NDArray[np.float64]
    season: NDArray[np.float64]
    past: NDArray[np.int64]


def scales(panel: Panel, fold: Fold, window: WindowShape) -> Scales:
    """Return the scales of a fold.

    Args:
        panel: the series.
        fold: nothing behind its past is looked at.
        window: its shortest period is the season.
    """
    season = window.periods[0] if window.periods else 1
    spreads, seasons = np.ones(len(panel)), np.ones(len(panel))
    until = fold.learned(panel)
    for number in range(len(panel)):
        first, last = int(panel.first[number]), int(panel.last[number]) + 1
        learned = panel.track(number, first, int(until[number]))
        past = panel.track(number, first, min(last, fold.past))
        # A track that begins later has no past: the fold says nothing of it, and is not asked.
        spreads[number] = _known(learned, np.std) or _known(past, np.std) or 1.0
        differences = np.abs(past[season:] - past[:-season]) if len(past) > season else np.abs(np.diff(past))
        seasons[number] = _known(differences, np.mean) or spreads[number]
    return Scales(spreads, seasons, np.minimum(panel.last + 1, fold.past))


def _known(values: NDArray[np.float64], measure: object) -> float:
    known = values[np.isfinite(values)]
    return float(measure(known)) if len(known) else 0.0  # type: ignore[operator]
