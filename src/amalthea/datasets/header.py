"""Where a table begins: titles and remarks above the header, a second header or units below it."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from amalthea.datasets.columns import bounds, is_missing, numbers
from amalthea.datasets.encoding import Record
from amalthea.datasets.messages import listed
from amalthea.errors import DataError

HEAD = 60
"""Rows that are looked at to find the header."""

MOST_ABOVE, MOST_BELOW = 30, 5
"""Rows that may stand above the header, and rows of units or types below it."""


def headed(lines: Iterator[Record], header_line: int | None, notes: list[str]) -> Iterator[Record]:
    """Yield the header of a table, and then its rows, without titles, remarks and units.

    Args:
        lines: all rows of a file, the header among them.
        header_line: the line of the header, where the user knows it; None: it is looked for.
        notes: what is decided is added to it, as sentences.

    Raises:
        DataError: the file has no such line.

    Example:
        >>> rows = [["Table S1"], ["x", "y"], ["K", "m"], ["1", "2"], ["3", "4"], ["5", "6"]]
        >>> lines = (Record(line, fields) for line, fields in enumerate(rows, start=1))
        >>> said = []
        >>> [record.fields for record in headed(lines, None, said)]
        [['x', 'y'], ['1', '2'], ['3', '4'], ['5', '6']]
        >>> said
        ['Line 1 (Table S1) stands above the header.', 'Line 3 (K, m) is taken for units or a second header.']
    """
    if header_line is not None:
        lines = itertools.dropwhile(lambda record: record.line < header_line, lines)
    head = list(itertools.islice(lines, HEAD))
    if header_line is not None and (not head or head[0].line != header_line):
        raise DataError(f"there is no line {header_line:,} with the columns' names. Choose another --header-line.")
    if not head:
        return
    start = 0 if header_line is not None else _start(head)
    if start:
        notes.append(_sentence(head[:start], "stands above the header", "stand above the header"))
    header, below = head[start], head[start + 1 :]
    if header_line is None and not start and _is_merged(head):
        notes.append(f"The header has two lines: names are taken from line {head[1].line}.")
        header, below = _joined(head[0], head[1]), head[2:]
    extra = _extra(header, below)
    if extra:
        what = "taken for units or a second header"
        notes.append(_sentence(below[:extra], f"is {what}", f"are {what}"))
    yield header
    yield from below[extra:]
    yield from lines


def _sentence(records: Sequence[Record], one: str, many: str) -> str:
    shown = listed((field.strip() for field in records[0].fields if field.strip()), 4)
    if len(records) == 1:
        return f"Line {records[0].line} ({shown}) {one}."
    return f"Lines {records[0].line} to {records[-1].line} ({shown}; ...) {many}."


def _filled(record: Record) -> int:
    return sum(bool(field.strip()) for field in record.fields)


def _numeric(record: Record) -> int:
    return int(np.isfinite(numbers(pd.Series(record.fields, dtype="str"))).sum()) if record.fields else 0


def _start(head: Sequence[Record]) -> int:
    """Return how many rows stand above the header: remarks, and titles that fill few of the columns."""
    width = collections.Counter(map(_filled, head)).most_common(1)[0][0]
    for place, record in enumerate(head[: MOST_ABOVE + 1]):
        remark = bool(record.fields) and record.fields[0].lstrip().startswith("#")
        above = (
            remark and (_filled(record) != width or place + 1 == len(head) or head[place + 1].fields[:1] == [""])
        ) or _filled(record) < 0.6 * width
        if above:
            continue
        # What looks like a header has names and no numbers; else the first line is as good as any.
        return place if _numeric(record) <= 0.3 * _filled(record) else 0
    return 0


def _is_merged(head: Sequence[Record]) -> bool:
    """Say whether the first line holds headings over several columns, and the second their names."""
    if len(head) < 4 or _numeric(head[0]) or _numeric(head[1]) or not any(map(_numeric, head[2:6])):
        return False
    above, below = _filled(head[0]), _filled(head[1])
    gaps = sum(not field.strip() for field in head[0].fields[1:])
    return 2 <= above < below and below == len(head[1].fields) and gaps >= 0.3 * below


def _joined(above: Record, below: Record) -> Record:
    """Return the lower names, each with the heading above it where they are not distinct by themselves."""
    names = [field.strip() for field in below.fields]
    if len(set(names)) == len(names):
        return below
    headings = list(itertools.accumulate(above.fields, _last_heading))
    return Record(below.line, [f"{h.strip()} {n}".strip() for h, n in zip(headings, names, strict=False)])


def _last_heading(last: str, field: str) -> str:
    return field if field.strip() else last


def _extra(header: Record, below: Sequence[Record]) -> int:
    """Return how many rows below the header hold text where all rows below them hold numbers."""
    width = len(header.fields)
    rows = [(record.fields + [""] * width)[:width] for record in below]
    for count in range(min(MOST_BELOW, len(rows) - 3), 0, -1):
        body = pd.DataFrame(rows[count:], dtype="str")
        plain = [name for name in body if _holds_numbers(body[name])]
        first = pd.DataFrame(rows[:count], dtype="str")[plain]
        missing = first.apply(is_missing)
        readable = first.apply(lambda column: np.isfinite(numbers(column)) | (bounds(column)[0] != 0))
        text = ~missing & ~readable
        filled = text.sum(axis=1)
        everything = len(plain) == width
        if not (readable & ~missing).any(axis=None) and (filled >= (1 if everything or count > 1 else 2)).all():
            return count
    return 0


def _holds_numbers(column: pd.Series) -> bool:
    known = column[~is_missing(column)]
    return len(known) >= 2 and bool(np.isfinite(numbers(known)).mean() >= 0.9)
