"""Forecasts: judged on the future, saved as they are, honest where they know little."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.domains.sequences.panel import Panel
from amalthea.predictor.predictor import Predictor
from amalthea.tasks.forecast.baselines import baselines, naive2
from amalthea.tasks.forecast.figures import Judged, figures, window_scores
from amalthea.tasks.forecast.origins import Rows
from tests.cli.conftest import Amalthea

HORIZON = 6


def shops(steps: int = 200) -> pd.DataFrame:
    """Return two series of unequal length whose height hangs on a price that is known in advance."""
    random = np.random.default_rng(0)
    parts = []
    for shop, length in (("north", steps), ("south", steps - 30)):
        days = pd.date_range("2024-01-01", periods=steps)[-length:]
        price = random.integers(1, 4, length)
        units = 50 + 10 * np.sin(np.arange(length) * 2 * np.pi / 7) - 8 * price + random.normal(size=length)
        parts.append(pd.DataFrame({"day": days, "shop": shop, "price": price, "region": shop[0], "units": units}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return shops()


@pytest.fixture(scope="module")
def predictor(data: pd.DataFrame) -> Predictor:
    past = data[data["day"] < "2024-07-01"]
    return am.train(
        past, "units", time="day", series="shop", known=("price",), fixed=("region",), horizon=HORIZON,
        members=2, folds=2, network="nlinear", epochs=60, verbose=0,
    )  # fmt: skip


def test_each_series_is_foretold_behind_its_last_step(predictor: Predictor, data: pd.DataFrame) -> None:
    newer = data[data["day"] >= "2024-07-01"].copy()
    newer.loc[newer["day"] >= "2024-07-05", "units"] = np.nan
    table = am.forecast(predictor, newer, levels=(0.5,))
    assert list(table.columns) == [
        "day", "series", "step", "mean", "lower", "upper", "lower_50", "upper_50", "warning", "problem",
    ]  # fmt: skip
    assert table["day"].tolist() == [f"2024-07-{day:02d}" for day in range(5, 5 + HORIZON)] * 2
    assert (table["lower"] < table["lower_50"]).all()
    assert (table["upper_50"] < table["upper"]).all()
    assert (table["warning"] == "").all()
    truth = data.merge(table, left_on=[data["day"].astype(str), "shop"], right_on=["day", "series"])
    assert np.corrcoef(truth["units"], truth["mean"])[0, 1] > 0.9


def test_what_is_known_in_advance_counts_and_is_missed(predictor: Predictor, data: pd.DataFrame) -> None:
    ahead = data[(data["day"] >= "2024-07-01") & (data["day"] < "2024-07-07")].assign(units=np.nan)
    cheap, dear = (am.forecast(predictor, ahead.assign(price=price))["mean"] for price in (1, 3))
    assert (cheap > dear).mean() > 0.9
    missed = am.forecast(predictor)
    assert missed["warning"].str.contains("known in advance is missing").all()
    assert np.isfinite(missed["mean"]).all()


def test_what_was_held_out_is_told_step_by_step(predictor: Predictor) -> None:
    table = predictor.predictions
    assert list(table.columns) == [
        "series", "origin", "step", "day", "fold", "target",
        "prediction", "std", "lower", "upper", "warning", "problem",
    ]  # fmt: skip
    ahead = pd.to_datetime(table["day"]) - pd.to_datetime(table["origin"])
    assert (ahead.dt.days + 1 == table["step"]).all()
    assert not table.duplicated(["series", "day"]).any()


def test_saved_is_opened(predictor: Predictor, data: pd.DataFrame, tmp_path: Path) -> None:
    predictor.save(tmp_path / "shops.amalthea")
    opened = am.load_model(tmp_path / "shops.amalthea")
    newer = data[data["day"] >= "2024-07-01"]
    pd.testing.assert_frame_equal(am.forecast(opened, newer), am.forecast(predictor, newer))
    assert opened.validation == predictor.validation
    assert am.evaluate(opened, newer).figures == am.evaluate(predictor, newer).figures


def test_it_is_judged_on_what_came_later_alone(predictor: Predictor, data: pd.DataFrame) -> None:
    newer = am.evaluate(predictor, data[data["day"] >= "2024-07-01"])
    everything = am.evaluate(predictor, data)
    assert everything.figures == newer.figures
    assert not any("flatter" in note for note in everything.notes)
    names = {"last value", "drift", "seasonal naive, 7 steps", "mean of 7 periods", "theta"}
    assert set(newer.baselines["units"]) == names
    with pytest.raises(am.AmaltheaError, match="do not reach 6 steps beyond"):
        am.evaluate(predictor, data[data["day"] < "2024-07-03"])


def test_a_series_that_was_not_learned_from_is_answered_wide_and_warned(
    predictor: Predictor, data: pd.DataFrame
) -> None:
    known = data[data["shop"] == "north"]
    both = pd.concat([known, known.assign(shop="west", region="z")])
    table = am.forecast(predictor, both).set_index(["series", "step"])
    assert table.loc["west", "warning"].str.contains("was not learned from").all()
    width = table["upper"] - table["lower"]
    assert (width["west"] > width["north"]).all()


def test_a_row_is_no_question(predictor: Predictor, data: pd.DataFrame) -> None:
    with pytest.raises(am.AmaltheaError, match="amalthea forecast MODEL"):
        predictor.predict(data.head())


def test_the_command_line_tells_the_same_story(data: pd.DataFrame, tmp_path: Path) -> None:
    data.to_csv(tmp_path / "shops.csv", index=False)
    options = ["--time", "day", "--series", "shop", "--target", "units", "--known", "price", "--fixed", "region"]
    amalthea = Amalthea(tmp_path)
    done = amalthea(
        "train", "shops.csv", *options, "--horizon", "6", "--members", "2", "--folds", "1", "--network", "nlinear",
        "--epochs", "2", "-o", "shops.amalthea", "--json",
    )  # fmt: skip
    assert {"scaled_mse", "scaled_mae", "mase", "smape", "owa"} <= set(json.loads(done.stdout)["metrics"])
    amalthea("forecast", "shops.amalthea", "-o", "next.csv", "--level", "0.8")
    assert len(pd.read_csv(tmp_path / "next.csv")) == 2 * HORIZON


def line(values: np.ndarray) -> Panel:
    one = np.array([0])
    return Panel(values[:, None], np.array([""], object), one, one, np.array([len(values) - 1]), one)


def test_baselines_are_what_their_names_say() -> None:
    tracks = line(np.r_[np.tile([1.0, 2.0, 4.0], 4), np.nan, np.nan])
    answers = baselines(tracks, Rows(np.array([0]), np.array([12])), 4, (3,))
    assert answers["last value"].tolist() == [[4, 4, 4, 4]]
    assert answers["seasonal naive, 3 steps"].tolist() == [[1, 2, 4, 1]]
    assert answers["mean of 7 periods"].tolist() == [[1, 2, 4, 1]]
    np.testing.assert_allclose(answers["drift"], 4 + np.arange(1, 5)[None] * 3 / 11)
    np.testing.assert_allclose(
        naive2(tracks, Rows(np.array([0]), np.array([12])), 4, 3, np.array([12])), [[1, 2, 4, 1]]
    )


def test_figures_are_what_their_names_say() -> None:
    truth = np.array([[1.0, 0.0], [2.0, np.nan]])
    one = np.ones(2)
    judged = Judged(truth, np.zeros(2, np.int64), np.arange(2), np.ones(2, bool), 2 * one, 4 * one, truth + 1)
    forecast = np.array([[3.0, 0.0], [2.0, 5.0]])
    found = figures(judged, window_scores(judged, forecast, forecast - 1, forecast + 1), np.ones(2, bool))
    assert found["mae"].value == pytest.approx(0.5)
    assert found["scaled_mae"].value == pytest.approx(0.25)
    assert found["mase"].value == pytest.approx(0.125)
    assert found["smape"].value == pytest.approx((50 + 0 + 0) / 2)  # the mean over each window first
    assert found["interval_score"].value == pytest.approx((2 + 20 / 2 + 2) / 2)
    assert found["rmse"].value == pytest.approx(1.0)
