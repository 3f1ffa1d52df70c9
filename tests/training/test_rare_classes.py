"""Rare classes: what few examples have in common is learned, and probabilities stay what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import amalthea as am
from amalthea.training.layers import TargetHeads


def rare(rows: int, share: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 10))
    score = 2 * x @ rng.normal(size=10) / np.sqrt(10) * 1.5 + rng.logistic(size=rows)
    table = pd.DataFrame(x.round(4), columns=[f"x{place}" for place in range(10)])
    return table.assign(y=np.where(score > np.quantile(score, 1 - share), "active", "inactive"))


def test_a_class_of_three_percent_is_ranked_as_well_as_by_a_linear_model() -> None:
    settings: dict[str, Any] = {"folds": 3, "members": 3, "verbose": 0, "seed": 1}
    target = am.train(rare(700, 0.03, 2), "y", **settings).validation.targets[0]
    network, linear = target.metrics["roc_auc"], target.baselines["linear"]["roc_auc"]
    assert network.value > linear.value - max(0.03, 2 * linear.error)
    assert target.metrics["brier"].value < 0.03 * 0.97 * 1.05  # no worse than the base rate: nothing is overstated


def test_weights_come_from_a_members_own_rows_and_only_where_a_class_is_rare() -> None:
    heads = TargetHeads([2, 1], balanced=True)
    heads.build((None, 3))
    even, number = np.tile([0.0, 1.0], 50), np.arange(100.0)
    assert not heads.statistics(np.stack([even, number], axis=1))[2].any()
    few = np.where(np.arange(100) < 4, 1.0, 0.0)
    np.testing.assert_allclose(
        np.exp(heads.statistics(np.stack([few, number], axis=1))[2]), [1 / 1.92, 12.5, 1], rtol=1e-5
    )


def test_weights_are_taken_back_from_the_answers() -> None:
    heads = TargetHeads([2], balanced=True)
    heads.build((None, 2))
    heads.set_weights(heads.statistics(np.where(np.arange(100) < 4, 1.0, 0.0)[:, None]))
    # To a network that cannot tell the weighted classes apart, the answer is the base rate.
    np.testing.assert_allclose(np.asarray(heads(np.zeros((1, 2))))[0], [0.96, 0.04], rtol=1e-5)
    truth = np.array([[0.0]])
    assert float(heads.loss(truth, heads(np.zeros((1, 2))))) < float(heads.loss(truth + 1, heads(np.zeros((1, 2)))))
