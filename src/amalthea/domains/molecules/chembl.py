"""Activities as ChEMBL's web page exports them: one row a measurement, turned into one -log10(mol/L) a compound."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.assembly import refusals
from amalthea.datasets.columns import is_missing, numbers
from amalthea.datasets.dataset import ReadOptions, Refusal
from amalthea.datasets.messages import counted, listed
from amalthea.errors import DataError

UNIT = "-log10(mol/L)"

COLUMNS = ("Standard Type", "Standard Relation", "Standard Value", "Standard Units")
"""By these columns an export is recognised, whatever else it has."""

OTHER_COLUMNS = ("Document Year", "Data Validity Comment", "Target Name")

ALIASES = {"targetprefname": "Target Name", "year": "Document Year"}
"""What other tools of ChEMBL call these columns, in lower case and without blanks."""

EXPONENTS = {"M": 0, "mM": 3, "uM": 6, "µM": 6, "μM": 6, "nM": 9, "pM": 12}
"""The units that are concentrations; one mol/L is 10**exponent of each."""

BOUNDS = {"=": 0, "~": 0, ">": -1, ">=": -1, ">>": -1, "<": 1, "<=": 1, "<<": 1}
"""Which way the true activity p may lie from the value: a concentration above the value is an activity below it."""

GOOD_COMMENTS = frozenset({"manually validated"})
"""What the column "Data Validity Comment" may say (in lower case) of a value that can be trusted."""


@dataclasses.dataclass(frozen=True, eq=False)
class Activities:
    """The usable measurements of an export."""

    # m rows, all columns as text, with the activity as a column more; the index is the line in the file
    table: pd.DataFrame
    # shape (m,): 0 where the activity is a value, -1 where the true one may be lower, 1 where higher
    bounds: NDArray[np.int64]
    options: ReadOptions  # as given, with the activity as the target
    refused: tuple[Refusal, ...]  # the measurements that cannot be used, and why
    notes: tuple[str, ...]  # what was found and decided, as sentences

    @property
    def target(self) -> str:
        """The name of the activity, such as "pIC50"."""
        return self.options.target[0]

    @property
    def threshold(self) -> float | None:
        """What makes two classes of the activity, None where it is a number to be learned."""
        return _threshold(self.options)


def with_usual_names(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns are called as ChEMBL's web page calls them, whatever tool of ChEMBL wrote it.

    Args:
        table: all columns as text; the client library writes "standard_value", its database "STANDARD_VALUE".

    Example:
        >>> names = ["standard_type", "standard_relation", "standard_value", "standard_units", "target_pref_name", "x"]
        >>> list(with_usual_names(pd.DataFrame(columns=names)).columns)[3:]
        ['Standard Units', 'Target Name', 'x']
    """
    usual = {_key(name): name for name in (*COLUMNS, *OTHER_COLUMNS)} | ALIASES
    names = [str(name) for name in table.columns]
    renamed = {name: usual[_key(name)] for name in names if _key(name) in usual and usual[_key(name)] not in names}
    if not set(COLUMNS) <= {*names, *renamed.values()}:
        return table
    made = table.rename(columns=renamed)
    made.attrs = table.attrs
    return made


def _key(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def is_export(table: pd.DataFrame, options: ReadOptions) -> bool:
    """Say whether a table is an export whose activity is asked for, and none of its own columns.

    Args:
        table: all columns as text.
        options: a target that is a column of the table is read as in any other table.

    Example:
        >>> table = pd.DataFrame(columns=[*COLUMNS, "pChEMBL Value"])
        >>> is_export(table, ReadOptions()), is_export(table, ReadOptions(target=("pChEMBL Value",)))
        (True, False)
    """
    return set(COLUMNS) <= set(table.columns) and not set(options.target) & set(table.columns)


def read_activities(table: pd.DataFrame, options: ReadOptions) -> Activities:
    """Turn the measurements of an export into activities p = -log10(c / (mol/L)) and say what becomes of each row.

    A bound (">" or "<") is no value for a regression and is refused. Where a threshold was given, a bound that lies
    on the far side of it tells the class as well as a value does, and is kept.

    Args:
        table: n rows, all columns as text; the index is the line in the file.
        options: the target may be "p" and a Standard Type; threshold.

    Raises:
        DataError: the file holds several types of activity and none was chosen, or none that is a concentration.

    Example:
        >>> rows = [["IC50", "'='", "100", "nM"], ["IC50", "'>'", "10", "uM"]]
        >>> table = pd.DataFrame(rows, columns=list(COLUMNS), index=[2, 3], dtype="str")
        >>> activities = read_activities(table, ReadOptions())
        >>> activities.table["pIC50"].tolist(), activities.refused[0].reason
        (['7.0'], "'>' 10 uM is a bound and no value")
    """
    kind = _choose_type(table, options.target)
    relations = table["Standard Relation"].str.strip("'\" ")
    bounds = np.asarray(relations.map(BOUNDS).fillna(0), np.int64)
    activity = _activity(table)
    reasons = _reasons(table, kind, relations, np.isnan(activity))
    left_out = _note_on_rows(reasons)
    bounded = _judge_bounds(table, reasons, relations, bounds, activity, _threshold(options))
    good = reasons == ""
    refused = refusals(table, reasons.tolist())
    if not good.any():
        first = "; ".join(f"line {refusal.row}: {refusal.reason}" for refusal in refused[:3])
        raise DataError(f"none of the {len(table):,} measurements of this ChEMBL export can be used ({first}, ...).")
    name = f"p{kind}"
    notes = (
        f"A ChEMBL export of activities: '{name}' is -log10 of the {kind} in mol/L.",
        *left_out,
        *bounded,
        *_notes_on_kept(table[good], relations[good]),
    )
    kept = table[good].assign(**{name: [repr(float(value)) for value in activity[good]]})
    return Activities(kept, bounds[good], dataclasses.replace(options, target=(name,)), refused, notes)


def _threshold(options: ReadOptions) -> float | None:
    return None if options.threshold is None or np.isnan(options.threshold) else options.threshold


def _activity(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return -log10 of the value in mol/L, shape (n,), NaN where the value is no positive number."""
    values = numbers(table["Standard Value"])
    exponents = np.asarray(table["Standard Units"].map(EXPONENTS).fillna(0), np.float64)
    return exponents - np.log10(np.where(np.isfinite(values) & (values > 0), values, np.nan))


def _choose_type(table: pd.DataFrame, target: Sequence[str]) -> str:
    """Return the Standard Type that was asked for, else the only one that is a concentration."""
    types = table["Standard Type"]
    counts = types.value_counts()
    concentrations = types[table["Standard Units"].isin(list(EXPONENTS))].value_counts()
    if target:
        asked = [str(name) for name in counts.index if target == (f"p{name}",)]
        if asked:
            return asked[0]
        choices = listed(f"p{name}" for name in concentrations.index)
        raise DataError(f"this ChEMBL export has no target '{listed(target)}'. Choose one with --target: {choices}.")
    if len(concentrations) == 1:
        return str(concentrations.index[0])
    counts = concentrations if len(concentrations) else counts
    there = listed(f"{name} ({counted(int(count), 'row')})" for name, count in counts.items())
    if not len(concentrations):
        raise DataError(f"no activity of this ChEMBL export is in {listed(EXPONENTS)}. There are: {there}.")
    raise DataError(
        f"this ChEMBL export holds several types of activity, which cannot be mixed: {there}. "
        f"Choose one with --target p{counts.index[0]}; the others are then left out."
    )


def _reasons(table: pd.DataFrame, kind: str, relations: pd.Series, no_number: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return why each measurement cannot be used, shape (n,), "" where it can; bounds are judged by themselves."""
    comments = table.get("Data Validity Comment", pd.Series(None, index=table.index, dtype="str"))
    doubted = ~is_missing(comments) & ~comments.str.lower().isin(list(GOOD_COMMENTS)).to_numpy(bool)
    checks = (
        (table["Standard Type"] != kind, "is {Standard Type} and not " + kind),
        (doubted, "ChEMBL says of the value: {Data Validity Comment}"),
        (is_missing(table["Standard Value"]), "'Standard Value' is missing"),
        (no_number, "'Standard Value' is '{Standard Value}', no positive number"),
        (table["Standard Units"].isna(), "'Standard Units' is missing"),
        (~table["Standard Units"].isin(list(EXPONENTS)), "'{Standard Units}' is no unit of concentration"),
        (relations.isna(), "'Standard Relation' is missing"),
        (~relations.isin(list(BOUNDS)), "the relation {Standard Relation} is unknown"),
    )
    reasons = np.full(len(table), "", object)
    for wrong, reason in checks:
        for row in np.flatnonzero(np.asarray(wrong, bool) & (reasons == "")):
            reasons[row] = reason.format_map(table.iloc[row])
    return reasons


def _note_on_rows(reasons: NDArray[np.object_]) -> tuple[str, ...]:
    """Say how many measurements were left out for which reason."""
    counts = collections.Counter(reason for reason in reasons if reason)
    if not counts:
        return ()
    why = listed((f"{reason} ({count:,})" for reason, count in counts.most_common()), 8)
    return (f"Left out {counted(sum(counts.values()), 'measurement')}: {why}.",)


def _judge_bounds(
    table: pd.DataFrame,
    reasons: NDArray[np.object_],
    relations: pd.Series,
    bounds: NDArray[np.int64],
    activity: NDArray[np.float64],
    threshold: float | None,
) -> tuple[str, ...]:
    """Enter in `reasons` why each bound cannot be used, where it cannot, and return what became of all of them."""
    bound = (reasons == "") & (bounds != 0)
    count = int(bound.sum())
    if not count:
        return ()
    if threshold is None:
        useless, why = bound, "is a bound and no value"
        note = (
            f"Left out {counted(count, 'measurement')} with '<' or '>', which are bounds and no values; "
            "with --threshold, those that decide the class are used."
        )
    else:
        useless = bound & ~np.where(bounds < 0, activity < threshold, activity >= threshold)
        why = f"leaves open on which side of {threshold:g} it is"
        note = (
            f"Of {counted(count, 'measurement')} with '<' or '>', {count - int(useless.sum()):,} decide the class at "
            f"{threshold:g} and are used; {int(useless.sum()):,} do not and are left out."
        )
    for row in np.flatnonzero(useless):
        value, unit = table["Standard Value"].iloc[row], table["Standard Units"].iloc[row]
        reasons[row] = f"'{relations.iloc[row]}' {value} {unit} {why}"
    return (note,)


def _notes_on_kept(table: pd.DataFrame, relations: pd.Series) -> tuple[str, ...]:
    """Say which of the measurements in use are less exact, or less alike, than they look."""
    notes = []
    about = int((relations == "~").sum())
    if about:
        notes.append(f"{counted(about, 'measurement')} with '~' taken as exact.")
    if "Target Name" in table.columns:
        targets = table["Target Name"].value_counts()
        if len(targets) > 1:
            there = listed((f"{name} ({count:,})" for name, count in targets.items()), 8)
            notes.append(
                f"The activities are against {len(targets):,} targets, learned as if they were one: {there}. "
                "If that is not meant, take the others out of the file."
            )
    return tuple(notes)
