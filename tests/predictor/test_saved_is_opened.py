"""What is saved is what is opened: answers, figures, tables, settings and the networks themselves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.datasets import archive
from amalthea.training.prediction import Prediction
from tests.predictor.models import CASES, trained


@pytest.fixture(scope="module", params=list(CASES))
def pair(request, tmp_path_factory) -> tuple[am.Predictor, am.Predictor, pd.DataFrame]:
    """Return a model, the same one saved and opened, and what both are asked."""
    path = tmp_path_factory.mktemp("saved") / "a model.amalthea"
    predictor, case = trained(request.param), CASES[request.param]
    predictor.save(path)
    return predictor, am.load_model(path), case.frame[list(case.features)]


def assert_equal(one: object, other: object) -> None:
    if isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            assert_equal(one[name], other[name])
    else:
        np.testing.assert_array_equal(one, other)


def test_predictions_are_the_same_to_the_last_bit(pair):
    predictor, opened, asked = pair
    before, after = predictor.predict(asked), opened.predict(asked)
    assert isinstance(after, Prediction)
    for field in ("mean", "std", "lower", "upper", "members", "applicability", "problems", "warnings"):
        assert_equal(getattr(before, field), getattr(after, field))
    assert before.classes == after.classes


def test_tables_keep_their_values_and_their_types(pair):
    predictor, opened, _ = pair
    pd.testing.assert_frame_equal(predictor.out_of_fold, opened.out_of_fold)
    examples = predictor.examples
    texts = {name: "str" for name in examples if examples[name].dtype == object}
    pd.testing.assert_frame_equal(examples.astype(texts), opened.examples)


def test_all_that_is_known_of_the_model_is_kept(pair):
    predictor, opened, _ = pair
    assert opened.provenance == predictor.provenance
    assert opened.refused == predictor.refused
    assert opened.targets == predictor.targets
    assert str(opened.calibrations) == str(predictor.calibrations)  # NaN equals nothing
    assert str(opened.validation) == str(predictor.validation)
    assert archive.pack_json(dataclasses.asdict(opened.validation)) == archive.pack_json(
        dataclasses.asdict(predictor.validation)
    )
    assert dict(opened.input_state) == archive.plain(predictor.input_state)
    assert repr(opened) == repr(predictor)


def test_the_networks_and_their_history_are_there(pair):
    predictor, opened, _ = pair
    for before, after in zip(predictor.parts, opened.parts, strict=True):
        assert after.featurizer.state() == before.featurizer.state()
        assert len(after.ensemble) == len(before.ensemble)
        one, other = before.ensemble[1], after.ensemble[1]
        for weight, again in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(weight.numpy(), again.numpy())
        past, again = before.ensemble.history, after.ensemble.history
        assert list(past.members) == list(again.members)
        for name in past.members:
            np.testing.assert_array_equal(past.members[name], again.members[name])
        np.testing.assert_array_equal(past.epochs, again.epochs)
        assert (past.left_out, past.notes, past.interrupted) == (again.left_out, again.notes, again.interrupted)
        np.testing.assert_array_equal(before.ensemble.fold_ids, after.ensemble.fold_ids)


def test_a_second_save_is_the_first_one(pair, tmp_path):
    predictor, opened, _ = pair
    predictor.save(tmp_path / "first.amalthea")
    opened.save(tmp_path / "second.amalthea")
    first, second = (archive.read_parts(tmp_path / f"{name}.amalthea") for name in ("first", "second"))
    assert set(first) == set(second)
    named_anew = {"network.json", "weights.safetensors"}  # Keras numbers what has no name of its own
    assert {name for name in first if first[name] != second[name]} <= named_anew


@pytest.mark.parametrize(
    "labels", [["007", "7.0"], ["NA", "None"], ["1", "0"], ["a,b", 'say "no"'], ["\u00e4\n", "x\ry"]]
)
def test_text_stays_text(labels):
    table = pd.DataFrame({"class": [*labels, None], "warning": ["", "salt", ""], "mean": [0.1, np.nan, 1e-300]})
    again = archive.unpack_table(archive.pack_table(table), archive.text_columns(table))
    pd.testing.assert_frame_equal(again, table)


def test_without_examples_the_rest_is_there(tmp_path):
    path = tmp_path / "lean.amalthea"
    trained("number").save(path, examples=False)
    assert "examples.csv" not in archive.read_parts(path)
    opened = am.load_model(path)
    assert opened.examples.empty
    assert len(opened.out_of_fold) == len(trained("number").out_of_fold)
