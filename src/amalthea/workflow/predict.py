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

from amalthea.datasets import catalogue, files
from amalthea.datasets.assembly import labelled_rows
from amalthea.datasets.dataset import Dataset, Inputs, Refusal, Target
from amalthea.datasets.messages import counted, listed
from amalthea.datasets.targets import choose_targets
from amalthea.domains import domain
from amalthea.errors import DataError
from amalthea.potentials.potential import Potential
from amalthea.potentials.prediction_files import SUFFIXES, write_structures
from amalthea.predictor.predictor import Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.validation.metrics import Figure
from amalthea.workflow.read import align, read
from amalthea.workflow.settings import Say, nobody

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
    if data.domain != predictor.domain:
        raise DataError(f"this model knows {predictor.domain}, and these data are {data.domain}.")
    if isinstance(predictor, Potential) and (unknown := predictor.refusals(data)):
        rows = {refusal.row for refusal in unknown}
        data = data.take(np.flatnonzero([row not in rows for row in data.rows.tolist()]), unknown)
        if not len(data):
            raise DataError(f"{data.name}: no structure can be judged ({unknown[0].example}: {unknown[0].reason}).")
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
    home = domain(kind)
    path = None if isinstance(source, pd.DataFrame) else Path(source)
    if path is not None and not home.claims(path):
        files.existing_file(path)
    if kind == "structures":
        if path is not None and not home.claims(path):
            raise DataError(f"{path} holds no atomic structures, which this model knows. Give files such as .extxyz.")
        units = {name: input_state[name] for name in ("length_unit", "energy_unit") if name in input_state}
        return read([path], strict=False, **units) if path is not None else read(source)
    asked = home.inputs(source if path is None else path, dict(input_state))
    choose_targets(asked.table, [target.name for target in targets], ())
    dataset = labelled_rows("table" if path is None else path.stem, kind, asked, targets, home.identity)
    return dataclasses.replace(dataset, fingerprint="" if path is None else files.fingerprint(path))


def predict_file(
    predictor: Predictor,
    inputs: Sequence[str],
    output: Path | None,
    verbose: Verbosity = "auto",
    rows: int = 5_000,
    save_input: Path | None = None,
    say: Say = nobody,
) -> dict[str, int]:
    """Write the table of predictions for a file, or for examples given in words, piece by piece.

    For structures, a name that ends in .extxyz or .xyz is written as such; see `write_structures`.

    Args:
        predictor: the model.
        inputs: one file, or examples themselves (SMILES).
        output: the CSV to write, whole or not at all; None: standard output.
        verbose: "auto" shows progress on a terminal.
        rows: rows in memory at a time.
        save_input: a folder for pictures of what the network saw.
        say: hears which structures could not be read.

    Returns:
        How many rows there were, were predicted, have a problem, have a warning.

    Raises:
        DataError: the input cannot be used, or the output cannot be written.
    """
    if isinstance(predictor, Potential) and output is not None and output.suffix.lower() in SUFFIXES:
        if save_input is not None:
            raise DataError("only pictures can be saved as the network saw them; this model reads structures.")
        return write_structures(predictor, [Path(text) for text in inputs], output, verbose, say)
    counts = {"rows": 0, "predicted": 0, "problems": 0, "warnings": 0}

    def write(stream: TextIO) -> None:
        with Bar("rows predicted", verbose=verbose) as bar:
            for number, table in enumerate(predictions(predictor, inputs, rows, save_input)):
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


def predictions(
    predictor: Predictor, inputs: Sequence[str], rows: int = 5_000, save_input: Path | None = None
) -> Iterator[pd.DataFrame]:
    """Yield the table of predictions, at most `rows` rows at a time; the arguments are those of `predict_file`."""

    def answer(asked: Inputs) -> pd.DataFrame:
        if save_input is not None:
            domain(predictor.domain).save_inputs(asked, save_input)
        return predictor.table(asked)

    return map(answer, _asked(predictor, inputs, rows))


def _asked(predictor: Predictor, inputs: Sequence[str], rows: int) -> Iterator[Inputs]:
    home, state, paths = domain(predictor.domain), dict(predictor.input_state), [Path(text) for text in inputs]
    known = [os.path.exists(text) or os.path.splitext(text)[1].lower() in FILES for text in inputs]
    if len(inputs) == 1 and (known[0] or not home.in_words):
        return home.read_inputs(paths[0], state, rows)
    if home.in_words and not any(known):
        return iter([home.inputs(list(inputs), state)])
    if all(home.claims(path) for path in paths):
        return iter([home.inputs(paths, state)])
    raise DataError(f"one file at a time, please. Received: {', '.join(inputs)}")


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
