"""A member whose loss becomes NaN or infinite stops, is reported, and harms nobody."""

from __future__ import annotations

import numpy as np
import pytest
from networks import FEATURES, FOLD_IDS, ROWS, TARGET, am, assert_same, dense, keras, weights_of

from amalthea.training import trainer
from amalthea.training.assignment import assign
from amalthea.training.history import far_above

BAD = 0
FRACTION = 0.4


def train(y: np.ndarray, **options: object) -> am.Ensemble:
    """Two folds x 4 members; each has set rows aside, so not every member of fold 1 learns from row 0 of fold 0."""
    ensemble = am.Ensemble(dense(), folds=2, members=4, seed=2)
    ensemble.fit(FEATURES, y, epochs=3, batch_size=4, fold_ids=FOLD_IDS, **{"validation_fraction": FRACTION, **options})
    return ensemble


def test_it_stops_alone() -> None:
    assignment = assign(FOLD_IDS, 2, 4, FRACTION, None, 2)
    meets = [number for number in range(8) if BAD in assignment.training[number]]
    assert 0 < len(meets) < 4
    assert min(meets) >= 4
    y = TARGET.copy()
    healthy = train(y)
    y[BAD] = 1e30
    with pytest.warns(UserWarning, match="NaN or infinite"):
        ensemble = train(y)
    history = ensemble.history
    assert list(history.left_out) == meets
    assert any(str(meets[0]) in note for note in history.notes)
    for number in range(8):
        if number not in meets:
            assert_same(weights_of(ensemble, number), weights_of(healthy, number))
            assert history.epochs[number] == 3
    answers = ensemble.predict(FEATURES)
    assert np.isnan(answers.members[meets]).all()
    others = np.delete(answers.members, meets, axis=0)
    np.testing.assert_allclose(answers.mean, others.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(answers.std, others.std(axis=0, ddof=1), rtol=1e-5, atol=1e-7)
    assert np.isfinite(ensemble.out_of_fold.mean).all()
    assert np.isfinite(list(ensemble.evaluate(FEATURES, TARGET).values())).all()
    assert np.isfinite(history.history["loss"][-1])


def test_all_members_of_a_fold() -> None:
    y = TARGET.copy()
    y[BAD] = 1e30
    with pytest.raises(am.AmaltheaError, match="members of fold 1 diverged"):
        train(y, validation_fraction=0.0)


def late(step: int) -> keras.Model:
    """A network that is thrown away by its optimizer at one step, counted from 1."""
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([step - 2, step - 1], [0.01, 1e38, 0.01])
    return dense(keras.optimizers.SGD(rate))


def test_with_patience_the_best_weights_survive() -> None:
    steps = 5  # an epoch: 19 rows in batches of 4
    ensemble = am.Ensemble(late(3 * steps + 2), folds=1, members=2)
    with pytest.warns(UserWarning, match="NaN or infinite"):
        history = ensemble.fit(FEATURES, TARGET, epochs=8, batch_size=4, patience=5)
    assert history.left_out == ()
    assert np.isfinite(ensemble.predict(FEATURES).members).all()
    assert (np.nanmin(history.members["val_loss"], axis=1) < history.members["val_loss"][:, 0]).all()


def test_weights_lost_in_the_very_last_step_are_noticed() -> None:
    """Its loss was measured before the step, and was finite."""
    steps = -(-ROWS // 4)
    ensemble = am.Ensemble(late(2 * steps), folds=1, members=2)
    with pytest.raises(am.AmaltheaError, match="diverged"):
        ensemble.fit(FEATURES, TARGET * 100, epochs=2, batch_size=4)


def test_a_validation_loss_that_is_never_a_number_is_noticed() -> None:
    """Training rows are fine; the rows set aside are not, so no epoch is the best one."""
    aside = assign(np.zeros(ROWS, int), 1, 1, 0.2, None, 0).validation[0]
    y = TARGET.copy()
    y[aside] = 1e30
    ensemble = am.Ensemble(dense(), folds=1, members=1)
    with pytest.raises(am.AmaltheaError):
        ensemble.fit(FEATURES, y, epochs=4, patience=2, validation_fraction=0.2)


def test_a_training_names_who_ended_far_above_the_others() -> None:
    """One row is far from all others; where it is set aside, and only there, the validation loss is large."""
    assignment = assign(FOLD_IDS, 2, 4, FRACTION, None, 2)
    measured = [number for number in range(8) if BAD in assignment.validation[number]]
    assert 0 < len(measured) < 4
    y = TARGET.copy()
    y[BAD] = 1e4
    ensemble = am.Ensemble(dense(loss="mae"), folds=2, members=4, seed=2)
    with pytest.warns(am.errors.TrainingWarning, match="ended far above the others'"):
        history = ensemble.fit(FEATURES, y, epochs=3, batch_size=4, fold_ids=FOLD_IDS, validation_fraction=FRACTION)
    (note,) = history.notes
    assert note.startswith(f"The validation loss of {len(measured)} member(s) ended far above")
    assert f"ensemble.leave_out({measured})" in note
    assert history.left_out == ()  # it is for the user to say
    ensemble.leave_out(measured)
    assert ensemble.history.left_out == tuple(measured)
    assert np.isfinite(ensemble.out_of_fold.mean).all()


def test_a_member_far_above_the_others_is_named_and_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = np.array([[1.0, value] for value in (0.4, 0.5, 0.5, 0.6, 0.5, 40.0, 0.4, 0.5)])
    assert far_above(losses, best=False)[0].tolist() == [5]
    assert far_above(losses, best=True)[0].tolist() == []
    assert far_above(losses * np.nan, best=True)[0].tolist() == []
    monkeypatch.setattr(trainer, "far_above", lambda *given: (np.array([5]), given[0][:, -1]))
    with pytest.warns(UserWarning, match=r"1 member\(s\) ended far above .*leave_out\(\[5\]\)"):
        alone = train(TARGET)
    before = alone.predict(FEATURES), alone.out_of_fold
    alone.leave_out([5])
    assert alone.history is not None
    assert alone.history.left_out == (5,)
    members = np.delete(before[0].members, 5, axis=0)
    np.testing.assert_allclose(alone.predict(FEATURES).mean, members.mean(axis=0), rtol=1e-6)
    mine = FOLD_IDS == 1
    np.testing.assert_array_equal(alone.out_of_fold.mean[~mine], before[1].mean[~mine])
    others = np.delete(before[1].members[:, mine], 1, axis=0)
    np.testing.assert_allclose(alone.out_of_fold.mean[mine], others.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(alone.out_of_fold.std[mine], others.std(axis=0, ddof=1), rtol=1e-5, atol=1e-7)
    assert len(alone.evaluate(FEATURES, TARGET).members["loss"]) == 7
    with pytest.raises(am.AmaltheaError, match="Fold 1 would have no member left"):
        alone.leave_out([4, 6, 7])
