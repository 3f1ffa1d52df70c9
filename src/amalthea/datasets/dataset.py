"""What is learned from: examples, targets, groups, and the rows that were refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from html import escape
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Task = Literal["regression", "classification"]


@dataclasses.dataclass(frozen=True)
class Target:
    """One quantity to be learned.

    Args:
        name: the column's name.
        task: "regression" or "classification".
        classes: for a classification, the labels as they stand in the file, in the order of their codes 0, 1, ...
        unit: the unit of a regression's values, empty where unknown.
        threshold: where the classes were made from a number: class 1 is `value >= threshold`.

    Example:
        >>> Target("Act", "classification", classes=("0", "1"), threshold=6.5).width
        2
    """

    name: str
    task: Task
    classes: tuple[str, ...] = ()
    unit: str = ""
    threshold: float | None = None

    @property
    def width(self) -> int:
        """The number of network outputs: one for a regression, one a class for a classification."""
        return len(self.classes) if self.task == "classification" else 1


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A row that could not be used.

    Args:
        row: the line of the file (the header is line 1), or the position, from 1, in what was given.
        example: the row's own text, shortened.
        reason: what is wrong with it, as a short phrase.
    """

    row: int
    example: str
    reason: str


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Examples with their targets, read and cleaned; frozen.

    Args:
        name: what the data set is called (a catalogue name or the file's).
        domain: the domain that read it: "tables", "molecules".
        examples: a table with one row an example, in the columns that the domain's featurizers read.
        targets: the T quantities to be learned.
        values: the targets, shape (n, T), float64: numbers, or codes of classes; NaN where a label is missing.
        groups: shape (n,), integers: copies of the same example share one.
        rows: shape (n,), integers: the line of each example in its file.
        columns: all columns of the file, one row an example, as text: for groups, times, folds.
        refused: the rows that could not be used, and why.
        notes: what was found and decided while reading, as sentences for the user.
        references: other models' out-of-sample predictions that came with the file, by name, each of shape (n,).
        fingerprint: SHA-256 of the file's bytes.
        test: the test set that came with the data, if one did.
        input_state: what the domain must remember to read inputs the same way, as JSON.
        task: the name of the task that answers; "" for the one that the domain names.
    """

    name: str
    domain: str
    examples: pd.DataFrame
    targets: tuple[Target, ...]
    values: NDArray[np.float64]
    groups: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: pd.DataFrame
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    references: Mapping[str, NDArray[np.float64]] = dataclasses.field(default_factory=dict)
    fingerprint: str = ""
    test: Dataset | None = None
    input_state: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    task: str = ""

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, rows: NDArray[np.intp], refused: tuple[Refusal, ...] = ()) -> Dataset:
        """Return the data set with these rows only; `refused` tells why others are gone."""
        return dataclasses.replace(
            self,
            examples=self.examples.iloc[rows].reset_index(drop=True),
            values=self.values[rows],
            groups=self.groups[rows],
            rows=self.rows[rows],
            columns=self.columns.iloc[rows].reset_index(drop=True),
            refused=tuple(sorted((*self.refused, *refused), key=lambda refusal: refusal.row)),
            references={name: values[rows] for name, values in self.references.items()},
        )

    def labels(self, index: int) -> NDArray[Any]:
        """Return a target's values as they stand in the file: numbers, or the classes' labels (None where missing)."""
        target, values = self.targets[index], self.values[:, index]
        if target.task == "regression":
            return values
        return np.array([target.classes[int(v)] if np.isfinite(v) else None for v in values], object)

    def __repr__(self) -> str:
        targets = ", ".join(f"{t.name} ({t.task})" for t in self.targets)
        return f"<Dataset {self.name}: {len(self)} {self.domain} examples, {targets}, {len(self.refused)} refused>"

    def _repr_html_(self) -> str:
        preview = self.examples.head().copy()
        for index, target in enumerate(self.targets):
            preview[target.name] = self.values[: len(preview), index]
        return f"<p>{escape(repr(self)[1:-1])}</p>{preview.to_html()}"


@dataclasses.dataclass(frozen=True, eq=False)
class Inputs:
    """Examples to be predicted: every row of the input in its place, good or bad.

    Args:
        table: the input's own columns, one row an example, to be handed back beside the predictions.
        examples: as in `Dataset.examples`, with the same index as `table`; bad rows hold None.
        problems: shape (n,): why nothing can be predicted for a row, "" where something can.
        warnings: shape (n,): what should be known about a row that is predicted ("salt removed"), "" where nothing.
    """

    table: pd.DataFrame
    examples: pd.DataFrame
    problems: NDArray[np.object_]
    warnings: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.table)


@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """How a file is to be read; None means: find out and say so."""

    target: tuple[str, ...] = ()  # names of the target columns
    task: Task | None = None  # "regression" or "classification", overriding what the values suggest
    # turns a number into two classes, `value >= threshold`; NaN asks for none where the catalogue has one
    threshold: float | None = None
    strict: bool = False  # refuse the whole file if one row must be refused
    smiles: str | None = None  # the name of the SMILES column
    # keep the largest fragment, neutralized (molecules); None: unless that makes copies that contradict one another
    clean: bool | None = None
    ignore: tuple[str, ...] = ()  # columns that must not become features (fold, group and time columns)
    # columns that become features of a table even where they look like names of the rows, or are ignored
    keep: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()  # columns beside a molecule that become features though they do not vary
    sheet: str | None = None  # of a workbook; None: the first that holds a table
    header_line: int | None = None  # the line with the columns' names; None: it is looked for
    length_unit: str = "bohr"  # the unit of n2p2's files: "bohr" or "angstrom"
    energy_unit: str = "hartree"  # the unit of n2p2's files: "hartree" or "ev"
    energy_key: str | None = None  # what structures call their energy; "none": it is not read
    forces_key: str | None = None  # the same of forces
    stress_key: str | None = None  # the same of a stress or virial
    size: int | None = None  # the longer side to which larger pictures are shrunk, in pixels
    intensity: str | None = None  # the range of deep pictures: "set" for one, "each" for their own, or "LOW,HIGH"
    frame: str | None = None  # of stacks of frames: "max", "first" or a number from 1
    label_from_name: bool = False  # a picture's class is what its name says besides numbers
    time: str | None = None  # of series: the column that says when a row was measured
    horizon: int | None = None  # of series: the steps that are foretold
    series: str | None = None  # the column that tells series apart
    known: tuple[str, ...] = ()  # columns that are known in advance
    fixed: tuple[str, ...] = ()  # columns that never change within a series
    every: str | None = None  # the step to which irregular series are averaged: "1h"
    # of whole sequences: the columns that are one, as names, ranges FIRST:LAST and patterns
    sequence: tuple[str, ...] | None = None
    order: str | None = None  # of sequences with one place a row: the column of places
