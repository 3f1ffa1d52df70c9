"""Values far from what was foretold are marked, and few others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.predictor.predictor import Predictor
from tests.cli.conftest import Amalthea

HOURS, LEARNED = 24 * 240, 24 * 160


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    hours = np.arange(HOURS)
    noise = np.random.default_rng(0).normal(size=HOURS)
    return pd.DataFrame(
        {"time": pd.date_range("2024-01-01", periods=HOURS, freq="h"), "load": np.sin(hours * np.pi / 12) * 4 + noise}
    )


@pytest.fixture(scope="module")
def predictor(data: pd.DataFrame) -> Predictor:
    return am.train(data[:LEARNED], "load", time="time", horizon=12, model="mean of 7 periods", verbose=0)


@pytest.mark.parametrize("alarms", [1.0, 4.0])
def test_false_alarms_are_about_as_many_as_are_put_up_with(
    predictor: Predictor, data: pd.DataFrame, alarms: float
) -> None:
    table = am.forecast(predictor, data[LEARNED:], anomalies=True, alarms=alarms)
    assert len(table) == HOURS - LEARNED
    months = len(table) / 730
    # Marks less than a horizon apart are one alarm. Limit and counts are random: twice as many and two deviations.
    apart = np.diff(np.flatnonzero(table["anomaly"]), prepend=-100) >= 12
    assert apart.sum() <= 2 * (alarms * months + np.sqrt(2 * alarms * months)) + 1


def test_what_breaks_out_is_marked_and_told(predictor: Predictor, data: pd.DataFrame) -> None:
    newer = data[LEARNED:].copy()
    broken = newer.index[500:506]
    newer.loc[broken, "load"] += 12
    table = am.forecast(predictor, newer, anomalies=True)
    marked = table[table["time"].isin(newer["time"][broken].astype(str))]
    assert marked["anomaly"].all()
    assert (marked["value"] > marked["upper"]).all()


def test_too_little_held_out_promises_nothing(data: pd.DataFrame) -> None:
    short = am.train(data[:600], "load", time="time", horizon=12, model="drift", verbose=0)
    with pytest.raises(am.AmaltheaError, match="too few to promise 1 false alarms a month"):
        am.forecast(short, data[600:], anomalies=True)


def test_the_command_line_marks_them(predictor: Predictor, data: pd.DataFrame, tmp_path: Path) -> None:
    predictor.save(tmp_path / "load.amalthea")
    data[LEARNED:].to_csv(tmp_path / "newer.csv", index=False)
    amalthea = Amalthea(tmp_path)
    done = amalthea("forecast", "load.amalthea", "newer.csv", "--anomalies", "-o", "marked.csv", "--json")
    assert json.loads(done.stdout)["rows"] == HOURS - LEARNED
    names = ["time", "series", "target", "value", "mean", "lower", "upper", "score", "anomaly"]
    assert list(pd.read_csv(tmp_path / "marked.csv").columns) == names
