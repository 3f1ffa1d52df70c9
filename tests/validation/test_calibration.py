"""Intervals cover what they promise, and are judged on rows that did not make them."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.datasets.archive import checked, pack_json
from amalthea.predictor.predictions import pooled
from amalthea.validation import (
    IntervalCalibration,
    Temperature,
    calibrated_probabilities,
    coverage,
    cross_fit,
    fit_interval,
    fit_temperature,
    score,
)


def heteroscedastic(seed: int, rows: int, a: float = 0.3, b: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Return residuals of variance a² + (b std)², and the std."""
    rng = np.random.default_rng(seed)
    std = rng.gamma(2.0, 0.3, rows)
    return rng.normal(size=rows) * np.hypot(a, b * std), std


def test_variances_are_recovered() -> None:
    calibration = fit_interval(*heteroscedastic(0, 20_000))
    assert calibration.a == pytest.approx(0.3, rel=0.1)
    assert calibration.b == pytest.approx(2.0, rel=0.05)
    assert calibration.factor == pytest.approx(1.645, rel=0.05)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_new_rows_are_covered_in_any_unit(unit: float) -> None:
    residuals, std = heteroscedastic(1, 4000)
    calibration = fit_interval(unit * residuals, unit * std)
    fresh, fresh_std = heteroscedastic(2, 20_000)
    truth = 5.0 * unit
    lower, upper = calibration.interval(truth + unit * fresh, unit * fresh_std)
    assert 0.88 < np.mean((lower <= truth) & (truth <= upper)) < 0.92


@given(size=st.integers(1, 60), level=st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=50, deadline=None)
def test_the_factor_is_the_conformal_quantile(size: int, level: float) -> None:
    residuals, std = heteroscedastic(size, size)
    calibration = fit_interval(residuals, std, level)
    inside = np.abs(residuals) <= calibration.factor * calibration.sigma(std) * (1 + 1e-9)
    needed = next((k for k in range(1, size + 1) if k / (size + 1) >= level - 1e-9), None)
    if needed is None:
        assert math.isnan(calibration.factor)
    else:
        assert inside.sum() == needed


def test_eight_residuals_promise_no_interval_and_nine_do() -> None:
    eight, nine = fit_interval(np.arange(1.0, 9), np.ones(8)), fit_interval(np.arange(1.0, 10), np.ones(9))
    assert all(np.isnan(eight.interval([0.0], [1.0])))
    lower, upper = nine.interval([0.0], [1.0])
    assert (lower[0], upper[0]) == (pytest.approx(-9.0), pytest.approx(9.0))


@pytest.mark.parametrize("std", [0.0, 0.7])
def test_a_constant_spread_gives_one_width(std: float) -> None:
    residuals = np.random.default_rng(3).normal(size=1000)
    calibration = fit_interval(residuals, np.full(1000, std))
    assert calibration.b == 0.0
    assert calibration.sigma([std])[0] == pytest.approx(residuals.std(), rel=0.01)


def test_perfect_and_broken_predictions_do_not_crash() -> None:
    perfect = fit_interval(np.zeros(50), np.linspace(0, 1, 50))
    lower, upper = perfect.interval([2.0], [0.5])
    assert (lower[0], upper[0]) == (2.0, 2.0)
    for broken in (fit_interval([math.nan] * 20, [1.0] * 20), fit_interval([], [])):
        assert math.isnan(broken.sigma([1.0])[0])


def test_cross_fitting_never_shows_a_fold_its_own_rows() -> None:
    folds = np.array([0, 1, 2, 0, 1, 2, 2])
    seen = []

    def apply(fitted: np.ndarray, rows: np.ndarray) -> np.ndarray:
        seen.append((fitted, rows))
        return np.flatnonzero(rows)

    assert cross_fit(lambda rows: rows, apply, folds).tolist() == list(range(7))
    assert len(seen) == 3
    for fitted, rows in seen:
        assert len(set(folds[rows])) == 1
        assert (fitted == ~rows).all()


def test_coverage_is_right_for_exchangeable_folds_and_not_by_construction() -> None:
    residuals, std = heteroscedastic(4, 5000)
    folds = np.arange(5000) % 5
    honest = coverage(residuals, std, folds, np.arange(5000))
    assert honest.value == pytest.approx(0.9, abs=0.015)
    assert honest.error == pytest.approx(math.sqrt(0.09 / 5000), rel=0.1)
    harder = np.where(folds == 0, 10 * residuals, residuals)
    shifted = coverage(harder, std, folds, np.arange(5000))
    calibration = fit_interval(harder, std)
    by_construction = np.mean(np.abs(harder) <= calibration.factor * calibration.sigma(std))
    assert by_construction == pytest.approx(0.9, abs=0.001)
    assert abs(shifted.value - 0.9) > 0.01


def test_the_error_of_the_coverage_counts_groups() -> None:
    residuals, std = (np.repeat(part, 4) for part in heteroscedastic(5, 1000))
    groups = np.repeat(np.arange(1000), 4)
    grouped, single = (coverage(residuals, std, groups % 5, of) for of in (groups, np.arange(4000)))
    assert grouped.value == single.value
    assert grouped.error == pytest.approx(2 * single.error, rel=0.01)


def test_one_fold_or_too_few_rows_have_no_coverage() -> None:
    residuals, std = heteroscedastic(6, 100)
    assert coverage(residuals, std, np.zeros(100), np.arange(100)) is None
    assert coverage(residuals[:10], std[:10], np.arange(10) % 2, np.arange(10)) is None
    assert calibrated_probabilities([[0.5, 0.5]] * 4, [0, 1, 0, 1], [0] * 4) is None


def boasting(seed: int, rows: int, temperature: float, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that are right only after division of their logarithms by `temperature`, and labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2.0, size=(rows, classes))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (honest.cumsum(axis=1) < rng.uniform(size=(rows, 1))).sum(axis=1)
    sharpened = honest**temperature
    return sharpened / sharpened.sum(axis=1, keepdims=True), np.minimum(truth, classes - 1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    probabilities, truth = boasting(0, 20_000, temperature)
    assert fit_temperature(probabilities, truth).temperature == pytest.approx(temperature, rel=0.05)


@given(seed=st.integers(0, 2**32 - 1), temperature=st.floats(0.05, 20.0), zeros=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_first_label_stays_first(seed: int, temperature: float, zeros: bool) -> None:
    probabilities = np.random.default_rng(seed).dirichlet([0.1] * 4, 50).astype(np.float32)
    if zeros:
        probabilities[probabilities < 0.05] = 0.0
    softened = Temperature(temperature).apply(probabilities)
    assert (softened.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert softened.sum(axis=1) == pytest.approx(np.ones(50))


def test_exact_zeros_and_certain_success_stay_within_bounds() -> None:
    certain = np.eye(2)[[0, 1] * 10]
    sharp = fit_temperature(certain, [0, 1] * 10)
    wrong = fit_temperature(certain, [1, 0] * 10)
    assert 0.05 <= sharp.temperature <= wrong.temperature <= 20.0
    assert wrong.temperature > 19
    assert np.isfinite(sharp.apply(certain)).all()
    assert fit_temperature(np.full((3, 2), math.nan), [0, 1, 0]).temperature == 1.0
    assert fit_temperature(np.empty((0, 2)), []).temperature == 1.0


def test_calibrated_probabilities_are_more_honest_and_come_from_the_other_folds() -> None:
    probabilities, truth = boasting(1, 6000, 3.0)
    folds = np.arange(6000) % 3
    calibrated = calibrated_probabilities(probabilities, truth, folds)
    assert (
        score("classification", truth, calibrated)["ece"] < 0.25 * score("classification", truth, probabilities)["ece"]
    )
    other_labels = np.where(folds == 0, (truth + 1) % 3, truth)
    changed = calibrated_probabilities(probabilities, other_labels, folds)
    assert (changed[folds == 0] == calibrated[folds == 0]).all()
    assert not np.allclose(changed[folds != 0], calibrated[folds != 0])


def test_states_are_strict_json_and_bring_everything_back() -> None:
    for rows in (5, 50):
        calibration = fit_interval(*heteroscedastic(7, rows))
        opened = checked(IntervalCalibration, json.loads(pack_json(dataclasses.asdict(calibration))), "model.json")
        assert pack_json(dataclasses.asdict(opened)) == pack_json(dataclasses.asdict(calibration))
        assert math.isnan(opened.factor) == (rows == 5)
    temperature = Temperature(1.3)
    assert checked(Temperature, dataclasses.asdict(temperature), "model.json") == temperature


def test_shapes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="Received"):
        fit_interval([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="Received"):
        fit_temperature([[0.5, 0.5]], [0, 1])


@pytest.mark.parametrize("members", [2, 3, 10])
def test_few_members_that_disagree_by_chance_are_believed_less(members: int) -> None:
    """The spread of two members is often large by chance: the least sure tenth errs as much as is said all the same."""
    random = np.random.default_rng(members)
    doubt = np.exp(random.normal(-2.0, 0.7, 40_000))
    answers = doubt * random.normal(size=(members, len(doubt)))
    errors = doubt * random.normal(size=len(doubt))
    spread = answers.std(axis=0, ddof=1)
    calibration = fit_interval(errors, spread)
    sigma = calibration.sigma(spread)
    for rows in np.array_split(np.argsort(sigma), 10)[2:]:
        said, happened = np.sqrt(np.mean(sigma[rows] ** 2)), np.sqrt(np.mean(errors[rows] ** 2))
        assert said == pytest.approx(happened, rel=0.2)
    assert calibration.power < 1.0


def test_the_calibrated_variance_of_all_folds_is_the_mean_of_the_folds() -> None:
    members = np.random.default_rng(0).normal(size=(6, 5, 2)).astype(np.float32)
    calibrations = [IntervalCalibration(0.1, 2.0, 1.6, power=0.4), IntervalCalibration(0.3, 1.5, 1.6)]
    _, spread = pooled(members, 3, [own.power for own in calibrations])
    for column, own in enumerate(calibrations):
        folds = [own.sigma(members[2 * fold : 2 * fold + 2, :, column].std(axis=0, ddof=1)) for fold in range(3)]
        np.testing.assert_allclose(own.sigma(spread[:, column]) ** 2, np.mean(np.square(folds), axis=0), rtol=1e-5)


def test_a_calibration_of_an_older_file_has_the_power_one() -> None:
    stored = {"a": 0.1, "b": 2.0, "factor": 1.6, "level": 0.9}
    assert checked(IntervalCalibration, stored, "model.json").power == 1.0
