"""Which columns of a table become features: numbers, categories, and those that are left out, with the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from amalthea.datasets.columns import (
    MISSING_NUMBER,
    MISSING_TEXT,
    is_date,
    is_identifier,
    is_missing,
    is_numeric,
    numbers,
)
from amalthea.datasets.messages import counted, did_you_mean, listed
from amalthea.errors import DataError

MOST_CATEGORIES = 50


@dataclasses.dataclass(frozen=True)
class Layout:
    """The columns that become features."""

    numbers: tuple[str, ...]  # the names of the columns of numbers
    categories: tuple[str, ...]  # the names of the columns of categories
    notes: tuple[str, ...] = ()  # which columns were left out and why, as sentences


def find_layout(table: pd.DataFrame, taken: Sequence[str], keep: Sequence[str] = ()) -> Layout:
    """Decide what each column is.

    Args:
        table: all columns as text.
        taken: columns that are no features: targets, folds, groups.
        keep: columns that the user wants as features, whatever speaks against them; only an empty one is left out.

    Raises:
        DataError: no column is left, or one that is to be kept is not there.

    Example:
        >>> table = pd.DataFrame({"name": ["a", "b", "c"], "x": ["1,5", "2", "0,5"], "y": ["1", "2", "4"]}, dtype="str")
        >>> find_layout(table, ["y"])
        Layout(numbers=('x',), categories=(), notes=("Left out 'name': it names the rows, each value another.",))
        >>> find_layout(table, ["y"], keep=["name"]).notes
        ("Kept 'name' as asked, though it names the rows, each value another.",)
    """
    columns = [str(name) for name in table.columns]
    for name in keep:
        if name not in columns:
            raise DataError(
                f"--keep {name}: no such column.{did_you_mean(name, columns)} There are: {listed(columns)}."
            )
    plain: list[str] = []
    categories: list[str] = []
    notes = []
    for name in columns:
        if name in taken and name not in keep:
            continue
        column = table[name]
        known = column[~is_missing(column, MISSING_TEXT)]
        reason = _reason_to_leave_out(column, known)
        if reason and (name not in keep or known.empty):
            # A count, a depth or a day may look like the number of a row: only the user knows.
            hint = f" To learn from it, use --keep '{name}'." if is_numeric(known) else ""
            notes.append(f"Left out '{name}': {reason}.{hint}")
            continue
        if reason:
            notes.append(f"Kept '{name}' as asked, though {reason}.")
        if is_numeric(column):
            plain.append(name)
            notes.extend(_note_on_text(column))
        else:
            categories.append(name)
    if not plain and not categories:
        because = " ".join(notes) or "The table has no other columns than the target."
        raise DataError(f"no column can be a feature. {because} Add columns of numbers or of categories.")
    return Layout(tuple(plain), tuple(categories), tuple(notes))


def as_examples(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return the columns that are features: numbers as float, categories as text, missing values as NaN and None.

    Args:
        table: n rows, all columns as text.
        layout: tells the columns, all of which the table has.
    """
    columns: dict[str, pd.Series | np.ndarray] = {}
    for name in layout.numbers:
        values = numbers(table[name])
        columns[name] = np.where(np.isfinite(values), values, np.nan)
    for name in layout.categories:
        column = table[name]
        columns[name] = column.astype(object).mask(is_missing(column, MISSING_TEXT), None)
    return pd.DataFrame(columns, index=table.index)


def _reason_to_leave_out(column: pd.Series, known: pd.Series) -> str:
    if known.empty:
        return "it is empty"
    if is_identifier(column):
        return f"it {'numbers' if is_numeric(column) else 'names'} the rows, each value another"
    if known.nunique() == 1 and len(known) == len(column):
        return "it is the same in all rows"
    if is_date(column):
        return "it holds dates"
    if not is_numeric(column) and known.nunique() > min(MOST_CATEGORIES, len(column) // 2):
        return f"it holds text with {known.nunique():,} different values, too many for categories"
    return ""


def _note_on_text(column: pd.Series) -> tuple[str, ...]:
    unreadable = column[~np.isfinite(numbers(column)) & ~is_missing(column, MISSING_NUMBER)]
    if unreadable.empty:
        return ()
    first = f"'{unreadable.iloc[0]}' in line {unreadable.index[0]}"
    return (
        f"'{column.name}' is no finite number in {counted(len(unreadable), 'row')} ({first}): taken as missing there.",
    )
