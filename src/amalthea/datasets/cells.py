"""Numbers as people write them: with thousands marks, units, ranges, errors, and numbers that mean "no value"."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from amalthea.datasets.columns import is_date, is_missing, numbers
from amalthea.datasets.messages import counted, listed

NUMBER = r"[-+−]?(?:\d+(?:[.,'’\u00a0\u202f ]\d+)*|[.,]\d+)(?:[eE][-+−]?\d+)?"

CELL = re.compile(
    rf"^(?P<bound>[<>≤≥]=?)?\s*(?P<about>~|≈|ca\.?|approx\.?)?\s*(?P<currency>[$€£])?\s*(?P<first>{NUMBER})"
    rf"(?:\s*(?:-|–|—|to|\.\.+)\s*(?P<second>{NUMBER}))?"
    rf"(?P<error>\s*(?:±|\+/?-)\s*{NUMBER}|\(\d+\))?\s*(?P<unit>[%‰°A-Za-zµμΩÅ€$£][^<>;:,=]{{0,14}})?$"
)
"""A number, perhaps as a bound or a range, with an error and a unit."""

POWER = re.compile(r"\s*[x×·*]\s*10\^?\s*([-+−]?\d+)")

MOST_BINS = 20
"""Ranges of which there are no more different ones are bins: classes, and no measurements."""

SENTINEL = re.compile(r"^-(9{2,}|8{3,}|7{3,})(\.[09]+)?$|^9{3,}(\.[09]+)?$")
"""Numbers that stand for "no value" in many files, where they lie far outside of all others."""

MACHINE_SENTINELS = (-32768.0, 32767.0, -2147483648.0, 2147483647.0, 1e20, -1e20, 1e30, -1e30)


@dataclasses.dataclass(frozen=True)
class Writing:
    """How the numbers of a column are written, as a model remembers it.

    Args:
        thousands: the mark between groups of three digits, "" for none.
        unit: what stands behind each number.
        gap: the number that stands for "no value".
    """

    thousands: str = ""
    unit: str = ""
    gap: float | None = None


Note = tuple[str, str]  # the kind of what was found, and an example


def plain_numbers(
    table: pd.DataFrame, keep: Collection[str] = (), known: Mapping[str, Writing] | None = None
) -> tuple[pd.DataFrame, dict[str, Writing], tuple[str, ...]]:
    """Return a table whose columns of numbers hold nothing but numbers, how they were written, and what was decided.

    What is no number stays as it is: the rest of the program says so. A bound stays a bound, without its unit.

    Args:
        table: all columns as text.
        keep: numbers that are not taken for "no value" though they look like it, as text.
        known: how columns were written in training; it is believed of new examples as well.

    Example:
        >>> table = pd.DataFrame({"t": ["57.5 °C", "60.0 °C"], "m": ["12,885", "928"]}, dtype="str")
        >>> plain, writings, notes = plain_numbers(table)
        >>> plain.to_dict("list"), writings["t"].unit
        ({'t': ['57.5', '60.0'], 'm': ['12885', '928']}, '°C')
        >>> notes[0]
        "Units behind numbers are cut off: 't' 57.5 °C."
    """
    kept = {float(text) for text in keep if _is_number(text)}
    decimals = functools.cache(lambda mark: _decimal_columns(table, mark))
    plain, writings, examples = table.copy(), {}, dict[str, list[str]]()
    for name in map(str, table.columns):
        column = table[name]
        found: list[Note] = []
        given = (known or {}).get(name, Writing())
        if not _all_numbers(column) and not is_date(column):
            column, given, found = _unwrapped(column, given, decimals)
        if (gap := given.gap) is None:
            gap, more = _sentinel(column, kept)
            found += more
        if gap is not None:
            column = column.mask(numbers(column) == gap)
        given = dataclasses.replace(given, gap=gap)
        if given != Writing():
            writings[name] = given
        if column is not table[name]:
            plain[name] = column
        for kind, example in found:
            examples.setdefault(kind, []).append(f"'{name}' {example}")
    plain.attrs = table.attrs
    return plain, writings, tuple(f"{kind}: {listed(shown, 3)}." for kind, shown in examples.items())


def as_record(writings: Mapping[str, Writing]) -> dict[str, dict[str, Any]]:
    """Return how columns are written as JSON."""
    return {name: dataclasses.asdict(writing) for name, writing in writings.items()}


def from_record(record: Mapping[str, Any]) -> dict[str, Writing]:
    """Return how columns are written from JSON."""
    return {name: Writing(**each) if isinstance(each, Mapping) else each for name, each in record.items()}


def _all_numbers(column: pd.Series) -> bool:
    """Say whether a column holds plain numbers, none of which might have a point between thousands."""
    known = column[~is_missing(column)]
    if not pd.to_numeric(known, errors="coerce").notna().all():
        return False
    first = known.iloc[:20][known.iloc[:20].str.contains(".", regex=False)]
    return first.empty or not bool(first.str.match(r"^[-+]?[1-9]\d{0,2}(?:\.\d{3})+$").all())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unwrapped(
    column: pd.Series, given: Writing, decimals: Callable[[str], Collection[str]]
) -> tuple[pd.Series, Writing, list[Note]]:
    """Return a column without units, marks, ranges and errors, where at least 80 % of it are numbers with such."""
    missing = is_missing(column)
    text = column[~missing].str.replace(POWER, r"e\1", regex=True).str.replace("−", "-")
    parts = text.str.extract(CELL)
    cells = parts["first"].notna()
    if cells.mean() < 0.8:
        return column, given, []
    units = parts["unit"].fillna(parts["currency"]).str.strip()[cells]
    unit = given.unit or (str(units.mode().iloc[0]) if units.notna().any() else "")
    readable = cells & (units.reindex(cells.index).fillna(unit) == unit)
    ranges = readable & parts["second"].notna()
    if readable.mean() < 0.8:
        several = units.dropna().drop_duplicates()
        shown = [str(column[row]) for row in several.index[:2]]
        different = [("Numbers in different units are not read as numbers", " and ".join(shown))]
        return column, given, different if 1 < len(several) <= 6 else []
    if not _are_ranges(parts[ranges], bins=bool(ranges.sum() > 0.8 * len(text))):
        return column, given, []
    mark, why = (given.thousands, "") if given.thousands else _thousands(parts["first"][readable], column, decimals)
    bare = [parts[name].str.replace(mark, "", regex=False) if mark else parts[name] for name in ("first", "second")]
    made = bare[0].copy()
    if ranges.any():  # a middle has a decimal point, and so must all others have then
        low, high = (pd.Series(numbers(each), each.index) for each in bare)
        made = low.where(~ranges, (low + high) / 2).map(lambda value: f"{value:.10g}")
    made = parts["bound"].fillna("") + made
    result = column.copy()
    result[readable.index[readable]] = made[readable]
    notes = []
    for kind, rows in {
        "Units behind numbers are cut off": readable & units.reindex(cells.index).notna(),
        "Ranges are taken as their middle": ranges,
        "Errors behind numbers are cut off": readable & parts["error"].notna(),
        "Values that are only about right are taken as exact": readable & parts["about"].notna(),
    }.items():
        if rows.any():
            notes.append((kind, str(column[rows.index[rows]].iloc[0])))
    if why:
        notes.append((why, str(column[column.str.contains(mark or ",", regex=False, na=False)].iloc[0])))
    return result, Writing(mark, unit, given.gap), notes


def _are_ranges(parts: pd.DataFrame, bins: bool) -> bool:
    """Say whether what looks like ranges are some: from low to high, narrow, and no bins."""
    if parts.empty:
        return True
    low, high = numbers(parts["first"]), numbers(parts["second"])
    ordered = np.mean(low <= high) >= 0.95 and np.median(np.abs(high - low) / np.maximum(np.abs(high), 1e-12)) <= 0.5
    different = len(parts.drop_duplicates(["first", "second"]))
    return bool(ordered) and not (bins and different <= min(MOST_BINS, len(parts) // 2))


def _thousands(firsts: pd.Series, column: pd.Series, decimals: Callable[[str], Collection[str]]) -> tuple[str, str]:
    """Return the mark between thousands, by evidence, "" for none; and the sentence that says so."""
    for mark, other in ((",", "."), (".", ","), ("'", "."), ("’", "."), ("\u00a0", "."), ("\u202f", "."), (" ", ".")):
        escaped = re.escape(mark)
        marked = firsts[firsts.str.contains(mark, regex=False)]
        form = rf"^[-+]?[1-9]\d{{0,2}}(?:{escaped}\d{{3}})+(?:[{'.,' if mark not in '.,' else other}]\d+)?$"
        if marked.empty or not marked.str.match(form).all():
            continue
        said = f"'{mark}' parts thousands"
        if mark not in ".,":
            return mark, said
        rest = firsts[~firsts.index.isin(marked.index)]
        both = firsts.str.contains(other, regex=False).any() or (marked.str.count(escaped) > 1).any()
        beside = set(decimals(other)) - {str(column.name)} and not set(decimals(mark)) - {str(column.name)}
        whole = mark == "," and len(rest) > 0 and rest.str.match(r"^[-+]?\d{1,3}$").all()
        if both or beside or whole:
            return mark, said
        if mark == ",":
            return "", "',' is taken for the decimal mark, though three digits stand behind it everywhere"
    return "", ""


def _decimal_columns(table: pd.DataFrame, mark: str) -> list[str]:
    """Return the columns in which a mark can only be that of decimals: not always three digits stand behind it."""
    form = rf"^[-+]?\d+{re.escape(mark)}(?:\d{{1,2}}|\d{{4,}})(?:\s*[^\d\s].*)?$"
    return [str(name) for name, column in table.items() if column.str.match(form).fillna(False).any()]


def _sentinel(column: pd.Series, kept: Collection[float]) -> tuple[float | None, list[Note]]:
    """Return the number that stands for "no value" in a column, None if none does, and what to say of it."""
    values = numbers(column)
    values = values[np.isfinite(values)]
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < 6 or len(values) < 0.5 * len(column):
        return None, []
    for place, rest, nearest in ((0, distinct[1:], distinct[1]), (-1, distinct[:-1], distinct[-2])):
        value, often = float(distinct[place]), int(counts[place])
        width, gap = float(rest[-1] - rest[0]), abs(float(nearest) - value)
        usual = bool(SENTINEL.match(f"{value:g}")) or value in MACHINE_SENTINELS
        if usual and often >= 2 and gap > width and value not in kept:
            rows = counted(often, "row")
            return value, [
                (
                    f"A number far outside of all others stands for 'no value' (use --keep={value:g} if it does not)",
                    f"{value:g} in {rows}",
                )
            ]
        if often >= 3 and gap > 3 * width and len(rest) >= 10 and value not in kept:
            return None, [
                (
                    "A number far outside of all others comes again and again and is kept; if it stands for "
                    "'no value', take it out",
                    f"{value:g} in {counted(often, 'row')}",
                )
            ]
    return None, []
