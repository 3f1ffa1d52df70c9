"""What domains share whose examples stand as numbers and text in the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions
from amalthea.errors import DataError


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
    in_words: bool = False
    identity: Sequence[str] = ()

    def claims(self, path: Path) -> bool:  # noqa: ARG002
        """Say that no file belongs to this domain before its table has been looked at."""
        return False

    def read(self, paths: Sequence[Path], name: str, options: ReadOptions) -> Dataset:  # noqa: ARG002
        """Refuse: tables are read elsewhere.

        Raises:
            DataError: always.
        """
        raise DataError(f"{name} is no table.")

    def save_inputs(self, asked: Inputs, folder: Path) -> None:  # noqa: ARG002
        """Refuse: what the network saw are numbers.

        Raises:
            DataError: always.
        """
        raise DataError("only pictures can be saved as the network saw them; this model reads tables or molecules.")

    def pack(self, examples: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, bytes]]:
        """Return the examples as they are: a CSV can hold them."""
        return examples, {}

    def unpack(self, table: pd.DataFrame, parts: Mapping[str, bytes]) -> pd.DataFrame:  # noqa: ARG002
        """Return the examples as they are."""
        return table
