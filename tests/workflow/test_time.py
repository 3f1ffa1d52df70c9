"""A split by time: the past predicts the future, and what is kept has learned from both."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import amalthea as am

random = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {"a": random.normal(size=150), "b": random.normal(size=150), "year": np.repeat(range(2001, 2016), 10)}
)
TABLE["y"] = TABLE["a"] * TABLE["b"] + 0.1 * random.normal(size=150)
TABLE = TABLE.sample(frac=1, random_state=1).reset_index(drop=True)
QUICK = {"split": "time", "time_column": "year", "members": 3, "epochs": 20, "verbose": 0}


@pytest.fixture(scope="module")
def predictor():
    return am.train(TABLE, "y", **QUICK)


def test_the_latest_rows_are_judged_and_no_others(predictor):
    judged = predictor.out_of_fold["prediction"].notna().to_numpy()
    assert judged.sum() == 30
    assert TABLE["year"][judged].min() > TABLE["year"][~judged].max()
    summary = predictor.validation.targets[0]
    errors = (predictor.out_of_fold["prediction"] - predictor.out_of_fold["target"])[judged]
    assert summary.metrics["rmse"].value == pytest.approx(np.sqrt((errors**2).mean()))
    assert set(summary.baselines) == {"mean", "linear", "kernel", "boosting"}
    assert 0 <= summary.coverage.value <= 1


def test_the_time_is_no_feature(predictor):
    assert list(predictor.parts[0].featurizer.feature_names) == ["a", "b"]


def test_no_target_of_the_future_influences_its_prediction(predictor):
    wild = TABLE.copy()
    wild.loc[wild["year"] > 2012, "y"] += 1000
    again = am.train(wild, "y", **QUICK)
    np.testing.assert_array_equal(predictor.out_of_fold["prediction"], again.out_of_fold["prediction"])
    assert again.predict(TABLE.head(3)).mean.min() > predictor.predict(TABLE.head(3)).mean.max()


def test_it_is_saved_and_opened(predictor, tmp_path):
    predictor.save(tmp_path / "time.amalthea")
    again = am.load_model(tmp_path / "time.amalthea")
    np.testing.assert_array_equal(again.predict(TABLE).lower, predictor.predict(TABLE).lower)
