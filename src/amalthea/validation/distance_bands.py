"""How far answers hold with distance: bands of equal numbers of rows, from the nearest to the farthest."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.archive import Number
from amalthea.validation.cross_fitting import Residuals, share_inside
from amalthea.validation.metrics import Figure

Array = NDArray[np.float64]

BANDS = 10
FEWEST = 20
"""Rows that a band has at least."""


@dataclasses.dataclass(frozen=True)
class Band:
    """Rows that lie about as far from what was learned.

    Args:
        distance: their mean relative distance.
        held: the share of them that lie inside their intervals, or whose class is named rightly.
        promised: the mean width of their intervals, in the target's unit, or the mean probability of the named class.
    """

    distance: Number
    held: Figure
    promised: Number


def distance_bands(
    distance: Array, held: NDArray[np.bool_], promised: Array, groups: NDArray[np.int64]
) -> tuple[Band, ...]:
    """Return bands of rows by distance; fewer than ten where there are few rows, none where a distance is not known.

    Args:
        distance: shape (n,).
        held: shape (n,): rows inside their intervals, or named rightly.
        promised: shape (n,): the width of the interval, or the probability of the named class.
        groups: shape (n,), integers: rows that belong together share one.

    Example:
        >>> rows = np.arange(40.0)
        >>> [(band.distance, band.promised) for band in distance_bands(rows, rows < 30, 2 * rows, rows.astype(int))]
        [(9.5, 19.0), (29.5, 59.0)]
    """
    if not np.isfinite(distance).all():
        return ()
    count = max(1, min(BANDS, len(distance) // FEWEST))
    parts = np.array_split(np.argsort(distance, kind="stable"), count)
    return tuple(
        Band(float(distance[rows].mean()), share_inside(held[rows], groups[rows]), float(promised[rows].mean()))
        for rows in parts
    )


def worth(held: Residuals, half_widths: Array | None) -> tuple[Figure | None, tuple[Band, ...]]:
    """Return the share of held-out rows inside their intervals, and how it goes with distance.

    Args:
        held: the rows; NaN where one was not held out.
        half_widths: of their intervals, shape (n,); None: not known.
    """
    known = np.isfinite(held.errors)
    if half_widths is None or not known.any():
        return None, ()
    inside, groups = (held.errors <= half_widths)[known], held.groups[known]
    distance = np.full(len(known), np.nan) if held.distance is None else held.distance
    return share_inside(inside, groups), distance_bands(distance[known], inside, 2 * half_widths[known], groups)
