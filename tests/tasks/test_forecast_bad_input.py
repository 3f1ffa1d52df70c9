"""Series as they come: nothing bad loses the good part of them, and all of it is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.predictor.predictor import Predictor

STEPS = 240


@pytest.fixture
def data() -> pd.DataFrame:
    hours = pd.date_range("2024-03-01", periods=STEPS, freq="h").astype(str)
    noise = np.random.default_rng(0).normal(size=STEPS) * 0.1
    return pd.DataFrame({"when": hours, "load": 5 + np.sin(np.arange(STEPS) * np.pi / 12) + noise})


def train(data: pd.DataFrame, **options: Any) -> Predictor:
    return am.train(data, "load", **{"time": "when", "horizon": 4, "model": "theta", "verbose": 0, **options})


def mase(predictor: Predictor) -> float:
    return predictor.validation.targets[0].metrics["mase"].value


def test_the_order_of_rows_changes_nothing(data: pd.DataFrame) -> None:
    shuffled = train(data.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(am.forecast(shuffled), am.forecast(train(data)))


@pytest.mark.parametrize(
    ("spoil", "refused"),
    [
        (lambda table: pd.concat([table, table[5:9]]), 4),  # times that stand twice
        (lambda table: table.assign(when=[*table["when"][:-3], "1/4/24", "soon", ""]), 3),  # other ways to write them
        (lambda table: table.assign(when=[*table["when"][:-2], *(table["when"][-2:] + "+01:00")]), 2),  # mixed zones
        (lambda table: table.assign(load=["broken", "inf", *table["load"][2:].astype(str)]), 2),
    ],
)
def test_what_cannot_be_used_is_refused_alone(spoil: Any, refused: int, data: pd.DataFrame) -> None:
    predictor = train(spoil(data))
    assert len(predictor.refused) == refused
    assert mase(predictor) < 1.2


@pytest.mark.parametrize(("value", "error"), [(3.0, 0), (0.0, 0)])
def test_a_constant_is_foretold_and_its_intervals_hold(value: float, error: float, data: pd.DataFrame) -> None:
    predictor = train(data.assign(load=value))
    (summary,) = predictor.validation.targets
    assert summary.metrics["mae"].value == error
    assert summary.metrics["smape"].value == error  # zeros are no division by zero
    assert summary.coverage is not None
    assert summary.coverage.value == 1
    assert (am.forecast(predictor)["mean"] == value).all()


def test_a_gap_longer_than_the_input_leaves_figures_and_intervals(data: pd.DataFrame) -> None:
    (summary,) = train(pd.concat([data[:110], data[170:]])).validation.targets
    assert np.isfinite(summary.metrics["mase"].value)
    assert summary.coverage is not None


def test_a_series_shorter_than_the_horizon_leaves_the_others_as_they_are(data: pd.DataFrame) -> None:
    both = pd.concat([data.assign(name="long"), data[:3].assign(name="short")])
    predictor = train(both, series="name")
    table = am.forecast(predictor).set_index("series")
    assert np.isfinite(table["mean"]).all()
    assert table.loc["short", "warning"].str.contains("only 3 of the last").all()
    np.testing.assert_allclose(table.loc["long", "mean"], am.forecast(train(data))["mean"], rtol=1e-6)


def test_too_short_is_told_with_what_it_takes(data: pd.DataFrame) -> None:
    with pytest.raises(am.AmaltheaError, match="has 30 steps, too few to foretell 40 and to be judged: it takes 160"):
        train(data[:30], horizon=40)


def test_four_horizons_are_enough_for_a_network(data: pd.DataFrame) -> None:
    assert np.isfinite(mase(train(data[:97], horizon=24, model=None, network="nlinear", members=1, epochs=1)))


def test_a_series_without_a_value_is_answered_by_those_like_it(data: pd.DataFrame) -> None:
    shifted = {"a": 0, "b": 0.5, "c": 90}
    kinds = pd.concat(
        [data.assign(name=name, kind=str(shift > 1), load=data["load"] + shift) for name, shift in shifted.items()]
    )
    predictor = train(kinds, series="name", fixed=("kind",))
    new = pd.DataFrame({"when": ["2024-03-12 00:00:00"], "name": ["d"], "kind": ["False"], "load": [np.nan]})
    table = am.forecast(predictor, new).set_index("series")
    assert table.loc["d", "warning"].str.contains("the mean of 2 series like it").all()
    np.testing.assert_allclose(table.loc["d", "mean"], (table.loc["a", "mean"] + table.loc["b", "mean"].values) / 2)
    width = table["upper"] - table["lower"]
    assert (width["d"].to_numpy() > 2 * width["a"].to_numpy()).all()
    assert table.loc["d", "when"].iloc[0] == "2024-03-12 00:00:00"


def test_new_rows_of_no_use_are_told(data: pd.DataFrame) -> None:
    newer = pd.DataFrame({"when": ["2024-03-11 00:00:00", "soon"], "load": [5.0, 6.0]})
    assert am.forecast(train(data), newer)["warning"].str.contains("1 new row of no use, such as row").all()


def test_theta_makes_nothing_huge_of_a_season_that_comes_near_zero(data: pd.DataFrame) -> None:
    near = np.where(np.arange(STEPS) % 24 < 2, 1e-3, data["load"])
    assert am.forecast(train(data.assign(load=near)))["mean"].abs().max() < 10


def test_many_short_series_are_one_model() -> None:
    days, count = pd.date_range("2024-01-01", periods=28).astype(str), 300
    week = np.tile(np.arange(28) % 7, count) + np.random.default_rng(0).normal(size=28 * count) * 0.1
    names = np.repeat([f"s{number}" for number in range(count)], 28)
    many = pd.DataFrame({"when": np.tile(days, count), "name": names, "load": week})
    predictor = train(many, series="name", model="seasonal naive")
    assert am.forecast(predictor)["series"].nunique() == count
    assert mase(predictor) < 2
