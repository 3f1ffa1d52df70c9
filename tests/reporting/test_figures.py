"""The figures of a report are those that follow from out_of_fold.csv, computed here by other programs."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score, root_mean_squared_error

from amalthea.datasets.archive import checked, pack_json
from amalthea.reporting.calibration import coverages
from amalthea.reporting.classes import confusion, rates
from amalthea.reporting.metrics import by_fold
from amalthea.reporting.out_of_fold import held_out, mean_of
from amalthea.validation.metrics import score
from amalthea.validation.summary import Validation
from tests.predictor.models import CASES, trained
from tests.reporting.pages import page


@pytest.mark.parametrize("name", [name for name in CASES if name != "one fold"])
def test_metrics_computed_from_the_table_are_those_of_the_validation(name):
    for each in held_out(trained(name)):
        found = score(each.target.task, each.truth, each.answer)
        assert found == pytest.approx({n: f.value for n, f in each.summary.metrics.items()}, rel=1e-6, nan_ok=True)


def test_numbers_stand_in_the_page_as_the_table_has_them():
    table, table_in_page = trained("number").out_of_fold, page("number").table("agreement")
    assert table_in_page["row"] == table["row"].tolist()
    assert table_in_page["true"] == pytest.approx(table["target"], rel=1e-5)
    assert table_in_page["predicted"] == pytest.approx(table["prediction"], rel=1e-5)
    rmse = root_mean_squared_error(table["target"], table["prediction"])
    assert page("number").table("figures")["rmse"][0] == pytest.approx(rmse)
    assert f"RMSE {trained('number').validation.targets[0].metrics['rmse']}" in page("number").text


def test_folds_are_judged_each_by_itself():
    table = trained("number").out_of_fold
    own = by_fold(held_out(trained("number"))[0])
    for fold, rows in table.groupby("fold"):
        assert own[fold]["rmse"] == pytest.approx(root_mean_squared_error(rows["target"], rows["prediction"]))


def test_confusion_matrix_and_roc_are_those_of_scikit_learn():
    table = trained("two classes").out_of_fold
    each = held_out(trained("two classes"))[0]
    truth, named = table["target"].astype(str), table["prediction"].astype(str)
    assert confusion(each).tolist() == confusion_matrix(truth, named).tolist()
    assert page("two classes").table("confusion")["count"] == confusion_matrix(truth, named).ravel().tolist()
    false, true, _ = rates(each.truth == 1, each.probabilities[:, 1])
    assert np.trapezoid(true, false) == pytest.approx(roc_auc_score(each.truth, each.probabilities[:, 1]))


def test_coverage_at_90_percent_is_that_of_the_validation():
    each = held_out(trained("number"))[0]
    found, known = coverages(each, [0.9])[0], each.summary.coverage
    assert (found.value, found.error) == pytest.approx((known.value, known.error))


def test_higher_levels_cover_more():
    values = [figure.value for figure in coverages(held_out(trained("number"))[0])]
    assert values == sorted(values)


def test_error_of_a_mean_counts_copies_once():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    alone, copied = mean_of(values, np.arange(4)), mean_of(np.repeat(values, 5), np.repeat(np.arange(4), 5))
    assert (copied.value, copied.error) == pytest.approx((alone.value, alone.error))


def test_baselines_stand_beside_the_network_in_each_fold_and_make_up_the_whole():
    model, made = trained("number"), page("number")
    (summary,) = model.validation.targets
    sizes = model.out_of_fold.groupby("fold").size().to_numpy()
    for name, values in summary.baselines_by_fold.items():
        whole = np.sqrt(np.average(np.square(values), weights=sizes))
        assert whole == pytest.approx(summary.baselines[name]["rmse"].value)
    table = made.table("figures")
    shown = {(m, f): v for m, f, v in zip(table["model"], table["fold"], table["rmse"], strict=True) if f is not None}
    for fold, value in enumerate(summary.baselines_by_fold["linear"]):
        assert shown["baseline: linear", fold + 1] == pytest.approx(value)
    assert "y: RMSE fold by fold, beside the baselines." in made.text


def test_a_model_saved_before_baselines_were_kept_by_fold_opens():
    state = dataclasses.asdict(trained("number").validation)
    for target in state["targets"]:
        del target["baselines_by_fold"]
    assert checked(Validation, state, "model.json").targets[0].baselines_by_fold == {}


def test_baselines_by_fold_are_kept_in_the_file():
    known = trained("two classes").validation
    again = (
        checked(Validation, json.loads(pack_json(dataclasses.asdict(known))), "model.json").targets[0].baselines_by_fold
    )
    for name, values in known.targets[0].baselines_by_fold.items():
        assert again[name] == pytest.approx(values, nan_ok=True)
