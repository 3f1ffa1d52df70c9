"""Columns as a kind of answer: numbers and classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Inputs
from amalthea.domains.protocol import Defaults, Domain, Featurizing
from amalthea.errors import AmaltheaError, DataError
from amalthea.predictor.predictions import columns
from amalthea.tasks.columns.answers import Ready
from amalthea.tasks.columns.simple import SimpleModel, is_simple
from amalthea.tasks.protocol import Clock, Fitted, TestFigures
from amalthea.training.prediction import Prediction

if TYPE_CHECKING:
    from amalthea.predictor.outside import Counts
    from amalthea.predictor.predictor import Predictor
    from amalthea.reporting.blocks import Section
    from amalthea.reporting.context import Context
    from amalthea.reporting.translate import Words
    from amalthea.tasks.lessons import Lessons
    from amalthea.workflow.settings import Settings


class Columns:
    """Targets that are columns of a table: numbers with intervals, classes with probabilities."""

    name: str = "columns"
    state_type: Any = SimpleModel
    keras_modules: Sequence[str] = ()
    suffixes: frozenset[str] = frozenset()

    def defaults(self, dataset: Dataset, domain: Domain, network: str, augment: bool | None) -> Defaults:
        """Return the domain's defaults; a network of the user's own is taken as it is.

        Raises:
            DataError: the domain makes no features, or augmentation is asked of a network that has none.
        """
        if not isinstance(domain, Featurizing):
            raise DataError(f"{domain.nouns.many} have no features from which columns are learned.")
        offered = network in domain.network_choices
        if not offered and is_simple(network, dataset.targets):
            if augment:
                raise DataError("--augment is for networks that learn pictures, not for a simple model.")
            return dataclasses.replace(domain.defaults(dataset, "auto"), network=network, members=1, augment=False)
        proposed = domain.defaults(dataset, network if offered else "auto")
        if augment and not (offered and domain.defaults(dataset, "auto").augment):
            raise DataError(
                "--augment is for pictures and the networks named by --network; build it into one of your own."
            )
        return proposed if offered else dataclasses.replace(proposed, network=network, augment=False)

    def fit(self, dataset: Dataset, domain: Domain, settings: Settings, clock: Clock) -> Fitted:
        """Featurize, split, train and judge what was read."""
        from amalthea.tasks.columns.fit import fit

        return fit(dataset, domain, settings, clock)

    def restore(self, predictor: Predictor) -> Ready:
        """Check that every network answers as many numbers as the targets have; return what answers need.

        Raises:
            AmaltheaError: one does not, or there is no such baseline.
        """
        if not predictor.parts:
            state, folds = predictor.state, int(predictor.out_of_fold["fold"].max()) + 1
            if not (state.featurizers and is_simple(state.name, predictor.targets) and state.folds in (1, folds)):
                raise AmaltheaError(f"no baseline {state.name!r} in {state.folds} folds fits the targets.")
        width = sum(target.width for target in predictor.targets)
        for part in predictor.parts:
            example = np.zeros((1, *part.featurizer.shape), part.featurizer.dtype)
            answers = part.ensemble.predict(example).mean.shape
            if answers != (1, width):
                raise AmaltheaError(
                    f"the network of {part.featurizer.name!r} does not fit the targets: it answers {answers[1:]}."
                )
        return Ready.of(predictor)

    def upgrade(self, card: dict[str, Any]) -> dict[str, Any]:
        """Return the description as it is: nothing of it has changed."""
        return card

    def answer(self, predictor: Predictor, inputs: Inputs) -> Prediction:
        """Predict for inputs that the domain has read."""
        from amalthea.tasks.columns.answers import answer

        return answer(predictor, inputs)

    def positions(self, predictor: Predictor, inputs: Inputs) -> NDArray[np.float32]:
        """Return the first set of features of examples that can be read, shape (n, d)."""
        values = predictor.ready.featurizers[0].transform(inputs.examples)[0]
        return np.asarray(values, np.float32).reshape(len(inputs), -1)

    def columns(self, predictor: Predictor, prediction: Prediction, index: pd.Index[Any]) -> pd.DataFrame:
        """Return the columns of `amalthea predict`."""
        return columns(prediction, predictor.targets, index)

    def write(self, predictor: Predictor, paths: Sequence[Path], output: Path, **options: Any) -> Counts:  # noqa: ARG002
        """Refuse: columns are written as tables.

        Raises:
            DataError: always.
        """
        raise DataError(f"{output.name}: these predictions are written as a table, .csv.")

    def judge(self, predictor: Predictor, dataset: Dataset) -> TestFigures:
        """Judge a model on labelled data, beside baselines."""
        from amalthea.tasks.columns.judge import judge

        return judge(predictor, dataset)

    def context(self, predictor: Predictor, words: Words, learning_curve: bool) -> Context:
        """Return what the sections of a model's report are told."""
        from amalthea.tasks.columns.report.sections import context

        return context(predictor, words, learning_curve)

    def sections(self, context: Context) -> list[Section]:
        """Return the sections of the report."""
        from amalthea.tasks.columns.report.sections import sections

        return sections(context)

    def lessons(self, predictor: Predictor) -> Lessons:
        """Return what the figures of how a model learned are made from."""
        from amalthea.tasks.columns.lessons import ColumnLessons

        return ColumnLessons(predictor)


TASK = Columns()
