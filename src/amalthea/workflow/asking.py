"""A trained model, asked on the command line: a file in, a file out; labelled data in, figures out."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from amalthea.data import catalogue, files
from amalthea.data.dataset import Dataset, Refusal, Target
from amalthea.data.reading import same_rows
from amalthea.data.targets import choose_targets, encode
from amalthea.data.wording import counted, listed, shortened
from amalthea.domains import domain
from amalthea.errors import DataError
from amalthea.predictor.predictor import Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.validation.metrics import Figure
from amalthea.workflow.reading import align, read

FILES = frozenset(
    [
        ".csv",
        ".tsv",
        ".txt",
        ".smi",
        ".smiles",
        ".sdf",
        ".xls",
        ".xlsx",
        ".xlsm",
        ".parquet",
        ".pq",
        ".json",
        ".gz",
        ".zip",
    ]
)
"""Suffixes by which a word is known to name a file, even where there is none: molecules have dots as well."""


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The figures of a model on new labelled data.

    Args:
        figures: by target, each metric with its standard error.
        examples: the number of examples judged.
        refused: the rows that could not be used.
        notes: what a reader of the figures must know, as sentences.
        trained_on: how many of the examples are copies of training examples.
    """

    figures: Mapping[str, Mapping[str, Figure]]
    examples: int
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...]
    trained_on: int = 0


def evaluate(predictor: Predictor, data: Any) -> Evaluation:
    """Judge a model on labelled data that it was not trained on.

    Args:
        predictor: the model.
        data: a file, a table, a catalogue name or a `Dataset`, with the model's target columns.

    Raises:
        DataError: the file cannot be used, a target's column is not there, or no row has a value and a prediction.
    """
    if isinstance(data, str) and catalogue.known(data):
        data = _from_catalogue(data, predictor.targets)
    if isinstance(data, Dataset):
        there, wanted = ([target.name for target in of] for of in (data.targets, predictor.targets))
        if there != wanted:
            raise DataError(f"these data have other targets than the model: {listed(there)}, not {listed(wanted)}.")
        data = align(data, predictor.targets)
    else:
        data = labelled(data, predictor.domain, predictor.targets, predictor.input_state)
    known = int(predictor.trained_on(data).sum())
    notes = list(data.notes)
    if known:
        notes.append(
            f"{known:,} of these {counted(len(data), 'example')} are training examples of this model: the figures "
            "flatter it. Judge it on others, or by its out-of-fold figures."
        )
    return Evaluation(predictor.evaluate(data), len(data), data.refused, tuple(notes), known)


def labelled(source: Any, kind: str, targets: Sequence[Target], input_state: Mapping[str, Any]) -> Dataset:
    """Read new labelled data the way a model reads its inputs: nothing is inferred anew from them.

    So a few rows, a single class or a column that is the same in all of them will do.

    Args:
        source: a file or a table.
        kind: the name of the model's domain.
        targets: the model's.
        input_state: the model's.

    Raises:
        DataError: the file cannot be used, a column is not there, or no row can be used.
    """
    path = None if isinstance(source, pd.DataFrame) else files.existing_file(source)
    asked = domain(kind).inputs(source if path is None else path, dict(input_state))
    choose_targets(asked.table, [target.name for target in targets], ())
    encoded = [encode(asked.table[target.name], target) for target in targets]
    values = np.stack([own for own, _ in encoded], axis=1)
    unlabelled = np.isnan(values).all(axis=1)
    reasons = ["; ".join(filter(None, row)) for row in zip(*(trouble for _, trouble in encoded), strict=True)]
    problems = np.where(asked.problems != "", asked.problems, np.where(unlabelled, reasons, ""))
    good = problems == ""
    lines = asked.table.index.to_numpy(np.int64)
    refused = tuple(
        Refusal(int(lines[row]), shortened(", ".join(map(str, asked.table.iloc[row].dropna())), 80), str(problems[row]))
        for row in np.flatnonzero(~good)
    )
    name = "table" if path is None else path.stem
    if not good.any():
        told = "; ".join(f"line {refusal.row}: {refusal.reason}" for refusal in refused[:3])
        raise DataError(f"{name}: none of its {counted(len(good), 'row')} can be used ({told}).")
    examples = asked.examples[good].reset_index(drop=True)
    return Dataset(
        name=name,
        domain=kind,
        examples=examples,
        targets=tuple(targets),
        values=values[good],
        groups=same_rows(examples),
        rows=lines[good],
        columns=asked.table[good].reset_index(drop=True),
        refused=refused,
        notes=files.reading_notes(asked.table),
        fingerprint="" if path is None else files.fingerprint(path),
    )


def predict_file(
    predictor: Predictor, inputs: Sequence[str], output: Path | None, verbose: Verbosity = "auto", rows: int = 5_000
) -> dict[str, int]:
    """Write the table of predictions for a file, or for examples given in words, piece by piece.

    Args:
        predictor: the model.
        inputs: one file, or examples themselves (SMILES).
        output: the CSV to write, whole or not at all; None: standard output.
        verbose: "auto" shows progress on a terminal.
        rows: rows in memory at a time.

    Returns:
        How many rows there were, were predicted, have a problem, have a warning.

    Raises:
        DataError: the input cannot be used, or the output cannot be written.
    """
    counts = {"rows": 0, "predicted": 0, "problems": 0, "warnings": 0}

    def write(stream: TextIO) -> None:
        with Bar("rows predicted", verbose=verbose) as bar:
            for number, table in enumerate(predictions(predictor, inputs, rows)):
                table.to_csv(stream, index=False, header=number == 0, lineterminator="\n")
                count(table, counts)
                bar.reach(counts["rows"], counts["rows"])

    if output is None:
        write(sys.stdout)
    else:

        def into(temporary: Path) -> None:
            with temporary.open("w", encoding="utf-8", newline="") as stream:
                write(stream)

        files.write_whole(output, into)
    return counts


def predictions(predictor: Predictor, inputs: Sequence[str], rows: int = 5_000) -> Iterator[pd.DataFrame]:
    """Yield the table of predictions, at most `rows` rows at a time; the arguments are those of `predict_file`."""
    in_words = predictor.domain == "molecules"
    if len(inputs) == 1 and (
        os.path.exists(inputs[0]) or not in_words or os.path.splitext(inputs[0])[1].lower() in FILES
    ):
        return predictor.stream(Path(inputs[0]), rows)
    if not in_words or any(os.path.isfile(text) for text in inputs):
        raise DataError(f"one file at a time, please. Received: {', '.join(inputs)}")
    return iter([predictor.table(domain(predictor.domain).inputs(list(inputs), dict(predictor.input_state)))])


def count(table: pd.DataFrame, counts: dict[str, int]) -> None:
    """Add a table of predictions to the counts of rows, and of those predicted, with a problem, with a warning."""
    problems = int((table["problem"] != "").sum())
    for name, number in (
        ("rows", len(table)),
        ("predicted", len(table) - problems),
        ("problems", problems),
        ("warnings", int((table["warning"] != "").sum())),
    ):
        counts[name] += number


def _from_catalogue(name: str, targets: Sequence[Target]) -> Dataset:
    thresholds = {target.threshold for target in targets}
    threshold = thresholds.pop() if len(thresholds) == 1 else None
    task = targets[0].task if threshold is None else None
    return read(name, [target.name for target in targets], task=task, threshold=threshold)
