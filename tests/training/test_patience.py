"""With patience each member stops by itself and keeps its best weights, judged on rows of its own training part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import FEATURES, FOLD_IDS, ROWS, TARGET, Case, am, dense, keras, layers, stack

from amalthea.training.assignment import assign

LEARNER = Case(
    stack(
        lambda: layers.Dense(8, activation="relu"),
        layers.BatchNormalization,
        lambda: layers.Dense(1, kernel_regularizer="l2"),
        optimizer=keras.optimizers.Adam(0.1),
    )
)
NOISY = TARGET + np.random.default_rng(3).normal(size=TARGET.shape).astype(np.float32)


@pytest.mark.parametrize("grouped", [False, True], ids=["rows", "groups"])
def test_each_member_keeps_its_best(grouped: bool) -> None:
    groups = np.arange(ROWS) // 3 if grouped else None
    folds = np.isin(np.arange(ROWS) // 3, [0, 2, 5]).astype(int) if grouped else FOLD_IDS
    ensemble = am.Ensemble(LEARNER.build(), folds=2, members=3, seed=4)
    history = ensemble.fit(
        FEATURES, NOISY, epochs=60, batch_size=4, patience=4, validation_fraction=0.3, fold_ids=folds, groups=groups
    )
    losses = history.members["val_loss"]
    assert len(set(history.epochs.tolist())) > 1
    assignment = assign(folds, 2, 3, 0.3, None if groups is None else groups.astype(np.int64), 4)
    for number in range(6):
        best = int(np.nanargmin(losses[number]))
        assert history.epochs[number] == min(60, best + 1 + 4)
        assert np.isnan(losses[number, history.epochs[number] :]).all()
        assert np.isfinite(losses[number, : history.epochs[number]]).all()
        rows = assignment.validation[number]
        again = ensemble[number].evaluate(FEATURES[rows], NOISY[rows], verbose=0)
        np.testing.assert_allclose(again, losses[number, best], rtol=1e-4)


def test_validation_loss_counts_every_row_once() -> None:
    """Also where folds differ in size: all members are measured on equally many of their own rows."""
    folds = np.repeat([0, 1], [17, 5])
    ensemble = am.Ensemble(dense(keras.optimizers.SGD(0.0)), folds=2, members=1)
    history = ensemble.fit(FEATURES, TARGET, epochs=1, fold_ids=folds, validation_fraction=0.4)
    assignment = assign(folds, 2, 1, 0.4, None, 0)
    assert {len(rows) for rows in assignment.validation} == {2}
    for number, rows in enumerate(assignment.validation):
        own = ensemble[number].evaluate(FEATURES[rows], TARGET[rows], verbose=0)
        np.testing.assert_allclose(history.members["val_loss"][number, 0], own, rtol=1e-5)


def test_without_patience_the_last_weights_are_kept() -> None:
    ensemble, plain = (am.Ensemble(dense(), folds=1, members=1) for _ in range(2))
    history = ensemble.fit(FEATURES, TARGET, epochs=3, validation_fraction=0.2)
    assert history.members["val_loss"].shape == (1, 3)
    assert "val_loss" not in plain.fit(FEATURES, TARGET, epochs=3).members
    rows = assign(np.zeros(ROWS, int), 1, 1, 0.2, None, 0).validation[0]
    own = ensemble[0].evaluate(FEATURES[rows], TARGET[rows], verbose=0)
    np.testing.assert_allclose(history.members["val_loss"][0, -1], own, rtol=1e-5)


def test_patience_without_rows_to_set_aside_is_not_silent() -> None:
    """One group a fold: nothing can be set aside, and untrained networks would be a trap."""
    ensemble = am.Ensemble(dense(), folds=2, members=1)
    with pytest.raises(am.AmaltheaError):
        ensemble.fit(FEATURES, TARGET, epochs=3, patience=2, groups=FOLD_IDS, fold_ids=FOLD_IDS)


@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=12),
    folds=st.integers(1, 4),
    fraction=st.floats(0, 0.9),
    seed=st.integers(0, 2**31),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_who_learns_from_what(sizes: list[int], folds: int, fraction: float, seed: int, data: st.DataObject) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    folds = min(folds, len(sizes))
    of_group = np.array(
        [
            *range(folds),
            *data.draw(st.lists(st.integers(0, folds - 1), min_size=len(sizes) - folds, max_size=len(sizes) - folds)),
        ]
    )
    ids = of_group[groups]
    own_groups = [len(set(groups[ids != fold] if folds > 1 else groups)) for fold in range(folds)]
    if fraction > 0 and min(own_groups) == 1:
        with pytest.raises(am.AmaltheaError, match="set aside"):
            assign(ids, folds, 2, fraction, groups, seed)
        return
    assignment = assign(ids, folds, 2, fraction, groups, seed)
    for number in range(2 * folds):
        parts = [assignment.training[number], assignment.validation[number], assignment.held_out(number)]
        together = np.concatenate(parts)
        assert len(together) == len(set(together.tolist()))
        # What is set aside beyond the rows that are measured is not learned from.
        assert set(range(len(groups))) == set(together.tolist()) or fraction > 0
        assert len(parts[0]) > 0
        kinds = [set(groups[part].tolist()) for part in parts]
        assert not kinds[0] & kinds[1]
        assert not kinds[2] & (kinds[0] | kinds[1])
        assert folds == 1 or (ids[parts[2]] == number // 2).all()
        if fraction == 0:
            assert len(parts[1]) == 0
