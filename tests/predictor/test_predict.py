"""What a model answers: every row in its place, whatever stands beside it, however it is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.training.prediction import Prediction
from tests.predictor.models import CASES, trained

GOOD = {
    "tables": pd.DataFrame(
        {"a": [0.5, None, -1.0, 2.0], "b": [1.0, 0.1, 0.2, 0.3], "colour": ["red", "green", None, "red"]}
    ),
    "molecules": pd.DataFrame({"smiles": ["CCO", "c1ccccc1", "CCN.Cl", "CCCC"]}),
}
BAD = {
    "tables": pd.DataFrame({"a": [None, "high"], "b": ["", None], "colour": [None, None]}),
    "molecules": pd.DataFrame({"smiles": ["C1CC", None]}),
}


@pytest.fixture(params=list(CASES))
def predictor(request) -> am.Predictor:
    return trained(request.param)


def leaves(values: object) -> list[np.ndarray]:
    return list(values.values()) if isinstance(values, dict) else [values]


def assert_same(one: Prediction, rows: object, other: Prediction) -> None:
    """Check that rows of one answer are those of another, to float rounding."""
    for field in ("mean", "std", "lower", "upper", "applicability"):
        for mine, theirs in zip(leaves(getattr(one, field)), leaves(getattr(other, field)), strict=True):
            if mine is not None:
                np.testing.assert_allclose(mine[rows], theirs, rtol=1e-4, atol=1e-5)
    assert one.warnings[rows].tolist() == other.warnings.tolist()
    assert one.problems[rows].tolist() == other.problems.tolist()


def assert_empty(answer: Prediction, rows: list[int]) -> None:
    for field in ("mean", "std", "lower", "upper"):
        for values in leaves(getattr(answer, field)):
            assert values is None or np.isnan(values[rows]).all()
    assert np.isnan(answer.applicability[rows]).all()
    assert all(answer.problems[rows])


def test_bad_rows_stay_in_place_and_harm_no_others(predictor):
    good, bad = GOOD[predictor.domain], BAD[predictor.domain]
    alone = predictor.predict(good)
    mixed = predictor.predict(pd.concat([bad.iloc[:1], good.iloc[:2], bad.iloc[1:], good.iloc[2:]]))
    assert len(mixed) == 6
    assert_same(mixed, [1, 2, 4, 5], alone)
    assert_empty(mixed, [0, 3])
    assert alone.problems.tolist() == [""] * 4
    assert all(np.isfinite(values).all() for values in leaves(alone.mean))


def test_one_row_at_a_time_is_all_at_once(predictor):
    good = GOOD[predictor.domain]
    together = predictor.predict(good)
    for row in range(len(good)):
        assert_same(together, [row], predictor.predict(good.iloc[[row]]))


def test_nothing_but_bad_rows_is_answered(predictor):
    answer = predictor.predict(BAD[predictor.domain])
    assert len(answer) == 2
    assert_empty(answer, [0, 1])


def test_no_rows_are_no_answers(predictor):
    answer = predictor.predict(GOOD[predictor.domain].iloc[:0])
    assert len(answer) == 0
    assert all(len(values) == 0 for values in leaves(answer.mean))


def test_a_file_of_many_blocks_is_answered_like_a_table(predictor, tmp_path):
    good = pd.concat([GOOD[predictor.domain]] * 3)
    path = tmp_path / "asked.csv"
    good.to_csv(path, index=False)
    whole = predictor.predict(path)
    assert_same(whole, slice(None), predictor.predict(good))
    parts = pd.concat(predictor.stream(Path(path), rows=5))
    pd.testing.assert_frame_equal(parts, next(predictor.stream(Path(path))), rtol=1e-4)
    assert len(parts) == 12


@pytest.mark.parametrize("index", [[7, 7, -1, 0], list("wxyz"), pd.date_range("2024", periods=4)])
@pytest.mark.parametrize("name", ["number", "molecules, classes"])
def test_a_tables_own_index_does_not_matter(name, index):
    predictor = trained(name)
    good = GOOD[predictor.domain]
    assert_same(predictor.predict(good.set_axis(index)), slice(None), predictor.predict(good))


def test_rows_as_dicts():
    for name in ("number", "molecules, number"):
        predictor = trained(name)
        good = GOOD[predictor.domain]
        rows = good.to_dict("records")
        expected = predictor.predict(good)
        assert_same(predictor.predict(rows), slice(None), expected)
        assert_same(predictor.predict(good.to_dict("list")), slice(None), expected)
        assert_same(expected, [0], predictor.predict(rows[0]))


def test_smiles_in_a_list_an_array_or_a_series():
    predictor = trained("molecules, number")
    smiles = GOOD["molecules"]["smiles"]
    expected = predictor.predict(GOOD["molecules"])
    for given in (smiles.tolist(), tuple(smiles), smiles.to_numpy(), smiles):
        assert_same(predictor.predict(given), slice(None), expected)
    assert "salt removed" in expected.warnings[2]


@pytest.mark.parametrize(
    ("name", "asked", "told"),
    [
        ("number", pd.DataFrame({"a": [1.0]}), "b, colour"),
        ("number", [{"colour": "red"}], "a, b"),
        ("number", ["red"], "a, b, colour"),
        ("number", "nowhere.csv", "nowhere.csv"),
        ("number", Path("nowhere.csv"), "nowhere.csv"),
        ("molecules, number", "CC(=O)O" * 60, "in a list"),
        ("molecules, number", pd.DataFrame({"a": ["x"]}), "SMILES"),
    ],
)
def test_what_cannot_be_used_is_said(name, asked, told):
    with pytest.raises(am.AmaltheaError, match=told):
        trained(name).predict(asked)


def test_enormous_values_are_answered_or_refused_aloud():
    asked = pd.DataFrame({"a": [1e38, -3e38, 1e300, 1.0], "b": [1e30, -1e38, 1e-40, 1.0], "colour": "red"})
    answer = trained("number").predict(asked)
    assert (np.isfinite(answer.mean) == (answer.problems == "")).all()
    assert answer.problems[3] == ""


def test_an_unseen_category_is_warned_of():
    answer = trained("number").predict([{"a": 1, "b": 1, "colour": "violet"}])
    assert "violet" in answer.warnings[0]
    assert np.isfinite(answer.mean[0])


def test_our_columns_keep_their_names_and_the_inputs_move_aside(tmp_path):
    asked = GOOD["tables"].assign(std=[1, 2, 3, 4], prediction="mine", input_std="older", note="n")
    path = tmp_path / "asked.csv"
    asked.to_csv(path, index=False)
    table = next(trained("number").stream(path))
    own = ["a", "b", "colour", "input_input_std", "input_prediction", "input_std", "note"]
    assert list(table.columns) == [
        *own,
        *("prediction", "std", "lower", "upper", "applicability", "warning", "problem"),
    ]
    assert table["input_prediction"].tolist() == ["mine"] * 4
    assert table["input_input_std"].tolist() == ["1", "2", "3", "4"]
    assert table["input_std"].tolist() == ["older"] * 4


def test_a_member_that_was_left_out_takes_no_part(tmp_path):
    """A member that diverged answers NaN; the others answer, in silence, also once saved and opened."""
    import dataclasses

    predictor = trained("number")
    part = predictor.parts[0]
    ensemble = am.Ensemble(part.ensemble.model, folds=3, members=2)
    weights = {name: values.copy() for name, values in part.ensemble.weights.items()}
    for values in weights.values():
        values[1] = np.nan
    past = dataclasses.replace(part.ensemble.history, left_out=(1,), notes=("Member 1 diverged.",))
    ensemble.restore(weights, np.zeros((1, 4), np.float32), part.ensemble.fold_ids, past, None)
    lame = dataclasses.replace(predictor, parts=(dataclasses.replace(part, ensemble=ensemble),))
    answer, whole = lame.predict(GOOD["tables"]), predictor.predict(GOOD["tables"])
    np.testing.assert_allclose(answer.mean, np.delete(whole.members, 1, axis=0).mean(axis=0), rtol=1e-5)
    assert np.isfinite(answer.std).all()
    lame.save(tmp_path / "lame.amalthea")
    opened = am.load_model(tmp_path / "lame.amalthea")
    assert_same(opened.predict(GOOD["tables"]), slice(None), answer)
    assert opened.parts[0].ensemble.history.left_out == (1,)


@pytest.mark.parametrize("name", list(CASES))
def test_answers_print_themselves(name):
    predictor = trained(name)
    answer = predictor.predict(pd.concat([GOOD[predictor.domain]] * 2))
    for target in CASES[name].targets if len(CASES[name].targets) > 1 else [""]:
        assert f"{target} mean".strip() in repr(answer)
    for label in answer.classes:
        assert f"mean {label}" in repr(answer)
    assert "8 examples" in repr(answer)
    assert "3 more" in repr(answer)
    assert answer._repr_html_().count("<tr") == 6
    assert "warnings" in answer._repr_html_()


def test_html_is_escaped():
    answer = Prediction(
        np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 1, 2)), classes=("<b>", "&"), warnings=np.array(["<i>"], object)
    )
    assert "<b>" not in answer._repr_html_()
    assert "<i>" not in answer._repr_html_()
    assert "&lt;b&gt;" in answer._repr_html_()
    predictor = trained("number")
    assert "<table" in predictor._repr_html_()
    assert "Predictor of y" in predictor._repr_html_()
