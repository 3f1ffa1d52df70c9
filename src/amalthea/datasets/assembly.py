"""From a table and what a domain made of it to a `Dataset`: usable rows kept, all others refused with the reason."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.columns import is_missing
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Refusal, Target
from amalthea.datasets.files import malformed, reading_notes
from amalthea.datasets.messages import counted, shortened
from amalthea.datasets.splits import together
from amalthea.datasets.targets import Labels, encode
from amalthea.errors import DataError

SUMMARIES = re.compile(
    r"(grand |sub)?totals?|total geral|sum|summe|gesamt|som[am]e?|mean|average|avg|mittelwert|m[eé]dia|moyenne|promedio"
    r"|median|std|sd|stdev|std dev|standard deviation|rsd|cv|sem|min(imum)?|max(imum)?|count|n",
    re.I,
)
"""Names of rows that sum up the rows above."""

MOST_SUMMARIES = 8


@dataclasses.dataclass(frozen=True, eq=False)
class ParsedTable:
    """What a domain made of a table's n rows."""

    examples: pd.DataFrame  # one row an example, in the columns that the domain's featurizers read
    problems: NDArray[np.object_]  # shape (n,): why a row is no example, "" where it is one
    identity: list[str]  # the columns of `examples` in which copies are equal
    notes: tuple[str, ...] = ()  # what was found and decided, as sentences
    noun: str = "row"  # what an example is called: "row", "molecule"
    alike: NDArray[np.int64] | None = None  # shape (n,): rows with the same number share a fold, as copies do
    # what the domain must remember to read inputs the same way, as JSON
    input_state: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def well_formed(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Refusal, ...]]:
    """Return a table without lines that do not fit its header or sum others up, and these as refusals.

    Args:
        table: as `read_table` gives it.
    """
    misfits = {**malformed(table), **_summary_rows(table)}
    refused = tuple(Refusal(line, "", reason) for line, reason in misfits.items())
    return table[~table.index.isin(list(misfits))], refused


def assemble(
    name: str,
    domain: str,
    table: pd.DataFrame,
    labels: Labels,
    parsed: ParsedTable,
    options: ReadOptions,
    refused: tuple[Refusal, ...] = (),
) -> Dataset:
    """Return the data set of all rows that have both an example and a target.

    Args:
        name: what the data set is called.
        domain: the name of the domain that read it.
        table: n rows, all columns as text; the index is the line in the file.
        labels: the targets of these rows.
        parsed: the examples of these rows.
        options: `strict` refuses the whole table if one row must be refused.
        refused: rows that were refused before.

    Raises:
        DataError: no row is left, or one was refused and `strict` was asked for.
    """
    reasons = ["; ".join(filter(None, pair)) for pair in zip(parsed.problems, labels.problems, strict=True)]
    good = np.array([not reason for reason in reasons], dtype=bool)
    refused = tuple(sorted((*refused, *refusals(table, reasons)), key=lambda refusal: refusal.row))
    if refused and (options.strict or not good.any()):
        total = len(table) + len(refused) - int(np.sum(~good))
        raise DataError(_cannot_be_used(name, refused, total, options.strict))
    examples = parsed.examples[good].reset_index(drop=True)
    values = labels.values[good]
    copies = same_rows(examples[parsed.identity])
    return Dataset(
        name=name,
        domain=domain,
        examples=examples,
        targets=labels.targets,
        values=values,
        groups=copies if parsed.alike is None else together(copies, parsed.alike[good]),
        rows=table.index.to_numpy(np.int64)[good],
        columns=table[good].reset_index(drop=True),
        refused=refused,
        notes=(
            *reading_notes(table),
            *labels.notes,
            *parsed.notes,
            *_notes_on_copies(copies, values, labels.targets, parsed.noun),
        ),
        input_state=parsed.input_state,
    )


def labelled_rows(
    name: str, domain: str, asked: Inputs, targets: Sequence[Target], identity: Sequence[str] = ()
) -> Dataset:
    """Return the usable rows of new labelled data, for targets that are known: nothing is inferred anew from them.

    So a few rows, a single class or a column that is the same in all of them will do.

    Args:
        name: what the data set is called.
        domain: the name of the domain that read it.
        asked: the rows, with the targets among the columns of their table.
        targets: the targets.
        identity: the columns of the examples in which copies are equal; () for all.

    Raises:
        DataError: no row can be used.
    """
    encoded = [encode(asked.table[target.name], target) for target in targets]
    values = np.stack([codes for codes, _ in encoded], axis=1)
    unlabelled = np.isnan(values).all(axis=1)
    reasons = ["; ".join(filter(None, row)) for row in zip(*(trouble for _, trouble in encoded), strict=True)]
    problems = np.where(asked.problems != "", asked.problems, np.where(unlabelled, reasons, ""))
    good = problems == ""
    refused = refusals(asked.table, problems.tolist())
    if not good.any():
        shown = "; ".join(f"line {refusal.row}: {refusal.reason}" for refusal in refused[:3])
        raise DataError(f"{name}: none of its {counted(len(good), 'row')} can be used ({shown}).")
    examples = asked.examples[good].reset_index(drop=True)
    return Dataset(
        name=name,
        domain=domain,
        examples=examples,
        targets=tuple(targets),
        values=values[good],
        groups=same_rows(examples[list(identity or examples.columns)]),
        rows=asked.table.index.to_numpy(np.int64)[good],
        columns=asked.table[good].reset_index(drop=True),
        refused=refused,
        notes=reading_notes(asked.table),
    )


def refusals(table: pd.DataFrame, reasons: Sequence[str]) -> tuple[Refusal, ...]:
    """Return a refusal for each row that has a reason.

    Args:
        table: n rows, all columns as text; the index is the line in the file.
        reasons: n reasons, "" where a row is good.

    Example:
        >>> refusals(pd.DataFrame({"x": ["1", "?"], "y": ["a", None]}, index=[2, 3]), ["", "'x' is '?'"])
        (Refusal(row=3, example='?', reason="'x' is '?'"),)
    """
    bad = [row for row, reason in enumerate(reasons) if reason]
    texts = [", ".join(str(value) for value in table.iloc[row] if not pd.isna(value)) for row in bad]
    return tuple(
        Refusal(int(table.index[row]), shortened(text, 80), reasons[row]) for row, text in zip(bad, texts, strict=True)
    )


def same_rows(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number for each row, the same for equal rows.

    Args:
        frame: n rows.

    Returns:
        Shape (n,).

    Example:
        >>> same_rows(pd.DataFrame({"x": [1.0, None, 1.0, None]})).tolist()
        [0, 1, 0, 1]
    """
    numbered = frame.groupby(list(frame.columns), dropna=False, sort=False).ngroup()
    return np.asarray(numbered, np.int64)


def _summary_rows(table: pd.DataFrame) -> dict[int, str]:
    """Return the rows at the end of a table that sum up those above, as "Total" and "Mean", each with the reason."""
    found: dict[int, str] = {}
    for line in reversed(table.index[-MOST_SUMMARIES:]):
        for name, cell in table.loc[line].items():
            if isinstance(cell, str) and SUMMARIES.fullmatch(cell.strip(" :.")):
                others = table[name][~table.index.isin([*found, line])]
                if is_missing(others).all() or (~others.isin([cell]).any() and others.nunique() > 0.5 * len(others)):
                    found[int(line)] = f"'{cell}' sums up other rows"
                    break
        else:
            break
    return found


def _cannot_be_used(name: str, refused: tuple[Refusal, ...], rows: int, strict: bool) -> str:
    first = "; ".join(f"line {refusal.row}: {refusal.reason}" for refusal in refused[:3])
    more = ", ..." if len(refused) > 3 else ""
    if strict:
        advice = (
            f"{len(refused):,} of {counted(rows, 'row')} cannot be used. Mend them, or do not ask for strict reading"
        )
    else:
        advice = f"none of its {rows:,} rows can be used"
    return f"{name}: {advice} ({first}{more})."


def _notes_on_copies(
    groups: NDArray[np.int64], values: NDArray[np.float64], targets: tuple[Target, ...], noun: str
) -> tuple[str, ...]:
    """Say how many examples stand more than once, and how far their targets disagree."""
    sizes = np.bincount(groups)
    repeated = int(np.sum(sizes > 1))
    if not repeated:
        return ()
    copies = int(sizes[sizes > 1].sum())
    stand = f"{repeated:,} {noun}s stand" if repeated > 1 else f"One {noun} stands"
    notes = [f"{stand} more than once ({copies:,} rows)."]
    frame = pd.DataFrame(values).groupby(groups)
    spreads = (frame.max() - frame.min()).to_numpy()
    for target, spread in zip(targets, spreads.T, strict=True):
        differ = int(np.sum(spread > 0))
        if differ and target.task == "regression":
            unit = f" {target.unit}" if target.unit else ""
            notes.append(f"'{target.name}' differs among the copies of {differ:,}, by up to {spread.max():.3g}{unit}.")
        elif differ:
            notes.append(f"'{target.name}' has different classes among the copies of {differ:,}.")
    return tuple(notes)
