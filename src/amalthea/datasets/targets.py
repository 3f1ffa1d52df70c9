"""What is to be learned: the target columns of a table, the kind of task each one is, and its values."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.columns import (
    MISSING_TEXT,
    is_date,
    is_identifier,
    is_missing,
    is_numeric,
    natural_order,
    numbers,
)
from amalthea.datasets.dataset import ReadOptions, Target
from amalthea.datasets.messages import counted, did_you_mean, listed
from amalthea.errors import DataError

USUAL_NAMES = frozenset({"target", "y", "label", "class"})


@dataclasses.dataclass(frozen=True, eq=False)
class Labels:
    """The targets of a table's n rows."""

    targets: tuple[Target, ...]  # the T targets
    values: NDArray[np.float64]  # shape (n, T): numbers, or codes of classes; NaN where there is none
    problems: NDArray[np.object_]  # shape (n,): why a row has nothing to be learned, "" where it has
    notes: tuple[str, ...]  # what was found and decided, as sentences


def read_targets(table: pd.DataFrame, options: ReadOptions, taken: Sequence[str] = (), unit: str = "") -> Labels:
    """Read the targets of a table.

    Args:
        table: n rows, all columns as text.
        options: names of the targets, task and threshold, where the user gave them.
        taken: columns that hold the examples themselves (the SMILES) and so are no targets.
        unit: the unit of the targets' values, where it is known.

    Raises:
        DataError: a target is not there, not to be found, constant, or holds nothing that can be learned.

    Example:
        >>> labels = read_targets(pd.DataFrame({"logS": ["-0.5", "-1.25", "0.5", "n/a"]}, dtype="str"), ReadOptions())
        >>> labels.targets[0].task, labels.values[:, 0].tolist(), labels.problems.tolist()
        ('regression', [-0.5, -1.25, 0.5, nan], ['', '', '', "'logS' is missing"])
    """
    names = choose_targets(table, options.target, [*taken, *options.ignore, *options.keep])
    targets, values, problems = [], [], []
    notes = [] if options.target else [f"'{names[0]}' is taken for the target; --target names another one."]
    for name in names:
        target, note = infer_target(table[name], options, unit)
        encoded, trouble = encode(table[name], target)
        _check(target, encoded)
        targets.append(target)
        values.append(encoded)
        problems.append(trouble)
        notes.append(note)
    array = np.stack(values, axis=1)
    nothing = np.isnan(array).all(axis=1)
    reasons = np.array(["; ".join(filter(None, row)) for row in zip(*problems, strict=True)], dtype=object)
    if len(names) > 1:
        for target, trouble in zip(targets, problems, strict=True):
            masked = int(np.sum((trouble != "") & ~nothing))
            if masked:
                notes.append(f"'{target.name}' has no usable value in {counted(masked, 'row')} with another target.")
    return Labels(tuple(targets), array, np.where(nothing, reasons, ""), tuple(notes))


def choose_targets(table: pd.DataFrame, names: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the target columns: those asked for, else the only column that can be one.

    Args:
        table: all columns as text.
        names: the columns asked for.
        taken: columns that are no targets.

    Raises:
        DataError: a name is unknown, or no name was given and not exactly one column can be the target.
    """
    columns = [str(column) for column in table.columns]
    for name in names:
        if name not in columns:
            raise DataError(
                f"there is no column '{name}'.{did_you_mean(name, columns)} The columns are: {listed(columns)}."
            )
    if names:
        return tuple(dict.fromkeys(names))
    candidates = [name for name in columns if name not in taken and _can_be_target(table[name])]
    usual = [name for name in candidates if name.lower() in USUAL_NAMES]
    chosen = candidates if len(candidates) == 1 else usual
    if len(chosen) == 1:
        return tuple(chosen)
    if not candidates:
        raise DataError(f"no column can be the target. The columns are: {listed(columns)}. Name one with --target.")
    raise DataError(f"several columns can be the target: {listed(candidates)}. Name one with --target.")


def infer_target(column: pd.Series, options: ReadOptions, unit: str = "") -> tuple[Target, str]:
    """Return what kind of target a column is, and the sentence that says why.

    Text and two values mean classification; so do at most ten whole numbers in at least twenty rows for each;
    other numbers, and all that have a unit, mean regression.

    Args:
        column: n values as text, with the column's name.
        options: the task and the threshold that the user asked for.
        unit: the unit of its values, where it is known.

    Raises:
        DataError: the column is empty, or text with too many values to be classes.
    """
    name = str(column.name)
    threshold = None if options.threshold is None or np.isnan(options.threshold) else options.threshold
    known = column[~is_missing(column, MISSING_TEXT)]
    if known.empty:
        raise DataError(f"the target '{name}' is empty in every row. Name another column with --target.")
    if threshold is not None:
        if not is_numeric(column):
            raise DataError(f"a threshold needs numbers, but '{name}' holds text such as '{known.iloc[0]}'.")
        return (
            Target(name, "classification", ("0", "1"), threshold=threshold),
            f"'{name}' is classified: 1 where it is at least {threshold:g}, 0 elsewhere.",
        )
    if unit and options.task is None and is_numeric(column):
        task, why = "regression", f"is a quantity in {unit}"
    else:
        task, why = _task(column, options)
    if task == "regression":
        return Target(name, "regression", unit=unit), f"'{name}' {why}: regression."
    classes = tuple(_class_labels(known))
    return Target(name, "classification", classes), f"'{name}' {why}: classification."


def encode(column: pd.Series, target: Target) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Return a column's values for a target that is already known, as for new labelled data.

    Args:
        column: n values as text.
        target: tells the task, the classes and the threshold.

    Returns:
        The values, shape (n,), NaN where there is none; and why there is none, shape (n,), "" where there is one.

    Example:
        >>> values, problems = encode(pd.Series(["yes", "no", "perhaps"]), Target("x", "classification", ("no", "yes")))
        >>> values.tolist(), problems[2]
        ([1.0, 0.0, nan], "'x' is 'perhaps', which is none of its classes")
    """
    problems = np.full(len(column), "", dtype=object)
    if target.task == "classification" and target.threshold is None:
        missing = is_missing(column, MISSING_TEXT)
        values = _class_codes(column, target.classes)
        unreadable, what = np.isnan(values) & ~missing, "which is none of its classes"
    else:
        values = numbers(column)
        missing = is_missing(column)
        unreadable, what = ~np.isfinite(values) & ~missing, "which is not a finite number"
        values[unreadable] = np.nan
        if target.threshold is not None:
            values = np.where(np.isnan(values), np.nan, (values >= target.threshold).astype(float))
    problems[missing] = f"'{target.name}' is missing"
    for row in np.flatnonzero(unreadable):
        problems[row] = f"'{target.name}' is '{column.iloc[row]}', {what}"
    return values, problems


def _task(column: pd.Series, options: ReadOptions) -> tuple[str, str]:
    """Return the task that a column's values suggest, or the user asked for, and why."""
    name = str(column.name)
    numeric = is_numeric(column)
    known = column[~is_missing(column, MISSING_TEXT)]
    if options.task == "regression" and not numeric:
        raise DataError(f"a regression needs numbers, but '{name}' holds text such as '{known.iloc[0]}'.")
    if not numeric:
        labels = natural_order(known.unique())
        if len(labels) > max(2, len(known) // 2):
            raise DataError(
                f"'{name}' holds text with {len(labels):,} different values in {len(known):,} rows "
                f"(such as '{known.iloc[0]}'): neither numbers nor classes. Name another column with --target."
            )
        return "classification", f"holds text with {_values(labels)}"
    values = numbers(column)
    distinct = np.unique(values[np.isfinite(values)])
    shown = _values([f"{value:g}" for value in distinct])
    if options.task is not None:
        return options.task, f"has {shown}"
    whole = bool(np.all(distinct == np.rint(distinct)))
    if len(distinct) == 2 or (whole and 2 < len(distinct) <= 10 and len(distinct) <= 0.05 * len(known)):
        return "classification", f"has {shown}"
    spread = f"{distinct[0]:g} to {distinct[-1]:g}" if len(distinct) else "none finite"
    return "regression", f"has {len(distinct):,} different numbers, {spread}"


def _class_labels(known: pd.Series) -> list[str]:
    """Return the labels in natural order; of several ways to write a number ("1", "1.0") the first one found."""
    if not is_numeric(known):
        return natural_order(known.unique())
    values = numbers(known)
    first = pd.Series(known.to_numpy()[np.isfinite(values)]).groupby(values[np.isfinite(values)]).first()
    return [str(label) for label in first]


def _class_codes(column: pd.Series, classes: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the code of each label, NaN where it is no class; numbers are compared by value."""
    labels = numbers(pd.Series(classes, dtype="str"))
    if np.isfinite(labels).all():
        codes = pd.Series(numbers(column)).map(dict(zip(labels, range(len(labels)), strict=True)))
    else:
        codes = column.map({label: code for code, label in enumerate(classes)})
    return codes.to_numpy(np.float64, na_value=np.nan)


def _can_be_target(column: pd.Series) -> bool:
    known = column[~is_missing(column, MISSING_TEXT)]
    if known.nunique() < 2 or is_identifier(column) or is_date(column):
        return False
    return is_numeric(column) or known.nunique() <= min(20, len(known) // 2)


def _check(target: Target, values: NDArray[np.float64]) -> None:
    present = np.unique(values[np.isfinite(values)])
    if len(present) >= 2:
        return
    if not len(present):
        raise DataError(
            f"the target '{target.name}' has no usable value in any row. Name another column with --target."
        )
    if target.task == "regression":
        raise DataError(f"the target '{target.name}' is {present[0]:g} in every row: there is nothing to learn.")
    only = target.classes[int(present[0])]
    hint = " Choose another --threshold." if target.threshold is not None else ""
    raise DataError(f"two classes are needed, but '{target.name}' is '{only}' in every row.{hint}")


def _values(labels: Sequence[str]) -> str:
    number = {2: "two"}.get(len(labels), f"{len(labels):,}")
    return f"{number} values ({listed(labels, 6)})"
