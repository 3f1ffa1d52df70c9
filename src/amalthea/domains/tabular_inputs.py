"""What domains share: above all those whose examples stand as numbers and text in the rows of a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.assembly import labelled_rows
from amalthea.datasets.cells import from_record, plain_numbers
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target
from amalthea.datasets.messages import counted, shortened
from amalthea.datasets.targets import choose_targets
from amalthea.domains.networks import defaults_for
from amalthea.domains.protocol import Defaults, Nouns
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
    """The parts of the `Domain` and `Featurizing` protocols in which such domains do not differ."""

    name: str
    network_choices: Sequence[str] = ("auto", "dense")
    groupings: Sequence[str] = ()  # the kinds of split for which it knows groups
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
        asked = self.inputs(source, state)
        plain = plain_numbers(asked.table, known=from_record(state.get("written", {})))[0]
        asked = dataclasses.replace(asked, table=plain)
        choose_targets(asked.table, [target.name for target in targets], ())
        name = source.stem if isinstance(source, Path) else "table"
        dataset = labelled_rows(name, self.name, asked, targets, self.identity)
        warned = np.flatnonzero((asked.warnings != "") & (asked.problems == ""))
        if not len(warned):
            return dataset
        first = f"row {asked.table.index[warned[0]]}: {asked.warnings[warned[0]]}"
        note = f"{counted(len(warned), 'example')} {'has' if len(warned) == 1 else 'have'} a warning ({first})."
        return dataclasses.replace(dataset, notes=(*dataset.notes, note))

    def inputs(self, source: Any, state: dict[str, Any]) -> Inputs:
        """Turn what a user wants predicted into examples; see `Domain.inputs`."""
        raise NotImplementedError

    def read_inputs(self, path: Path, state: dict[str, Any], rows: int) -> Iterator[Inputs]:
        """Yield the examples of a file or folder, at most `rows` at a time."""
        asked = self.inputs(path, state)
        for start in range(0, len(asked), rows):
            part = slice(start, start + rows)
            yield Inputs(asked.table[part], asked.examples[part], asked.problems[part], asked.warnings[part])

    def input_state(self, dataset: Dataset) -> dict[str, Any]:
        """Return what reading found and a model must remember to read its inputs, as JSON."""
        return dict(dataset.input_state)

    def groups(self, dataset: Dataset, kind: str) -> NDArray[np.int64]:  # noqa: ARG002
        """Refuse: there are no groups but those of `groupings`.

        Raises:
            DataError: always.
        """
        choices = ", ".join(f"'{choice}'" for choice in ("random", *self.groupings, "group", "time"))
        raise DataError(f"{self.name} cannot be split by '{kind}'. Choose {choices} or 'column'.")

    def defaults(self, dataset: Dataset, network: str = "auto") -> Defaults:  # noqa: ARG002
        """Return how these data are trained on when nothing else is said."""
        return defaults_for(dataset.targets, len(dataset))

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


def _values(row: Mapping[Any, Any], point: str) -> str:
    lines = [f"{name}: {_value(value, point)}" for name, value in list(row.items())[:MOST_VALUES]]
    return "\n".join([*lines, "..."] if len(row) > MOST_VALUES else lines)


def _value(value: Any, point: str) -> str:
    if isinstance(value, float):
        return "?" if value != value else f"{value:.5g}".replace(".", point)
    return "?" if value is None else shortened(str(value))
