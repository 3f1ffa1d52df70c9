"""Networks like another one, narrower or wider."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.networks import FEATURES, TARGET, dense, scaled

import amalthea as am
from amalthea.training.width_scaling import resized

import keras  # isort: skip


def widths(model):
    return [layer.units for layer in model.layers if hasattr(layer, "units")]


@pytest.mark.parametrize("model", [dense, scaled])
@pytest.mark.parametrize(("factor", "expected"), [(1e-9, [2, 1]), (1.0, [4, 1]), (8.0, [32, 1])])
def test_hidden_layers_change_and_the_answer_stays_one_number(model, factor, expected):
    made = resized(model(), factor)
    assert widths(made) == expected
    am.Ensemble(made, folds=2, members=1).fit(FEATURES, TARGET, epochs=1, verbose=0)


def test_what_holds_a_network_back_is_taken_away():
    layers = [
        keras.Input((3,)),
        keras.layers.Dense(8, kernel_regularizer="l2"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.AdamW(0.1, weight_decay=0.3), "mse")
    free = resized(model, 2.0, free=True)
    assert free.layers[1].rate == 0
    assert free.layers[0].kernel_regularizer is None
    assert not free.optimizer.weight_decay
    assert resized(model, 2.0).optimizer.weight_decay == pytest.approx(0.3)


def test_a_network_without_a_hidden_layer_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(am.AmaltheaError, match="no hidden layer"):
        resized(model, 2.0)
    assert np.isfinite(model.predict(FEATURES, verbose=0)).all()
