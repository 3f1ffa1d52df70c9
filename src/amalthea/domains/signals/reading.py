"""From tables and arrays to traces: one a row, or one place a row, checked against what a model knows."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.columns import is_missing, is_numeric, numbers
from amalthea.datasets.messages import counted, did_you_mean, listed, shortened
from amalthea.domains.signals.featurizers import Shape
from amalthea.domains.signals.shaping import Trace
from amalthea.errors import DataError

ROOM = 1.25
"""How much longer than the longest a trace of uneven length may be."""

EARLY = 0.1
"""The share of rows that end before the last column from which on lengths are uneven, and no gaps."""


@dataclasses.dataclass(frozen=True)
class TraceState:
    """What a model remembers of the traces that it has learned from."""

    form: Literal["wide", "long", "file"]  # a trace a row, a place a row, or files of their own
    columns: tuple[str, ...]  # wide: of the trace; long: of the channels; of a file the array's name, or nothing
    series: str = ""  # long: the column that tells traces apart
    order: str = ""  # long: the column of places
    grid: tuple[float, ...] = ()  # long: the places, where all traces have the same
    size: int = 0  # the largest number of places
    channels: int = 1
    uneven: bool = False  # whether lengths differ
    label: str = ""  # files: what the target is called

    @property
    def shape(self) -> Shape:
        """What featurizers must know."""
        return Shape(self.size, self.channels, self.uneven)


@dataclasses.dataclass(eq=False)
class Traces:
    """n traces, read; one that cannot be used keeps its place and has a problem."""

    table: pd.DataFrame  # what else is known of each, as text; the index is the line
    traces: list[Trace | None]
    problems: list[str]
    names: list[str]
    notes: list[str] = dataclasses.field(default_factory=list)

    def examples(self) -> pd.DataFrame:
        """Return the columns "trace", "name" and "key" (equal for equal traces); None where there is a problem."""
        good = [not problem for problem in self.problems]
        cells, keys = np.full(len(good), None, object), np.full(len(good), None, object)
        for row in np.flatnonzero(good):
            trace = self.traces[row]
            assert trace is not None
            cells[row], keys[row] = trace, key(trace)
        return pd.DataFrame({"trace": cells, "name": self.names, "key": keys}, index=self.table.index)


def key(trace: Trace) -> str:
    """Return a text that is the same for equal traces and for no others."""
    content = np.ascontiguousarray(np.where(np.isnan(trace), np.float32(np.nan), trace))
    return hashlib.blake2b(content.tobytes(), digest_size=16, salt=str(trace.shape).encode()[:16]).hexdigest()


def read_wide(table: pd.DataFrame, columns: Sequence[str]) -> Traces:
    """Return a trace of one channel for each row of a table.

    Raises:
        DataError: a column is not there.
    """
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise DataError(
            f"the sequence needs these columns, which are not there: {listed(absent, 6)}. "
            f"There are: {listed(table.columns)}."
        )
    text = pd.Series(table[list(columns)].to_numpy(object).ravel(), dtype="str")
    values = numbers(text)
    unreadable = np.flatnonzero(~np.isfinite(values) & ~is_missing(text))
    notes = []
    if len(unreadable):
        row, column = divmod(int(unreadable[0]), len(columns))
        first = f"'{shortened(str(text.iloc[unreadable[0]]), 30)}' at {columns[column]} in row {table.index[row]}"
        notes.append(
            f"{counted(len(unreadable), 'value')} of sequences can not be read as finite numbers ({first}): gaps."
        )
    values[~np.isfinite(values)] = np.nan
    shaped = values.reshape(len(table), len(columns), 1).astype(np.float32)
    names = [""] * len(table)
    return Traces(table.drop(columns=list(columns)), list(shaped), [""] * len(table), names, notes)


def read_long(
    table: pd.DataFrame, series: str, order: str, columns: Sequence[str], labels: Sequence[str] = ()
) -> tuple[Traces, list[NDArray[Any]]]:
    """Return a trace for each value of `series`, its places in the order of `order`, and the places of each.

    Args:
        table: one place a row, all columns as text.
        series: the column that tells traces apart.
        order: the column of places, numbers.
        columns: those of the channels.
        labels: columns in which a trace has one value.

    Raises:
        DataError: a column is not there, or no row belongs to a trace.
    """
    for name in (series, order, *columns, *labels):
        if name not in table.columns:
            hint = did_you_mean(name, list(map(str, table.columns)))
            raise DataError(f"there is no column '{name}'.{hint} The columns are: {listed(table.columns)}.")
    nameless = table[series].isna().to_numpy(bool)
    notes = (
        [f"{counted(int(nameless.sum()), 'row')} without a '{series}' belong to no sequence."] if nameless.any() else []
    )
    table = table[~nameless]
    if table.empty:
        raise DataError(f"'{series}' is empty in every row, so no row belongs to a sequence.")
    codes, names = pd.factorize(table[series])
    places = numbers(table[order])
    values = np.stack([numbers(table[name]) for name in columns], axis=1).astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    # Within each trace from the first place to the last; places that cannot be read come last.
    by_trace = np.split(np.lexsort((places, codes)), np.cumsum(np.bincount(codes))[:-1])
    several = {label: table[label].groupby(codes).nunique().to_numpy() > 1 for label in labels}
    problems = []
    for code, rows in enumerate(by_trace):
        unreadable, doubles = np.flatnonzero(~np.isfinite(places[rows])), np.flatnonzero(np.diff(places[rows]) == 0)
        problem = ""
        if len(unreadable):
            row = rows[unreadable[0]]
            problem = f"its '{order}' is '{table[order].iloc[row]}' in row {table.index[row]}, no finite number"
        elif len(doubles):
            problem = f"stands twice at {order} {places[rows][doubles[0]]:g}"
        for label in [label for label, many in several.items() if many[code] and not problem]:
            problem = f"has several values of '{label}' ({listed(table[label].iloc[rows].dropna().unique(), 3)})"
        problems.append(problem)
    others = [name for name in table.columns if name not in (order, *columns)]
    lines = [int(table.index[rows.min()]) for rows in by_trace]
    frame = table[others].groupby(codes).first().set_axis(lines).astype("str")
    traces: list[Trace | None] = [values[rows] for rows in by_trace]
    return Traces(frame, traces, problems, list(map(str, names)), notes), [places[rows] for rows in by_trace]


def common_grid(grids: Sequence[NDArray[Any]]) -> tuple[float, ...]:
    """Return the places that nine tenths of the traces share; () where there are none such."""
    usual, count = Counter(tuple(grid.tolist()) for grid in grids).most_common(1)[0]
    return usual if count >= 0.9 * len(grids) else ()


def onto_grid(read: Traces, grids: Sequence[NDArray[Any]], grid: Sequence[float], order: str) -> None:
    """Bring traces to the same places by linear interpolation; those that do not reach over them have a problem."""
    wanted = np.asarray(grid)
    for row, (trace, places) in enumerate(zip(read.traces, grids, strict=True)):
        if trace is None or read.problems[row] or np.array_equal(places, wanted):
            continue
        if places[0] > wanted[0] or places[-1] < wanted[-1]:
            read.problems[row] = (
                f"runs from {order} {places[0]:g} to {places[-1]:g}, and {wanted[0]:g} to {wanted[-1]:g} are needed"
            )
            continue
        read.traces[row] = np.stack([np.interp(wanted, places, channel) for channel in trace.T], axis=1).astype(
            np.float32
        )


def channel_columns(table: pd.DataFrame, taken: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of numbers that are no other thing: in long form, the channels.

    Raises:
        DataError: there are none.
    """
    found = tuple(str(name) for name in table.columns if name not in taken and is_numeric(table[name]))
    if not found:
        raise DataError(f"no column of numbers is left for the sequence's values. There are: {listed(table.columns)}.")
    return found


def propose(read: Traces, state: TraceState) -> TraceState:
    """Return a state with the sizes that traces have, and mark those whose number of channels is another one.

    Raises:
        DataError: no trace can be read.
    """
    good = [
        trace for trace, problem in zip(read.traces, read.problems, strict=True) if trace is not None and not problem
    ]
    if not good:
        reason = next((problem for problem in read.problems if problem), "there are none")
        raise DataError(f"no sequence can be used: {reason}.")
    channels = Counter(trace.shape[1] for trace in good).most_common(1)[0][0]
    full = [len(trace) for trace in good]
    ends = [_end(trace) for trace in good]
    early = sum(end < length for end, length in zip(ends, full, strict=True))
    uneven = len(set(full)) > 1 or (early >= max(2, EARLY * len(good)))
    size = int(np.ceil(ROOM * max(ends))) if uneven else max(full)
    return dataclasses.replace(state, channels=channels, size=size, uneven=uneven)


def settle(read: Traces, state: TraceState) -> list[str]:
    """Check traces against what a model knows, cut those of uneven length at their ends; return a warning for each."""
    warnings = [""] * len(read.traces)
    for row, trace in enumerate(read.traces):
        if trace is None or read.problems[row]:
            continue
        if state.uneven:
            trace = trace[: _end(trace)]
        read.problems[row] = problem = _problem(trace, state)
        if problem:
            continue
        said = []
        if len(trace) > state.size:
            said.append(f"cut from {len(trace):,} to {state.size:,} places")
            trace = trace[: state.size]
        if np.nanmax(trace) == np.nanmin(trace):
            said.append("the same value everywhere")
        read.traces[row] = trace
        warnings[row] = "; ".join(said)
    return warnings


def _problem(trace: Trace, state: TraceState) -> str:
    if trace.shape[1] != state.channels:
        return f"has {counted(trace.shape[1], 'channel')}, where {state.channels} are known"
    if not state.uneven and len(trace) != state.size:
        return f"has {counted(len(trace), 'place')}, where {state.size} are known"
    known = float(np.isfinite(trace).mean()) if trace.size else 0.0
    if not known:
        return "no value is known"
    return "more than half of its values are missing" if known < 0.5 else ""


def _end(trace: Trace) -> int:
    """Return the number of places up to the last one where something is known."""
    known = np.flatnonzero(np.isfinite(trace).any(axis=1))
    return int(known[-1]) + 1 if len(known) else 0


def reading_notes(read: Traces, state: TraceState) -> tuple[str, ...]:
    """Return what the user should know of traces that were read, as sentences."""
    good = [
        trace for trace, problem in zip(read.traces, read.problems, strict=True) if trace is not None and not problem
    ]
    lengths = sorted(len(trace) for trace in good)
    what = f"{lengths[0]:,} to {lengths[-1]:,} places" if state.uneven and good else f"{state.size:,} places"
    where = f", {state.columns[0]} to {state.columns[-1]}" if state.form == "wide" else ""
    several = f" in {state.channels} channels" if state.channels > 1 else ""
    notes = [f"Each example is a sequence of {what}{several}{where}."]
    gaps = [int(np.isnan(trace).sum()) for trace in good]
    if any(gaps):
        traces = counted(sum(map(bool, gaps)), "sequence")
        notes.append(f"{counted(sum(gaps), 'value')} are missing in {traces}: filled linearly, and shown as gaps.")
    flat = sum(bool(np.nanmax(trace) == np.nanmin(trace)) for trace in good)
    if flat:
        notes.append(f"{counted(flat, 'sequence')} with the same value everywhere.")
    return (*read.notes, *notes)
