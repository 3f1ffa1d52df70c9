"""Shares are none negative, 1 together, and the best mixture's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.datasets.dataset import Target
from amalthea.validation.stacking import shares, shares_by_fold


@given(st.integers(2, 4), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_no_other_mixture_is_better(models: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.normal(size=(50, 1))
    answers = truth + random.normal(size=(models, 50, 1)) * random.uniform(0.1, 2, size=(models, 1, 1))
    found = shares(truth, answers)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)

    def error(mixture: np.ndarray) -> float:
        return float(((np.tensordot(mixture, answers, 1) - truth) ** 2).sum())

    for other in random.dirichlet(np.ones(models), size=30):
        assert error(found) <= error(other) * (1 + 1e-6)


def test_a_model_that_knows_takes_all() -> None:
    truth = np.arange(10.0)[:, None]
    np.testing.assert_allclose(shares(truth, np.stack([truth, truth + 5])), [1, 0], atol=1e-6)


def test_each_target_and_fold_has_its_own() -> None:
    targets = (Target("y", "regression"), Target("c", "classification", classes=("a", "b")))
    values = np.array([[1.0, 0], [2.0, 1], [3.0, np.nan], [np.nan, 0]])
    good, bad = np.tile([[1.0, 0.5, 0.5]], (4, 1)), np.tile([[9.0, 0.5, 0.5]], (4, 1))
    good[:, 0] = [1, 2, 3, 4]
    bad[:, 1:] = [[1, 0], [0, 1], [1, 0], [1, 0]]
    both = [np.stack([one, one]).astype(np.float32) for one in (good, bad)]
    found = shares_by_fold(targets, values, both)
    assert found.shape == (2, 2, 3)
    np.testing.assert_allclose(found.sum(axis=0), 1)
    np.testing.assert_allclose(found[:, 0], [[1, 0, 0], [0, 1, 1]], atol=1e-6)
