"""The paths of many networks in one plane, and the loss there."""

from __future__ import annotations

import functools
import json
import warnings

import keras
import numpy as np
import pytest

import amalthea as am
from amalthea import insight
from amalthea.insight import figures

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(48, 3)).astype(np.float32)
Y = (X[:, :1] - 2 * X[:, 1:2]).astype(np.float32)


def line(rate=0.05, inputs=2, bias=False):
    """A linear model: with two weights, its plane is all there is."""
    model = keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(1, use_bias=bias)])
    model.compile(keras.optimizers.SGD(rate), "mean_squared_error")
    return model


@functools.cache
def two_weights():
    ensemble = am.Ensemble(line(), folds=2, members=2)
    ensemble.fit(X[:, :2], Y, epochs=12, batch_size=8, verbose=0, record=True)
    return ensemble


def test_of_two_weights_the_plane_shows_everything_and_keeps_all_distances():
    found = insight.trajectories(two_weights(), points=5)
    assert found.share == pytest.approx(1)
    assert found.plane.shares == pytest.approx(np.ones(4))
    (weights,) = two_weights().recording.trainable
    true = np.linalg.norm(weights[:, -1, :, 0] - weights[:, 0, :, 0], axis=1)
    seen = np.linalg.norm(found.positions[:, -1] - found.positions[:, 0], axis=1)
    assert seen == pytest.approx(true, rel=1e-4)


def test_the_surface_is_the_loss_of_the_weights_that_lie_there():
    ensemble = two_weights()
    found = insight.trajectories(ensemble, points=4)
    (weights,), rows = ensemble.recording.trainable, ensemble.recording
    (directions,) = found.plane.directions
    for up, across in ((0, 0), (3, 1)):
        step = np.array([found.surface.across[across], found.surface.up[up]]) - found.positions[found.reference, -1]
        there = weights[found.reference, -1] + np.tensordot(step, directions, 1)
        for heights, own in (
            (found.surface.training, rows.learned[found.reference]),
            (found.surface.held_out, rows.held_out[found.reference]),
        ):
            loss = np.mean((X[own][:, :2] @ there - Y[own]) ** 2)
            assert heights[up, across] == pytest.approx(loss, rel=1e-3)


def test_the_share_is_what_an_orthogonal_projection_keeps():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, "tanh"), keras.layers.Dense(1)])
    model.compile("adam", "mean_squared_error")
    ensemble = am.Ensemble(model, folds=2, members=2)
    ensemble.fit(X, Y, epochs=8, batch_size=8, verbose=0, record=True)
    found = insight.trajectories(ensemble, points=3)
    flat = np.concatenate([v.reshape(*v.shape[:2], -1) for v in ensemble.recording.trainable], axis=2)
    away = (flat - flat[:, :1]).reshape(-1, flat.shape[2]).astype(float)
    sizes = np.linalg.svd(away, compute_uv=False) ** 2
    assert found.share == pytest.approx(sizes[:2].sum() / sizes.sum(), rel=1e-3)
    directions = np.concatenate([d.reshape(2, -1) for d in found.plane.directions], axis=1)
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-3)
    assert found.folds.tolist() == [0, 0, 1, 1]
    assert found.seeds.tolist() == [0, 1, 0, 1]


def test_a_member_that_runs_away_leaves_the_picture_readable(monkeypatch):
    ensemble = am.Ensemble(line(), folds=2, members=2)
    ensemble.fit(X[:, :2], Y, epochs=12, batch_size=8, verbose=0, record=True)
    ensemble.recording.trainable[0][1, 1:] *= np.float32(1e6)
    found = insight.trajectories(ensemble, points=5)
    assert found.plane.used.tolist() == [True, False, True, True]
    assert np.ptp(found.surface.across) < 100
    assert "Ran far away" in " ".join(found.notes)
    low, high = found.figure().axes[0].get_xlim()
    assert high - low < 100


def test_an_optimizer_that_diverges_is_said_to():
    x = X[:, :2].copy()
    x[0] = 1e18  # whoever meets it is lost
    with warnings.catch_warnings(action="ignore"):
        ensemble = am.Ensemble(line(), folds=2, members=2)
        with pytest.raises(am.AmaltheaError, match="diverged"):
            ensemble.fit(x, Y, epochs=3, verbose=0, record=True)


def test_weights_that_were_not_recorded_or_did_not_move_are_refused():
    ensemble = am.Ensemble(line(), folds=2, members=1)
    ensemble.fit(X[:, :2], Y, epochs=1, verbose=0)
    with pytest.raises(am.AmaltheaError, match="record=True"):
        insight.trajectories(ensemble)
    still = am.Ensemble(line(rate=0.0), folds=2, members=1)
    still.fit(X[:, :2], Y, epochs=2, verbose=0, record=True)
    with pytest.raises(am.AmaltheaError, match="moved"):
        insight.trajectories(still)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_share_is_printed_on_the_picture(theme, tmp_path):
    found = insight.trajectories(two_weights(), points=5)
    drawn = found.figure(theme, "title")
    assert len(drawn.axes) == 3  # training, held out, the scale of heights
    assert all(any("100% of the movement" in text.get_text() for text in axes.texts) for axes in drawn.axes[:2])
    assert figures.save(drawn, tmp_path / "paths.png").stat().st_size > 1000
    data = json.loads(json.dumps(found.data(), allow_nan=False))
    assert len(data["members"]) == 4
    assert found.frame().columns.tolist() == ["member", "fold", "seed", "epoch", "first", "second"]


def test_a_progress_bar_is_shown_where_asked(capfd):
    insight.trajectories(two_weights(), points=3, verbose=1)
    assert "3/3" in capfd.readouterr().err


def test_statistics_of_layers_follow_the_weights():
    layers = [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    model = keras.Sequential([*layers[:3], keras.layers.Dropout(0.2), layers[3]])
    model.compile("adam", "mean_squared_error")
    ensemble = am.Ensemble(model, folds=1, members=2)
    ensemble.fit(X, Y, epochs=4, batch_size=8, verbose=0, record=True)
    found = insight.trajectories(ensemble, points=3)
    assert np.isfinite(found.surface.training).all()
    assert found.surface.held_out is None
    assert len(found.figure().axes) == 2
