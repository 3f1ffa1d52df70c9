"""Numbers outside of what was learned: answers stay bounded, intervals grow, and the model says so."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amalthea as am
from amalthea.validation.calibration import IntervalCalibration, fit_interval
from tests.predictor.models import trained


def table(rows: int, seed: int, scale: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = scale * rng.normal(size=(rows, 3))
    noise = 0.1 * (1 + np.abs(x[:, 0])) * rng.normal(size=rows)
    return pd.DataFrame(x, columns=list("abc")).assign(y=x[:, 0] + 0.5 * x[:, 1] + noise)


@functools.cache
def model() -> am.Predictor:
    return am.train(table(300, 0), "y", folds=2, members=2, epochs=30, verbose=0)


def width(prediction: am.Prediction) -> np.ndarray:
    return prediction.upper - prediction.lower


wild = st.floats(allow_nan=True, allow_infinity=True, width=64)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(wild, wild, wild), min_size=1, max_size=5))
def test_no_answer_lies_farther_out_than_the_range_is_wide(rows) -> None:
    prediction = model().predict(pd.DataFrame(rows, columns=list("abc")))
    truth = model().out_of_fold["target"]
    good = prediction.problems == ""
    span = truth.max() - truth.min()
    assert (prediction.mean[good] >= truth.min() - span - 1e-5).all()
    assert (prediction.mean[good] <= truth.max() + span + 1e-5).all()
    assert np.isfinite(width(prediction)[good]).all()


@settings(max_examples=30, deadline=None)
@given(st.text("CNOFSPcno()=#123[]+-.ClBrPt", min_size=1, max_size=30))
def test_no_molecule_has_a_wild_answer(smiles) -> None:
    predictor = trained("molecules, number")
    prediction = predictor.predict([smiles])
    truth = predictor.out_of_fold["target"]
    span = truth.max() - truth.min()
    known = prediction.problems == ""
    assert (np.abs(prediction.mean[known] - truth.mean()) <= 2 * span + 1e-5).all()


def test_intervals_grow_with_the_distance_and_keep_growing() -> None:
    asked = pd.DataFrame([[t, 0.0, 0.0] for t in (0, 3, 6, 30, 300, 3000)], columns=list("abc"))
    prediction = model().predict(asked)
    assert (np.diff(width(prediction)) > 0).all()
    assert prediction.outside[2:].all()
    assert not prediction.outside[0]
    truth = asked["a"].to_numpy()
    held = (prediction.lower <= truth) & (truth <= prediction.upper)
    assert held[2:].all()  # a linear truth, however far


def test_known_kinds_of_rows_are_inside() -> None:
    prediction = model().predict(table(300, 1))
    assert prediction.outside.mean() < 0.03
    truth = table(300, 1)["y"].to_numpy()
    held = (prediction.lower <= truth) & (truth <= prediction.upper)
    assert 0.83 < held.mean() < 0.97


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_sigma_is_monotone_in_spread_distance_and_excess(data) -> None:
    size = st.floats(0, 50, allow_nan=False)
    rng = np.random.default_rng(data.draw(st.integers(0, 20)))
    spread, distance = rng.gamma(2, 0.1, 200), rng.gamma(4, 0.25, 200)
    truth = rng.normal(size=200)
    calibration = fit_interval(rng.normal(size=200) * (0.1 + spread), spread, distance=distance, truth=truth)
    place = [data.draw(size) for _ in range(3)]
    steps = [data.draw(size) for _ in range(3)]
    near = calibration.sigma([place[0]], [place[1]], [place[2]])
    far = calibration.sigma(*([p + step] for p, step in zip(place, steps, strict=True)))
    assert far >= near - 1e-12
    assert 0.5 <= calibration.power <= 1
    # Beyond the calibrated range no disagreement is calibrated away.
    absurd = calibration.sigma([1e9], [1.0], [0.0])
    assert calibration.factor * absurd >= 1e9


def test_calibrations_of_older_files_answer_as_before() -> None:
    old = IntervalCalibration(a=0.3, b=2.0, factor=1.5, power=0.4)
    spread = np.array([0.0, 0.1, 3.0])
    expected = np.hypot(0.3, 2.0 * spread**0.4)
    np.testing.assert_array_equal(old.sigma(spread), expected)
    np.testing.assert_array_equal(old.sigma(spread, [1.0, 5.0, 50.0], [0, 0, 9.0]), expected)
    assert not old.outside(spread, [1.0, 5.0, 50.0]).any()


def test_opened_model_knows_its_reach(tmp_path: Path) -> None:
    model().save(tmp_path / "y.amalthea")
    opened = am.load_model(tmp_path / "y.amalthea")
    asked = table(50, 2, scale=20)
    before, after = model().predict(asked), opened.predict(asked)
    for field in ("mean", "std", "lower", "upper", "outside"):
        np.testing.assert_array_equal(getattr(before, field), getattr(after, field))
    assert opened.calibrations == model().calibrations


def test_command_warns_refuses_or_answers(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from amalthea.cli import app

    file, asked = tmp_path / "y.amalthea", tmp_path / "asked.csv"
    model().save(file)
    pd.concat([table(4, 3), table(2, 3, 1000)]).drop(columns="y").to_csv(asked, index=False)
    words = ["predict", str(file), str(asked), "-o", str(tmp_path / "out.csv"), "--json"]
    for outside, problems, marked in (("warn", 0, 2), ("refuse", 2, 0), ("answer", 0, 0)):
        run = CliRunner().invoke(app, [*words, "--outside", outside], catch_exceptions=False)
        printed = json.loads(run.stdout)
        assert (printed["problems"], printed["outside"]) == (problems, marked), outside
        table_of = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
        column = "problem" if outside == "refuse" else "warning"
        assert table_of[column].str.startswith("outside").sum() == (0 if outside == "answer" else 2)
    run = CliRunner().invoke(app, words[:-1], catch_exceptions=False)
    assert "2 lie outside of what was learned; their intervals are" in run.stderr


@pytest.mark.parametrize("name", ["number", "two numbers with gaps"])
def test_out_of_fold_intervals_are_those_of_the_distances(name: str) -> None:
    """The table's columns follow from the raw ones and the saved constants."""
    predictor = trained(name)
    raw = predictor.out_of_fold
    for target, calibration in zip(predictor.targets, predictor.calibrations, strict=True):
        prefix = f"{target.name}_" if len(predictor.targets) > 1 else ""
        std = calibration.sigma(raw[f"{prefix}raw_std"], raw["raw_distance"], raw["raw_excess"])
        np.testing.assert_allclose(raw[f"{prefix}std"], std)
    assert not any("raw_" in column for column in predictor.predictions.columns)
    assert dataclasses.is_dataclass(calibration)


def test_what_was_never_missing_in_training_is_outside_when_it_is() -> None:
    frame = table(300, 0).assign(colour=np.random.default_rng(1).choice(["red", "blue"], 300))
    frame.loc[::7, "b"] = np.nan
    predictor = am.train(frame, "y", folds=2, members=2, epochs=10, verbose=0)
    asked = pd.concat([table(4, 5)[list("abc")].assign(colour="red")], ignore_index=True)
    asked.loc[1, "a"], asked.loc[2, "colour"], asked.loc[3, "b"] = np.nan, "green", np.nan
    prediction = predictor.predict(asked)
    assert prediction.outside.tolist() == [False, True, True, False]
    spread = frame["y"].to_numpy() - frame["y"].mean()
    assert (width(prediction)[1:3] / 2 >= np.quantile(np.abs(spread), 0.9)).all()
    assert (width(prediction)[1:3] > 1.5 * width(prediction)[0]).all()
