"""Nothing that came after an origin has a say in what was foretold at it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import amalthea as am

STEPS, HORIZON = 240, 6


def table(random: np.random.Generator) -> pd.DataFrame:
    hours = pd.date_range("2024-01-01", periods=STEPS, freq="h")
    wave = np.sin(np.arange(STEPS) * 2 * np.pi / 8)
    noise = random.normal(size=(2, STEPS)) * 0.1
    return pd.DataFrame({"time": hours, "load": 5 + wave + noise[0], "flow": 3 - wave + noise[1]})


def held_out(data: pd.DataFrame) -> pd.DataFrame:
    predictor = am.train(data, ["load", "flow"], time="time", horizon=HORIZON, epochs=1, members=2, verbose=0)
    return predictor.predictions


@pytest.mark.parametrize("flipped", [150, 190, 225])
def test_what_comes_later_leaves_earlier_forecasts_as_they_were(flipped: int) -> None:
    data = table(np.random.default_rng(0))
    other = data.copy()
    other.loc[flipped:, ["load", "flow"]] *= -1.0
    before, after = held_out(data), held_out(other)
    assert before[["fold", "series", "origin", "step"]].equals(after[["fold", "series", "origin", "step"]])
    earlier = (pd.to_datetime(before["origin"]) <= data["time"][flipped]).to_numpy()
    assert 0 < earlier.sum() < len(earlier)
    for name in ("prediction", "lower", "upper"):
        for target in ("load", "flow"):
            column = f"{target}_{name}"
            np.testing.assert_array_equal(before[column][earlier], after[column][earlier])
            if name == "prediction":
                assert not np.array_equal(before[column][~earlier], after[column][~earlier])
