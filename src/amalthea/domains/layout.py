"""Which columns of a table become features: numbers, categories, and those that are left out, with the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from amalthea.datasets.columns import (
    MISSING_NUMBER,
    MISSING_TEXT,
    counts_rows,
    is_date,
    is_identifier,
    is_missing,
    is_numeric,
    numbers,
)
from amalthea.datasets.messages import counted, did_you_mean, listed
from amalthea.datasets.targets import Labels, join_spellings, note_on_spellings, spelling_key
from amalthea.domains.leaks import restates
from amalthea.errors import DataError

MOST_CATEGORIES = 50


@dataclasses.dataclass(frozen=True)
class Layout:
    """The columns that become features."""

    numbers: tuple[str, ...]  # the names of the columns of numbers
    categories: tuple[str, ...]  # the names of the columns of categories
    notes: tuple[str, ...] = ()  # which columns were left out and why, as sentences


def find_layout(
    table: pd.DataFrame, taken: Sequence[str], keep: Sequence[str] = (), labels: Labels | None = None
) -> Layout:
    """Decide what each column is.

    Args:
        table: all columns as text.
        taken: columns that are no features: targets, folds, groups.
        keep: columns that the user wants as features, whatever speaks against them; only an empty one is left out.
        labels: the targets of the same rows, which no feature may say.

    Raises:
        DataError: no column is left.

    Example:
        >>> table = pd.DataFrame({"name": ["a", "b", "c"], "x": ["1,5", "2", "0,5"], "y": ["1", "2", "4"]}, dtype="str")
        >>> find_layout(table, ["y"])
        Layout(numbers=('x',), categories=(), notes=("Left out 'name': it names the rows, each value another.",))
        >>> find_layout(table, ["y"], keep=["name"]).notes
        ("Kept 'name' as asked, though it names the rows, each value another.",)
    """
    columns = [str(name) for name in table.columns]
    considered = [name for name in columns if name not in taken or name in keep]
    reasons = {name: _reason_to_leave_out(table[name], labels) for name in considered}
    # What says the target goes first, unless nothing else is there to learn from: then the user must judge.
    suspects = {
        name: why for name in considered if not reasons[name] and (why := _reason_to_suspect(table[name], labels))
    }
    if any(not reasons[name] and name not in suspects for name in considered):
        reasons |= suspects
        suspects = {}
    used = [name for name in considered if not reasons[name] or (name in keep and not _known(table[name]).empty)]
    plain = tuple(name for name in used if is_numeric(table[name]))
    notes = [
        *(f"Kept '{name}' as asked, though {reasons[name]}." for name in used if reasons[name]),
        *(f"Kept '{name}', for nothing else is left to learn from, though {why}." for name, why in suspects.items()),
        *_notes_on_left_out(table, {name: reasons[name] for name in considered if name not in used}),
        *_notes_on_text([table[name] for name in plain]),
        *(note for n in used if n not in plain for note in note_on_spellings(n, join_spellings(_known(table[n])))),
    ]
    if not used:
        because = " ".join(notes) or "The table has no other columns than the target."
        raise DataError(f"no column can be a feature. {because} Add columns of numbers or of categories.")
    return Layout(plain, tuple(name for name in used if name not in plain), tuple(notes))


def kept_columns(keep: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return the columns among what is to be kept; the rest are numbers that do not stand for "no value".

    Raises:
        DataError: there is no such column.
    """
    for name in keep:
        if name not in columns and not np.isfinite(numbers(pd.Series([name]))).all():
            raise DataError(
                f"--keep {name}: no such column.{did_you_mean(name, columns)} There are: {listed(columns)}."
            )
    return [name for name in keep if name in columns]


def with_known_names(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return a table in which columns that differ from known names by case or blanks alone are called as these.

    Args:
        table: all columns as text.
        names: what a model calls its columns.

    Example:
        >>> with_known_names(pd.DataFrame(columns=["Alpha", "beta"]), ["alpha"]).columns.tolist()
        ['alpha', 'beta']
    """
    keys = pd.Series([spelling_key(str(name)) for name in table.columns], dtype=object)
    wanted = {spelling_key(name): name for name in names if name not in table.columns}
    alone = keys.map(keys.value_counts()) == 1
    renamed = {
        str(name): wanted[key]
        for name, key, one in zip(table.columns, keys, alone, strict=True)
        if one and key in wanted
    }
    made = table.rename(columns=renamed)
    made.attrs = table.attrs
    return made


def as_examples(
    table: pd.DataFrame, layout: Layout, categories: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Return the columns that are features: numbers as float, categories as text, missing values as NaN and None.

    Args:
        table: n rows, all columns as text.
        layout: tells the columns, all of which the table has.
        categories: the values of each column of categories that a model knows, whose spelling is taken over; None:
            spellings of one value become the commonest.
    """
    columns: dict[str, pd.Series | np.ndarray] = {}
    for name in layout.numbers:
        values = numbers(table[name])
        columns[name] = np.where(np.isfinite(values), values, np.nan)
    for name in layout.categories:
        column = table[name]
        missing = is_missing(column, MISSING_TEXT)
        if categories is None:
            spelled = join_spellings(column[~missing])
        else:
            alike = {spelling_key(value): value for value in categories[name]}
            spelled = {str(text): alike.get(spelling_key(str(text)), str(text)) for text in column[~missing].unique()}
            spelled |= {value: value for value in categories[name]}
        columns[name] = column.map(spelled).astype(object).mask(missing, None)
    return pd.DataFrame(columns, index=table.index)


def _known(column: pd.Series) -> pd.Series:
    return column[~is_missing(column, MISSING_TEXT)]


def _reason_to_leave_out(column: pd.Series, labels: Labels | None) -> str:
    known = _known(column)
    if known.empty:
        return "it is empty"
    if not is_numeric(column) and known.str.count(">").ge(2).mean() > 0.8:
        return "it holds reactions, which are not read; give their molecules in columns of their own"
    if is_identifier(column):
        return f"it {'numbers' if is_numeric(column) else 'names'} the rows, each value another"
    if known.nunique() == 1 and len(known) == len(column):
        return "it is the same in all rows"
    if is_date(column):
        return "it holds dates"
    if not is_numeric(column) and known.nunique() > min(MOST_CATEGORIES, len(column) // 2):
        return f"it holds text with {known.nunique():,} different values, too many for categories"
    pairs = zip(labels.targets, labels.values.T, strict=True) if labels is not None else ()
    same = (restates(column, target, values) for target, values in pairs)
    return next((why for why in same if why.endswith("itself")), "")


def _reason_to_suspect(column: pd.Series, labels: Labels | None) -> str:
    """Return why a column that could be a feature had better be none, "" where nothing speaks against it."""
    if counts_rows(column):
        return "it only rises through the file, as the number of a row does"
    if labels is None:
        return ""
    pairs = zip(labels.targets, labels.values.T, strict=True)
    return next((why for target, values in pairs if (why := restates(column, target, values))), "")


def _notes_on_left_out(table: pd.DataFrame, reasons: Mapping[str, str]) -> list[str]:
    """Return a sentence for each reason, with the names of all columns that it holds for."""
    alike: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        alike.setdefault(reason, []).append(name)
    notes = []
    for reason, names in alike.items():
        # A count, a depth or a day may look like the number of a row: only the user knows.
        hint = f" To learn from it, use --keep '{names[0]}'." if is_numeric(_known(table[names[0]])) else ""
        each = "of each, " if len(names) > 1 else ""
        notes.append(f"Left out {listed(map(repr, names))}: {each}{reason}.{hint}")
    return notes


def _notes_on_text(columns: Sequence[pd.Series]) -> list[str]:
    """Return in which columns of numbers there is text, in one sentence."""
    notes = []
    for column in columns:
        unreadable = column[~np.isfinite(numbers(column)) & ~is_missing(column, MISSING_NUMBER)]
        if not unreadable.empty:
            first = f"'{unreadable.iloc[0]}' in line {unreadable.index[0]}"
            notes.append(f"'{column.name}' is no finite number in {counted(len(unreadable), 'row')} ({first})")
    if not notes:
        return []
    if len(notes) > 3:
        return [
            f"{counted(len(notes), 'column')} are no finite number somewhere: {'; '.join(notes[:3])}; ... They are "
            "taken as missing there."
        ]
    return [f"{note}: taken as missing there." for note in notes]
