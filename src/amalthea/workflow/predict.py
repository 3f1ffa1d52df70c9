"""A trained model, asked on the command line: a file in, a file out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import pandas as pd

from amalthea.datasets import files
from amalthea.datasets.dataset import Inputs
from amalthea.domains import domain
from amalthea.errors import DataError
from amalthea.predictor.outside import Counts, Outside
from amalthea.predictor.predictor import Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.tasks import task
from amalthea.workflow.settings import Say, ignore

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


def predict_file(
    predictor: Predictor,
    inputs: Sequence[str],
    output: Path | None,
    verbose: Verbosity = "auto",
    rows: int = 5_000,
    save_input: Path | None = None,
    outside: Outside = "warn",
    say: Say = ignore,
) -> Counts:
    """Write the table of predictions for a file, or for examples given in words, piece by piece.

    A name that ends as the task's own files do (`Task.suffixes`) is written by the task.

    Args:
        predictor: the model.
        inputs: one file, or examples themselves (SMILES).
        output: the CSV to write, whole or not at all; None: standard output.
        verbose: "auto" shows progress on a terminal.
        rows: rows in memory at a time.
        save_input: a folder for pictures of what the network saw.
        outside: what becomes of examples outside of what was learned; see `Predictor.predict`.
        say: hears which inputs could not be read.

    Raises:
        DataError: the input cannot be used, or the output cannot be written.
    """
    if output is not None and output.suffix.lower() in task(predictor.task).suffixes:
        if save_input is not None:
            raise DataError(f"--save-input goes with a table of predictions. Name one instead of {output.name}.")
        paths = [Path(text) for text in inputs]
        return task(predictor.task).write(predictor, paths, output, outside=outside, verbose=verbose, say=say)
    counts = Counts()

    def write(stream: TextIO) -> None:
        with Bar("rows predicted", verbose=verbose) as bar:
            for number, table in enumerate(predictions(predictor, inputs, rows, save_input, outside)):
                table.to_csv(stream, index=False, header=number == 0, lineterminator="\n")
                counts.add(table)
                bar.reach(counts.rows, counts.rows)

    if output is None:
        write(sys.stdout)
    else:

        def into(temporary: Path) -> None:
            with temporary.open("w", encoding="utf-8", newline="") as stream:
                write(stream)

        files.write_whole(output, into)
    return counts


def predictions(
    predictor: Predictor,
    inputs: Sequence[str],
    rows: int = 5_000,
    save_input: Path | None = None,
    outside: Outside = "warn",
) -> Iterator[pd.DataFrame]:
    """Yield the table of predictions, at most `rows` rows at a time; the arguments are those of `predict_file`."""

    def answer(asked: Inputs) -> pd.DataFrame:
        if save_input is not None:
            domain(predictor.domain).save_inputs(asked, save_input)
        return predictor.table(asked, outside)

    return map(answer, _asked(predictor, inputs, rows))


def _asked(predictor: Predictor, inputs: Sequence[str], rows: int) -> Iterator[Inputs]:
    kind, state, paths = domain(predictor.domain), dict(predictor.input_state), [Path(text) for text in inputs]
    known = [os.path.exists(text) or os.path.splitext(text)[1].lower() in FILES for text in inputs]
    if len(inputs) == 1 and (known[0] or not kind.in_words):
        return kind.read_inputs(paths[0], state, rows)
    if kind.in_words and not any(known):
        return iter([kind.inputs(list(inputs), state)])
    if all(kind.claims(path) for path in paths):
        return iter([kind.inputs(paths, state)])
    raise DataError(f"one file at a time, please. Received: {', '.join(inputs)}")
