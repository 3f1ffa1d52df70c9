"""Where words go: results to standard output, errors to standard error, JSON alone and strict."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pandas as pd
import pytest

from tests.cli.conftest import QUICK, Amalthea


def strict(text: str) -> dict[str, Any]:
    """Return the only JSON object of a text, which must be strict JSON."""
    assert text.endswith("}\n")
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def several(amalthea: Amalthea) -> str:
    """Return a model of two targets, one of them with gaps."""
    table = pd.read_csv(amalthea.folder / "numbers.csv")
    table["class"] = ["low", "high", "NA"] * 40
    table.to_csv(amalthea.folder / "several.csv", index=False)
    words = ("--target", "y", "--target", "class", "-o", "several.amalthea", "--folds", "2", "--members", "1")
    told = strict(amalthea("train", "several.csv", *words, "--epochs", "2", "--json").stdout)
    assert told["task"] == {"y": "regression", "class": "classification"}
    assert set(told["metrics"]) == set(told["baselines"]) == set(told["test"]) == {"y", "class"}
    assert told["calibration"]["coverage_90"]["class"] is None
    return "several.amalthea"


def test_predictions_as_json(amalthea, several):
    (amalthea.folder / "few.csv").write_text("a,b,c,colour\n,,,\n1,2,3,red\n")
    run = amalthea("predict", several, "few.csv", "--json")
    told = strict(run.stdout)
    assert (told["output"], told["rows"], told["predicted"], told["problems"]) == (None, 2, 1, 1)
    assert [row["y_prediction"] is None for row in told["predictions"]] == [True, False]
    assert {"y_lower", "class_prediction", "class_probability_low", "problem"} <= set(told["predictions"][0])
    silent = amalthea("predict", several, "few.csv", "--json", "-o", "few_out.csv", "--quiet")
    told = strict(silent.stdout)
    assert (told["output"], told["rows"], told["predicted"], told["problems"]) == ("few_out.csv", 2, 1, 1)
    assert "predictions" not in told
    assert silent.stderr == ""


def test_evaluation_as_json_says_what_was_trained_on(amalthea, several):
    run = amalthea("evaluate", several, "several.csv", "--json")
    told = strict(run.stdout)
    assert told["trained_on"] == told["examples"] == 120
    assert set(told["metrics"]) == {"y", "class"}
    assert "training examples of this model" in run.stderr


def test_one_fold_is_null_and_said(amalthea):
    run = amalthea("train", "numbers.csv", "--target", "y", "--folds", "1", "--members", "2", "--epochs", "2", "--json")
    told = strict(run.stdout)
    assert told["metrics"] == {}
    assert told["calibration"]["coverage_90"] is None
    assert told["model"] is None
    assert any("nothing was held out" in sentence for sentence in told["verdict"])


def test_quiet_says_nothing(amalthea, numbers_model):
    for words in (
        ("train", "numbers.csv", "--target", "y", "-o", "quiet.amalthea", *QUICK),
        ("predict", "numbers.amalthea", "numbers.csv", "-o", "quiet.csv"),
    ):
        run = amalthea(*words, "--quiet")
        assert (run.stdout, run.stderr) == ("", "")
    assert (amalthea.folder / "quiet.amalthea").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("train", "nothing.csv"),
        ("train", "numbers.csv", "--target", "y", "--folds", "0"),
        ("train",),
        ("train", "numbers.csv", "--no-such-option"),
        ("train", "numbers.csv", "--target", "y", "-o", "numbers.csv"),
        ("train", "numbers.csv", "--target", "y", "-o", "."),
        ("train", "numbers.csv", "--target", "y", "-o", "same", "--out-of-fold", "same"),
        ("train", "numbers.csv", "--target", "y", "--out-of-fold", "numbers.csv"),
        ("predict", "numbers.amalthea", "numbers.csv", "-o", "numbers.csv"),
        ("predict", "numbers.amalthea", "numbers.csv", "-o", "numbers.amalthea"),
        ("predict", "numbers.amalthea", "a.csv", "b.csv"),
        ("predict", "wine.csv", "numbers.csv"),
        ("evaluate", "numbers.amalthea", "wine.csv"),
        ("data", "moon"),
    ],
)
def test_an_error_is_on_standard_error_alone(amalthea, numbers_model, words):
    before = (amalthea.folder / "numbers.csv").read_bytes(), numbers_model.read_bytes()
    run = amalthea(*words, "--json", code=2)
    assert run.stdout == ""
    assert run.stderr.strip()
    assert "Traceback" not in run.stderr
    assert "\x1b" not in run.stderr
    assert before == ((amalthea.folder / "numbers.csv").read_bytes(), numbers_model.read_bytes())


def test_a_reader_that_has_seen_enough_is_no_error(amalthea, numbers_model):
    lines = (amalthea.folder / "numbers.csv").read_text().splitlines()
    (amalthea.folder / "long.csv").write_text("\n".join([lines[0], *lines[1:] * 60]) + "\n")
    program = subprocess.Popen(
        [sys.executable, "-m", "amalthea", "predict", "numbers.amalthea", "long.csv"],
        cwd=amalthea.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stderr is not None
    assert program.stdout.readline().startswith("a,b,c")
    program.stdout.close()
    told = program.stderr.read()
    program.stderr.close()
    assert program.wait() == 0
    assert "Traceback" not in told
    assert "Error" not in told
