"""Networks for series: each learns what is there to be learned, is saved, and a user's stands among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.predictor.predictor import Predictor

HOW = {"time": "time", "horizon": 4, "members": 1, "folds": 1, "epochs": 20, "batch_size": 64, "verbose": 0}

MODEL = """
import keras

def network(shape, outputs):
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(outputs + {more})])
"""


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    wave = np.sin(np.arange(200) * np.pi / 4) * np.linspace(1, 2, 200)
    return pd.DataFrame({"time": pd.date_range("2024-01-01", periods=200, freq="h"), "load": wave + 5})


def error(predictor: Predictor) -> float:
    """Return the mean absolute error by that of repeating the last value."""
    (summary,) = predictor.validation.targets
    return summary.metrics["mae"].value / summary.baselines["last value"]["mae"].value


@pytest.mark.parametrize("network", ["lstm", "convolution"])
def test_a_wave_is_learned_and_saved(network: str, data: pd.DataFrame, tmp_path: Path) -> None:
    predictor = am.train(data, "load", network=network, **HOW)
    assert error(predictor) < 0.5
    predictor.save(tmp_path / "wave.amalthea")
    again = am.forecast(tmp_path / "wave.amalthea")
    pd.testing.assert_frame_equal(again, am.forecast(predictor))


@pytest.mark.parametrize("name", ["mine.py", "mine.py:network"])
def test_a_network_of_the_users_learns_too(
    name: str, data: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MODEL.format(more=0))
    predictor = am.train(data, "load", network=name, **HOW)
    assert error(predictor) < 0.5
    predictor.save(tmp_path / "wave.amalthea")
    pd.testing.assert_frame_equal(am.forecast(tmp_path / "wave.amalthea"), am.forecast(predictor))


def test_a_network_that_does_not_fit_is_told(
    data: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wide.py").write_text(MODEL.format(more=1))
    with pytest.raises(am.AmaltheaError, match="must answer with 4 numbers"):
        am.train(data, "load", network="wide.py", **HOW)
    with pytest.raises(am.AmaltheaError, match="have no network 'grru'"):
        am.train(data, "load", network="grru", **HOW)
