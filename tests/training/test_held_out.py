"""No held-out row influences a member."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from networks import CLASSES, FEATURES, FOLD_IDS, NETWORKS, ROWS, TARGET, Case, am, assert_same, stack, weights_of

import keras  # isort: skip

CASES = {
    "scaled": (NETWORKS["scaled"], {}),
    "normalized": (NETWORKS["normalized"], {}),
    "patience": (NETWORKS["scaled"], {"patience": 2, "validation_fraction": 0.3}),
    "batch_normalization": (NETWORKS["batch_normalization"], {"validation_fraction": 0.2}),
    "classes": (
        Case(
            stack(
                lambda: keras.layers.Dense(3, activation="softmax"),
                loss="sparse_categorical_crossentropy",
                metrics=["accuracy"],
            ),
            y=CLASSES,
        ),
        {},
    ),
}


def train(case: Case, x: Any, y: Any, **options: Any) -> am.Ensemble:
    """Train on the given arrays."""
    ensemble = am.Ensemble(case.build(), folds=2, members=2, seed=1)
    ensemble.fit(x, y, epochs=4, batch_size=4, fold_ids=FOLD_IDS, **options)
    return ensemble


@pytest.mark.parametrize("name", CASES)
def test_held_out_rows_do_not_matter(name: str) -> None:
    case, options = CASES[name]
    held_out = FOLD_IDS == 0
    x, y = case.x.copy(), case.y.copy()
    x[held_out] = -1e3 * x[held_out][::-1] + 77
    y[held_out] = (y[held_out] + 1) % 3 if y.dtype.kind == "i" else -y[held_out][::-1] * 3 + 11
    before, after = train(case, case.x, case.y, **options), train(case, x, y, **options)
    for number in (0, 1):
        assert_same(weights_of(before, number), weights_of(after, number))
    for number in (2, 3):  # who learns from these rows notices
        assert any(
            (one != other).any()
            for one, other in zip(weights_of(before, number), weights_of(after, number), strict=True)
        )


def test_nor_do_gaps_in_them() -> None:
    case = NETWORKS["scaled"]
    x = case.x.copy()
    x[FOLD_IDS == 1] = np.nan
    x[0, 0] = np.nan  # a gap in fold 0: members 2 and 3 fill it
    before = case.x.copy()
    before[0, 0] = np.nan
    ensemble = am.Ensemble(case.build(), folds=2, members=2, seed=1)
    ensemble.fit(x, case.y, epochs=4, batch_size=4, fold_ids=FOLD_IDS)
    whole = train(case, before, case.y)
    for number in (2, 3):
        assert_same(weights_of(ensemble, number), weights_of(whole, number))
    assert np.isfinite(ensemble.out_of_fold.mean).all()


def test_statistics_are_those_of_the_training_rows() -> None:
    case = NETWORKS["normalized"]
    ensemble = train(case, case.x, case.y)
    for number in range(4):
        rows = number // 2 != FOLD_IDS
        member = ensemble[number]
        inputs, targets = member.layers[0], member.layers[-1]
        np.testing.assert_allclose(np.ravel(inputs.mean), case.x[rows].mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(np.ravel(inputs.variance), case.x[rows].var(axis=0), rtol=1e-5)
        np.testing.assert_allclose(np.ravel(targets.mean), case.y[rows].mean(), rtol=1e-5)


def test_inputs_given_by_name_meet_their_own_scaling() -> None:
    """The model takes its inputs in another order than the alphabet's."""
    large, small = keras.Input((1,), name="zeta"), keras.Input((1,), name="alpha")
    joined = keras.layers.Concatenate()(
        [keras.layers.Normalization(name="of_large")(large), keras.layers.Normalization(name="of_small")(small)]
    )
    model = keras.Model([large, small], keras.layers.Dense(1)(joined))
    model.compile(optimizer="sgd", loss="mse")
    ensemble = am.Ensemble(model, folds=1, members=1)
    ensemble.fit({"zeta": 1000 + FEATURES[:, :1], "alpha": FEATURES[:, :1]}, TARGET, epochs=1)
    member = ensemble[0]
    assert float(member.get_layer("of_large").mean[0, 0]) > 900
    assert abs(float(member.get_layer("of_small").mean[0, 0])) < 10


def refused() -> dict[str, Any]:
    """Models with statistics that nobody can find exactly."""
    normalization = keras.layers.Normalization

    class Hidden(keras.Model):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.scale, self.out = layer, keras.layers.Dense(1)
            layer.build((None, 3))  # Keras itself fails where a Normalization is built by its first call in a subclass

        def call(self, inputs: Any) -> Any:
            return self.out(self.scale(inputs))

    first, second = keras.Input((3,)), keras.Input((3,))
    shared = normalization()
    both = keras.layers.Concatenate()([shared(first), shared(second)])
    return {
        "middle": keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), normalization(), keras.layers.Dense(1)]),
        "subclass": Hidden(normalization()),
        "subclass_inverted": Hidden(normalization(invert=True)),
        "subclass_own": Hidden(am.training.layers.InputScaling()),
        "shared": keras.Model([first, second], keras.layers.Dense(1)(both)),
    }


@pytest.mark.parametrize("name", ["middle", "subclass", "subclass_inverted", "subclass_own", "shared"])
def test_statistics_that_cannot_be_found_are_refused(name: str) -> None:
    model = refused()[name]
    model.compile(optimizer="sgd", loss="mse")
    ensemble = am.Ensemble(model, folds=2, members=1)
    x = (FEATURES, FEATURES) if name == "shared" else FEATURES
    with pytest.raises(am.AmaltheaError, match="was not adapted"):
        ensemble.fit(x, TARGET, epochs=1, fold_ids=FOLD_IDS)


def test_an_adapted_normalization_stays_as_it_is() -> None:
    layer = keras.layers.Normalization()
    layer.adapt(FEATURES[:5])
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    ensemble = am.Ensemble(model, folds=2, members=1)
    ensemble.fit(FEATURES, TARGET, epochs=1, fold_ids=FOLD_IDS)
    np.testing.assert_allclose(np.ravel(ensemble[1].layers[0].mean), FEATURES[:5].mean(axis=0), rtol=1e-5)
    assert len(ensemble.out_of_fold) == ROWS
