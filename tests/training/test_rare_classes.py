"""Rare classes: what few examples have in common is learned, and probabilities stay what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import amalthea as am
from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import ReadOptions, Target
from amalthea.domains.linear_network import LinearSolution
from amalthea.domains.tables import DOMAIN
from amalthea.training.layers import TargetHeads
from amalthea.validation.stacking import shares_by_fold


def rare(rows: int, share: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 10))
    score = 2 * x @ rng.normal(size=10) / np.sqrt(10) * 1.5 + rng.logistic(size=rows)
    table = pd.DataFrame(x.round(4), columns=[f"x{place}" for place in range(10)])
    return table.assign(y=np.where(score > np.quantile(score, 1 - share), "active", "inactive"))


def test_a_class_of_three_percent_is_ranked_as_well_as_by_a_linear_model(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"folds": 3, "members": 3, "verbose": 0, "seed": 1}
    table = rare(700, 0.03, 2)
    predictor = am.train(table, "y", **settings)
    target = predictor.validation.targets[0]
    assert target.metrics["roc_auc"].value > target.baselines["linear"]["roc_auc"].value - 0.02
    predictor.save(tmp_path / "rare.amalthea")
    again = am.load_model(tmp_path / "rare.amalthea").predict(table)
    np.testing.assert_array_equal(again.mean, predictor.predict(table).mean)
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


def test_a_linear_network_is_offered_only_where_a_class_is_rare() -> None:
    offered = {}
    for share in (0.03, 0.3):
        dataset = DOMAIN.dataset(as_text(rare(200, share, 3)), "small", ReadOptions(target=("y",)))
        offered[share] = [each.name for each in DOMAIN.featurizers(dataset, "auto")]
    assert offered == {0.03: ["columns", "linear"], 0.3: ["columns"]}


def test_the_simplest_model_answers_alone_unless_others_are_clearly_likelier() -> None:
    rng = np.random.default_rng(0)
    labels = np.where(np.arange(200) < 10, 1.0, 0.0)
    simple = np.clip(0.05 + 0.2 * labels + rng.normal(size=200) * 0.01, 0.01, 0.99)
    better, as_good = np.clip(0.02 + 0.9 * labels, 0, 1), np.roll(simple, 1) + 0.0
    target = Target("y", "classification", classes=("no", "yes"))

    def share(other: np.ndarray) -> float:
        predictions = [np.stack([1 - each, each], axis=1)[None].astype(np.float32) for each in (other, simple)]
        return float(shares_by_fold([target], labels[:, None], predictions, simplest=1)[1, 0, 0])

    assert share(better) < 0.1
    assert share(as_good) == 1.0


def test_a_solution_finds_lines_in_numbers_and_in_classes() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3)).astype(np.float32)
    number, kind = 5 * x[:, 0] + 100, np.digitize(x[:, 1], [-0.5, 0.5])
    layer = LinearSolution([1, 4], 3)
    layer.build((None, 3))
    # The fourth class never occurs, and a label is missing.
    values = np.column_stack([x, number, np.where(np.arange(400) == 7, np.nan, kind)])
    weights, offset = layer.statistics(values)
    raw = x @ weights + offset
    assert np.corrcoef(raw[:, 0], number)[0, 1] > 0.98
    assert (raw[:, 1:].argmax(axis=1) == kind).mean() > 0.9
