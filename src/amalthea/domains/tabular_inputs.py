"""What domains share whose examples stand as numbers and text in the rows of a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from amalthea.datasets.assembly import labelled_rows
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target
from amalthea.datasets.messages import counted, shortened
from amalthea.datasets.targets import choose_targets
from amalthea.domains.protocol import Nouns
from amalthea.errors import DataError

MOST_VALUES = 14
"""The most columns of a row that are shown."""


class Vectors:
    """The parts of the `Featurizer` protocol in which features that are rows of numbers do not differ."""

    feature_names: Sequence[str]
    dtype: Literal["float32", "uint8"] = "float32"

    @property
    def shape(self) -> tuple[int, ...]:
        """One number a feature."""
        return (len(self.feature_names),)


class Rows:
    """The parts of the `Domain` protocol in which such domains do not differ."""

    network_choices: Sequence[str] = ("auto", "dense")
    precedence: int = 100
    task: str = "columns"
    nouns: Nouns = Nouns()
    numbered: bool = True
    asked_by: str = ""
    in_words: bool = False
    identity: Sequence[str] = ()
    input_state_type: Any = dict[str, Any]
    keras_modules: Sequence[str] = ()
    suggestions: Mapping[str, str] = MappingProxyType({"train": "--members 20"})

    def claims(self, path: Path) -> bool:  # noqa: ARG002
        """Say that no file belongs to this domain before its table has been looked at."""
        return False

    def read(self, paths: Sequence[Path], name: str, options: ReadOptions) -> Dataset:  # noqa: ARG002
        """Refuse: tables are read elsewhere.

        Raises:
            DataError: always.
        """
        raise DataError(f"{name} is no table.")

    def labelled(self, source: Any, targets: Sequence[Target], state: dict[str, Any]) -> Dataset:
        """Read new labelled data, a table or a file, the way a model reads its inputs.

        Raises:
            DataError: a column is not there, or no row can be used.
        """
        return labelled_table(self, source, targets, state)

    def draw(self, examples: pd.DataFrame, point: str = ".") -> list[str]:
        """Return the values of each example, one in a line."""
        return [_values(row, point) for row in examples.to_dict("records")]

    def describe(self, examples: pd.DataFrame) -> list[str]:
        """Return each example's values in one line."""
        return [shortened(" ".join(map(str, row)), 80) for row in examples.itertuples(index=False)]

    def save_inputs(self, asked: Inputs, folder: Path) -> None:  # noqa: ARG002
        """Refuse: what the network saw are numbers.

        Raises:
            DataError: always.
        """
        raise DataError(f"only pictures can be saved as the network saw them; this model reads {self.nouns.many}.")

    def pack(self, examples: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, bytes]]:
        """Return the examples as they are: a CSV can hold them."""
        return examples, {}

    def unpack(self, table: pd.DataFrame, parts: Mapping[str, bytes]) -> pd.DataFrame:  # noqa: ARG002
        """Return the examples as they are."""
        return table


def labelled_table(kind: Any, source: Any, targets: Sequence[Target], state: dict[str, Any]) -> Dataset:
    """Return new labelled data of a domain whose examples stand in the rows of a table; see `Domain.labelled`."""
    asked = kind.inputs(source, state)
    choose_targets(asked.table, [target.name for target in targets], ())
    name = source.stem if isinstance(source, Path) else "table"
    dataset = labelled_rows(name, kind.name, asked, targets, kind.identity)
    warned = np.flatnonzero((asked.warnings != "") & (asked.problems == ""))
    if not len(warned):
        return dataset
    first = f"row {asked.table.index[warned[0]]}: {asked.warnings[warned[0]]}"
    note = f"{counted(len(warned), 'example')} {'has' if len(warned) == 1 else 'have'} a warning ({first})."
    return dataclasses.replace(dataset, notes=(*dataset.notes, note))


def _values(row: Mapping[Any, Any], point: str) -> str:
    lines = [f"{name}: {_value(value, point)}" for name, value in list(row.items())[:MOST_VALUES]]
    return "\n".join([*lines, "..."] if len(row) > MOST_VALUES else lines)


def _value(value: Any, point: str) -> str:
    if isinstance(value, float):
        return "?" if value != value else f"{value:.5g}".replace(".", point)
    return "?" if value is None else shortened(str(value))
