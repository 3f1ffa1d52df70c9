"""The figures that the README and the issues promise, on real data with nothing but the defaults."""

from __future__ import annotations

import os

import pytest

import amalthea as am
from amalthea.datasets import splits

needs_esol = pytest.mark.skipif("AMALTHEA_DATA" not in os.environ, reason="esol: set AMALTHEA_DATA to its folder")


@pytest.mark.slow
@needs_esol
def test_solubility():
    summary = am.train("esol", verbose=0).validation.targets[0]
    assert summary.metrics["rmse"].value < 0.57
    assert summary.metrics["rmse"].value > 0.45  # better than the measurements agree would be a leak
    assert 0.88 <= summary.coverage.value <= 0.92
    assert summary.baselines["Delaney's linear model"]["rmse"].value == pytest.approx(0.910, abs=0.002)


@pytest.mark.slow
def test_activity():
    summary = am.train("cmet", verbose=0).validation.targets[0]
    assert summary.metrics["roc_auc"].value > 0.935
    assert summary.metrics["brier"].value < 0.103


def test_a_cluster_split_keeps_clusters_whole():
    dataset = am.read("cmet")
    dataset = dataset.take(list(range(0, 1000, 10)))
    predictor = am.train(dataset, split="cluster", features="morgan", folds=3, members=2, epochs=2, verbose=0)
    from amalthea.domains import domain

    clusters = domain("molecules").groups(dataset, "cluster")
    folds = predictor.out_of_fold["fold"].to_numpy()
    for cluster in set(splits.together(dataset.groups, clusters)):
        assert len(set(folds[splits.together(dataset.groups, clusters) == cluster])) == 1
