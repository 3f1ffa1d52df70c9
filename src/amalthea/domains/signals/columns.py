"""Which columns of a table make a trace: a range, a pattern or a list of their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from amalthea.datasets.messages import did_you_mean, listed
from amalthea.errors import DataError

_NUMBERED = re.compile(r"(?P<before>[^\d]*?)(?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?P<behind>[^\d]*)")


class Place(NamedTuple):
    """A name that holds one number: "850.5nm" is 850.5 with nothing before and "nm" behind it."""

    before: str
    number: float
    behind: str


def place(name: str) -> Place | None:
    """Return the number in a name, and what stands around it; None where there is none, or several.

    Example:
        >>> place("850.5nm"), place("x_12"), place("fat")
        (Place(before='', number=850.5, behind='nm'), Place(before='x_', number=12.0, behind=''), None)
    """
    match = _NUMBERED.fullmatch(name.strip())
    return match and Place(match["before"], float(match["number"]), match["behind"])


def find_columns(names: Sequence[str], asked: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of a trace in the order of their numbers, and what should be known of that, as sentences.

    Args:
        names: all columns of the table.
        asked: names, patterns with * or ?, and ranges FIRST:LAST, each also several with commas between them. A range
            between numbers holds all columns with a number between them, however they are ordered in the table; one
            between other names holds what stands between them.

    Raises:
        DataError: one is not there, or holds no column; or only one column is left.

    Example:
        >>> find_columns(["fat", "854nm", "852nm", "850nm", "1100nm"], ["850nm:1050nm"])[0]
        ('850nm', '852nm', '854nm')
    """
    chosen: list[str] = []
    for text in asked:
        for part in [text] if text in names else text.split(","):
            chosen += [name for name in _chosen(names, part.strip()) if name not in chosen]
    if len(chosen) < 2:
        raise DataError(
            f"--sequence {', '.join(asked)}: a sequence needs two columns at least. Chosen: {listed(chosen)}."
        )
    places = [place(name) for name in chosen]
    numbers = [found.number for found in places if found is not None]
    around = {(found.before, found.behind) for found in places if found is not None}
    if len(numbers) < len(chosen) or len(around) > 1 or numbers == sorted(numbers):
        return tuple(chosen), ()
    ordered = tuple(name for _, name in sorted(zip(numbers, chosen, strict=True)))
    return ordered, (f"The columns of the sequence were put in order, {ordered[0]} to {ordered[-1]}.",)


def _chosen(names: Sequence[str], text: str) -> list[str]:
    if text in names:
        return [text]
    if any(sign in text for sign in "*?["):
        matching = [name for name in names if fnmatchcase(name, text)]
        if not matching:
            raise DataError(f"--sequence {text}: no column is called so. The columns are: {listed(names)}.")
        return matching
    first, colon, last = text.partition(":")
    if not colon:
        raise DataError(
            f"--sequence {text}: no such column.{did_you_mean(text, names)} The columns are: {listed(names)}. "
            "A range is written FIRST:LAST, a pattern with *."
        )
    ends = place(first), place(last)
    if ends[0] is not None and ends[1] is not None:
        return _between(names, ends[0], ends[1], text)
    for end in (first, last):
        if end not in names:
            raise DataError(
                f"--sequence {text}: no column is called '{end}'.{did_you_mean(end, names)} "
                f"The columns are: {listed(names)}."
            )
    low, high = sorted(names.index(end) for end in (first, last))
    return list(names[low : high + 1])


def _between(names: Sequence[str], first: Place, last: Place, text: str) -> list[str]:
    """Return the columns with numbers between two, whose names are built as the ends are, or as most are."""
    low, high = sorted((first.number, last.number))
    numbered = {name: found for name in names if (found := place(name)) is not None}
    kinds = Counter((found.before, found.behind) for found in numbered.values())
    given = {(first.before, first.behind), (last.before, last.behind)} & set(kinds)
    if not kinds:
        raise DataError(f"--sequence {text}: no column's name holds a number. The columns are: {listed(names)}.")
    usual = next(iter(given)) if len(given) == 1 else kinds.most_common(1)[0][0]
    alike = {name: found.number for name, found in numbered.items() if (found.before, found.behind) == usual}
    inside = [name for name, number in alike.items() if low <= number <= high]
    if not inside:
        least, most = min(alike, key=lambda name: alike[name]), max(alike, key=lambda name: alike[name])
        raise DataError(
            f"--sequence {text}: no column lies there. The columns with numbers run from {least} to {most}."
        )
    return inside
