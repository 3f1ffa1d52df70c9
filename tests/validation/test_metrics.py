"""Metrics are scikit-learn's; their errors are those that statistics knows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from amalthea.validation import HIGHER_IS_BETTER, METRICS, Figure, beats, bootstrap, main_metric, score


def random_classes(seed: int, rows: int, classes: int, digits: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return labels (every class occurs) and probabilities that know something of them; few digits make ties."""
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), rng.integers(0, classes, rows - classes)])
    logits = rng.normal(size=(rows, classes)) + 1.5 * (truth[:, None] == np.arange(classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if classes == 2:
        first = probabilities[:, 0].round(digits)
        return truth, np.stack([first, 1 - first], axis=1)
    return truth, probabilities


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(3, 60), offset=st.sampled_from([0.0, 1e6]))
@settings(max_examples=30, deadline=None)
def test_regression_metrics_are_scikit_learns(seed: int, rows: int, offset: float) -> None:
    rng = np.random.default_rng(seed)
    truth = offset + rng.normal(size=rows)
    prediction = truth + rng.normal(size=rows)
    found = score("regression", truth, prediction)
    assert found == pytest.approx(
        {
            "rmse": reference.root_mean_squared_error(truth, prediction),
            "mae": reference.mean_absolute_error(truth, prediction),
            "r2": reference.r2_score(truth, prediction),
        },
        rel=1e-6,
    )


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(4, 60), digits=st.sampled_from([1, 8]))
@settings(max_examples=30, deadline=None)
def test_two_class_metrics_are_scikit_learns_ties_included(seed: int, rows: int, digits: int) -> None:
    truth, probabilities = random_classes(seed, rows, 2, digits)
    found = score("classification", truth, probabilities)
    second = probabilities[:, 1]
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(truth, probabilities.argmax(axis=1)))
    assert found["roc_auc"] == pytest.approx(reference.roc_auc_score(truth, second))
    assert found["pr_auc"] == pytest.approx(reference.average_precision_score(truth, second))
    assert found["brier"] == pytest.approx(reference.brier_score_loss(truth, second))


@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(3, 6))
@settings(max_examples=20, deadline=None)
def test_many_class_metrics_are_scikit_learns(seed: int, classes: int) -> None:
    truth, probabilities = random_classes(seed, 50, classes)
    indicator = np.eye(classes)[truth]
    found = score("classification", truth, probabilities)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(truth, probabilities.argmax(axis=1)))
    assert found["roc_auc"] == pytest.approx(reference.roc_auc_score(truth, probabilities, multi_class="ovr"))
    assert found["pr_auc"] == pytest.approx(reference.average_precision_score(indicator, probabilities))
    assert found["brier"] == pytest.approx(((probabilities - indicator) ** 2).sum(axis=1).mean())


def test_calibration_error_by_hand() -> None:
    probabilities = [[0.62, 0.38], [0.38, 0.62], [0.99, 0.01], [0.99, 0.01]]
    found = score("classification", [0, 0, 0, 0], probabilities)
    assert found["ece"] == pytest.approx((abs(1 - 2 * 0.62) + abs(2 - 2 * 0.99)) / 4)


def test_calibrated_labels_have_a_small_calibration_error_and_boasting_ones_a_large_one() -> None:
    rng = np.random.default_rng(0)
    top = rng.uniform(0.5, 1.0, 50_000)
    truth = (rng.uniform(size=50_000) < top).astype(int)
    honest = score("classification", truth, np.stack([1 - top, top], axis=1))
    boasting = score("classification", truth, np.stack([1 - top, top], axis=1).round())
    assert honest["ece"] < 0.01
    assert boasting["ece"] == pytest.approx(0.25, abs=0.01)


def test_what_is_undefined_is_nan_and_nothing_else_is() -> None:
    assert math.isnan(score("regression", [2.1, 2.1, 2.1], [1.0, 2.0, 3.0])["r2"])
    assert score("regression", [2.1, 2.1, 2.1], [2.1, 2.1, 5.1])["mae"] == pytest.approx(1.0)
    one_class = score("classification", [1, 1], [[0.2, 0.8], [0.6, 0.4]])
    assert math.isnan(one_class["roc_auc"])
    assert math.isnan(one_class["pr_auc"])
    assert one_class["accuracy"] == 0.5
    diverged = score("regression", [1.0, 2.0], [math.nan, 2.0])
    assert all(math.isnan(value) for value in diverged.values())


def test_a_class_without_examples_is_left_out_of_the_macro_average() -> None:
    truth, probabilities = random_classes(3, 40, 3)
    known = truth < 2
    found = score("classification", truth[known], probabilities[known])
    areas = [reference.roc_auc_score(truth[known] == label, probabilities[known, label]) for label in (0, 1)]
    assert found["roc_auc"] == pytest.approx(np.mean(areas))


@pytest.mark.parametrize(
    ("task", "truth", "prediction"),
    [
        ("regression", [1.0, 2.0], [1.0]),
        ("regression", [1.0, math.nan], [1.0, 2.0]),
        ("regression", [], []),
        ("classification", [0, 1], [0.1, 0.9]),
    ],
)
def test_what_cannot_be_judged_is_refused(task: str, truth: list[float], prediction: list[float]) -> None:
    with pytest.raises(ValueError, match="Received"):
        score(task, truth, prediction)


def test_the_error_of_a_mean_is_the_analytic_one() -> None:
    rng = np.random.default_rng(1)
    residuals = rng.normal(size=2000)
    figure = bootstrap("regression", np.zeros(2000), {"net": residuals}, np.arange(2000)).figures["net"]["mae"]
    assert figure.value == pytest.approx(np.abs(residuals).mean())
    assert figure.error == pytest.approx(np.abs(residuals).std() / math.sqrt(2000), rel=0.15)


def test_copies_of_the_rows_do_not_shrink_the_error_unless_they_pass_as_new() -> None:
    rng = np.random.default_rng(2)
    truth, prediction, groups = np.zeros(500), rng.normal(size=500), np.arange(500)
    once = bootstrap("regression", truth, {"net": prediction}, groups)
    copied = bootstrap("regression", np.tile(truth, 4), {"net": np.tile(prediction, 4)}, np.tile(groups, 4))
    disguised = bootstrap("regression", np.tile(truth, 4), {"net": np.tile(prediction, 4)}, np.arange(2000))
    for metric in ("rmse", "mae"):
        error = once.figures["net"][metric].error
        assert copied.figures["net"][metric].error == pytest.approx(error, rel=1e-6)
        assert disguised.figures["net"][metric].error == pytest.approx(error / 2, rel=0.2)


def test_one_group_tells_nothing_of_the_error() -> None:
    scores = bootstrap("regression", [1.0, 2.0], {"a": [1.0, 2.0], "b": [5.0, 5.0]}, [7, 7])
    assert math.isnan(scores.figures["b"]["rmse"].error)
    assert not beats(scores.difference("a", "b"))


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_a_resample_is_scored_as_if_its_rows_were_repeated(classes: int) -> None:
    from amalthea.validation.metrics import _metrics

    rng = np.random.default_rng(4)
    if classes:
        task, (truth, prediction) = "classification", random_classes(4, 60, classes, 1)
    else:
        task, truth, prediction = "regression", rng.normal(size=60), rng.normal(size=60)
    counts = rng.integers(0, 4, 60)
    weighted = _metrics(task, truth.astype(float), prediction, counts[None].astype(float))
    repeated = score(task, np.repeat(truth, counts), np.repeat(prediction, counts, axis=0))
    assert {name: values[0] for name, values in weighted.items()} == pytest.approx(repeated)


def test_differences_are_paired_and_positive_for_the_better() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(size=1000)
    models = {"good": noise, "bad": 1.05 * noise, "other": rng.normal(size=1000)}
    scores = bootstrap("regression", np.zeros(1000), models, np.arange(1000))
    difference = scores.difference("good", "bad")
    assert difference.value == pytest.approx(0.05 * scores.figures["good"]["rmse"].value)
    assert difference.error < 0.2 * scores.figures["good"]["rmse"].error
    assert beats(difference)
    assert not beats(scores.difference("bad", "good"))
    assert scores.difference("good", "other").error > scores.figures["good"]["rmse"].error


def test_the_main_metric_is_the_one_compared() -> None:
    truth, probabilities = random_classes(6, 200, 2)
    worse = 0.5 + 0.2 * (probabilities - 0.5)
    worse[::3] = worse[::3, ::-1]
    scores = bootstrap("classification", truth, {"net": probabilities, "worse": worse}, np.arange(200))
    assert scores.main == main_metric("classification", 2) == "roc_auc"
    figures = scores.figures
    gap = figures["net"]["roc_auc"].value - figures["worse"]["roc_auc"].value
    assert scores.difference("net", "worse").value == pytest.approx(gap)
    assert gap > 0


def test_the_same_seed_gives_the_same_errors_and_many_rows_fewer_replicates() -> None:
    rng = np.random.default_rng(7)
    truth, prediction = rng.normal(size=30_000), rng.normal(size=30_000)
    first, again, other = (
        bootstrap("regression", truth, {"net": prediction}, np.arange(30_000), seed=seed) for seed in (0, 0, 1)
    )
    assert first.figures["net"] == again.figures["net"]
    assert first.figures["net"] != other.figures["net"]
    assert 50 <= len(first.resampled["net"]) < 200


def test_every_metric_has_a_direction() -> None:
    assert {name for names in METRICS.values() for name in names} > HIGHER_IS_BETTER


@given(value=st.floats(-1e6, 1e6), error=st.floats(1e-6, 1e3))
def test_a_figure_is_written_no_finer_than_its_error_allows(value: float, error: float) -> None:
    assume(error >= 1e-4 * abs(value))  # a smaller one is left out
    written, spread = (float(part) for part in str(Figure(value, error)).split(" ± "))
    assert written == pytest.approx(value, abs=max(error / 2, 0.5))
    assert spread == pytest.approx(error, rel=0.26) or error < spread + 0.5 > 1


def test_balanced_accuracy_is_told_where_a_class_is_rare() -> None:
    truth = np.array([0.0] * 18 + [1.0] * 2)
    lazy = np.tile([0.9, 0.1], (20, 1))
    found = score("classification", truth, lazy)
    assert (found["accuracy"], found["balanced_accuracy"]) == (0.9, 0.5)
    assert "balanced_accuracy" not in score("classification", np.array([0.0, 1.0] * 10), lazy)


def test_no_figure_has_more_than_four_digits() -> None:
    assert str(Figure(1 / 6, 3e-9)) == "0.1667"
    assert str(Figure(0.5523, 0.0213)) == "0.55 ± 0.02"
