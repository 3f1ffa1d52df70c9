"""The features of a table's rows: its numbers as they are, its categories as one column for each value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.cells import Writing
from amalthea.datasets.columns import float32
from amalthea.domains.protocol import Metric, Progress
from amalthea.domains.tabular_inputs import Vectors


@dataclasses.dataclass(frozen=True)
class ColumnsState:
    """What makes the same featurizer again; see `Columns`."""

    numbers: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    written: Mapping[str, Writing] = dataclasses.field(default_factory=dict)
    name: Literal["columns", "linear"] = "columns"


class Columns(Vectors):
    """Numbers, then categories one-hot: a value never seen in training is as unknown as a missing one.

    Args:
        numbers: the names of the columns of numbers.
        categories: the values of each column of categories, by its name.

    Example:
        >>> featurizer = Columns(["mass"], {"colour": ["blue", "red"]})
        >>> featurizer.feature_names
        ['mass', 'colour=blue', 'colour=red']
        >>> featurizer.transform(pd.DataFrame({"mass": [1.5], "colour": ["red"]}))[0]
        array([[1.5, 0. , 1. ]], dtype=float32)
    """

    name: str = "columns"
    metric: Metric = "euclidean"

    def __init__(self, numbers: Sequence[str], categories: Mapping[str, Sequence[str]]) -> None:
        self.numbers = list(numbers)
        self.categories = {name: list(values) for name, values in categories.items()}
        self.feature_names: Sequence[str] = [
            *self.numbers,
            *(f"{name}={value}" for name, values in self.categories.items() for value in values),
        ]
        self.quantities = len(self.feature_names)

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
        """Return the features of n examples.

        Args:
            examples: n rows with all columns of numbers (float) and of categories (text).
            progress: called once, when all is done.

        Returns:
            The features, shape (n, d), NaN where unknown; and the problems, shape (n,), "" where there is none.
        """
        blocks = [float32(examples[self.numbers].to_numpy(np.float64, na_value=np.nan))]
        for name, values in self.categories.items():
            column = examples[name]
            block = np.stack([(column == value).to_numpy(bool) for value in values], axis=1).astype(np.float32)
            block[block.sum(axis=1) == 0] = np.nan
            blocks.append(block)
        if progress is not None:
            progress(len(examples), len(examples))
        return np.concatenate(blocks, axis=1), np.full(len(examples), "", dtype=object)

    def state(self) -> dict[str, Any]:
        """Return what makes the same featurizer again."""
        return {"name": self.name, "numbers": self.numbers, "categories": self.categories}


class LinearColumns(Columns):
    """The same columns, for a network without hidden layers."""

    name: str = "linear"
    simplest: bool = True
