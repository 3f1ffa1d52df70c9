"""A model judged on new labelled data: read as its inputs are, refused row by row, and honest about known examples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from tests.predictor.models import CASES, molecules, table, trained


def fresh(name: str) -> pd.DataFrame:
    """Return labelled rows that the model has not seen."""
    if trained(name).domain == "molecules":
        return pd.DataFrame({"smiles": ["c1ccccc1", "CC(=O)O", "CCC#N"], "logS": [0.1, 0.2, 0.3], "toxic": "yes"})
    rows = table().head(12)
    return rows.assign(b=rows["b"] + 0.01)


@pytest.mark.parametrize("name", list(CASES))
def test_every_kind_of_model_is_judged(name):
    found = am.evaluate(trained(name), fresh(name))
    assert set(found.figures) == set(CASES[name].targets)
    assert found.trained_on == 0
    assert found.examples + len(found.refused) == len(fresh(name))
    for target, figures in found.figures.items():
        kind = next(t for t in trained(name).targets if t.name == target).task
        assert ("rmse" if kind == "regression" else "brier") in figures
        assert all(np.isfinite(figure.value) or key in ("roc_auc", "pr_auc", "r2") for key, figure in figures.items())


@pytest.mark.parametrize("name", list(CASES))
def test_training_examples_are_known_again(name):
    predictor = trained(name)
    found = am.evaluate(predictor, CASES[name].frame)
    assert found.trained_on == found.examples
    assert any("training examples of this model" in note for note in found.notes)


def test_only_copies_are_counted():
    found = am.evaluate(trained("number"), pd.concat([fresh("number"), table().head(5)]))
    assert (found.trained_on, found.examples) == (5, 17)
    salted = molecules().head(3).assign(smiles=lambda f: f["smiles"] + ".Cl")
    assert am.evaluate(trained("molecules, number"), salted).trained_on == 3


def test_without_examples_the_file_is_known_by_its_fingerprint(tmp_path):
    data, model = tmp_path / "data.csv", tmp_path / "lean.amalthea"
    table()[["a", "b", "y"]].to_csv(data, index=False)
    am.train(data, "y", folds=2, members=1, epochs=1, verbose=0).save(model, examples=False)
    assert am.evaluate(am.load_model(model), data).trained_on == 36
    fresh("number").to_csv(data, index=False)
    assert am.evaluate(am.load_model(model), data).trained_on == 0


def test_a_single_row_a_single_class_and_constant_columns_will_do():
    one = fresh("two classes").head(1).assign(colour="red", active="1")
    found = am.evaluate(trained("two classes"), one)
    assert found.examples == 1
    assert 0 <= found.figures["active"]["brier"].value <= 1
    assert am.evaluate(trained("number"), one).figures["y"]["mae"].value >= 0


def test_the_threshold_of_the_model_holds():
    """The figures are those of value >= 0.5, computed by hand."""
    predictor, rows = trained("threshold"), fresh("threshold")
    found = am.evaluate(predictor, rows)
    answer = predictor.predict(rows)
    brier = np.mean((answer.mean[:, 1] - (rows["y"] >= 0.5)) ** 2)
    assert found.figures["y"]["brier"].value == pytest.approx(brier)


def test_classes_are_matched_by_label_and_not_by_order():
    predictor, rows = trained("many classes"), fresh("many classes")
    rows = rows[rows["code"] != "007"]  # the model's first class is absent
    found = am.evaluate(predictor, rows)
    answer = predictor.predict(rows)
    right = np.mean(np.array(answer.classes)[answer.mean.argmax(axis=1)] == rows["code"])
    assert found.figures["code"]["accuracy"].value == pytest.approx(right)


def test_a_bad_row_is_refused_with_its_line_and_the_others_judged(tmp_path):
    rows = fresh("many classes").astype(object)
    rows.loc[2, "code"], rows.loc[4, "code"] = "violet", None
    rows.loc[5, ["a", "b", "colour"]] = None
    path = tmp_path / "labelled.csv"
    rows.to_csv(path, index=False)
    found = am.evaluate(trained("many classes"), path)
    assert [refusal.row for refusal in found.refused] == [4, 6, 7]
    assert "violet" in found.refused[0].reason
    assert "missing" in found.refused[1].reason
    assert found.examples == 9


def test_what_was_read_as_missing_is_said_of_judged_rows_too():
    rows = fresh("number").astype({"b": object})
    rows.iloc[3, rows.columns.get_loc("b")] = "oops"
    judged = am.evaluate(trained("number"), rows)
    assert not judged.refused
    assert [note for note in judged.notes if "'b' is 'oops'" in note and note.startswith("1 example has a warning")]


def test_several_targets_may_have_gaps():
    rows = fresh("two numbers with gaps").astype(object)
    rows["z"] = ["n/a"] * 11 + [0.5]
    found = am.evaluate(trained("two numbers with gaps"), rows)
    assert found.examples == 12
    assert set(found.figures) == {"y", "z"}


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("number", lambda rows: rows.drop(columns="y"), "no column 'y'.*a, b, colour"),
        ("number", lambda rows: rows.rename(columns={"y": "Y "}), "Did you mean"),
        ("two numbers with gaps", lambda rows: rows.drop(columns="z"), "no column 'z'"),
        ("two numbers with gaps", lambda rows: rows.assign(z=None), "z"),
        ("number", lambda rows: rows.drop(columns="a"), "needs these columns.*a"),
        ("number", lambda rows: rows.assign(y="high"), "none of its 12 rows.*'high'"),
        ("many classes", lambda rows: rows.assign(code="violet"), "none of its 12 rows.*violet"),
        ("number", lambda rows: rows.assign(a=None, b=None, colour=None), "none of its 12 rows"),
        ("molecules, number", lambda rows: rows.assign(smiles="C1CC"), "cannot be read"),
        ("number", lambda _: am.read(molecules(), "logS"), "other targets.*logS, not y"),
        ("number", lambda _: am.read(molecules().rename(columns={"logS": "y"}), "y"), "molecules"),
        ("number", lambda rows: am.read(rows, "z"), "other targets.*z, not y"),
    ],
)
def test_what_cannot_be_judged_is_said(name, change, told):
    with pytest.raises(am.AmaltheaError, match=told):
        am.evaluate(trained(name), change(fresh(name)))


def without_the_first_class() -> pd.DataFrame:
    """Return labelled rows in which a class that the model knows does not occur: codes made anew would be shifted."""
    rows = table()
    first = trained("many classes").targets[0].classes[0]
    return rows[rows["code"].astype(str) != first].assign(b=lambda frame: frame["b"] + 0.01)


def test_every_way_to_judge_is_the_same(tmp_path):
    predictor, rows = trained("many classes"), without_the_first_class()
    path, model = tmp_path / "fewer.csv", tmp_path / "model.amalthea"
    rows.to_csv(path, index=False)
    predictor.save(model)
    dataset = am.read(rows, "code", task="classification")
    found = [am.evaluate(predictor, data).figures for data in (rows, path, dataset)]
    found += [predictor.evaluate(rows).figures, am.evaluate(model, rows).figures]
    assert all(figures == found[0] for figures in found)
    labels = np.array(predictor.targets[0].classes)[predictor.predict(rows).mean.argmax(axis=1)]
    assert found[0]["code"]["accuracy"].value == pytest.approx(np.mean(labels == rows["code"].astype(str)))


def test_baselines_stand_beside_the_figures_and_learned_from_the_training_rows_alone():
    predictor, rows = trained("number"), fresh("number")
    found = am.evaluate(predictor, rows)
    mean = predictor.out_of_fold["target"].mean()
    wanted = np.sqrt(np.mean((rows["y"].to_numpy(float) - mean) ** 2))
    assert found.baselines["y"]["mean"]["rmse"].value == pytest.approx(wanted)
    assert set(found.differences["y"]) == set(found.baselines["y"]) == {"mean", "linear", "kernel", "boosting"}


def test_a_model_without_examples_says_that_it_has_no_baselines(tmp_path):
    trained("number").save(tmp_path / "lean.amalthea", examples=False)
    found = am.evaluate(tmp_path / "lean.amalthea", fresh("number"))
    assert found.baselines["y"] == {}
    assert any("no baselines" in note for note in found.notes)


def test_refused_rows_of_a_test_set_are_told_and_kept():
    rows = table().assign(y=table()["y"].astype(object))
    test = rows.tail(8).copy()
    test.loc[test.index[:2], "y"] = "high"
    sentences: list[str] = []
    predictor = am.train(
        rows.head(28)[["a", "b", "y"]], "y", test=test, folds=2, members=1, epochs=1, verbose=0, say=sentences.append
    )
    assert [refusal.row for refusal in predictor.validation.test_refused] == [1, 2]
    assert sum("'high'" in sentence for sentence in sentences) == 2
    assert set(predictor.validation.targets[0].test_baselines) == {"mean", "linear", "kernel", "boosting"}


def test_a_class_that_the_model_does_not_know_is_refused_row_by_row():
    rows = fresh("many classes").assign(code=lambda frame: ["unseen", *frame["code"].astype(str).tolist()[1:]])
    found = am.evaluate(trained("many classes"), am.read(rows, "code", task="classification"))
    assert [refusal.row for refusal in found.refused] == [1]
    assert "unseen" in found.refused[0].reason
