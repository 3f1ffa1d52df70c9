"""What Keras's users bring equals the network trained alone, or is refused with a sentence and a way out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from kinds import MADE, ONE_HOT, SENTENCES, SERVED, TAGS, assert_as_alone, chain, sorter
from networks import (
    CLASSES,
    FEATURES,
    FOLD_IDS,
    ROWS,
    TARGET,
    WEIGHTS,
    am,
    assert_close,
    assert_same,
    dense,
    keras,
    layers,
)

SPARSE = "sparse_categorical_crossentropy"


@pytest.mark.parametrize("name", SERVED)
def test_members_are_what_the_network_is_alone(name: str) -> None:
    assert_as_alone(SERVED[name], SERVED[name].build())


def test_figures_that_a_model_adds_are_kept() -> None:
    history = assert_as_alone(SERVED["compute_loss_of_inputs"], SERVED["compute_loss_of_inputs"].build()).history
    assert list(history.history) == ["bias", "loss", "mae"]


def test_the_mean_is_judged_without_what_is_masked() -> None:
    ensemble = assert_as_alone(SERVED["masks"], SERVED["masks"].build())
    real = SENTENCES != 0
    answers = ensemble.predict(SENTENCES).mean.argmax(axis=-1)
    expected = (answers == TAGS)[real].mean()
    np.testing.assert_allclose(ensemble.evaluate(SENTENCES, TAGS)["accuracy"], expected, rtol=1e-6)


@pytest.mark.parametrize("name", MADE)
def test_a_function_that_makes_the_model_serves_every_model(name: str) -> None:
    case, layer = MADE[name]
    assert_as_alone(case, case.build)
    with pytest.raises(am.AmaltheaError, match=rf"'{layer}(_\d+)?' .*Ensemble\(make_model\)"):
        am.Ensemble(case.build(), folds=2, members=1).fit(case.x, case.y, epochs=1, fold_ids=FOLD_IDS)


def test_a_function_must_make_a_new_compiled_model() -> None:
    model = chain(layers.Dense(1))
    with pytest.raises(am.AmaltheaError, match="new model"):
        am.Ensemble(lambda: model, folds=2, members=1).fit(FEATURES, TARGET, epochs=1, fold_ids=FOLD_IDS)
    for wrong in (object(), lambda: None):
        with pytest.raises(am.AmaltheaError, match="Compile the model"):
            am.Ensemble(wrong)


def weights(x: Any, y: Any = None, model: keras.Model | None = None, **options: Any) -> list[np.ndarray]:
    """The weights of a small training."""
    ensemble = am.Ensemble(chain(layers.Dense(1)) if model is None else model, folds=2, members=1)
    ensemble.fit(x, y, **{"epochs": 2, "batch_size": 4, "fold_ids": FOLD_IDS, **options})
    return list(ensemble.weights.values())


class Parts(keras.utils.PyDataset):
    """The rows in three batches."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        rows = slice(8 * index, 8 * index + 8)
        return FEATURES[rows], TARGET[rows]


class Counted(Parts):
    """Batches that count how often each is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def __getitem__(self, index: int) -> Any:
        self.asked.append(index)
        return super().__getitem__(index)


def endless(*given: Any) -> Iterator[Any]:
    """The rows as one batch, again and again."""
    while True:
        yield given


def test_lists_and_batches_are_arrays() -> None:
    expected = weights(FEATURES, TARGET)
    assert_same(weights(FEATURES.tolist(), TARGET.tolist()), expected)
    assert_same(weights(Parts()), expected)
    assert_same(weights(Parts()[index] for index in range(3)), expected)
    assert_same(weights(endless(FEATURES, TARGET), steps_per_epoch=1), expected)
    assert_same(weights(FEATURES, TARGET, shuffle=True, initial_epoch=0, validation_split=0.0), expected)
    weighted = weights(FEATURES, TARGET, sample_weight=WEIGHTS)
    assert_same(weights(endless(FEATURES, TARGET, WEIGHTS), steps_per_epoch=1), weighted)


def test_batches_are_collected_once_whatever_the_number_of_epochs_and_members() -> None:
    dataset, validation = Counted(), Counted()
    ensemble = am.Ensemble(dense(), folds=1, members=3)
    history = ensemble.fit(dataset, epochs=4, batch_size=8, validation_data=validation)
    assert len(history.epoch) == 4
    assert dataset.asked == validation.asked == [0, 1, 2]
    once = (dataset[index] for index in range(3))
    assert len(list(once)) == 3
    with pytest.raises(am.AmaltheaError, match="gives its batches only once"):
        ensemble.fit(once, epochs=2, batch_size=8)


def test_weights_of_classes_are_weights_of_their_rows() -> None:
    by_class = {0: 0.5, 2: 3.0}
    rows = np.array([by_class.get(label, 1.0) for label in CLASSES])
    expected = weights(FEATURES, CLASSES, sorter(loss=SPARSE), sample_weight=rows)
    assert_same(weights(FEATURES, CLASSES, sorter(loss=SPARSE), class_weight=by_class), expected)
    encoded = weights(FEATURES, ONE_HOT, sorter(loss="categorical_crossentropy"), class_weight=by_class)
    assert_close(encoded, expected)


@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.parametrize("weight", [None, WEIGHTS[:6]])
def test_validation_data_are_measured_and_not_learned(patience: int | None, weight: np.ndarray | None) -> None:
    x, y = FEATURES[:6] + 1, TARGET[:6]
    ensemble = am.Ensemble(chain(layers.Dense(1)), folds=2, members=2)
    history = ensemble.fit(
        FEATURES, TARGET, epochs=4, fold_ids=FOLD_IDS, patience=patience, validation_data=(x, y, weight)
    )
    assert len(ensemble.out_of_fold.mean) == ROWS
    assert ensemble.aside is None
    usual = am.Ensemble(chain(layers.Dense(1)), folds=2, members=2)
    usual.fit(FEATURES, TARGET, epochs=4, fold_ids=FOLD_IDS)
    if patience is None:
        assert_same(list(ensemble.weights.values()), list(usual.weights.values()))
    expected = [ensemble[number].evaluate(x, y, sample_weight=weight, verbose=0) for number in range(4)]
    best = history.members["val_loss"][:, -1] if patience is None else history.members["val_loss"].min(axis=1)
    np.testing.assert_allclose(best, expected, rtol=1e-4)


def with_gap(values: np.ndarray, *place: int) -> np.ndarray:
    """The values with a NaN."""
    values = values.copy()
    values[place] = np.nan
    return values


def recurrent() -> keras.Model:
    """A layer that keeps its state."""
    model = keras.Sequential([keras.Input(batch_shape=(4, 6, 1)), layers.LSTM(1, stateful=True, name="memory")])
    model.compile(optimizer="sgd", loss="mse")
    return model


def fixed() -> keras.Model:
    """A layer that takes batches of four rows alone."""
    model = keras.Sequential(
        [keras.Input(batch_shape=(4, 3)), layers.Lambda(lambda rows: keras.ops.reshape(rows, (4, 3))), layers.Dense(1)]
    )
    model.compile(optimizer="sgd", loss="mse")
    return model


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"model": lambda: sorter(loss=SPARSE), "y": CLASSES + 1},
            r"from 0 to 2. Received: y from 1 to 3, 3 in row \d+",
        ),
        ({"model": lambda: sorter(loss=SPARSE), "y": CLASSES - 1}, r"-1 in row \d+"),
        ({"model": lambda: sorter(loss=SPARSE), "y": CLASSES + 0.5}, r"in row 0"),
        ({"model": lambda: sorter(loss=SPARSE), "y": ONE_HOT}, "compile with categorical_crossentropy"),
        ({"model": lambda: sorter(loss="categorical_crossentropy"), "y": CLASSES}, f"compile with {SPARSE}"),
        ({"y": FEATURES}, r"shape \(22, 3\) for an output of shape \('n', 1\)"),
        ({"model": lambda: chain(layers.Dense(1), loss="binary_crossentropy"), "y": TARGET * 9}, "between 0 and 1"),
        ({"x": with_gap(FEATURES, 5, 1)}, "x holds nan in row 5, column 1"),
        ({"y": with_gap(TARGET, 7, 0)}, "y holds nan in row 7, column 0"),
        ({"sample_weight": with_gap(WEIGHTS, 3)}, "sample_weight holds nan in row 3"),
        ({"x": [[1.0, 2.0], [3.0]], "y": [1.0, 2.0]}, "2 numbers in row 0, 1 in row 1"),
        ({"x": iter(()), "y": None}, "gave no batch"),
        ({"x": Parts()}, "leave y and sample_weight out"),
        ({"validation_split": 0.2}, "validation_fraction="),
        ({"initial_epoch": 3}, "begins anew"),
        ({"shuffle": False}, "an order of its own"),
        ({"steps_per_epoch": 3}, "batch_size"),
        ({"epoch": 3}, "no epoch=3"),
        ({"class_weight": {0: 1.0}, "sample_weight": WEIGHTS}, "class_weight"),
        ({"validation_data": (FEATURES, TARGET), "validation_fraction": 0.1}, "leave it out"),
        ({"validation_data": (FEATURES[:, :2], TARGET)}, "same form"),
        ({"model": lambda: chain(layers.Rescaling(2.0)), "y": FEATURES}, "no weights to train"),
        ({"model": recurrent, "x": SENTENCES[..., None]}, "'memory' keeps a state"),
        ({"model": fixed}, "batches of 4 rows"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_way_out(given: dict[str, Any], words: str) -> None:
    model = given.pop("model", lambda: chain(layers.Dense(1)))
    with pytest.raises(am.AmaltheaError, match=words):
        weights(**{"x": FEATURES, "y": TARGET, "model": model(), **given})


def test_gaps_that_a_layer_or_a_loss_expects_are_no_mistake() -> None:
    def known(truth: Any, answer: Any) -> Any:
        there = keras.ops.isfinite(truth)
        return keras.ops.where(there, keras.ops.square(answer - keras.ops.where(there, truth, 0.0)), 0.0)

    model = chain(layers.Dense(1), loss=known)
    assert np.isfinite(weights(FEATURES, with_gap(TARGET, 7, 0), model)[0]).all()


def test_a_layer_adapted_to_all_rows_is_warned_of() -> None:
    knows = layers.Normalization(name="knows")
    knows.adapt(FEATURES)
    with pytest.warns(UserWarning, match="'knows' was adapted to all rows"):
        weights(FEATURES, TARGET, chain(knows, layers.Dense(1)))
    other = layers.Normalization()
    other.adapt(FEATURES[:9])
    weights(FEATURES, TARGET, chain(other, layers.Dense(1)))


class Late(keras.Model):
    """A model whose `build` leaves its layer without weights, as Keras's own does for most classes."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.dense(x)


@pytest.mark.filterwarnings("ignore:`build:UserWarning")  # Keras says so itself
def test_a_class_that_was_built_without_its_layers_learns() -> None:
    def make() -> keras.Model:
        model = Late()
        model.compile("adam", "mse")
        model.build((None, 4))
        return model

    x = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
    ensemble = am.Ensemble(make, folds=2, members=1, seed=0)
    ensemble.fit(x, x[:, :1], epochs=2, verbose=0)
    assert ensemble.evaluate(x, x[:, :1])["loss"] > 0


def test_labels_out_of_range_have_no_figure_and_a_callback_needs_no_list() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32), np.arange(24) % 2
    ensemble = am.Ensemble(model, folds=2, members=1, seed=0)
    with pytest.raises(am.AmaltheaError, match="EarlyStopping works on one model"):
        ensemble.fit(x, y, epochs=1, verbose=0, callbacks=keras.callbacks.EarlyStopping())
    ensemble.fit(x, y, epochs=1, verbose=0)
    with pytest.raises(am.AmaltheaError, match="takes classes numbered from 0 to 1"):
        ensemble.evaluate(x, y + 3)
