"""A trained model, asked on the command line: a file in, a file out; labelled data in, figures out."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from amalthea.data import files
from amalthea.data.dataset import Dataset, Refusal
from amalthea.domains import domain
from amalthea.errors import DataError
from amalthea.predictor.predictor import Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.validation.metrics import Figure
from amalthea.workflow.reading import align, read


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The figures of a model on new labelled data.

    Args:
        figures: by target, each metric with its standard error.
        examples: the number of examples judged.
        refused: the rows that could not be used.
        notes: what was found while reading.
    """

    figures: Mapping[str, Mapping[str, Figure]]
    examples: int
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...]


def evaluate(predictor: Predictor, data: Any) -> Evaluation:
    """Judge a model on labelled data that it was not trained on.

    Args:
        predictor: the model.
        data: a file, a table, a catalogue name or a `Dataset`, with the model's target columns.
    """
    if not isinstance(data, Dataset):
        names = [target.name for target in predictor.targets]
        thresholds = {target.threshold for target in predictor.targets}
        threshold = thresholds.pop() if len(thresholds) == 1 else None
        task = predictor.targets[0].task if threshold is None else None
        data = read(data, names, task=task, threshold=threshold)
    data = align(data, predictor.targets)
    return Evaluation(predictor.evaluate(data), len(data), data.refused, data.notes)


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
    """
    counts = {"rows": 0, "predicted": 0, "problems": 0, "warnings": 0}

    def write(stream: TextIO) -> None:
        with Bar("rows predicted", verbose=verbose) as bar:
            for number, table in enumerate(_tables(predictor, inputs, rows)):
                table.to_csv(stream, index=False, header=number == 0, lineterminator="\n")
                counts["rows"] += len(table)
                counts["problems"] += int((table["problem"] != "").sum())
                counts["warnings"] += int((table["warning"] != "").sum())
                bar.reach(counts["rows"], counts["rows"])
        counts["predicted"] = counts["rows"] - counts["problems"]

    if output is None:
        write(sys.stdout)
    else:

        def into(temporary: Path) -> None:
            with temporary.open("w", encoding="utf-8", newline="") as stream:
                write(stream)

        files.write_whole(output, into)
    return counts


def _tables(predictor: Predictor, inputs: Sequence[str], rows: int) -> Iterator[pd.DataFrame]:
    if len(inputs) == 1 and (Path(inputs[0]).exists() or predictor.domain != "molecules" or Path(inputs[0]).suffix):
        return predictor.stream(Path(inputs[0]), rows)
    there = [text for text in inputs if Path(text).is_file()]
    if there:
        raise DataError(f"One file at a time, please. Received: {', '.join(inputs)}")
    return iter([predictor.table(domain(predictor.domain).inputs(list(inputs), dict(predictor.input_state)))])
