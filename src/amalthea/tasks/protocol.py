"""What the rest of the program may ask of a kind of answer: how it is learned, judged, given and told."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Inputs, Refusal
from amalthea.domains.protocol import Defaults, Domain, Featurizer
from amalthea.training.prediction import Prediction
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.calibration import IntervalCalibration
from amalthea.validation.metrics import Figure
from amalthea.validation.summary import Validation
from amalthea.validation.temperature import Temperature

if TYPE_CHECKING:
    from amalthea.predictor.outside import Counts
    from amalthea.predictor.predictor import Predictor
    from amalthea.reporting.blocks import Section
    from amalthea.reporting.context import Context
    from amalthea.reporting.translate import Words
    from amalthea.tasks.lessons import Lessons
    from amalthea.training.ensemble import Ensemble
    from amalthea.workflow.settings import Settings
    from amalthea.workflow.splitting import Split

Clock = Callable[[str], AbstractContextManager[None]]
"""Called as clock(stage), it measures what is done inside."""

Calibration = IntervalCalibration | Temperature | None
"""What turns a spread into an honest interval, or probabilities into honest ones; None with one fold."""


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """A set of features and the ensemble that learned from them.

    Args:
        featurizer: makes the features.
        ensemble: the networks.
        shares: shape (folds, sum of the targets' widths): how much they count beside the other parts in each fold.
    """

    featurizer: Featurizer
    ensemble: Ensemble
    shares: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """What a task has learned from a data set.

    Args:
        dataset: the examples that were used; those that could not be are among its refusals.
        split: who was held out by whom.
        parts: one ensemble for each set of features, all on the same folds.
        calibrations: one a target.
        applicability: how far from the training set an example lies.
        validation: the figures out of fold, and the baselines'.
        out_of_fold: one row an example: row, fold, target, the columns of `predict`, and the raw spread and raw
            probabilities in columns whose names begin with `raw_`.
        state: what the task must remember beside all that, of its type `Task.state_type`.
        arrays: the arrays that it must remember beside all that, by name.
    """

    dataset: Dataset
    split: Split
    parts: tuple[Part, ...]
    calibrations: tuple[Calibration, ...]
    applicability: Applicability
    validation: Validation
    out_of_fold: pd.DataFrame
    state: Any = None
    arrays: Mapping[str, NDArray[Any]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, eq=False)
class TestFigures:
    """What labelled data that were not learned from say of a model.

    Args:
        figures: by target, each metric with its standard error.
        baselines: by target and baseline, the same metrics of simple models that learned from the training examples.
        differences: by target and baseline, how much better the model is in the main metric.
        refused: examples that could not be judged, and why.
        notes: what a reader of the figures must know, as sentences.
        apart: examples that were learned from are among the data and were not judged.
    """

    __test__ = False  # no test of pytest's

    figures: Mapping[str, Mapping[str, Figure]]
    baselines: Mapping[str, Mapping[str, Mapping[str, Figure]]]
    differences: Mapping[str, Mapping[str, Figure]]
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    apart: bool = False


class Task(Protocol):
    """A kind of answer: numbers and classes, energies and forces, the future of a series, texts."""

    name: str
    state_type: Any  # of `Fitted.state`, a frozen dataclass that JSON can hold; None where there is none
    keras_modules: Sequence[str]  # the modules whose Keras classes a model of this task may hold
    suffixes: frozenset[str]  # of the files that `write` knows to write, beside tables

    def defaults(self, dataset: Dataset, domain: Domain, network: str, augment: bool | None) -> Defaults:
        """Return how it is trained when nothing else is said; DataError where the data have no such network."""
        ...

    def fit(self, dataset: Dataset, domain: Domain, settings: Settings, clock: Clock) -> Fitted:
        """Featurize, split, train and judge what was read."""
        ...

    def restore(self, predictor: Predictor) -> Any:
        """Return what a model keeps ready for its answers (`Predictor.ready`); raise where its parts do not fit."""
        ...

    def upgrade(self, card: dict[str, Any]) -> dict[str, Any]:
        """Return the description of a model that an older version wrote, as this version writes it."""
        ...

    def answer(self, predictor: Predictor, inputs: Inputs) -> Prediction:
        """Predict for inputs that the domain has read; bad ones stay in their places, with their problems."""
        ...

    def positions(self, predictor: Predictor, inputs: Inputs) -> NDArray[np.float32]:
        """Return the features, shape (n, d), by which the distance of examples to the training set is measured."""
        ...

    def columns(self, predictor: Predictor, prediction: Prediction, index: pd.Index[Any]) -> pd.DataFrame:
        """Return the columns of `amalthea predict` for a prediction."""
        ...

    def write(self, predictor: Predictor, paths: Sequence[Path], output: Path, **options: Any) -> Counts:
        """Write what is predicted for files in a form of its own (`suffixes`); return the counts of rows."""
        ...

    def judge(self, predictor: Predictor, dataset: Dataset) -> TestFigures:
        """Judge a model on labelled data beside baselines that learned from its training examples."""
        ...

    def context(self, predictor: Predictor, words: Words, learning_curve: bool) -> Context:
        """Return what the sections of a model's report are told: its held-out answers, and what they are called."""
        ...

    def sections(self, context: Context) -> list[Section]:
        """Return the sections of a model's report."""
        ...

    def lessons(self, predictor: Predictor) -> Lessons:
        """Return what the figures of how a model learned are made from: `Lessons(predictor)`, if there is nothing."""
        ...


@runtime_checkable
class Forecasting(Protocol):
    """A task that foretells what follows."""

    def forecast(self, predictor: Predictor, newer: Inputs | None, levels: Sequence[float]) -> pd.DataFrame:
        """Return what follows the last known step of each series; see `Predictor.forecast`."""
        ...

    def anomalies(self, predictor: Predictor, newer: Inputs, alarms: float) -> pd.DataFrame:
        """Return which of the values since the training lie far from what was foretold; see `Predictor.anomalies`."""
        ...
