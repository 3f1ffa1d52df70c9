"""Classes outside of what was learned: probabilities go to the base rate, and say so."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import amalthea as am

CENTRES = np.array([[0, 0, 0, 0], [4, 0, 0, 0], [0, 4, 0, 0]], float)


def blobs(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, rows)
    table = pd.DataFrame(CENTRES[labels] + rng.normal(size=(rows, 4)), columns=list("abcd"))
    return table.assign(kind=np.array(["red", "green", "blue"])[labels])


@functools.cache
def trained() -> am.Predictor:
    return am.train(blobs(400, 0), "kind", folds=2, members=2, epochs=30, verbose=0)


def sure(prediction: am.Prediction) -> np.ndarray:
    return prediction.mean.max(axis=1) > 0.9


def test_known_kinds_of_rows_keep_their_probabilities() -> None:
    prediction = trained().predict(blobs(300, 1).drop(columns="kind"))
    assert prediction.outside.mean() < 0.02
    assert sure(prediction).mean() > 0.7
    truth = blobs(300, 1)["kind"].to_numpy()
    assert (np.array(prediction.classes)[prediction.mean.argmax(axis=1)] == truth).mean() > 0.9


@pytest.mark.parametrize("far", [lambda x: 1000 * x, lambda x: x + 40, lambda x: -30 * x])
def test_no_class_is_sure_far_away(far) -> None:
    prediction = trained().predict(far(blobs(100, 2).drop(columns="kind")))
    assert not sure(prediction).any()
    assert prediction.outside.mean() > 0.9
    assert all(warning.startswith("outside") for warning in prediction.warnings[prediction.outside])
    np.testing.assert_allclose(prediction.mean.sum(axis=1), 1, atol=1e-6)


def test_what_is_outside_can_be_refused_or_answered() -> None:
    asked = pd.concat([blobs(5, 3), blobs(5, 3).set_index("kind").mul(1000).reset_index()]).drop(columns="kind")
    warned, refused, answered = (trained().predict(asked, outside=how) for how in ("warn", "refuse", "answer"))
    far = warned.outside
    assert far[5:].all()
    assert np.isnan(refused.mean[far]).all()
    assert all(problem.startswith("outside") for problem in refused.problems[far])
    np.testing.assert_array_equal(refused.mean[~far], warned.mean[~far])
    np.testing.assert_array_equal(answered.mean, warned.mean)
    assert not any(warning.startswith("outside") for warning in answered.warnings)


def test_opened_model_knows_as_much(tmp_path: Path) -> None:
    trained().save(tmp_path / "kinds.amalthea")
    opened = am.load_model(tmp_path / "kinds.amalthea")
    asked = pd.concat([blobs(20, 4), blobs(20, 4).set_index("kind").mul(9).reset_index()]).drop(columns="kind")
    before, after = trained().predict(asked), opened.predict(asked)
    np.testing.assert_array_equal(before.mean, after.mean)
    np.testing.assert_array_equal(before.outside, after.outside)


def test_figures_out_of_fold_pay_the_price() -> None:
    """The probabilities that are judged are those that are handed out, quantiles of the other fold aside."""
    table = trained().out_of_fold
    mixed = table[[f"probability_{label}" for label in trained().targets[0].classes]].to_numpy()
    raw = table[[f"raw_probability_{label}" for label in trained().targets[0].classes]].to_numpy()
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=1e-6)
    assert (mixed.max(axis=1) < raw.max(axis=1)).any()
