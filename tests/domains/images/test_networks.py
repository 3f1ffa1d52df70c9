"""The image networks: any size and any targets, pictures changed in training only, members that differ."""

from __future__ import annotations

import numpy as np
import pytest

import amalthea as am  # before Keras: it chooses the backend
from amalthea.datasets.dataset import Target
from amalthea.domains.images.augmentation import RandomAffine
from amalthea.domains.images.networks import convolution, defaults_for, dense
from amalthea.domains.protocol import Defaults

import keras  # isort: skip

KIND = Target("kind", "classification", classes=("a", "b", "c"))
SIZE = Target("size", "regression")
DEFAULTS = Defaults(optimizer="adamw", learning_rate=5e-3)


def pictures(count: int, *shape: int) -> np.ndarray:
    """Random pixels."""
    return np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 40, 3), (64, 48, 4), (200, 150, 3)])
def test_a_network_for_every_kind_of_picture_and_target(shape: tuple[int, ...]) -> None:
    for network in (dense, convolution):
        assert network(shape, (KIND, SIZE), DEFAULTS, 10).output_shape == (None, 4)


@pytest.mark.parametrize("side", [8, 9, 10, 13, 16, 23, 24, 25, 33, 100])
def test_a_network_sees_all_of_a_picture_at_every_size(side: int) -> None:
    model = convolution((side, side, 1), (KIND,), DEFAULTS, 10)
    (flat,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Flatten))
    assert 64 <= flat.output.shape[1] <= 64 * 36


def test_answers_of_classes_are_probabilities() -> None:
    answers = np.asarray(convolution((8, 8, 1), (KIND,), DEFAULTS, 10, augment=True)(pictures(5, 8, 8, 1)))
    assert (answers >= 0).all()
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


def test_pictures_are_changed_in_training_only_and_each_by_amounts_of_its_own() -> None:
    layer = RandomAffine(seed=1)
    same = np.repeat(pictures(1, 12, 9, 3), 4, axis=0).astype(np.float32)
    np.testing.assert_array_equal(layer(same), same)
    changed = np.asarray(layer(same, training=True))
    assert changed.shape == same.shape
    assert len({picture.tobytes() for picture in [*changed, same[0], *np.asarray(layer(same, training=True))]}) == 9


def test_the_same_seed_changes_alike() -> None:
    x = pictures(3, 8, 8, 1).astype(np.float32)
    one, other, third = (np.asarray(RandomAffine(seed=seed)(x, training=True)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, other)
    assert (one != third).any()


def test_changes_stay_within_their_limits() -> None:
    """A single spot is found again near its place; a flat picture stays flat up to its border."""
    layer = RandomAffine(rotation=10.0, stretch=0.1, shear=0.1, shift=0.1, seed=0)
    flat = np.full((20, 16, 24, 3), 7.0, np.float32)
    np.testing.assert_allclose(layer(flat, training=True), flat, rtol=1e-5)
    spot = np.zeros((100, 31, 21, 1), np.float32)
    spot[:, 14:17, 9:12] = 1.0  # the centre
    moved = np.asarray(layer(spot, training=True))[..., 0]
    weight = moved / moved.sum(axis=(1, 2), keepdims=True)
    down = (weight * np.arange(31)[:, None]).sum(axis=(1, 2)) - 15
    right = (weight * np.arange(21)).sum(axis=(1, 2)) - 10
    assert np.abs(down).max() < 1.3 * 3.1 + 0.2
    assert np.abs(right).max() < 1.3 * 2.1 + 0.2
    assert down.std() > 1
    assert right.std() > 0.5


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"shift": 0.0, "stretch": 0.0, "shear": 0.0, "rotation": 0.0}, "same"),
        ({"shift": 0.0, "stretch": 0.0, "shear": 0.0, "rotation": 40.0}, "turned"),
    ],
)
def test_a_rotation_is_a_rotation(options: dict[str, float], expected: str) -> None:
    """A round hill in the middle looks the same from all sides; without any amounts nothing changes."""
    down, right = np.mgrid[-10:11, -8:9]
    hill = np.exp(-(down**2 + right**2) / 18.0).astype(np.float32)[None, ..., None].repeat(8, axis=0)
    ramp = (hill * right[..., None]).astype(np.float32)
    layer = RandomAffine(**options, seed=3)
    np.testing.assert_allclose(layer(hill, training=True), hill, atol=0.05)  # its foot is cut at the border
    difference = np.abs(np.asarray(layer(ramp, training=True)) - ramp).max(axis=(1, 2, 3))
    assert (difference < 1e-4).all() if expected == "same" else (difference > 0.1).any()


def test_a_network_is_read_again_in_safe_mode() -> None:
    model = convolution((10, 12, 3), (KIND, SIZE), DEFAULTS, 100, augment=True)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model), safe_mode=True)
    again.set_weights(model.get_weights())
    x = pictures(4, 10, 12, 3)
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


def trained() -> am.Ensemble:
    """Two members that tell bright pictures from dark ones."""
    x = pictures(24, 8, 8, 1) // 2 + np.repeat([0, 100], 12).astype(np.uint8)[:, None, None, None]
    model = convolution((8, 8, 1), (Target("light", "classification", classes=("no", "yes")),), DEFAULTS, 30)
    ensemble = am.Ensemble(model, folds=1, members=2)
    ensemble.fit(x, np.repeat([0.0, 1.0], 12)[:, None], epochs=10, batch_size=8, verbose=0)
    assert ((ensemble.predict(x).mean[:, 1] > 0.5) == np.repeat([False, True], 12)).mean() > 0.9
    return ensemble


@pytest.fixture(scope="module")
def ensemble() -> am.Ensemble:
    return trained()


def test_members_learn_and_differ_and_see_changes_of_their_own(ensemble: am.Ensemble) -> None:
    for name, values in ensemble.weights.items():
        if "kernel" in name or "seed_generator_state" in name:
            assert (values[0] != values[1]).any()
    assert any("seed_generator_state" in name for name in ensemble.weights)


@pytest.mark.slow
def test_the_same_seed_trains_alike(ensemble: am.Ensemble) -> None:
    again = trained().weights.values()
    assert all((one == other).all() for one, other in zip(ensemble.weights.values(), again, strict=True))


def test_more_pictures_are_seen_less_often() -> None:
    epochs = [defaults_for((KIND,), rows, "convolution", True).epochs for rows in (500, 5_000, 60_000, 10**6)]
    assert epochs == sorted(epochs, reverse=True)
    assert len(set(epochs)) > 2
    textbook = defaults_for((KIND,), 60_000, "dense", True)
    assert (textbook.optimizer, textbook.learning_rate, textbook.augment) == ("rmsprop", 1e-3, False)


def test_folds_where_no_test_set_came_along() -> None:
    assert defaults_for((KIND,), 1000, "convolution", False).folds > 1
    with_test = defaults_for((KIND,), 1000, "convolution", True)
    assert with_test.folds == 1
    assert 0 < with_test.validation_fraction < 0.2
