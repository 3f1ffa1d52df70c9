"""The report on a model of series: what was foretold beside what came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Paragraph, Plot, Table
from amalthea.reporting.page import render
from amalthea.reporting.translate import in_language
from amalthea.tasks import task
from amalthea.tasks.forecast.report.context import ForecastContext
from amalthea.tasks.forecast.report.gradient import gradients

HORIZON, EVENT = 12, 400


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    hours = np.arange(480)
    noise = np.random.default_rng(0).normal(size=(2, len(hours))) * 0.1
    load = 5 + np.sin(hours * 2 * np.pi / 24) + noise[0]
    load[EVENT : EVENT + HORIZON] += 4
    return pd.DataFrame(
        {"time": pd.date_range("2024-01-01", periods=480, freq="h"), "load": load, "flow": 3 + noise[1]}
    )


@pytest.fixture(scope="module")
def network(data: pd.DataFrame) -> Predictor:
    return am.train(data, "load", time="time", horizon=HORIZON, network="nlinear", members=1, folds=2, verbose=0)


def blocks(predictor: Predictor) -> dict[str, object]:
    """Return the blocks of a report by the name of the figure, or their text."""
    known = task("forecast")
    sections = known.sections(known.context(predictor, in_language(), False))
    found = [block for section in sections for block in section.blocks]
    return {getattr(block, "name", getattr(block, "text", getattr(block, "caption", ""))): block for block in found}


def test_the_worst_window_is_that_of_the_event(network: Predictor, data: pd.DataFrame) -> None:
    worst = blocks(network)["worst-window"]
    assert isinstance(worst, Plot)
    event = set(data["time"][EVENT : EVENT + HORIZON].astype(str))
    assert event & set(worst.table["time"])


def test_errors_are_told_by_step_hour_and_weekday(network: Predictor) -> None:
    shown = blocks(network)
    assert {"series-1", "errors-by-step", "errors-by-hour", "errors-by-weekday", "moved-by", "losses-1"} <= set(shown)
    by_step = shown["errors-by-step"]
    assert isinstance(by_step, Plot)
    assert list(by_step.table["step"]) == list(range(1, HORIZON + 1))


def test_the_gradient_of_a_linear_network_is_its_weights(network: Predictor) -> None:
    known = task("forecast").context(network, in_language(), False)
    assert isinstance(known, ForecastContext)
    moved = gradients(known, network.parts[0])
    assert moved.shape == (network.state.window.context,)
    # What moves all past steps by one moves the answer by one: gradients of each window sum to one.
    assert moved.sum() >= 1 - 1e-3


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_the_page_is_written(network: Predictor, language: str) -> None:
    page = render(network, language=language)
    assert ("foretold and what came" in page) == (language == "en")


def test_a_simple_model_of_several_targets_has_a_report(data: pd.DataFrame, tmp_path: Path) -> None:
    predictor = am.train(data, ["load", "flow"], time="time", horizon=HORIZON, model="theta", verbose=0)
    assert "--model theta" in render(predictor)
    shown = blocks(predictor)
    assert {"series-1", "series-2"} <= set(shown)
    assert any(isinstance(each, Table) and each.caption == "Each target by itself." for each in shown.values())
    assert any(isinstance(each, Paragraph) and "has no gradient" in each.text for each in shown.values())
    predictor.save(tmp_path / "theta.amalthea")
    card = str(am.info(tmp_path / "theta.amalthea"))
    assert "theta" in card
    assert "members" not in card
