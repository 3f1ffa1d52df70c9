"""Baselines learn what there is to learn, from training rows alone, whatever the columns hold."""

from __future__ import annotations

import numpy as np
import pytest

from amalthea.validation import baseline_names, on_test, out_of_fold, score

ROWS = 240


def problem(task: str, classes: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features (with missing, infinite, huge and constant entries), a truth that they explain, and folds."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(ROWS, 8)).astype(np.float32)
    signal = 2 * features[:, 0] + features[:, 1]
    truth = 100 + 5 * signal if task == "regression" else np.digitize(signal, np.linspace(-1, 1, classes + 1)[1:-1])
    features[rng.uniform(size=features.shape) < 0.02] = np.nan
    features[0, 5], features[1, 5], features[2, 6] = np.inf, -np.inf, 3e38
    features[:, 7] = 4.0
    return features, truth.astype(float), np.arange(ROWS) % 3


@pytest.mark.parametrize(("task", "classes", "main"), [("regression", 0, "r2"), ("classification", 2, "roc_auc")])
def test_every_baseline_but_the_constant_one_learns(task: str, classes: int, main: str) -> None:
    features, truth, folds = problem(task)
    found = out_of_fold(task, features, truth, folds, classes).predictions
    assert tuple(found) == baseline_names(task)
    figures = {name: score(task, truth, prediction)[main] for name, prediction in found.items()}
    constant = figures.pop(baseline_names(task)[0])
    assert constant < 0.55
    assert min(figures.values()) > 0.75


def test_probabilities_of_many_classes_are_probabilities() -> None:
    features, truth, folds = problem("classification", 4)
    for name, prediction in out_of_fold("classification", features, truth, folds, 4).predictions.items():
        assert prediction.shape == (ROWS, 4)
        assert prediction.sum(axis=1) == pytest.approx(np.ones(ROWS))
        if name != "majority":
            assert score("classification", truth, prediction)["accuracy"] > 0.6


@pytest.mark.parametrize(("task", "classes"), [("regression", 0), ("classification", 2)])
def test_a_held_out_target_is_never_seen(task: str, classes: int) -> None:
    features, truth, folds = problem(task)
    changed = truth.copy()
    changed[folds == 1] = 1 - truth[folds == 1] if classes else 1e4 * np.arange(np.sum(folds == 1))
    before, after = (out_of_fold(task, features, y, folds, classes).predictions for y in (truth, changed))
    for name in before:
        assert (before[name][folds == 1] == after[name][folds == 1]).all()
        assert (before[name][folds == 0] != after[name][folds == 0]).any()


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_held_out_rows_features_touch_no_other_prediction(task: str) -> None:
    features, truth, folds = problem(task)
    changed = features.copy()
    changed[0] = 1e6
    before, after = (out_of_fold(task, x, truth, folds, 2).predictions for x in (features, changed))
    same_fold = (folds == folds[0]) & (np.arange(ROWS) > 0)
    for name in before:
        assert (before[name][same_fold] == after[name][same_fold]).all()


def test_a_class_that_no_training_row_has_gets_probability_zero() -> None:
    features, truth, _ = problem("classification")
    for prediction in out_of_fold("classification", features, truth, truth.astype(int), 2).predictions.values():
        assert (prediction == np.eye(2)[1 - truth.astype(int)]).all()
    rare = truth + 1
    rare[:3] = 0
    folds = np.where(rare == 0, 0, 1 + np.arange(ROWS) % 2)
    for prediction in out_of_fold("classification", features, rare, folds, 3).predictions.values():
        assert (prediction[:3, 0] == 0).all()
        assert prediction.sum(axis=1) == pytest.approx(np.ones(ROWS))


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("rows", [2, 3, 6])
def test_few_rows_and_useless_columns_do_not_crash(task: str, rows: int) -> None:
    truth = np.arange(rows) % 2
    for features in (np.zeros((rows, 2)), np.full((rows, 2), np.nan), np.arange(2.0 * rows).reshape(rows, 2)):
        for prediction in out_of_fold(task, features, truth, np.arange(rows), 2).predictions.values():
            assert np.isfinite(prediction).all()


def test_infinity_is_a_missing_value_and_the_largest_numbers_do_no_harm() -> None:
    features, truth, folds = problem("regression")
    missing = np.where(np.isinf(features), np.nan, features)
    found, same = (out_of_fold("regression", x, truth, folds).predictions for x in (features, missing))
    for name in found:
        assert (found[name] == same[name]).all()
    features[:, 6] = np.where(folds == 0, 3e38, 2e38)
    for prediction in out_of_fold("regression", features, truth, folds).predictions.values():
        assert np.isfinite(prediction).all()


def test_rows_below_fold_zero_are_trained_on_and_not_predicted() -> None:
    truth = np.array([1.0, 2.0, 3.0, 50.0])
    found = out_of_fold("regression", np.zeros((4, 1)), truth, [-1, -1, -1, 0], names=["mean"])
    assert found.predictions["mean"] == pytest.approx([np.nan] * 3 + [2.0], nan_ok=True)


def test_a_test_set_is_predicted_from_all_training_rows() -> None:
    features, truth, folds = problem("regression")
    train, test = folds > 0, folds == 0
    elsewhere = np.where(train, -1, 0)
    found = on_test("regression", features[train], truth[train], features[test])
    same = out_of_fold("regression", features, truth, elsewhere).predictions
    for name, prediction in found.predictions.items():
        assert prediction.shape == (test.sum(),)
        assert prediction == pytest.approx(same[name][test], rel=1e-6)


def test_large_training_sets_are_sampled_and_said_to_be() -> None:
    rng = np.random.default_rng(1)
    features, truth = rng.normal(size=(13_000, 2)), rng.normal(size=13_000)
    large = out_of_fold("regression", features, truth, np.arange(13_000) % 2, names=["mean", "linear"])
    assert any("5,000" in note and "6,500" in note for note in large.notes)
    assert large.predictions["mean"][0] == pytest.approx(truth[1::2].mean())
    small = out_of_fold("regression", features[:100], truth[:100], np.arange(100) % 2, names=["linear"])
    assert small.notes == ()


def test_the_same_seed_gives_the_same_predictions_and_progress_is_told() -> None:
    features, truth, folds = problem("classification")
    told: list[tuple[int, int]] = []
    first = out_of_fold("classification", features, truth, folds, 2, progress=lambda *step: told.append(step))
    again = out_of_fold("classification", features, truth, folds, 2)
    for name in first.predictions:
        assert (first.predictions[name] == again.predictions[name]).all()
    assert told == [(done, 12) for done in range(1, 13)]


def test_what_does_not_fit_is_refused() -> None:
    features, truth, folds = problem("regression")
    with pytest.raises(ValueError, match="two folds"):
        out_of_fold("regression", features, truth, np.zeros(ROWS))
    with pytest.raises(ValueError, match="Received"):
        out_of_fold("regression", features, truth[:5], folds)
    with pytest.raises(ValueError, match="majority"):
        out_of_fold("regression", features, truth, folds, names=["majority"])
