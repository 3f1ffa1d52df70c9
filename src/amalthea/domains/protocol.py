"""What the rest of the program may ask of a kind of data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.data.dataset import Dataset, Inputs, ReadOptions, Target

Progress = Callable[[int, int], None]
"""Called as progress(done, total) while something takes its time."""


@dataclasses.dataclass(frozen=True)
class Defaults:
    """How a domain trains when nothing else is said.

    Args:
        folds: K, the number of folds.
        members: M, the number of networks a fold.
        epochs: passes through the training rows.
        batch_size: rows in one step.
        optimizer: the name of a Keras optimizer.
        learning_rate: its (largest) learning rate.
    """

    folds: int = 5
    members: int = 10
    epochs: int = 100
    batch_size: int = 32
    optimizer: str = "adam"
    learning_rate: float = 1e-3


class Featurizer(Protocol):
    """Turns examples into arrays, one example at a time. It knows names and sizes, and no statistics."""

    name: str
    feature_names: Sequence[str]
    quantities: int  # the number of leading features that are quantities; the others are counts
    metric: Literal["euclidean", "tanimoto"]  # what "far from the training set" means for these features

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
        """Return features, shape (n, d), NaN where unknown, and problems, shape (n,), "" where there is none."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what `Domain.restore` needs, as JSON."""
        ...


class Domain(Protocol):
    """A kind of data: reads files, makes features, proposes a network."""

    name: str
    feature_choices: Sequence[str]

    def recognises(self, table: pd.DataFrame) -> bool:
        """Say whether this table (all columns as text) holds this domain's kind of examples."""
        ...

    def dataset(self, table: pd.DataFrame, name: str, options: ReadOptions) -> Dataset:
        """Turn a table (all columns as text; its index is the line in the file) into examples and targets."""
        ...

    def inputs(self, source: Any, state: dict[str, Any]) -> Inputs:
        """Turn what a user wants predicted (a table, a list of examples) into examples; `state` is `input_state`'s."""
        ...

    def read_inputs(self, path: Path, state: dict[str, Any], rows: int) -> Iterator[Inputs]:
        """Yield the examples of a file, at most `rows` at a time."""
        ...

    def input_state(self, dataset: Dataset) -> dict[str, Any]:
        """Return what a trained model must remember to read inputs (names of columns, cleaning), as JSON."""
        ...

    def groups(self, dataset: Dataset, kind: str) -> NDArray[np.int64]:
        """Return the group of each example, shape (n,), for a split of this kind: "scaffold", "cluster"."""
        ...

    def featurizers(self, dataset: Dataset, choice: str) -> tuple[Featurizer, ...]:
        """Return the featurizers that `choice` stands for; several: what serves is found by measurement."""
        ...

    def restore(self, state: dict[str, Any]) -> Featurizer:
        """Return the featurizer that `Featurizer.state` described."""
        ...

    def defaults(self, dataset: Dataset) -> Defaults:
        """Return how these data are trained on when nothing else is said."""
        ...

    def network(self, featurizer: Featurizer, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:
        """Return a compiled `keras.Model` for these features and targets, to be trained for `steps` steps."""
        ...
