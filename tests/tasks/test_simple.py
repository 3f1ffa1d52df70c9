"""A baseline as the model: judged by models that never saw a row, saved without pickle, and opened as it was."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.datasets import archive
from amalthea.errors import AmaltheaError, DataError
from amalthea.reporting.page import render
from amalthea.validation.metrics import Figure
from amalthea.validation.summary import TargetSummary
from tests.cli.conftest import Amalthea
from tests.predictor.models import CASES, table, trained


def simple(case: str, model: str, **options: Any) -> am.Predictor:
    """Return a baseline, trained on one of the small tables."""
    chosen = {**dict(CASES[case].options), **options}
    return am.train(CASES[case].frame, CASES[case].targets, model=model, verbose=0, **chosen)


@pytest.mark.parametrize(
    ("case", "model"),
    [
        ("number", "boosting"),
        ("many classes", "kernel"),
        ("two numbers with gaps", "linear"),
        ("a number with gaps and classes", "kernel"),
        ("one fold", "boosting"),
        ("molecules, classes", "boosting"),
    ],
)
def test_what_is_saved_is_what_is_opened(case: str, model: str, tmp_path) -> None:
    predictor, asked = simple(case, model), CASES[case].frame[list(CASES[case].features)]
    predictor.save(tmp_path / "m.amalthea")
    opened = am.load_model(tmp_path / "m.amalthea")
    before, after = predictor.predict(asked), opened.predict(asked)
    for field in ("mean", "std", "lower", "upper", "members", "applicability"):
        np.testing.assert_equal(getattr(after, field), getattr(before, field))
    assert repr(opened) == repr(predictor)
    names = archive.read_parts(tmp_path / "m.amalthea")
    assert all(name.endswith((".json", ".safetensors", ".csv")) for name in names)
    assert opened.evaluate(CASES[case].frame).trained_on == len(opened.out_of_fold)


def test_a_held_out_row_is_judged_by_a_model_that_never_saw_it() -> None:
    frame = table()[["a", "b", "colour", "y"]].assign(part=np.arange(36) % 3)
    changed = frame.assign(y=np.where(frame["part"] == 1, 100 * frame["y"], frame["y"]))
    one, other = (am.train(f, "y", model="linear", fold_column="part", verbose=0) for f in (frame, changed))
    rows = (one.out_of_fold["fold"] == 1).to_numpy()
    np.testing.assert_array_equal(one.out_of_fold["prediction"][rows], other.out_of_fold["prediction"][rows])
    assert (one.out_of_fold["prediction"][~rows] != other.out_of_fold["prediction"][~rows]).all()


@pytest.mark.parametrize("model", ["linear", "boosting"])
def test_those_that_judge_are_those_that_answer(model: str) -> None:
    predictor = simple("number", model)
    folds = predictor.out_of_fold["fold"].to_numpy()
    members = predictor.predict(table()[["a", "b", "colour"]]).members
    assert members.shape == (3, 36)
    np.testing.assert_allclose(members[folds, np.arange(36)], predictor.out_of_fold["prediction"], rtol=1e-6)


def test_the_figures_are_those_of_the_table_where_a_network_is_trained() -> None:
    network, chosen = (each.validation.targets[0] for each in (trained("number"), simple("number", "kernel")))
    assert chosen.metrics["rmse"].value == pytest.approx(network.baselines["kernel"]["rmse"].value)
    assert set(chosen.baselines) == {"mean", "linear", "boosting"}
    assert chosen.coverage is not None


def test_the_past_predicts_the_future() -> None:
    frame = table()[["a", "b", "y"]].assign(day=np.arange(36.0))
    predictor = am.train(frame, "y", model="linear", time_column="day", verbose=0)
    judged = predictor.out_of_fold["fold"] == 0
    assert (predictor.out_of_fold["prediction"].notna() == judged).all()
    assert predictor.predict(frame[["a", "b"]]).members.shape == (1, 36)  # which learned from both


def test_whole_clusters_are_held_out_of_it_too() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(180, 2)) + 4 * rng.integers(0, 3, 180)[:, None]
    frame = pd.DataFrame(x, columns=["a", "b"]).assign(y=x[:, 0] ** 2)
    summary = am.train(frame, "y", model="linear", verbose=0).validation.targets[0]
    assert summary.clusters is not None
    assert summary.clusters.metrics["rmse"].value > summary.metrics["rmse"].value


def test_without_examples_it_says_why_it_answers_nothing(tmp_path) -> None:
    simple("number", "boosting").save(tmp_path / "lean.amalthea", examples=False)
    opened = am.load_model(tmp_path / "lean.amalthea")
    with pytest.raises(AmaltheaError, match=r"without its examples.*'boosting'.*Train it again"):
        opened.predict(table()[["a", "b", "colour"]])
    assert "boosting" in render(opened)


def test_a_file_that_names_no_baseline_is_refused(tmp_path) -> None:
    path = tmp_path / "m.amalthea"
    simple("number", "linear").save(path)
    parts = archive.read_parts(path)
    for change in ({"name": "majority"}, {"folds": 10**9}, {"featurizers": []}):
        card = json.loads(parts["model.json"])
        card["state"] |= change
        archive.write_parts(path, {**parts, "model.json": archive.pack_json(card)})
        with pytest.raises(AmaltheaError, match="cannot be opened"):
            am.load_model(path)


def test_who_asks_for_another_one_hears_which_there_are() -> None:
    with pytest.raises(DataError, match=r"no network 'bosting'.*--model linear, kernel or boosting"):
        simple("number", "bosting")
    with pytest.raises(DataError, match="augment"):
        simple("number", "linear", augment=True)


@pytest.mark.parametrize(
    ("task", "name", "command"),
    [("regression", "boosting", True), ("energies", "boosting", False), ("regression", "of the data", False)],
)
def test_the_verdict_names_the_command_that_saves_what_is_better(task: str, name: str, command: bool) -> None:
    figures = {"rmse": Figure(1.0, 0.1)}
    summary = TargetSummary("y", task, "", "rmse", figures, {name: figures}, {name: Figure(-0.5, 0.1)}, None)
    (sentence,) = summary.verdict()
    assert "better than the network" in sentence
    assert (f"(amalthea train ... --model {name})" in sentence) == command


def test_every_command_takes_it(tmp_path) -> None:
    """Six commands, each a process of its own: together some seconds more than other tests."""
    amalthea = Amalthea(tmp_path)
    CASES["number"].frame.to_csv(tmp_path / "numbers.csv", index=False)
    words = ("train", "numbers.csv", "--target", "y", "--model", "boosting", "-o", "b.amalthea")
    assert "boosting, out of fold" in amalthea(*words).stdout
    amalthea("predict", "b.amalthea", "numbers.csv", "-o", "b.csv")
    answers = pd.read_csv(tmp_path / "b.csv")
    assert ((answers["lower"] < answers["prediction"]) & (answers["prediction"] < answers["upper"])).all()
    assert "baseline: linear" in amalthea("evaluate", "b.amalthea", "numbers.csv").stdout
    card = amalthea("info", "b.amalthea").stdout
    assert "boosting" in card
    assert "members" not in card
    amalthea("report", "b.amalthea", "-o", "b.html")
    page = (tmp_path / "b.html").read_text(encoding="utf-8")
    assert "A simple model, “boosting”, learned y" in page
    assert "--model boosting" in page
    assert "explain shows how networks learned" in amalthea("explain", "b.amalthea", code=2).stderr
