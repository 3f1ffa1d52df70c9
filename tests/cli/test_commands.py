"""The command line's contract: columns, JSON, exit codes, where words go."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from amalthea import __version__ as amalthea_version
from tests.cli.conftest import QUICK

ANSWER = ["prediction", "std", "lower", "upper", "applicability", "warning", "problem"]


def test_train_json_is_one_object_with_the_contracted_names(amalthea):
    run = amalthea("train", "numbers.csv", "--target", "y", "-o", "json.amalthea", "--json", *QUICK)
    told = json.loads(run.stdout)
    assert run.stdout.count("\n") == 1
    assert told["model"] == "json.amalthea"
    assert told["task"] == "regression"
    assert (told["examples"], told["folds"], told["members"]) == (120, 3, 3)
    assert set(told["metrics"]) == {"rmse", "mae", "r2"}
    assert all(set(figure) == {"value", "error"} for figure in told["metrics"].values())
    assert {"mean", "linear", "kernel", "boosting"} <= set(told["baselines"])
    assert set(told["seconds"]) == {"read", "featurize", "train", "validate"}
    assert 0 <= told["calibration"]["coverage_90"] <= 1
    assert told["test"] is None
    assert told["refused"] == []


def test_the_version_is_that_of_the_package(amalthea):
    assert amalthea("--version").stdout == f"amalthea {amalthea_version}\n"


def test_train_prints_a_table_and_commands_that_were_not_tried(amalthea):
    run = amalthea("train", "wine.csv", "--target", "target", "-o", "told.amalthea", *QUICK)
    assert "ROC AUC" in run.stdout
    assert "baseline: majority" in run.stdout
    assert re.findall(r"^  amalthea (\w+)", run.stdout, re.MULTILINE) == ["predict", "report", "explain", "train"]
    assert "--members 20" not in run.stdout  # QUICK names the members
    assert "'target' has three" in run.stderr or "target" in run.stderr


def test_a_narrow_terminal_has_the_table_s_rows_as_blocks(amalthea, wine_model):
    wide = amalthea("evaluate", "wine.amalthea", "wine.csv", COLUMNS="200")
    narrow = amalthea("evaluate", "wine.amalthea", "wine.csv", COLUMNS="50")
    assert max(map(len, narrow.stdout.splitlines())) <= 50 < max(map(len, wide.stdout.splitlines()))
    assert "\n  ROC AUC ↑   " in narrow.stdout
    assert wide.stdout.split() != narrow.stdout.split()
    figures = re.findall(r"[\d.]+ ± [\d.]+", wide.stdout)
    assert sorted(figures) == sorted(re.findall(r"[\d.]+ ± [\d.]+", narrow.stdout))


def test_every_command_speaks_the_language_that_is_asked_for(amalthea, wine_model):
    asked = amalthea("predict", "wine.amalthea", "wine.csv", "-o", "pt.csv", "--lang", "pt-BR")
    assert "178 de 178 linhas previstas." in asked.stderr
    by_place = amalthea("evaluate", "wine.amalthea", "wine.csv", LC_ALL="pt_BR.UTF-8")
    assert "referência: maioria" in by_place.stdout
    assert "baseline" not in by_place.stdout
    unknown = amalthea("evaluate", "wine.amalthea", "wine.csv", "--lang", "xx", code=2)
    assert "The languages are: en, pt-BR." in unknown.stderr
    assert set(json.loads(amalthea("evaluate", "wine.amalthea", "wine.csv", "--json", "--lang", "pt-BR").stdout)) == {
        *("examples", "trained_on", "refused", "metrics", "baselines")
    }


def test_out_of_fold_figures_are_those_of_the_file(amalthea, numbers_model):
    table = pd.read_csv(amalthea.folder / "held out.csv")
    assert list(table.columns) == ["row", "fold", "target", *ANSWER]
    assert table["row"].tolist() == list(range(2, 122))
    told = json.loads(
        amalthea("train", "numbers.csv", "--target", "y", "--json", *QUICK).stdout
    )  # the same seed, so the same folds and networks
    rmse = np.sqrt(np.mean((table["prediction"] - table["target"]) ** 2))
    assert told["metrics"]["rmse"]["value"] == pytest.approx(rmse, rel=1e-5)


def test_predict_keeps_rows_in_place_and_answers_all_good_ones(amalthea, numbers_model):
    table = pd.read_csv(amalthea.folder / "numbers.csv").drop(columns="y").head(6).astype(object)
    table.loc[2, "a"] = "not a number"
    table["note"] = [f"my own {i}" for i in range(6)]
    table.to_csv(amalthea.folder / "asked.csv", index=False)
    amalthea("predict", "numbers.amalthea", "asked.csv", "-o", "the answers.csv")
    answer = pd.read_csv(amalthea.folder / "the answers.csv", keep_default_na=False)
    assert list(answer.columns) == [*table.columns, *ANSWER]
    assert answer["note"].tolist() == table["note"].tolist()
    told = pd.to_numeric(answer["prediction"])
    assert ((pd.to_numeric(answer["lower"]) < told) & (told < pd.to_numeric(answer["upper"]))).all()
    assert "a" in answer["warning"][2]


def test_classes_are_named_as_in_the_file(amalthea, wine_model):
    answer_file = amalthea.folder / "classes.csv"
    amalthea("predict", "wine.amalthea", "wine.csv", "-o", str(answer_file))
    answer = pd.read_csv(answer_file)
    names = [f"probability_{label}" for label in ("red", "rose", "white")]
    assert list(answer.columns)[-10:] == [*ANSWER, *names]
    assert np.allclose(answer[names].sum(axis=1), 1)
    likeliest = answer[names].idxmax(axis=1).str.removeprefix("probability_")
    assert (likeliest == answer["prediction"]).all()


def test_predict_writes_to_standard_output_without_a_file(amalthea, numbers_model):
    run = amalthea("predict", "numbers.amalthea", "numbers.csv")
    assert run.stdout.startswith("a,b,c,colour,y,prediction,")
    assert len(run.stdout.splitlines()) == 121
    assert "120 of 120 rows predicted" in run.stderr


def test_evaluate_judges_new_data(amalthea, numbers_model):
    told = json.loads(amalthea("evaluate", "numbers.amalthea", "numbers.csv", "--json").stdout)
    assert told["examples"] == 120
    assert told["metrics"]["rmse"]["value"] > 0


def test_data_lists_the_catalogue(amalthea):
    told = json.loads(amalthea("data", "--json").stdout)
    assert {"cmet", "esol", "mnist", "silicon", "digits"} <= {entry["name"] for entry in told["data"]}
    assert "cmet" in amalthea("data").stdout
    assert "CHEMBL2321810_act.csv" in amalthea("data", "cmet").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", "nothing.csv", "--target", "y"), "nothing.csv"),
        (("train", "numbers.csv", "--target", "z"), "a, b, c, colour, y"),
        (("train", "numbers.csv", "--target", "y", "-o", "no/such/folder.amalthea"), "no/such"),
        (("train", "numbers.csv", "--target", "y", "--threshold", "high"), "--threshold"),
        (("train", "numbers.csv", "--target", "y", "--fold-column", "part"), "part"),
        (("predict", "nothing.amalthea", "numbers.csv"), "nothing.amalthea"),
        (("predict", "numbers.csv", "numbers.csv"), "not a saved model"),
        (("evaluate", "nothing.amalthea", "numbers.csv"), "nothing.amalthea"),
        (("data", "moon"), "moon"),
    ],
)
def test_a_users_mistake_is_one_message_and_exit_code_2(amalthea, words, told):
    run = amalthea(*words, code=2)
    assert told in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_debug_shows_the_traceback(amalthea):
    assert "Traceback" in amalthea("train", "nothing.csv", "--debug", code=1).stderr


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "data"])
def test_help_shows_every_option_and_an_example(amalthea, command):
    text = amalthea(command, "--help").stdout
    assert f"Example: amalthea {command}" in text.replace("\n", " ")
    assert "--json" in text
    assert "--quiet" in text
