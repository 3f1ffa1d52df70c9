"""Distances are those of the textbooks; their percentiles say what is far from the training set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.validation import Applicability
from amalthea.validation.distances import EuclideanSpace, TanimotoSpace


def fingerprints(seed: int, rows: int, width: int = 64) -> np.ndarray:
    """Return ln(1 + count) of sparse counts."""
    rng = np.random.default_rng(seed)
    return np.log1p(rng.poisson(0.6, (rows, width)) * (rng.uniform(size=(rows, width)) < 0.5)).astype(np.float32)


def numbers(seed: int, rows: int, width: int = 6) -> np.ndarray:
    """Return normal numbers in columns of very different scales."""
    scales = 10.0 ** np.arange(width)
    return (np.random.default_rng(seed).normal(size=(rows, width)) * scales).astype(np.float32)


MAKERS = {"euclidean": numbers, "tanimoto": fingerprints}


@given(seed=st.integers(0, 2**32 - 1), largest=st.sampled_from([1, 4, 300]))
@settings(max_examples=30, deadline=None)
def test_tanimoto_is_what_brute_force_finds(seed: int, largest: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, largest + 1, (12, 9)) * (rng.uniform(size=(12, 9)) < 0.4)
    features = np.log1p(counts).astype(np.float32)
    found = np.concatenate(list(TanimotoSpace.fit(features[:7]).distances(features)))
    counts = np.minimum(counts, 255)
    for query, row in zip(counts, found, strict=True):
        for other, distance in zip(counts[:7], row, strict=True):
            union = np.maximum(query, other).sum()
            expected = 1 - np.minimum(query, other).sum() / union if union else 0.0
            assert distance == pytest.approx(expected, abs=1e-6)


def test_euclidean_ignores_units_and_constant_columns_and_fills_the_median() -> None:
    features = numbers(0, 200)
    features[3, 2] = np.nan
    features[4, 2] = np.inf
    filled = np.where(
        np.isfinite(features), features, np.nanmedian(np.where(np.isfinite(features), features, np.nan), 0)
    )
    standard = (filled - filled.mean(axis=0)) / filled.std(axis=0)
    expected = np.linalg.norm(standard[:, None] - standard, axis=2)
    useless = np.hstack([features, np.full((200, 1), 7.0, np.float32), np.full((200, 1), np.nan, np.float32)])
    found = np.concatenate(list(EuclideanSpace.fit(useless).distances(useless)))
    assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("metric", MAKERS)
def test_training_rows_and_others_like_them_are_uniform(metric: str) -> None:
    make = MAKERS[metric]
    applicability = Applicability.fit(make(1, 1500), metric, np.arange(1500))
    for percentile in (
        applicability.percentile(make(1, 1500), np.arange(1500)),
        applicability.percentile(make(2, 1500)),
    ):
        shares = np.histogram(percentile, bins=5, range=(0, 100))[0] / 1500
        assert shares == pytest.approx(np.full(5, 0.2), abs=0.05)
        assert np.mean(percentile > 95) == pytest.approx(0.05, abs=0.025)


@pytest.mark.parametrize("metric", MAKERS)
def test_what_is_unlike_all_training_rows_is_far(metric: str) -> None:
    train = MAKERS[metric](3, 300)
    applicability = Applicability.fit(train, metric, np.arange(300))
    unlike = np.zeros_like(train[:1])
    unlike[:] = np.log1p(200) if metric == "tanimoto" else 1e9
    assert applicability.percentile(unlike)[0] > 95
    assert applicability.percentile(train[:1])[0] < applicability.percentile(unlike)[0]


@pytest.mark.parametrize("metric", MAKERS)
def test_copies_do_not_make_each_other_near(metric: str) -> None:
    train, fresh = MAKERS[metric](4, 200), MAKERS[metric](5, 50)
    copies, groups = np.repeat(train, 6, axis=0), np.repeat(np.arange(200), 6)
    grouped = Applicability.fit(copies, metric, groups)
    fooled = Applicability.fit(copies, metric, np.arange(1200))
    assert grouped.reference_distances.min() > 0.1
    assert fooled.reference_distances.max() < 1e-3
    assert np.median(grouped.percentile(fresh)) < 80
    assert (fooled.percentile(fresh) == 100).all()


@pytest.mark.parametrize("metric", MAKERS)
def test_saved_is_opened(metric: str) -> None:
    train, fresh = MAKERS[metric](6, 300), MAKERS[metric](7, 100)
    fresh[0, 0] = np.nan
    applicability = Applicability.fit(train, metric, np.arange(300))
    arrays = {name: np.frombuffer(v.tobytes(), v.dtype).reshape(v.shape) for name, v in applicability.arrays().items()}
    opened = Applicability.from_arrays(arrays, applicability.metric, applicability.features)
    assert (opened.percentile(fresh) == applicability.percentile(fresh)).all()
    with pytest.raises(KeyError):
        Applicability.from_arrays({"groups": arrays["groups"]}, applicability.metric, applicability.features)


def test_large_training_sets_are_sampled_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amalthea.validation.applicability_domain._REFERENCES", 100)
    train = numbers(8, 120, 2)
    first, again, other = (Applicability.fit(train, "euclidean", np.arange(120), seed) for seed in (0, 0, 1))
    assert len(first.groups) == len(first.reference_distances) == 100
    assert (first.groups == again.groups).all()
    assert (first.groups != other.groups).any()


@pytest.mark.parametrize("metric", MAKERS)
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_tiny_training_sets_answer_or_say_that_they_cannot(metric: str, rows: int) -> None:
    train = MAKERS[metric](9, rows)
    percentile = Applicability.fit(train, metric, np.arange(rows)).percentile(train)
    assert np.isnan(percentile).all() if rows == 1 else ((percentile >= 0) & (percentile <= 100)).all()


@pytest.mark.parametrize("metric", MAKERS)
def test_useless_features_make_nothing_far(metric: str) -> None:
    applicability = Applicability.fit(np.zeros((20, 3)), metric, np.arange(20))
    assert (applicability.percentile(np.zeros((2, 3))) == 0).all()
    assert applicability.percentile(np.empty((0, 3))).shape == (0,)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="Received"):
        Applicability.fit(np.zeros((2, 3)), "cosine", [0, 1])
    with pytest.raises(ValueError, match="Received"):
        Applicability.fit(np.zeros((2, 3)), "euclidean", [0])
    with pytest.raises(ValueError, match="Received"):
        Applicability.fit(np.eye(3), "euclidean", [0, 1, 2]).percentile(np.zeros((1, 4)))
