"""Where training and validation part, what more examples bring, and networks of three sizes."""

from __future__ import annotations

import dataclasses
import functools
import json
import types

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea import insight
from amalthea.insight.overfitting.generalization import restrained
from amalthea.insight.overfitting.loss_plots import judged
from amalthea.insight.overfitting.overfitting_onset import gap, turn_of
from amalthea.progress import Bar
from amalthea.tasks.columns import learning_curve as curves
from amalthea.tasks.columns.lessons import ColumnLessons
from amalthea.tasks.columns.refit import Material, material
from amalthea.training.history import History
from amalthea.training.layers import TargetHeads
from amalthea.validation.learning_curve import LearningCurve
from amalthea.validation.metrics import Figure
from tests.predictor.models import trained

import keras  # isort: skip


def history(training, validation):
    losses = {"loss": np.asarray(training, np.float32), "val_loss": np.asarray(validation, np.float32)}
    return History(losses, np.full(len(training), len(training[0])))


EPOCHS = np.arange(1, 41)


def members(lowest, rise, noise=0.01, count=12, seed=0):
    """Training losses that fall, and validation losses that are lowest in an epoch and rise after it."""
    random = np.random.default_rng(seed)
    training = 1 / EPOCHS + noise * random.normal(size=(count, 40))
    away = EPOCHS - lowest
    validation = 0.3 + 0.01 * np.where(away < 0, away**2 / lowest, 0) + rise * np.maximum(away, 0)
    return history(training, validation + noise * random.normal(size=(count, 40)))


def test_losses_that_rise_again_are_said_to_and_the_epoch_is_found():
    turn = turn_of(members(lowest=15, rise=0.02, noise=0.002))
    assert turn.kind == "rising"
    assert abs(turn.epoch.value - 15) <= 2
    assert turn.earliest <= turn.epoch.value <= turn.latest
    assert turn.rise.value == pytest.approx(0.5, abs=0.1)
    assert 3 <= turn.parting.value <= 5  # 1 / epoch falls below the validation loss
    assert "the networks overfit" in str(turn)


def test_noise_about_a_level_is_not_called_a_turn():
    kinds = [turn_of(members(lowest=15, rise=0.0, noise=0.002, seed=seed)).kind for seed in range(20)]
    assert kinds.count("rising") <= 2


def test_losses_that_fall_to_the_end_have_not_turned():
    turn = turn_of(history(np.tile(1 / EPOCHS, (3, 1)), np.tile(0.9 / EPOCHS, (3, 1))))
    assert turn.kind == "falling"
    assert np.isnan(turn.parting.value)
    assert "do not part" in str(turn)


def test_members_that_stopped_early_count_as_long_as_they_learned():
    losses = [[3, 2, 1, 2, np.nan, np.nan], [3, 2, 1, 1.5, 2, 2.5]]
    assert turn_of(history(losses, losses)).epoch == Figure(3.0, 0.0)
    assert turn_of(History({"loss": np.ones((2, 3), np.float32)}, np.full(2, 3))) is None


def test_copies_of_an_example_are_resampled_together():
    errors = np.repeat(np.abs(np.random.default_rng(0).normal(size=(2, 6))), 10, axis=1)
    apart, together = (
        LearningCurve("y", "error", np.array([1, 2]), errors, groups, 2).errors[0].error
        for groups in (np.arange(60), np.arange(60) // 10)
    )
    assert together > 2 * apart


def test_material_is_what_the_model_was_trained_on():
    predictor = trained("two numbers with gaps")
    given = material(predictor)
    assert given.y[:, 0] == pytest.approx(predictor.out_of_fold["y_target"].to_numpy(float))
    assert np.isnan(given.y[:, 1]).sum() == predictor.out_of_fold["z_target"].isna().sum()
    few = material(predictor, most=10)
    assert len(few.x) == len(few.y) == len(few.folds) == 10
    assert "10" in few.notes[0]


@functools.cache
def learned() -> am.Predictor:
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(96, 2)), columns=["a", "b"])
    table["y"] = table["a"] - table["b"] + 0.5 * random.normal(size=96)
    return am.train(table, "y", folds=2, members=2, epochs=4, verbose=0)


@pytest.mark.slow
def test_everything_that_a_model_with_examples_shows(tmp_path):
    found = insight.generalization(learned())
    assert not found.missing
    assert found.curve.sizes.tolist() == [6, 12, 24, 48]
    assert list(found.networks) == ["small", "own size", "large"]
    last = {name: np.nanmean(own.members["loss"][:, -1]) for name, own in found.networks.items()}
    assert last["large"] < last["own size"] < last["small"]
    for theme in ("light", "dark"):
        assert len(found.figure(theme).axes) == 6
    data = json.loads(json.dumps(found.data(), allow_nan=False))
    assert set(data["losses"]) == {"own", "small", "own size", "large"}
    assert found.frame().groupby("network")["epoch"].max()["own"] == len(found.history.epoch)


def test_without_examples_the_history_is_shown_and_the_rest_named():
    found = insight.generalization(dataclasses.replace(learned(), examples=pd.DataFrame()))
    assert found.curve is None
    assert found.networks is None
    assert set(found.missing) == {"turn", "curve", "networks"}
    assert "saved without its examples" in repr(found)
    assert len(found.figure().axes) == 1
    assert set(found.frame()["network"]) == {"own"}


def without_history(predictor):
    (part,) = predictor.parts
    ensemble = am.Ensemble(part.ensemble.model, folds=part.ensemble.folds, members=part.ensemble.members)
    past = dataclasses.replace(part.ensemble.history, members={})
    example = np.zeros((1, *part.featurizer.shape), np.float32)
    ensemble.restore(part.ensemble.weights, example, part.ensemble.fold_ids, past, None)
    return dataclasses.replace(predictor, parts=(dataclasses.replace(part, ensemble=ensemble),))


def test_without_history_and_examples_there_is_nothing_and_it_says_so():
    bare = dataclasses.replace(without_history(learned()), examples=pd.DataFrame())
    with pytest.raises(am.AmaltheaError, match=r"without its history.*without its examples"):
        insight.generalization(bare)


def test_without_history_networks_learn_anew_and_it_says_so(monkeypatch):
    def refuse(*_):
        raise am.AmaltheaError("not now")

    monkeypatch.setattr(ColumnLessons, "learning_curve", refuse)
    monkeypatch.setattr("amalthea.insight.overfitting.generalization._networks", refuse)
    found = insight.generalization(without_history(learned()))
    assert "saved without its history" in repr(found)
    assert found.turn is not None
    assert found.missing == {"curve": "not now", "networks": "not now"}


def test_networks_of_pictures_learn_only_once(monkeypatch):
    def never(*_):
        raise AssertionError("the same networks have learned already")

    predictor, past = learned(), members(lowest=15, rise=0.0)
    part = dataclasses.replace(predictor.parts[0], featurizer=types.SimpleNamespace(shape=(8, 8, 1)))
    monkeypatch.setattr("amalthea.insight.overfitting.generalization._watched", never)
    monkeypatch.setattr("amalthea.insight.overfitting.generalization._networks", lambda *_: {"own size": past})
    monkeypatch.setattr(ColumnLessons, "learning_curve", lambda *_: (None, ()))
    monkeypatch.setattr(ColumnLessons, "material", lambda _, most: material(predictor, most))
    found = insight.generalization(dataclasses.replace(predictor, parts=(part,)))
    assert found.history is past
    assert "learned anew from 96 pictures" in " ".join(found.notes)


def test_each_training_moves_the_progress_bar(monkeypatch, capfd):
    moved = []
    monkeypatch.setattr(Bar, "advance", lambda *_: moved.append(1))
    past = types.SimpleNamespace(history=members(lowest=15, rise=0.0))
    monkeypatch.setattr(Material, "fit", lambda *_, **__: past)
    monkeypatch.setattr(ColumnLessons, "learning_curve", lambda *given: (given[-1](), ()))
    insight.generalization(learned(), verbose=1)
    assert len(moved) == 5  # three sizes, the model's own with a validation loss, the curve
    assert "networks learn" in capfd.readouterr().err


def test_targets_and_small_data_are_checked():
    with pytest.raises(am.AmaltheaError, match="no target 'w'"):
        insight.generalization(learned(), target="w")
    assert len(trained("number").examples) < curves.FEWEST_ROWS
    assert "no mistakes" in str(LearningCurve("y", "error", np.array([1, 2]), np.zeros((2, 3)), np.arange(3), 1))


def test_a_network_is_called_what_its_losses_show():
    networks = {
        "small": history([[3, 2, 1.9]] * 3, [[3, 2, 2.0]] * 3),
        "own size": history([[2, 0.5, 0.4]] * 3, [[2, 0.7, 0.65]] * 3),
        "large": history([[2, 0.1, 0.005]] * 3, [[2, 0.7, 0.61]] * 3),
        "rising": history([[2, 0.5, 0.4]] * 3, [[2, 0.5, 0.9]] * 3),
    }
    assert [judged(name, networks) for name in networks] == ["it underfits", "", "it learns by heart", "it overfits"]
    assert gap(networks["large"]) == pytest.approx(122, rel=0.01)
    assert np.isnan(gap(History({"loss": np.ones((2, 3), np.float32)}, np.full(2, 3))))


def test_losses_that_mislead_are_explained():
    layers = keras.layers
    plain = [keras.Input((2,)), layers.Dense(3)]
    assert restrained(keras.Sequential([*plain, layers.Dropout(0.2), layers.Dense(1)]))
    assert not restrained(keras.Sequential([*plain, layers.Dropout(0.0), layers.Dense(1)]))
    assert restrained(keras.Sequential([*plain, TargetHeads([3], 0.05)]))
    assert not restrained(keras.Sequential([*plain, TargetHeads([1, 1, 1], 0.05)]))
