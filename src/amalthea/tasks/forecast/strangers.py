"""Forecasts of series of which no value is known: what series like them do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from amalthea.domains.sequences.reading import POSITION, SERIES, SeriesState

UNKNOWN = 2.0
"""By how much intervals of a series are widened that the model never saw."""

NORMAL = 1.645
"""Half the width of a normal 90 % interval, in standard deviations."""


def strangers(
    table: pd.DataFrame, known: pd.DataFrame, newer: pd.DataFrame, state: SeriesState, targets: Sequence[str]
) -> pd.DataFrame:
    """Return forecasts of the series in new rows that have no value: the mean of the series with their fixed columns.

    Where no series has these, all have a say. Intervals hold both the others' and how far these lie from each other,
    and are doubled.

    Args:
        table: the forecasts of the other series, as `forecast` returns them.
        known: the training examples, with their fixed columns.
        newer: the new rows.
        state: how series are read.
        targets: what is foretold.
    """
    there = set(table["series"])
    parts = []
    for name, rows in newer[~newer[SERIES].isin(there)].groupby(SERIES, sort=False):
        fixed = list(state.fixed)
        alike = known[(known[fixed] == rows[fixed].iloc[0]).all(axis=1)] if fixed and len(known) else known
        like = sorted(there & set(alike[SERIES])) or sorted(there)
        parts.append(
            _of_others(table[table["series"].isin(like)], str(name), int(rows[POSITION].min()), state, targets)
        )
    return pd.concat(parts, ignore_index=True) if parts else table.iloc[:0]


def _of_others(others: pd.DataFrame, name: str, start: int, state: SeriesState, targets: Sequence[str]) -> pd.DataFrame:
    by_step = others.groupby("step")
    steps = np.sort(others["step"].unique())
    answer = pd.DataFrame({state.time: state.calendar.text(start + steps - 1), "series": name, "step": steps})
    for target in targets:
        prefix = "" if len(targets) == 1 else f"{target}_"
        mean = by_step[f"{prefix}mean"].mean().to_numpy()
        apart = by_step[f"{prefix}mean"].std(ddof=0).to_numpy()
        answer[f"{prefix}mean"] = mean
        for lower in [str(column) for column in others if str(column).startswith(f"{prefix}lower")]:
            upper = lower.replace("lower", "upper")
            half = (by_step[upper].mean() - by_step[lower].mean()).to_numpy() / 2
            wide = UNKNOWN * np.sqrt(half**2 + (NORMAL * apart) ** 2)
            answer[lower], answer[upper] = mean - wide, mean + wide
    like = f"{others['series'].nunique():,} series"
    answer["warning"] = f"this series was not learned from and none of its values is known: the mean of {like} like it"
    return answer.assign(problem="")[list(others.columns)]
