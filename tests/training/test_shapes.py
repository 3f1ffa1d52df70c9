"""Examples of several shapes: who sees which, when, and that it is training like any other."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import jax
import numpy as np
import pytest
from networks import am, assert_close, assert_same, keras, weights_of

from amalthea.training import buckets as several
from amalthea.training.assignment import Assignment, assign
from amalthea.training.buckets import Shapes, class_batches_by_epoch
from amalthea.training.initialization import clone, draw_trainable
from amalthea.training.trainer import member_seeds

SIZES = {2: 9, 3: 5, 5: 2}
"""How many examples there are of each length."""

ROWS = sum(SIZES.values())
FOLD_IDS = np.arange(ROWS) % 2
BATCH = 4


@keras.saving.register_keras_serializable("tests")
class SumOfParts(keras.Model):
    """A sum over parts, each answered by one small network: for examples of any number of parts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.part = keras.Sequential(
            [keras.Input((None, 2)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)]
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Answer for a batch."""
        return keras.ops.sum(self.part(inputs), axis=1)


def network(optimizer: Any = "sgd") -> keras.Model:
    model = SumOfParts()
    model.compile(optimizer=optimizer, loss="mse", metrics=["mae"])
    return model


def examples() -> Shapes:
    """Examples of three lengths, their numbers mixed among the classes."""
    random = np.random.default_rng(5)
    numbers = np.split(random.permutation(ROWS), np.cumsum(list(SIZES.values()))[:-1])
    parts = []
    for length, count in SIZES.items():
        x = random.normal(size=(count, length, 2)).astype(np.float32)
        parts.append((x, x.sum(axis=(1, 2), keepdims=True)[:, 0]))
    return Shapes(tuple(parts), tuple(np.sort(own) for own in numbers))


def drawn(assignment: Assignment, members: list[int], seed: int = 0) -> Any:
    return class_batches_by_epoch(assignment, np.array(members), examples(), BATCH, seed)


ASSIGNMENT = assign(FOLD_IDS, 2, 2, 0.0, None, 0)


def test_each_training_row_is_seen_once_in_an_epoch_and_no_held_out_row_ever() -> None:
    shapes = examples()
    for which, orders in itertools.islice(drawn(ASSIGNMENT, [0, 1, 2, 3]), 3):
        for member, steps in enumerate(orders):
            seen = [
                shapes.rows[kind][row] for kind, batch in zip(which, steps, strict=True) for row in batch if row >= 0
            ]
            assert sorted(seen) == ASSIGNMENT.training[member].tolist()
            assert not set(seen) & set(ASSIGNMENT.held_out(member))


def test_the_order_is_new_in_each_epoch_and_for_each_member() -> None:
    (which, first), (later, second) = itertools.islice(drawn(ASSIGNMENT, [0, 1]), 2)
    assert which.tolist() != later.tolist()
    assert sorted(which) == sorted(later)
    assert first[0].tolist() != first[1].tolist()
    assert first[0].tolist() != second[0].tolist()


def test_a_member_sees_the_same_alone_as_beside_others() -> None:
    whole, alone = next(drawn(ASSIGNMENT, [0, 1, 2, 3])), next(drawn(ASSIGNMENT, [2]))
    np.testing.assert_array_equal(whole[0], alone[0])
    np.testing.assert_array_equal(whole[1][2], alone[1][0])


def fitted(folds: int = 2, members: int = 2, optimizer: Any = "sgd", **options: Any) -> am.Ensemble:
    ensemble = am.Ensemble(network(optimizer), folds=folds, members=members, seed=3)
    fold_ids = FOLD_IDS if folds > 1 else None
    ensemble.fit_shapes(examples(), epochs=4, batch_size=BATCH, fold_ids=fold_ids, **options)
    return ensemble


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_member_equals_the_network_trained_alone(optimizer: str) -> None:
    """A step on a batch that is not full is one on its rows, each weighted as in a full one."""
    ensemble, shapes, assignment = fitted(optimizer=optimizer), examples(), assign(FOLD_IDS, 2, 2, 0.0, None, 3)
    for number in (0, 3):
        model = network(optimizer)
        make = functools.partial(clone, model)
        drawn_weights = draw_trainable(model, shapes.parts[0][0][:2], member_seeds(3, np.array([number])), make)
        model.set_weights([values[0] for values in drawn_weights])
        orders = class_batches_by_epoch(assignment, np.array([number]), shapes, BATCH, 3)
        for which, order in itertools.islice(orders, 4):
            for kind, batch in zip(which, order[0], strict=True):
                rows = batch[batch >= 0]
                if len(rows):
                    x, y = (values[rows] for values in shapes.parts[kind])
                    weight = np.full(len(rows), len(rows) / BATCH, np.float32)
                    model.train_on_batch(x, y, sample_weight=weight)
        assert_close(weights_of(ensemble, number), [np.asarray(v.value) for v in model.weights])


def test_the_seed_repeats_every_bit_and_another_changes_all() -> None:
    one, two = fitted(), fitted()
    assert_same(list(one.weights.values()), list(two.weights.values()))
    np.testing.assert_array_equal(one.history.members["loss"], two.history.members["loss"])
    other = am.Ensemble(network(), folds=2, members=2, seed=4)
    other.fit_shapes(examples(), epochs=4, batch_size=BATCH, fold_ids=FOLD_IDS)
    assert abs(one.weights["00000/" + next(iter(one.weights))[6:]] - next(iter(other.weights.values()))).min() > 0


def test_devices_change_nothing_but_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(jax.devices()) > 1
    many = fitted()
    alone = jax.devices()[:1]
    monkeypatch.setattr(jax, "devices", lambda *_: alone)
    one = fitted()
    assert_close(list(many.weights.values()), list(one.weights.values()))


def test_the_loss_that_is_told_is_the_mean_over_rows() -> None:
    """Without learning, the loss of an epoch is that of the training rows, however many batches are not full."""
    shapes = examples()
    model = network(keras.optimizers.SGD(0.0))
    ensemble = am.Ensemble(model, folds=2, members=1)
    history = ensemble.fit_shapes(shapes, epochs=1, batch_size=BATCH, fold_ids=FOLD_IDS)
    for member in range(2):
        squares = np.zeros(ROWS)
        for (x, y), numbers in zip(shapes.parts, shapes.rows, strict=True):
            squares[numbers] = (np.asarray(ensemble[member](x)) - y)[:, 0] ** 2
        own = squares[member != FOLD_IDS].mean()
        np.testing.assert_allclose(history.members["loss"][member, 0], own, rtol=1e-5)


def test_only_the_rows_that_are_asked_for_are_learned_from() -> None:
    rows = np.flatnonzero(np.arange(ROWS) % 3 > 0)
    chosen, shapes = fitted(folds=1, members=1, rows=rows), examples()
    for (_, y), numbers in zip(shapes.parts, shapes.rows, strict=True):
        y[~np.isin(numbers, rows)] = 1e6
    other = am.Ensemble(network(), folds=1, members=1, seed=3)
    other.fit_shapes(shapes, epochs=4, batch_size=BATCH, rows=rows)
    assert_same(weights_of(chosen, 0), weights_of(other, 0))


def test_there_is_no_out_of_fold_answer_of_many_shapes() -> None:
    with pytest.raises(am.AmaltheaError, match="several shapes"):
        _ = fitted().out_of_fold


def test_rows_below_zero_weigh_nothing() -> None:
    x, y, weight = several.take((np.arange(4.0), np.arange(4.0), None), np.array([2, -1]))
    assert weight.tolist() == [1.0, 0.0]
    assert (x[0], y[0]) == (2.0, 2.0)


def test_the_path_that_is_recorded_ends_where_training_does_and_knows_who_saw_what() -> None:
    ensemble, quiet, shapes = fitted(record=True), fitted(), examples()
    assert quiet.recording is None
    recording = ensemble.recording
    assert recording is not None
    for number in range(4):
        ends = [values[number, -1] for values in recording.trainable]
        assert_same(ends, weights_of(ensemble, number))
        assert_same(ends, weights_of(quiet, number))
    largest = int(np.argmax([len(own) for own in shapes.rows]))
    np.testing.assert_array_equal(recording.x, shapes.parts[largest][0])
    for number in range(4):
        unseen = FOLD_IDS[shapes.rows[largest]] == number // 2
        np.testing.assert_array_equal(recording.held_out[number], unseen)
        np.testing.assert_array_equal(recording.learned[number], ~unseen)
