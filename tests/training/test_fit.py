"""`fit`: what it takes, what it refuses, what it leaves alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from networks import (
    FEATURES,
    FOLD_IDS,
    IMAGES,
    NETWORKS,
    ROWS,
    TARGET,
    WORDS,
    am,
    assert_close,
    assert_same,
    dense,
    keras,
    layers,
    stack,
)


def fit(x: Any, y: Any, build: Any = dense, **options: Any) -> list[np.ndarray]:
    """Return the weights of a small training."""
    ensemble = am.Ensemble(build(), folds=2, members=1)
    ensemble.fit(x, y, **{"epochs": 2, "batch_size": 4, "fold_ids": FOLD_IDS, **options})
    return list(ensemble.weights.values())


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (FEATURES.astype(np.float64), TARGET.astype(np.float64)),
        (
            pd.DataFrame(FEATURES.astype(np.float64), columns=list("abc"), index=np.arange(ROWS)[::-1]),
            pd.Series(TARGET[:, 0]),
        ),
        (FEATURES, TARGET[:, 0]),
        (FEATURES, pd.DataFrame(TARGET)),
    ],
    ids=["float64", "pandas", "flat_targets", "frame_of_targets"],
)
def test_the_form_of_arrays_does_not_matter(x: Any, y: Any) -> None:
    assert_close(fit(x, y), fit(FEATURES, TARGET), rtol=1e-5, atol=1e-6)


def test_flat_targets_meet_target_heads() -> None:
    case = NETWORKS["scaled"]
    assert_close(fit(case.x, case.y[:, 0], case.build), fit(case.x, case.y, case.build))


def test_bytes_are_numbers() -> None:
    build = stack(lambda: layers.Rescaling(1 / 255), layers.Flatten, lambda: layers.Dense(1), shape=(4, 4, 1))
    assert_same(fit(IMAGES, TARGET, build), fit(IMAGES.astype(np.float32), TARGET, build))


def test_integers_of_any_size_are_numbers() -> None:
    build = stack(lambda: layers.Embedding(5, 2), layers.Flatten, lambda: layers.Dense(1), shape=(4,))
    assert_same(fit(WORDS.astype(np.uint8), TARGET, build), fit(WORDS.astype(np.int64), TARGET, build))


def test_large_integers_are_not_wrapped() -> None:
    large = np.arange(ROWS) * 10**9
    assert_same(fit(FEATURES, large, optimizer_free), fit(FEATURES, large.astype(np.float64), optimizer_free))


def optimizer_free() -> keras.Model:
    """A network that learns from the sign of an error alone."""
    return dense(loss="mae")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"y": TARGET[:-1]}, "same number of rows"),
        ({"sample_weight": np.ones(3)}, "same number of rows"),
        ({"x": FEATURES[:0], "y": TARGET[:0]}, "at least one"),
        ({"x": np.array([["a"] * 3] * ROWS)}, "x must be numbers"),
        ({"fold_ids": FOLD_IDS[:-1]}, "fold_ids"),
        ({"fold_ids": FOLD_IDS + 1}, "fold_ids"),
        ({"fold_ids": np.zeros(ROWS)}, "fold_ids"),
        ({"groups": np.arange(3)}, "groups"),
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"validation_fraction": 1.0}, "validation_fraction=1.0"),
        ({"patience": 2, "validation_fraction": 0.0}, "patience=2"),
    ],
    ids=str,
)
def test_mistakes_are_told(options: dict[str, Any], words: str) -> None:
    given = {"x": FEATURES, "y": TARGET, "epochs": 1, "fold_ids": FOLD_IDS, **options}
    with pytest.raises(am.AmaltheaError, match=words):
        am.Ensemble(dense(), folds=2, members=1).fit(given.pop("x"), given.pop("y"), **given)


def test_mistakes_before_fit_are_told() -> None:
    with pytest.raises(am.AmaltheaError, match="Compile the model"):
        am.Ensemble(keras.Sequential([layers.Dense(1)]))
    for name in ("folds", "members"):
        for number in (0, -1, 2.5):
            with pytest.raises(am.AmaltheaError, match=name):
                am.Ensemble(dense(), **{name: number})
    ensemble = am.Ensemble(dense())
    for ask in (
        lambda: ensemble.out_of_fold,
        lambda: ensemble.predict(FEATURES),
        lambda: ensemble[0],
        lambda: ensemble.weights,
        lambda: ensemble.evaluate(FEATURES, TARGET),
    ):
        with pytest.raises(am.AmaltheaError, match="not trained"):
            ask()


def test_numpy_integers_are_integers() -> None:
    assert len(am.Ensemble(dense(), folds=np.int64(2), members=np.int64(3))) == 6


def test_one_fold_has_no_out_of_fold_prediction() -> None:
    ensemble = am.Ensemble(dense(), folds=1, members=2)
    ensemble.fit(FEATURES, TARGET, epochs=1)
    with pytest.raises(am.AmaltheaError, match="folds=1"):
        _ = ensemble.out_of_fold


def test_a_model_that_cannot_be_copied_is_refused() -> None:
    class Stubborn(keras.Model):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.out = layers.Dense(width)

        def call(self, inputs: Any) -> Any:
            return self.out(inputs)

    model = Stubborn(1)
    model.compile(optimizer="sgd", loss="mse")
    with pytest.raises(am.AmaltheaError, match="get_config"):
        am.Ensemble(model, folds=2, members=1).fit(FEATURES, TARGET, epochs=1, fold_ids=FOLD_IDS)


def test_a_train_step_of_ones_own_is_refused() -> None:
    """It would be ignored."""

    @keras.saving.register_keras_serializable("tests")
    class Own(keras.Model):
        def train_step(self, *arguments: Any, **options: Any) -> Any:
            return super().train_step(*arguments, **options)

    inputs = keras.Input((3,))
    model = Own(inputs, layers.Dense(1)(inputs))
    model.compile(optimizer="sgd", loss="mse")
    with pytest.raises(am.AmaltheaError, match="train_step"):
        am.Ensemble(model, folds=2, members=1).fit(FEATURES, TARGET, epochs=1, fold_ids=FOLD_IDS)


@pytest.mark.parametrize("name", ["normalized", "subclassed", "dropout_and_noise", "outputs_in_a_dict", "frozen"])
def test_the_model_stays_as_it_was(name: str) -> None:
    case = NETWORKS[name]
    model = case.build()
    model.fit(case.x, case.y, epochs=1, verbose=0)

    def state() -> list[np.ndarray]:
        attributes = [
            np.asarray(value)
            for layer in model.layers
            if isinstance(layer, layers.Normalization)
            for value in (layer.mean, layer.variance)
        ]
        variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
        return [*(np.asarray(variable.value) for variable in variables), *attributes]

    before = state()
    ensemble = am.Ensemble(model, folds=2, members=2)
    ensemble.fit(case.x, case.y, epochs=2, fold_ids=FOLD_IDS, patience=1)
    ensemble.evaluate(case.x, case.y)
    member = ensemble[0]
    assert_same(state(), before)
    told = model.fit(case.x, case.y, epochs=1, verbose=0).history
    assert np.isfinite(told["loss"]).all()
    # A member is a model of its own, which trains on.
    member.fit(case.x, case.y, epochs=1, verbose=0)
    np.testing.assert_array_equal(ensemble[0].get_weights()[0], weights(ensemble, 0))


def weights(ensemble: am.Ensemble, number: int) -> np.ndarray:
    """A member's first variable."""
    return ensemble[number].get_weights()[0]


def test_frozen_weights_are_kept_and_others_drawn() -> None:
    model = NETWORKS["frozen"].build()
    ensemble = am.Ensemble(model, folds=2, members=2)
    ensemble.fit(FEATURES, TARGET, epochs=2, fold_ids=FOLD_IDS)
    for number in range(4):
        kernel, bias, out, _ = ensemble[number].get_weights()
        np.testing.assert_array_equal(kernel, model.get_weights()[0])
        np.testing.assert_array_equal(bias, model.get_weights()[1])
        assert (out != model.get_weights()[2]).any()


def test_groups_share_a_fold() -> None:
    groups = np.array([f"molecule {number // 4}" for number in range(ROWS)])
    ensemble = am.Ensemble(dense(), folds=2, members=1)
    ensemble.fit(FEATURES, TARGET, epochs=1, groups=groups)
    for group in np.unique(groups):
        assert len(np.unique(ensemble.fold_ids[groups == group])) == 1
    assert set(ensemble.fold_ids.tolist()) == {0, 1}


def test_training_again_begins_anew() -> None:
    ensemble = am.Ensemble(dense(), folds=2, members=1)
    ensemble.fit(FEATURES, TARGET, epochs=2, fold_ids=FOLD_IDS)
    first = list(ensemble.weights.values())
    ensemble.fit(FEATURES, TARGET, epochs=2, fold_ids=FOLD_IDS)
    assert_same(list(ensemble.weights.values()), first)


def test_progress_is_shown_when_wished(capsys: pytest.CaptureFixture[str]) -> None:
    am.Ensemble(dense(), folds=2, members=1).fit(FEATURES, TARGET, epochs=1, fold_ids=FOLD_IDS)
    assert capsys.readouterr() == ("", "")
    am.Ensemble(dense(), folds=2, members=1).fit(FEATURES, TARGET, epochs=1, fold_ids=FOLD_IDS, verbose=1)
    assert "2 networks" in capsys.readouterr().err


def test_one_network_learns_as_well_as_with_keras() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 3)).astype(np.float32)
    y = np.sin(x[:, :1]) + x[:, 1:2] * 0.5 + 0.1 * random.normal(size=(400, 1)).astype(np.float32)
    build = stack(lambda: layers.Dense(16, activation="tanh"), lambda: layers.Dense(1), optimizer="adam")

    def error(answers: np.ndarray) -> float:
        return float(np.mean((answers - y[300:]) ** 2))

    theirs, ours = [], []
    for seed in range(4):
        keras.utils.set_random_seed(seed)
        model = build()
        model.fit(x[:300], y[:300], epochs=40, verbose=0)
        theirs.append(error(model.predict(x[300:], verbose=0)))
        ensemble = am.Ensemble(build(), folds=1, members=1, seed=seed)
        ensemble.fit(x[:300], y[:300], epochs=40)
        ours.append(error(ensemble.predict(x[300:]).mean))
    assert np.mean(theirs) < 0.1  # the noise is 0.01, the targets' variance 0.7: both learned
    assert np.mean(ours) < 1.2 * np.mean(theirs) + 0.005


@pytest.mark.slow
@pytest.mark.parametrize(("folds", "members", "epochs"), [(5, 100, 5), (5, 1, 2000)], ids=["wide", "long"])
def test_long_and_wide(folds: int, members: int, epochs: int) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(60, 3)).astype(np.float32)
    y = x @ np.array([[1.0], [-1.0], [0.5]], np.float32)
    ensemble = am.Ensemble(dense(keras.optimizers.SGD(0.05)), folds=folds, members=members)
    history = ensemble.fit(x, y, epochs=epochs, fold_ids=np.arange(60) % 5)
    assert history.members["loss"].shape == (folds * members, epochs)
    assert np.isfinite(history.members["loss"]).all()
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert np.mean((ensemble.out_of_fold.mean - y) ** 2) < np.var(y)
