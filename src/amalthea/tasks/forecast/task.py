"""Forecasts as a kind of answer: the future of series."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from amalthea.datasets.dataset import Dataset, Inputs
from amalthea.datasets.messages import listed
from amalthea.domains.protocol import Defaults, Domain, Featurizing
from amalthea.errors import DataError
from amalthea.tasks.forecast.baselines import SIMPLE
from amalthea.tasks.forecast.state import ForecastState
from amalthea.tasks.protocol import Clock, Fitted, TestFigures
from amalthea.training.prediction import Prediction

if TYPE_CHECKING:
    from amalthea.predictor.predictor import Predictor
    from amalthea.reporting.blocks import Section
    from amalthea.reporting.context import Context
    from amalthea.reporting.translate import Words
    from amalthea.tasks.lessons import Lessons
    from amalthea.workflow.settings import Settings

CUSTOM_MODELS = (".keras", ".h5", ".py")
"""How the files end from which a network of the user's is taken."""

ASKED = "a model of series is asked by `amalthea forecast MODEL`, or predictor.forecast()"


class Forecast:
    """What follows the last known step of series, for as many steps as the horizon has."""

    name: str = "forecast"
    state_type: Any = ForecastState
    keras_modules: Sequence[str] = ()
    suffixes: frozenset[str] = frozenset()

    def defaults(self, dataset: Dataset, domain: Domain, network: str, augment: bool | None) -> Defaults:
        """Return how series are learned from.

        Raises:
            DataError: the data are no series, there is no such network, or augmentation is asked for.
        """
        if not isinstance(domain, Featurizing) or domain.task != self.name:
            raise DataError(f"the future of {domain.nouns.many} cannot be foretold: give --time and --horizon.")
        if augment:
            raise DataError("--augment is for pictures.")
        if network.replace("-", " ").startswith(SIMPLE):
            return dataclasses.replace(domain.defaults(dataset, network), members=1)
        if ":" in network or network.endswith(CUSTOM_MODELS):
            return dataclasses.replace(domain.defaults(dataset, network), network=network)
        if network not in domain.network_choices:
            raise DataError(
                f"series have no network {network!r}. Choose one of: {listed(domain.network_choices)}; "
                f"NAME.keras or NAME.py:function; or a simple model: {listed(SIMPLE)}."
            )
        return domain.defaults(dataset, network)

    def fit(self, dataset: Dataset, domain: Domain, settings: Settings, clock: Clock) -> Fitted:
        """Learn the past, and judge on the future."""
        from amalthea.tasks.forecast.fit import fit

        return fit(dataset, domain, settings, clock)

    def restore(self, predictor: Predictor) -> None:
        """Check that there is a scale for each channel.

        Raises:
            DataError: there is not.
        """
        state: ForecastState = predictor.state
        each = (state.series, state.channel, state.spread, state.season, state.last, *state.shares.values())
        there = {part.featurizer.name for part in predictor.parts}
        if len(set(map(len, each))) != 1 or not all(n in there or n.startswith(SIMPLE) for n in state.shares):
            raise DataError("the scales of the series do not fit each other.")

    def upgrade(self, card: dict[str, Any]) -> dict[str, Any]:
        """Return the description as it is: nothing of it has changed."""
        return card

    def forecast(self, predictor: Predictor, newer: Inputs | None, levels: Sequence[float]) -> pd.DataFrame:
        """Return what follows the last known step of each series; see `Predictor.forecast`."""
        from amalthea.tasks.forecast.answers import forecast

        return forecast(predictor, newer, levels)

    def anomalies(self, predictor: Predictor, newer: Inputs, alarms: float) -> pd.DataFrame:
        """Return which of the values since the training lie far from what was foretold; see `Predictor.anomalies`."""
        from amalthea.tasks.forecast.anomalies import anomalies

        return anomalies(predictor, newer, alarms)

    def answer(self, predictor: Predictor, inputs: Inputs) -> Prediction:  # noqa: ARG002
        """Refuse: a row of a series is no question.

        Raises:
            DataError: always.
        """
        raise DataError(f"{ASKED}.")

    def columns(self, predictor: Predictor, prediction: Prediction, index: pd.Index[Any]) -> pd.DataFrame:  # noqa: ARG002
        """Refuse, as `answer`.

        Raises:
            DataError: always.
        """
        raise DataError(f"{ASKED}.")

    def write(self, predictor: Predictor, paths: Sequence[Path], output: Path, **options: Any) -> dict[str, int]:  # noqa: ARG002
        """Refuse, as `answer`.

        Raises:
            DataError: always.
        """
        raise DataError(f"{ASKED}.")

    def judge(self, predictor: Predictor, dataset: Dataset) -> TestFigures:
        """Judge a model at rolling origins later than what it learned from."""
        from amalthea.tasks.forecast.answers import judge

        return judge(predictor, dataset)

    def context(self, predictor: Predictor, words: Words, learning_curve: bool) -> Context:
        """Return what the sections of a report are told."""
        from amalthea.tasks.forecast.report.sections import context

        return context(predictor, words, learning_curve)

    def sections(self, context: Context) -> list[Section]:
        """Return the sections of a report."""
        from amalthea.tasks.forecast.report.sections import sections

        return sections(context)

    def lessons(self, predictor: Predictor) -> Lessons:
        """Return what the figures of how a model learned are made from: nothing yet."""
        from amalthea.tasks.lessons import Lessons

        return Lessons(predictor)


TASK = Forecast()
