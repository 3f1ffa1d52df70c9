"""What is to be learned: the target columns of a table, the kind of task each one is, and its values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.beside import with_relations_and_units
from amalthea.datasets.columns import (
    MISSING_TEXT,
    bounds,
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

BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "y", "t", "active", "positive", "pos", "+"), "yes"),
    **dict.fromkeys(("false", "0", "no", "n", "f", "inactive", "negative", "neg", "-"), "no"),
}
"""What spellings of yes and no mean."""

FEWEST_VALUES, FEWEST_OF_A_CLASS = 10, 5
"""What one of several targets must have, where that is no fifth of all rows, or no twentieth: else it is left out."""

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
    beside: tuple[str, ...] = ()
    if not unit:
        table, beside = with_relations_and_units(table, names)
    targets, values, problems = [], [], []
    notes = (
        [*beside] if options.target else [f"'{names[0]}' is taken for the target; --target names another one.", *beside]
    )
    left_out: list[str] = []
    for name in names:
        if len(names) > 1 and is_missing(table[name], MISSING_TEXT).all():
            left_out.append(f"'{name}' (it is empty)")
            continue
        target, note = infer_target(table[name], options, unit)
        encoded, trouble = encode(table[name], target)
        if len(names) > 1 and (why := _too_little(target, encoded)):
            left_out.append(f"'{name}' ({why})")
            continue
        _check(target, encoded)
        targets.append(target)
        values.append(encoded)
        problems.append(trouble)
        notes.append(f"{note}{_class_counts(target, encoded)}")
    if left_out:
        notes.append(f"Left out as targets, for there is too little to learn: {listed(left_out)}.")
    if not targets:
        raise DataError(f"none of the targets can be learned: {listed(left_out)}. Name other columns with --target.")
    array = np.stack(values, axis=1)
    nothing = np.isnan(array).all(axis=1)
    reasons = np.array(["; ".join(filter(None, row)) for row in zip(*problems, strict=True)], dtype=object)
    if len(targets) > 1:
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
    names = [name if name in columns else " ".join(name.split()) for name in names]
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
    joined = () if is_numeric(known) else note_on_spellings(name, join_spellings(known))
    return Target(name, "classification", classes), " ".join([f"'{name}' {why}: classification.", *joined])


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
        values[~np.isfinite(values)] = np.nan
        ways, limits = bounds(column)
        if target.threshold is not None:
            # A bound beyond the threshold tells the class as well as a value does.
            decided = np.where(ways > 0, limits >= target.threshold, (ways < 0) & (limits <= target.threshold))
            values = np.where(np.isnan(values) & decided, limits - (ways < 0), values)
            values = np.where(np.isnan(values), np.nan, (values >= target.threshold).astype(float))
        unreadable, what = np.isnan(values) & ~missing, "which is not a finite number"
    problems[missing] = f"'{target.name}' is missing"
    bound = bounds(column)[0] != 0
    for row in np.flatnonzero(unreadable):
        problems[row] = f"'{target.name}' is '{column.iloc[row]}', {'a bound and no value' if bound[row] else what}"
    return values, problems


def _task(column: pd.Series, options: ReadOptions) -> tuple[str, str]:
    """Return the task that a column's values suggest, or the user asked for, and why."""
    name = str(column.name)
    numeric = is_numeric(column)
    known = column[~is_missing(column, MISSING_TEXT)]
    if options.task == "regression" and not numeric:
        raise DataError(f"a regression needs numbers, but '{name}' holds text such as '{known.iloc[0]}'.")
    if not numeric:
        labels = _class_labels(known)
        if len(labels) > max(2, len(known) // 2):
            failed = known[np.isnan(numbers(known))].iloc[0]
            raise DataError(
                f"'{name}' holds text with {len(labels):,} different values in {len(known):,} rows "
                f"(such as '{failed}'): neither numbers nor classes. Name another column with --target."
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
    spread = f"{distinct[0]:.4g} to {distinct[-1]:.4g}" if len(distinct) else "none finite"
    return "regression", f"has {len(distinct):,} different numbers, {spread}"


def spelling_key(label: str) -> str:
    """Return what is the same for spellings of one class: case, blanks, "1.0" and "1" do not matter.

    Example:
        >>> spelling_key(" Yes "), spelling_key("1.0")
        ('yes', '1')
    """
    plain = " ".join(label.split()).casefold()
    return plain[:-2] if plain.endswith(".0") and plain[:-2].lstrip("-").isdecimal() else plain


def join_spellings(column: pd.Series) -> dict[str, str]:
    """Return for each label of a column the one it is joined with: the commonest of its spellings.

    Where all labels are spellings of yes and no ("TRUE", "1", "yes", "active"), they are two.

    Args:
        column: the known values as text.

    Example:
        >>> join_spellings(pd.Series(["TRUE", "0", "TRUE", "1", "False", "0"]))
        {'TRUE': 'TRUE', '0': '0', '1': 'TRUE', 'False': '0'}
    """
    counts = column.value_counts()  # the commonest first
    keys = {str(label): spelling_key(str(label)) for label in counts.index}
    if set(keys.values()) <= set(BOOLEANS):
        keys = {label: BOOLEANS[key] for label, key in keys.items()}
    first: dict[str, str] = {}
    for label, key in keys.items():
        first.setdefault(key, label)
    return {str(label): first[keys[str(label)]] for label in column.unique()}


def note_on_spellings(name: str, joined: Mapping[str, str]) -> tuple[str, ...]:
    """Return which spellings were joined, as a sentence; none where there is one for each."""
    pairs = [f"'{label}' = '{common}'" for label, common in joined.items() if label != common]
    return (f"Spellings of one value of '{name}' are joined: {listed(pairs, 6)}.",) if pairs else ()


def _class_labels(known: pd.Series) -> list[str]:
    """Return the labels in natural order; of several ways to write a number ("1", "1.0") the first one found."""
    if not is_numeric(known):
        return natural_order(set(join_spellings(known).values()))
    values = numbers(known)
    first = pd.Series(known.to_numpy()[np.isfinite(values)]).groupby(values[np.isfinite(values)]).first()
    return [str(label) for label in first]


def _class_codes(column: pd.Series, classes: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the code of each label, NaN where it is no class; numbers are compared by value, others by spelling."""
    labels = numbers(pd.Series(classes, dtype="str"))
    exact = column.map({label: float(code) for code, label in enumerate(classes)}).to_numpy(np.float64, na_value=np.nan)
    keys = column.where(column.notna()).astype(object).map(lambda label: spelling_key(str(label)), na_action="ignore")
    if np.isfinite(labels).all():
        by_value = dict(zip(labels, range(len(labels)), strict=True))
        similar = pd.Series(numbers(column)).map(by_value).to_numpy(np.float64, na_value=np.nan)
    else:
        by_key = {spelling_key(label): float(code) for code, label in enumerate(classes)}
        similar = keys.map(by_key).to_numpy(np.float64, na_value=np.nan)
    meanings = [BOOLEANS.get(spelling_key(label)) for label in classes]
    if None not in meanings and len(set(meanings)) == len(classes):
        by_meaning = {key: float(meanings.index(meaning)) for key, meaning in BOOLEANS.items() if meaning in meanings}
        similar = np.where(np.isnan(similar), keys.map(by_meaning).to_numpy(np.float64, na_value=np.nan), similar)
    return np.where(np.isnan(exact), similar, exact)


def _can_be_target(column: pd.Series) -> bool:
    known = column[~is_missing(column, MISSING_TEXT)]
    if known.nunique() < 2 or is_identifier(column) or is_date(column):
        return False
    return is_numeric(column) or known.nunique() <= min(20, len(known) // 2)


def _too_little(target: Target, values: NDArray[np.float64]) -> str:
    """Return why one of several targets cannot be learned, "" where it can."""
    known = values[np.isfinite(values)]
    if target.task == "regression":
        if len(np.unique(known)) == 1:
            return f"it is {known[0]:g} in every row"
        if len(known) < min(FEWEST_VALUES, 0.2 * len(values)):
            return f"{counted(len(known), 'value')} in {counted(len(values), 'row')}"
        return ""
    counts = np.sort(np.bincount(known.astype(np.int64), minlength=target.width))[::-1]
    if counts[1] == 0 or counts[1] < min(FEWEST_OF_A_CLASS, 0.05 * len(values)):
        return f"{counts[1]:,} of {counted(len(known), 'label')} are not the commonest"
    return ""


def _class_counts(target: Target, values: NDArray[np.float64]) -> str:
    """Return how often each class occurs, as a sentence behind another."""
    if target.task == "regression":
        return ""
    counts = np.bincount(values[np.isfinite(values)].astype(np.int64), minlength=target.width)
    return (
        f" Examples: {listed((f'{label} {count:,}' for label, count in zip(target.classes, counts, strict=True)), 12)}."
    )


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
