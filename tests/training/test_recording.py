"""Weights written down along a training: where the members were, and what it does not change."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.networks import FEATURES, FOLD_IDS, TARGET, dense, scaled

import amalthea as am
from amalthea.training import weight_history as recording

OPTIONS = {"epochs": 6, "batch_size": 4, "fold_ids": FOLD_IDS, "verbose": 0}


def trained(record=True, model=dense, **options):
    ensemble = am.Ensemble(model(), folds=2, members=2)
    ensemble.fit(FEATURES, TARGET, record=record, **{**OPTIONS, **options})
    return ensemble


def weights(ensemble):
    return list(ensemble.weights.values())


def test_recording_changes_nothing_of_what_is_learned():
    for with_path, without in zip(weights(trained()), weights(trained(record=False)), strict=True):
        assert with_path.tobytes() == without.tobytes()
    assert trained(record=False).recording is None


@pytest.mark.parametrize("model", [dense, scaled])
def test_a_path_at_each_epoch_is_where_a_shorter_training_ends(model):
    kept = trained(model=model).recording
    assert kept.epochs.tolist() == [list(range(7))] * 4
    for epochs in (2, 6):
        shorter = weights(trained(model=model, epochs=epochs))
        for path, end in zip([*kept.trainable, *kept.others], shorter, strict=True):
            np.testing.assert_allclose(path[:, epochs], end, rtol=1e-5, atol=1e-6)


def test_members_in_groups_are_recorded_like_members_side_by_side(monkeypatch):
    together = trained().recording
    monkeypatch.setattr("amalthea.training.sharding.MEMORY_BYTES", 700)
    apart = trained().recording
    for one, other in zip(together.trainable, apart.trainable, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_rows_are_those_that_a_member_learned_from_or_never_saw():
    kept = trained().recording
    assert (kept.learned != kept.held_out).all()
    assert np.array_equal(kept.held_out[0], FOLD_IDS == 0)
    np.testing.assert_array_equal(kept.x, FEATURES)


def test_a_member_that_stopped_stays_where_it_was():
    kept = trained(epochs=40, patience=2, validation_fraction=0.3).recording
    assert (np.diff(kept.epochs) >= 0).all()
    last = kept.epochs[:, -1]
    for member in range(4):
        after = kept.epochs[member] == last[member]
        for path in kept.trainable:
            assert (path[member, after] == path[member, -1]).all()


def test_memory_bounds_how_many_epochs_are_kept(monkeypatch):
    monkeypatch.setattr(recording, "MEMORY_BYTES", 1)
    kept = trained(epochs=50).recording
    assert kept.epochs[0].tolist()[0] == 0
    assert kept.epochs[0].tolist()[-1] == 50
    assert kept.epochs.shape[1] == recording.FEWEST_EPOCHS
