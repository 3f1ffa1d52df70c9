"""Measurements of the same compound joined by their median, with the spread that they had."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.assembly import refusals
from amalthea.datasets.columns import numbers
from amalthea.datasets.messages import counted
from amalthea.datasets.splits import codes
from amalthea.domains.molecules.chembl import UNIT, Activities

YEAR = "Document Year"


def join_replicates(activities: Activities, smiles: Sequence[str | None]) -> tuple[Activities, NDArray[np.intp]]:
    """Join the measurements of each compound by their median.

    A bound may lie anywhere up to infinity, so a median of bounds is an interval. Where a threshold lies within it
    (one laboratory found 1 nM, the other more than 10 uM), the compound has no class and is refused.

    Args:
        activities: m measurements.
        smiles: m cleaned SMILES; None where there is no molecule, which joins with no other.

    Returns:
        The activities of the compounds, and shape (c,) the measurements that stand for them: the earliest of each
        compound by the year of its document, so that a split by time is not deceived, else the first.
    """
    table, name = activities.table, activities.target
    values = numbers(table[name])
    compounds = codes(pd.Series(smiles, dtype=object))
    low = _medians(np.where(activities.bounds < 0, -np.inf, values), compounds)
    high = _medians(np.where(activities.bounds > 0, np.inf, values), compounds)
    # Without a threshold there are no bounds, and all is below infinity.
    threshold = np.inf if activities.threshold is None else activities.threshold
    decided = (high < threshold) | (low >= threshold)
    middle = np.where(high < threshold, high, low)
    reason = f"the measurements of this compound do not agree on which side of {threshold:g} it is"
    refused = refusals(table, np.where(decided[compounds], "", reason).tolist())
    rows = _earliest(table, compounds)
    rows = rows[decided[compounds[rows]]]
    joined = table.iloc[rows].assign(**{name: [repr(float(value)) for value in middle[compounds[rows]]]})
    notes = _notes(values, activities.bounds, compounds, decided)
    return (
        dataclasses.replace(
            activities,
            table=joined,
            bounds=np.zeros(len(rows), np.int64),
            refused=(*activities.refused, *refused),
            notes=(*activities.notes, *notes),
        ),
        rows,
    )


def _medians(values: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the median of each group, shape (groups,); an infinite middle value is kept as it is."""
    return np.asarray(pd.Series(values).groupby(groups).median(), np.float64)


def _earliest(table: pd.DataFrame, groups: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the row of the earliest document in each group, else the first, in the order of the file."""
    years = numbers(table[YEAR]) if YEAR in table.columns else np.zeros(len(table))
    order = np.argsort(years, kind="stable")  # an unknown year comes last
    return np.sort(order[np.unique(groups[order], return_index=True)[1]])


def _notes(
    values: NDArray[np.float64], bounds: NDArray[np.int64], compounds: NDArray[np.int64], decided: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Say how many compounds were joined, how far their exact measurements lay apart, and which were refused."""
    sizes = np.bincount(compounds)
    repeated = sizes > 1
    notes = []
    if repeated.any():
        notes.append(
            f"{counted(int(repeated.sum()), 'compound')} with several measurements "
            f"({counted(int(sizes[repeated].sum()), 'row')}): joined by the median."
        )
    exact = pd.Series(values[bounds == 0]).groupby(compounds[bounds == 0]).agg(["min", "max", "size"])
    spread = (exact["max"] - exact["min"])[exact["size"] > 1]
    if len(spread):
        notes[-1] = notes[-1][:-1] + (
            f"; their largest and smallest differ by {spread.median():.3g} (median) and {spread.max():.3g} (at most), "
            f"in {UNIT}."
        )
    refused = int((~decided).sum())
    if refused:
        notes.append(
            f"{counted(refused, 'compound')} ({counted(int(sizes[~decided].sum()), 'row')}) left out: the bounds among "
            "the measurements leave the class open."
        )
    return tuple(notes)
