"""What a trained ensemble answers."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from networks import (
    CLASSES,
    FEATURES,
    FOLD_IDS,
    NETWORKS,
    ROWS,
    TARGET,
    WEIGHTS,
    am,
    dense,
    keras,
    layers,
    own_loss,
    stack,
)

from amalthea.training import inference as module

METRICS: dict[str, Any] = {
    "one_number": (
        stack(
            lambda: layers.Dense(1),
            optimizer=keras.optimizers.SGD(0.0),
            metrics=["mae", "r2_score", "cosine_similarity"],
            weighted_metrics=["mse"],
        ),
        TARGET,
    ),
    "two_classes": (
        stack(
            lambda: layers.Dense(1, activation="sigmoid"),
            optimizer=keras.optimizers.SGD(0.0),
            loss="binary_crossentropy",
            metrics=["accuracy", "AUC", "precision", "recall"],
        ),
        (TARGET > 0).astype(np.float32),
    ),
    "three_classes": (
        stack(
            lambda: layers.Dense(3, activation="softmax"),
            optimizer=keras.optimizers.SGD(0.0),
            loss="categorical_crossentropy",
            metrics=["accuracy", "top_k_categorical_accuracy", keras.metrics.F1Score(average="macro")],
        ),
        np.eye(3, dtype=np.float32)[CLASSES],
    ),
}


def trained(name: str, folds: int = 2, members: int = 2, **options: Any) -> am.Ensemble:
    """A small trained ensemble."""
    case = NETWORKS[name]
    ensemble = am.Ensemble(case.build(), folds=folds, members=members)
    ids = FOLD_IDS if folds > 1 else None
    ensemble.fit(case.x, case.y, epochs=2, batch_size=4, fold_ids=ids, sample_weight=case.sample_weight, **options)
    return ensemble


@pytest.mark.parametrize(
    "name",
    [
        "subclassed_unbuilt",
        "normalized",
        "scaled",
        "inputs_in_a_dict",
        "outputs_in_a_dict",
        "outputs_in_a_tuple",
        "gru",
    ],
)
def test_members_answer_as_the_models_that_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 8)  # several blocks, the last one short
    case, ensemble = NETWORKS[name], trained(name)
    prediction, held_out = ensemble.predict(case.x), ensemble.out_of_fold
    assert len(prediction) == len(held_out) == ROWS
    expected = [ensemble[number].predict(case.x, verbose=0) for number in range(4)]
    everyone = jax.tree.map(lambda *own: np.stack(own), *expected)
    close = {"rtol": 1e-4, "atol": 1e-5}
    leaves = zip(
        *(jax.tree.leaves(part) for part in (everyone, prediction.members, prediction.mean, prediction.std)),
        strict=True,
    )
    for own, members, mean, std in leaves:
        np.testing.assert_allclose(members, own, **close)
        np.testing.assert_allclose(mean, own.mean(axis=0), **close)
        np.testing.assert_allclose(std, own.std(axis=0, ddof=1), rtol=1e-3, atol=1e-5)
    leaves = zip(
        *(jax.tree.leaves(part) for part in (everyone, held_out.members, held_out.mean, held_out.std)), strict=True
    )
    for own, members, mean, std in leaves:
        for fold in range(2):
            rows = fold == FOLD_IDS
            judges = own[2 * fold : 2 * fold + 2, rows]
            np.testing.assert_allclose(members[:, rows], judges, **close)
            np.testing.assert_allclose(mean[rows], judges.mean(axis=0), **close)
            np.testing.assert_allclose(std[rows], judges.std(axis=0, ddof=1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", METRICS)
def test_scores_are_those_of_keras(name: str) -> None:
    """Nothing is learned at a rate of 0, so an epoch's scores are those of `evaluate` on the rows of the epoch."""
    build, y = METRICS[name]
    ensemble = am.Ensemble(build(), folds=2, members=1)
    history = ensemble.fit(FEATURES, y, epochs=1, batch_size=11, fold_ids=FOLD_IDS)
    for number in range(2):
        rows = number != FOLD_IDS
        expected = ensemble[number].evaluate(FEATURES[rows], y[rows], verbose=0, return_dict=True)
        assert set(history.members) == set(expected)
        for score, value in expected.items():
            np.testing.assert_allclose(history.members[score][number, 0], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["kernel_penalty", "outputs_in_a_dict", "outputs_in_a_tuple", "scaled", "sample_weights"]
)
def test_a_single_member_is_evaluated_as_by_keras(name: str) -> None:
    case, ensemble = NETWORKS[name], trained(name, folds=1, members=1)
    options = {"sample_weight": case.sample_weight}
    expected = ensemble[0].evaluate(case.x, case.y, verbose=0, return_dict=True, batch_size=ROWS, **options)
    found = ensemble.evaluate(case.x, case.y, **options)
    assert set(found) == set(expected)
    for score, value in expected.items():
        np.testing.assert_allclose(found[score], value, rtol=1e-4, err_msg=score)
        np.testing.assert_allclose(found.members[score], [value], rtol=1e-4, err_msg=score)
        assert found.spread[score] == 0


@pytest.mark.parametrize("name", ["sequential", "kernel_penalty", "scaled"])
def test_each_member_is_evaluated_as_by_keras(name: str) -> None:
    case, ensemble = NETWORKS[name], trained(name)
    found = ensemble.evaluate(case.x, case.y)
    expected = [ensemble[number].evaluate(case.x, case.y, verbose=0, return_dict=True)["loss"] for number in range(4)]
    np.testing.assert_allclose(found.members["loss"], expected, rtol=1e-4)
    np.testing.assert_allclose(found.spread["loss"], np.std(expected, ddof=1), rtol=1e-3)
    assert found["loss"] <= max(expected)


def test_a_loss_of_ones_own() -> None:
    ensemble = am.Ensemble(dense(loss=own_loss), folds=1, members=1)
    ensemble.fit(FEATURES, TARGET, epochs=1)
    expected = ensemble[0].evaluate(FEATURES, TARGET, verbose=0)
    np.testing.assert_allclose(ensemble.evaluate(FEATURES, TARGET)["loss"], expected, rtol=1e-5)


def test_shapes_and_words() -> None:
    ensemble = am.Ensemble(dense(metrics=["mae"]), folds=2, members=3)
    assert "not trained" in repr(ensemble)
    history = ensemble.fit(FEATURES, TARGET, epochs=4, fold_ids=FOLD_IDS, sample_weight=WEIGHTS)
    assert len(ensemble) == 6
    assert "2 folds x 3 members" in repr(ensemble)
    assert history.members["loss"].shape == history.members["mae"].shape == (6, 4)
    assert history.epoch == [0, 1, 2, 3]
    np.testing.assert_allclose(history.history["mae"], history.members["mae"].mean(axis=0), rtol=1e-6)
    assert history.epochs.tolist() == [4] * 6
    assert (history.left_out, history.notes, history.interrupted) == ((), (), False)
    frame = history.frame()
    assert frame.shape == (24, 4)
    again = type(history).from_frame(frame, 6)
    np.testing.assert_array_equal(again.members["mae"], history.members["mae"])
    np.testing.assert_array_equal(again.epochs, history.epochs)
    prediction = ensemble.predict(FEATURES[:5])
    assert (prediction.mean.shape, prediction.std.shape, prediction.members.shape) == ((5, 1), (5, 1), (6, 5, 1))
    assert prediction.lower is None
    assert "5 examples" in repr(prediction)
    assert "raw spread" in repr(prediction)
    assert ensemble.out_of_fold.members.shape == (3, ROWS, 1)
    evaluation = ensemble.evaluate(FEATURES, TARGET)
    assert list(evaluation) == ["loss", "mae"]
    assert evaluation.members["mae"].shape == (6,)
    assert "mae" in repr(evaluation)
    assert "±" in repr(evaluation)
    assert isinstance(ensemble[-1], keras.Model)
    np.testing.assert_array_equal(ensemble[-1].get_weights()[0], ensemble[5].get_weights()[0])
    with pytest.raises(IndexError):
        ensemble[6]


def test_it_can_be_restored() -> None:
    ensemble = trained("normalized")
    case = NETWORKS["normalized"]
    other = am.Ensemble(case.build(), folds=2, members=2)
    other.restore(ensemble.weights, case.x[:1], ensemble.fold_ids, ensemble.history, ensemble.out_of_fold)
    np.testing.assert_array_equal(other.predict(case.x).members, ensemble.predict(case.x).members)
    with pytest.raises(am.AmaltheaError, match="do not fit"):
        am.Ensemble(dense(), folds=2, members=2).restore(
            ensemble.weights, case.x[:1], ensemble.fold_ids, ensemble.history, None
        )
