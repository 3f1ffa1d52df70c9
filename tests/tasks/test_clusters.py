"""Whole clusters held out: nothing of a row's cluster is known to those that judge it, and its figures are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amalthea as am
from amalthea.tasks.columns import fit
from amalthea.validation.clusters import cluster
from amalthea.validation.cross_fitting import HeldOut, Residuals, cross_fitted, fit_both
from tests.cli.conftest import Amalthea

FEW: dict[str, Any] = {"folds": 4, "members": 2, "epochs": 3, "verbose": 0}


def table(rows: int = 180, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3)) + 4 * rng.integers(0, 3, rows)[:, None]
    return pd.DataFrame(x, columns=list("abc")).assign(y=x[:, 0] + 0.1 * rng.normal(size=rows))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 5), st.sampled_from(["euclidean", "tanimoto", "pictures", "descriptors"]))
def test_copies_share_a_cluster(seed: int, metric: Any) -> None:
    rng = np.random.default_rng(seed)
    x = np.where(rng.random((60, 4)) < 0.1, np.nan, rng.gamma(1.0, size=(60, 4))).astype(np.float32)
    groups = rng.integers(0, 25, 60)
    labels = cluster(x, metric, groups, seed)
    assert all(len(set(labels[groups == group])) == 1 for group in np.unique(groups))
    assert cluster(np.ones((30, 2)), metric, np.arange(30)).tolist() == [0] * 30


def held_out(monkeypatch: pytest.MonkeyPatch, data: pd.DataFrame) -> HeldOut:
    """Return what was said of cluster-held-out rows in a training."""
    kept, judge = [], fit.judge

    def keep(*given: Any, **more: Any) -> Any:
        kept.append(given[-1])
        return judge(*given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(fit, "judge", keep)
        am.train(data, "y", **FEW)
    (clusters,) = kept
    assert isinstance(clusters, HeldOut)
    return clusters


def test_who_judges_a_row_saw_no_label_of_its_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    data = table()
    before = held_out(monkeypatch, data)
    rows = before.fold_ids == 1
    assert all(len(np.unique(before.fold_ids[before.groups == group])) == 1 for group in np.unique(before.groups))
    # Within the old range, or the bounds of the others' answers would move as well they may.
    changed = data.assign(y=np.where(rows, np.random.default_rng(1).permutation(data["y"]), data["y"]))
    after = held_out(monkeypatch, changed)
    assert np.array_equal(before.fold_ids, after.fold_ids)
    assert np.array_equal(before.mean[rows], after.mean[rows])
    assert not np.array_equal(before.mean[~rows], after.mean[~rows])


def test_the_figures_are_told_and_kept(tmp_path: Path) -> None:
    amalthea = Amalthea(tmp_path)
    table().to_csv(tmp_path / "table.csv", index=False)
    words = ("--target", "y", "--folds", "4", "--members", "2", "--epochs", "3", "-o", "m.amalthea")
    shown = amalthea("train", "table.csv", *words).stdout
    assert "network, clusters held out" in shown
    assert "% of random," in shown
    assert "% of cluster-held-out values" in shown
    summary = am.load_model(tmp_path / "m.amalthea").validation.targets[0]
    assert summary.clusters is not None
    assert len(summary.bands) == len(summary.clusters.bands) == 9
    result = json.loads(amalthea("train", "table.csv", *words, "--json").stdout)
    assert result["calibration"]["coverage_90_clusters"] == pytest.approx(summary.clusters.coverage.value)
    assert result["clusters"]["rmse"]["value"] == pytest.approx(summary.clusters.metrics["rmse"].value)


def test_groups_of_the_users_own_are_not_clustered_again() -> None:
    data = table().assign(batch=np.arange(180) % 12)
    predictor = am.train(data, "y", split="group", group="batch", **FEW)
    assert predictor.validation.targets[0].clusters is None


def test_intervals_hold_near_and_far_where_the_error_grows_with_distance() -> None:
    rng = np.random.default_rng(0)
    rows, folds = 3_000, np.arange(3_000) % 3

    def residuals(distance: np.ndarray) -> Residuals:
        errors = np.abs(distance * rng.normal(size=rows))
        return Residuals(errors, np.ones(rows), folds, np.arange(rows), distance, np.zeros(rows), rng.normal(size=rows))

    near, far = residuals(rng.uniform(0.8, 1.2, rows)), residuals(rng.uniform(1.0, 4.0, rows))
    for held, widths in zip((near, far), cross_fitted(near, far), strict=True):
        assert widths is not None
        assert 0.88 < (held.errors <= widths).mean() < 0.92
    asked = np.linspace(1.0, 4.0, 1_000)
    alone, both = (calibration.sigma(np.ones(1_000), asked) for calibration in (fit_both(near), fit_both(near, far)))
    assert both[-1] / both[0] == pytest.approx(4.0, rel=0.1)
    assert not np.allclose(alone, both, rtol=0.05)
