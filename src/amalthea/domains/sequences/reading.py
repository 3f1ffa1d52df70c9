"""From a table to series on one grid of times, each row refused for its own reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.columns import float32, is_date, is_missing, is_numeric, numbers
from amalthea.datasets.messages import counted, did_you_mean, listed
from amalthea.domains.sequences.calendar import REGULAR, ZONE, Calendar, infer, parse
from amalthea.errors import DataError

SERIES, TIME, POSITION = "@series", "@time", "@position"
"""The columns of `Dataset.examples` beside targets, known and fixed columns."""


@dataclasses.dataclass(frozen=True)
class SeriesState:
    """How a table of series is read.

    Args:
        time: the time column.
        targets: what is to be foretold.
        calendar: the grid of times.
        horizon: the steps that are foretold.
        series: the column that tells series apart; "" for one series.
        known: the columns that are known in advance, with their mean and spread in the first half of the time.
        fixed: the columns that never change within a series, with their values in the order of their codes.
        averaged: several rows make one step, as was asked for.
    """

    time: str
    targets: tuple[str, ...]
    calendar: Calendar
    horizon: int
    series: str = ""
    known: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    fixed: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    averaged: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class SeriesTable:
    """A table that was read.

    Args:
        examples: one row a row of the file, in its order: series, time, position, targets, known and fixed columns.
        problems: shape (n,): why a row cannot be used, "" where it can.
    """

    examples: pd.DataFrame
    problems: NDArray[np.object_]


def time_column(table: pd.DataFrame, asked: str | None) -> str:
    """Return the name of the time column.

    Raises:
        DataError: there is no such column, or none or several hold dates.
    """
    if asked is not None:
        check_columns(table, (asked,), "--time")
        return asked
    dates = [str(name) for name in table.columns if is_date(table[name]) or _holds_dates(table[name])]
    if len(dates) != 1:
        raise DataError(
            f"{'no column holds' if not dates else 'several columns hold'} dates"
            f"{'' if not dates else ': ' + listed(dates)}. Name the time column: --time NAME."
        )
    return dates[0]


def _holds_dates(column: pd.Series[Any]) -> bool:
    """Say whether nine in ten of the first values of a column of text are dates."""
    if column.isna().all() or is_numeric(column):
        return False
    try:
        return bool((parse(column.head(200))[1] == "").mean() > REGULAR)
    except DataError:
        return False


def check_columns(table: pd.DataFrame, names: Sequence[str], option: str) -> None:
    """Refuse names of columns that a table does not have.

    Raises:
        DataError: one is not there.
    """
    there = list(map(str, table.columns))
    for name in names:
        if name not in there:
            raise DataError(f"{option} {name}: no such column.{did_you_mean(name, there)} There are: {listed(there)}.")


def find_state(
    table: pd.DataFrame,
    time: str,
    targets: Sequence[str],
    horizon: int,
    series: str = "",
    known: Sequence[str] = (),
    fixed: Sequence[str] = (),
    every: str | None = None,
) -> SeriesState:
    """Return how a table of series is to be read: its frequency is found; the other arguments are `SeriesState`'s.

    Raises:
        DataError: no frequency can be found.
    """
    times, problems, dated = parse(table[time])
    good = problems == ""
    labels = table[series].to_numpy(object)[good] if series else np.zeros(int(good.sum()))
    calendar = infer(times[good], labels, dated, every)
    zoned = dated and calendar.unit == "second" and bool(table[time].str.contains(ZONE, na=False).mean() > 0.5)
    calendar = dataclasses.replace(calendar, zoned=zoned)
    values = {name: tuple(sorted(table[name].dropna().unique())) for name in fixed}
    early = np.nan_to_num(times, nan=np.inf) <= (np.nanmin(times) + np.nanmax(times)) / 2
    scales = {name: _scale(numbers(table[name])[early]) for name in known}
    return SeriesState(time, tuple(targets), calendar, horizon, series, scales, values, every is not None)


def _scale(values: NDArray[np.float64]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)


def read_series(table: pd.DataFrame, state: SeriesState, future: bool = False) -> SeriesTable:
    """Return the rows of a table with their places on the grid.

    Args:
        table: all columns as text.
        state: how it is read.
        future: rows whose targets are missing altogether are kept too: what is known in advance stands in them.

    Raises:
        DataError: a column is not there.
    """
    names = (state.time, *([state.series] if state.series else ()), *state.known, *state.fixed)
    check_columns(table, names, "the model needs" if future else "column")
    times, problems, _ = parse(table[state.time])
    examples = pd.DataFrame(index=table.index)
    examples[SERIES] = table[state.series].astype(object) if state.series else ""
    examples[TIME] = table[state.time].astype(object)
    # 1. Where each time lies; several rows make one step where that was asked for.
    exact = np.nan_to_num(state.calendar.positions(times))
    positions = np.floor(exact + 1e-6) if state.averaged else np.round(exact)
    off = (np.abs(exact - positions) > 1e-3) & ~np.bool_(state.averaged) & (problems == "")
    problems[off] = f"the time lies between two steps ({state.calendar.name})"
    examples[POSITION] = positions.astype(np.int64)
    # 2. Numbers; what is none is a gap, and told.
    for name in (*state.targets, *state.known):
        column = table[name] if name in table.columns else pd.Series(np.nan, table.index, dtype="str")
        values = float32(numbers(column)).astype(np.float64)
        unreadable = ~np.isfinite(values) & ~is_missing(column) & (problems == "")
        for row in np.flatnonzero(unreadable):
            problems[row] = f"'{name}' is '{column.iloc[row]}', no finite number"
        examples[name] = values
    for name in state.fixed:
        examples[name] = table[name].astype(object)
    if state.series:
        problems[table[state.series].isna().to_numpy(bool) & (problems == "")] = f"'{state.series}' is missing"
    if not future:
        nothing = examples[list(state.targets)].isna().all(axis=1).to_numpy(bool)
        problems[nothing & (problems == "")] = "no target is known: a gap"
    # 3. A step has one value: the first that stands in the file.
    if state.averaged:
        return _averaged(examples, problems, state)
    good = problems == ""
    doubles = examples[good].duplicated([SERIES, POSITION]).to_numpy(bool)
    where = np.flatnonzero(good)[doubles]
    problems[where] = "this time stands twice in the series; the first row counts"
    return SeriesTable(examples, problems)


def _averaged(examples: pd.DataFrame, problems: NDArray[np.object_], state: SeriesState) -> SeriesTable:
    """Return the means of the rows that share a step, in the place of the first; the others are gone."""
    good = examples[problems == ""]
    lines = good.index.to_series().groupby([good[SERIES], good[POSITION]], sort=False).first()
    kinds = {name: "mean" if name in (*state.targets, *state.known) else "first" for name in good.columns}
    means = good.groupby([SERIES, POSITION], sort=False).agg(kinds).set_axis(lines.to_numpy())
    means[TIME] = state.calendar.text(means[POSITION].to_numpy(np.int64))
    kept = pd.concat([means, examples[problems != ""]]).sort_index()
    return SeriesTable(
        kept, np.where(kept.index.isin(means.index), "", pd.Series(problems, examples.index)[kept.index])
    )


def reading_notes(examples: pd.DataFrame, problems: NDArray[np.object_], state: SeriesState) -> list[str]:
    """Return what was found of the times, in sentences.

    Args:
        examples: as `read_series` returns them.
        problems: likewise.
        state: how they were read.
    """
    good = examples[problems == ""]
    parts = [state.calendar.name]
    # Gaps: steps between a series' first and last row that have none.
    ordered = good.sort_values([SERIES, POSITION])
    steps = ordered[POSITION].diff().where(ordered[SERIES] == ordered[SERIES].shift(), 1).to_numpy(np.float64)
    gaps = steps[steps > 1] - 1
    if len(gaps):
        parts.append(f"{counted(len(gaps), 'gap')}, {counted(int(gaps.sum()), 'step')} in all")
    doubles = examples[np.char.startswith(problems.astype(str), "this time stands twice")]
    if len(doubles):
        first = str(doubles[TIME].iloc[0])
        clock = state.calendar.unit == "second" and state.calendar.step <= 3600 and _autumn_night(first)
        parts.append(f"{counted(len(doubles), 'time')} twice, such as {first}{': a clock change' if clock else ''}")
    if (good.groupby(SERIES, sort=False)[POSITION].diff() < 0).any():
        parts.append("the rows were not in the order of time")
    series = good[SERIES].nunique()
    return [f"{series:,} series, {'; '.join(parts)}."]


def _autumn_night(text: str) -> bool:
    """Say whether a time lies where clocks are set back: on a Sunday from September to November, or April, by night."""
    time = pd.to_datetime(text, errors="coerce")
    return bool(time is not pd.NaT and time.day_of_week == 6 and time.hour <= 3 and time.month in (4, 9, 10, 11))
