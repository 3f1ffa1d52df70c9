"""What the rest of the program may ask of a kind of data: what an example is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target

Metric = Literal["euclidean", "descriptors", "tanimoto", "pictures"]

Progress = Callable[[int, int], None]
"""Called as progress(done, total) while something takes its time."""


@dataclasses.dataclass(frozen=True)
class Defaults:
    """How data are trained on when nothing else is said."""

    folds: int = 5  # K, the number of folds
    members: int = 10  # M, the number of networks a fold
    epochs: int = 100  # passes through the training rows
    batch_size: int = 32  # rows in one step
    optimizer: str = "adam"  # the name of a Keras optimizer
    learning_rate: float = 1e-3  # its (largest) learning rate
    network: str = "dense"  # which of the networks on offer, or the user's own (a file, or `module:function`)
    # the share of its own training rows on which a member is measured and not trained; None: 0.1 with patience, else 0
    validation_fraction: float | None = None
    augment: bool = False  # change the examples a little in every training step


@dataclasses.dataclass(frozen=True)
class Nouns:
    """What one example and several are called."""

    one: str = "example"  # "molecule"
    many: str = "examples"  # "molecules"


@dataclasses.dataclass(frozen=True)
class Fields:
    """Parts that all examples have alike: the columns of a table. An answer is explained by shuffling one of them."""

    names: Sequence[str]  # of the columns of `Dataset.examples`


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Parts of which each example has its own: atoms, patches. An answer is explained by taking one of them away."""

    # returns from a featurizer and an example its features and, behind them, those without each of its parts, shape (1
    # + parts, ...); empty where it has too many
    without: Callable[[Featurizer, pd.Series[Any]], NDArray[Any]]
    # returns from an example, its answer minus that without each part, shape (parts,), and the decimal mark a drawing
    # as `Domain.draw` does
    draw: Callable[[pd.Series[Any], NDArray[np.float64], str], str]
    reading: str  # the sentence that says how to read the drawings of a {target}, and of {what}
    named: bool = False  # explain the class that was named; False: the second of two, or else the true one


class Featurizer(Protocol):
    """Turns examples into arrays, one example at a time. It knows names and sizes, and no statistics.

    A report also takes, where it has them, its `title`, the name as people write it, and its `details`, the words for a
    paper in which {count} and what `state` holds are filled in. Of several, one that is `simplest` answers alone for
    classes where the others are not clearly better. `beside_columns`, where it is there, is the number of leading
    features of which each means something by itself, though `metric` knows none such.
    """

    name: str
    feature_names: Sequence[str]
    quantities: int  # the number of leading features that are quantities; the others are counts
    metric: Metric  # what "far from the training set" means for these features
    dtype: Literal["float32", "uint8"]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example's features."""
        ...

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[Any], NDArray[np.object_]]:
        """Return features, shape (n, *shape), NaN where unknown, and problems, shape (n,), "" where there is none."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what `Domain.restore` needs, as JSON."""
        ...


class Domain(Protocol):
    """A kind of data: reads files and says what an example is."""

    name: str
    precedence: int  # who is asked first whether data are of its kind: the lowest; the highest takes any table
    task: str  # the name of the task that learns from these data when nothing else is said
    nouns: Nouns
    numbered: bool  # whether an example is known by its line in the file; else by its name (a file, a frame)
    asked_by: str  # the option of `read` that asks for this domain where tables do not show it; "" for none
    in_words: bool  # whether an example can be given as a word on the command line (SMILES)
    identity: Sequence[str]  # the columns of `Dataset.examples` in which copies are equal; () for all
    input_state_type: Any  # of `input_state` as a saved model holds it, for pydantic: a dataclass of JSON's types
    keras_modules: Sequence[str]  # the modules whose Keras classes a network of this domain may hold
    # worth trying next: by "verb" how to ask, by "predict" what, by "train" another way to train, by "apart" the option
    # that tells examples with the same features apart
    suggestions: Mapping[str, str]

    def claims(self, path: Path) -> bool:
        """Say whether this is a file or folder that only this domain can read."""
        ...

    def recognises(self, table: pd.DataFrame) -> bool:
        """Say whether this table (all columns as text) holds this domain's kind of examples."""
        ...

    def read(self, paths: Sequence[Path], name: str, options: ReadOptions) -> Dataset:
        """Read files or folders that this domain claims."""
        ...

    def dataset(self, table: pd.DataFrame, name: str, options: ReadOptions) -> Dataset:
        """Turn a table (all columns as text; its index is the line in the file) into examples and targets."""
        ...

    def labelled(self, source: Any, targets: Sequence[Target], state: dict[str, Any]) -> Dataset:
        """Read new labelled data (a table, a file) the way a model reads inputs: nothing is inferred anew from them."""
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

    def save_inputs(self, asked: Inputs, folder: Path) -> None:
        """Write what the network saw of each input to a folder; DataError where nobody could look at it."""
        ...

    def groups(self, dataset: Dataset, kind: str) -> NDArray[np.int64]:
        """Return the group of each example, shape (n,), for a split of this kind: "scaffold", "cluster"."""
        ...

    def pack(self, examples: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, bytes]]:
        """Return the columns of examples that a CSV can hold, and the others as files by their names."""
        ...

    def unpack(self, table: pd.DataFrame, parts: Mapping[str, bytes]) -> pd.DataFrame:
        """Return the examples that `pack` packed."""
        ...

    def draw(self, examples: pd.DataFrame, point: str = ".") -> list[str]:
        """Return each example as SVG (`<svg ...`), as a data URI of a picture, or as plain text; `point` in numbers."""
        ...

    def describe(self, examples: pd.DataFrame) -> list[str]:
        """Return each example in a few words."""
        ...

    def restore(self, state: dict[str, Any]) -> Featurizer:
        """Return the featurizer that `Featurizer.state` described."""
        ...


@runtime_checkable
class Featurizing(Protocol):
    """A domain whose examples become arrays of features, and which proposes networks for them."""

    feature_choices: Sequence[str]
    network_choices: Sequence[str]

    def featurizers(self, dataset: Dataset, choice: str) -> tuple[Featurizer, ...]:
        """Return the featurizers that `choice` stands for; several: what serves is found by measurement."""
        ...

    def defaults(self, dataset: Dataset, network: str) -> Defaults:
        """Return how these data are trained on when nothing else is said; `network` is a choice, or "auto"."""
        ...

    def network(self, featurizer: Featurizer, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:
        """Return a compiled `keras.Model` for these features and targets, to be trained for `steps` steps."""
        ...


@runtime_checkable
class Parted(Protocol):
    """A domain that knows what an example consists of, so that an answer can be explained by its parts."""

    def parts(self, examples: pd.DataFrame) -> Fields | Pieces:
        """Return what these examples consist of."""
        ...


@runtime_checkable
class Cited(Protocol):
    """A domain that rests on works of others."""

    def works(self, features: Sequence[str]) -> list[str]:
        """Return the works on which the domain and these features (names of featurizers) rest, as BibTeX."""
        ...
