"""Fast convolutions are Keras's convolutions: the same values, the same gradients, the same model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import CLASSES, FOLD_IDS, IMAGES, Case, am, assert_close, keras, layers, stack, train_alone, weights_of

from amalthea.training.convolution import fast_convolutions

SETTINGS = {"max_examples": 12, "deadline": None}
PADDING = st.sampled_from(["same", "valid"])


def values_and_gradients(model: keras.Model, inputs: np.ndarray, steered: bool) -> tuple[list[np.ndarray], set[str]]:
    """A loss of the model's answers, its gradients by weights and inputs, and the operations that it took."""

    def loss(weights: list[Any], inputs: Any) -> Any:
        answers, _ = model.stateless_call(weights, [], inputs)
        return (answers * jax.numpy.cos(jax.numpy.arange(answers.size).reshape(answers.shape))).sum(), answers

    weights = [variable.value for variable in model.trainable_variables]
    compute = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
    if not steered:
        return jax.tree.leaves(compute(weights, inputs)), set()
    with fast_convolutions(model):
        operations = {equation.primitive.name for equation in jax.make_jaxpr(model)(inputs).eqns}
        return jax.tree.leaves(compute(weights, inputs)), operations


def check(layer: keras.layers.Layer, shape: tuple[int, ...], fast: bool = True) -> None:
    """Compare a layer with itself in a fast context."""
    model = keras.Sequential([keras.Input(shape), layer])
    for variable in model.trainable_variables:
        variable.assign(np.random.default_rng(1).normal(size=variable.shape))
    inputs = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    plain, _ = values_and_gradients(model, inputs, steered=False)
    steered, operations = values_and_gradients(model, inputs, steered=True)
    slow = {"conv_general_dilated", "reduce_window_max", "reduce_window_sum", "reduce_window"}
    assert operations.isdisjoint(slow) == fast
    assert_close(steered, plain, rtol=1e-5, atol=2e-5)


@settings(**SETTINGS)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(5, 9), st.integers(5, 9)),
    st.sampled_from([(1, 1), (2, 2), (3, 3)]),
    PADDING,
    st.booleans(),
)
def test_images(window: Any, sizes: Any, strides: Any, padding: str, bias: bool) -> None:
    check(layers.Conv2D(3, window, strides, padding, use_bias=bias, activation="tanh"), (*sizes, 2))


LAYERS: dict[str, tuple[Callable[[], keras.layers.Layer], tuple[int, ...]]] = {
    "dilated": (lambda: layers.Conv2D(3, (3, 2), dilation_rate=(2, 3), padding="same"), (9, 8, 2)),
    "dilated_valid": (lambda: layers.Conv2D(3, 3, dilation_rate=2), (9, 8, 2)),
    "one_dimension": (lambda: layers.Conv1D(4, 3, strides=2, padding="same"), (8, 3)),
    "depthwise": (lambda: layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2), (8, 7, 3)),
    "depthwise_one_dimension": (lambda: layers.DepthwiseConv1D(3, use_bias=False), (8, 3)),
    "separable": (lambda: layers.SeparableConv2D(4, 3, padding="same", depth_multiplier=2), (8, 7, 3)),
    "separable_one_dimension": (lambda: layers.SeparableConv1D(4, 3, activation="relu"), (8, 3)),
    "maximum": (lambda: layers.MaxPooling2D(3, 2, padding="same"), (9, 8, 2)),
    "maximum_valid": (lambda: layers.MaxPooling2D(), (9, 8, 2)),
    "average": (lambda: layers.AveragePooling2D(3, 2, padding="same"), (9, 8, 2)),
    "average_one_dimension": (lambda: layers.AveragePooling1D(3, 2), (9, 2)),
    "maximum_one_dimension": (lambda: layers.MaxPooling1D(2, padding="same"), (9, 2)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str) -> None:
    make, shape = LAYERS[name]
    check(make(), shape)


class Doubling(layers.Conv2D):
    """A convolution with a `call` of its own."""

    def call(self, inputs: Any) -> Any:
        return 2 * super().call(inputs)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv2D(4, 3, groups=2), (6, 6, 2)),
        (layers.Conv1D(4, 3, padding="causal"), (6, 2)),
        (layers.Conv2DTranspose(4, 3), (6, 6, 2)),
        (Doubling(4, 3), (6, 6, 2)),
    ],
    ids=["groups", "causal", "transposed", "subclass"],
)
def test_what_is_not_covered_stays_as_it_is(layer: keras.layers.Layer, shape: tuple[int, ...]) -> None:
    check(layer, shape, fast=False)


def test_of_equal_pixels_one_has_the_gradient() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.MaxPooling2D()])
    inputs = np.zeros((1, 4, 4, 1), np.float32)
    (*_, plain), _ = values_and_gradients(model, inputs, steered=False)
    (*_, steered), _ = values_and_gradients(model, inputs, steered=True)
    np.testing.assert_array_equal(steered, plain)


def test_other_devices_keep_their_own_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    check(layers.Conv2D(3, 3), (6, 6, 2), fast=False)


CONVOLUTIONS = Case(
    stack(
        lambda: layers.Rescaling(1 / 255),
        lambda: layers.Conv2D(3, 3, padding="same", use_bias=False),
        layers.BatchNormalization,
        layers.ReLU,
        layers.MaxPooling2D,
        lambda: layers.Dropout(0.2),
        lambda: layers.Conv2D(4, 2, activation="relu"),
        layers.Flatten,
        lambda: layers.Dense(3),
        shape=(4, 4, 1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ),
    x=IMAGES,
    y=CLASSES,
)


def test_members_learn_as_alone_and_the_model_stays_as_it_was() -> None:
    model = CONVOLUTIONS.build()
    before = json.dumps(model.get_config(), sort_keys=True, default=str)
    ensemble = am.Ensemble(model, folds=2, members=2, seed=3)
    ensemble.fit(CONVOLUTIONS.x, CONVOLUTIONS.y, epochs=3, batch_size=4, fold_ids=FOLD_IDS)
    alone = train_alone(CONVOLUTIONS, [0, 3], fold_ids=FOLD_IDS, folds=2, members=2, seed=3)
    for number, weights in alone.items():
        assert_close(weights_of(ensemble, number), weights)
    assert json.dumps(model.get_config(), sort_keys=True, default=str) == before
    assert not any("call" in vars(layer) for layer in model.layers)
    assert_close([ensemble.predict(IMAGES).members[3]], [ensemble[3].predict(IMAGES, verbose=0)])
