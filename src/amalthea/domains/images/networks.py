"""The networks that images are trained with, and for how long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from amalthea import backend
from amalthea.datasets.dataset import Target
from amalthea.domains import networks
from amalthea.domains.protocol import Defaults

if TYPE_CHECKING:
    import keras

WIDTHS = (16, 32, 48, 64)
"""Filters of the convolutions: where pictures are halved, before the pooling, and the two behind it."""

WARM_UP = 0.2
"""The share of the training in which the learning rate rises."""

WEIGHT_DECAY = 0.05

EPOCHS = 10
"""Passes through 60,000 images."""


def defaults_for(targets: Sequence[Target], rows: int, network: str, has_test: bool) -> Defaults:  # noqa: ARG001
    """Return how images are trained on: one fold where a test set came along, five where it is cut from the data.

    Few images are seen more often than many: the number of steps grows with the square root of the number of rows.

    Args:
        targets: not used; classes and numbers are learned alike.
        rows: the number of images to train on, n.
        network: "convolution" or "dense".
        has_test: whether the data have a test set of their own.

    Example:
        >>> [defaults_for([], rows, "convolution", True).epochs for rows in (500, 1797, 10_000, 60_000)]
        [40, 40, 24, 10]
    """
    folds = 1 if has_test else 5
    if network == "dense":
        return Defaults(
            folds, members=5, epochs=5, batch_size=128, optimizer="rmsprop", learning_rate=1e-3, network="dense"
        )
    return Defaults(
        folds,
        members=5 if has_test else 3,
        epochs=min(40, max(5, round(EPOCHS * math.sqrt(60_000 / max(rows, 1))))),
        batch_size=128 if rows >= 10_000 else 32,
        optimizer="adamw",
        learning_rate=5e-3,
        network="convolution",
        validation_fraction=0.05 if has_test else None,
        augment=True,
    )


def dense(
    shape: tuple[int, ...], targets: Sequence[Target], defaults: Defaults, steps: int, augment: bool = False
) -> Any:
    """Return the network that textbooks begin with: one hidden layer of 512, at a constant learning rate.

    Chollet, Deep Learning with Python, section 2.1.

    Args:
        shape: height, width and channels; the pixels are 0 to 255.
        targets: give the outputs.
        defaults: optimizer and learning rate.
        steps: not used.
        augment: turn, stretch and move the pictures a little in training.
    """
    backend.prepare()
    import keras

    inputs = keras.Input(shape, dtype="uint8", name="pixels")
    hidden = keras.layers.Flatten()(_changed(keras.layers.Rescaling(1 / 255)(inputs), augment))
    hidden = keras.layers.Dense(512, activation="relu", name="hidden")(hidden)
    return _answering(inputs, hidden, targets, networks.optimizer(defaults, steps, constant=True))


def convolution(
    shape: tuple[int, ...], targets: Sequence[Target], defaults: Defaults, steps: int, augment: bool = True
) -> Any:
    """Return a small convolutional network with batch normalization (Ioffe and Szegedy, ICML 2015).

    Convolutions with stride 2 halve a picture until its smaller side is at most 16 pixels; then follow one convolution,
    a pooling, and two more. The learning rate rises once and falls along a cosine (one cycle: Smith and Topin, 2019).

    Args:
        shape: height, width and channels; the pixels are 0 to 255.
        targets: give the outputs.
        defaults: optimizer and largest learning rate.
        steps: the number of training steps.
        augment: turn, stretch and move the pictures a little in training.

    Example:
        >>> digit = Target("digit", "classification", classes=tuple("0123456789"))
        >>> model = convolution((28, 28, 1), [digit], Defaults(), 100)
        >>> model.output_shape, model.count_params() < 60_000
        ((None, 10), True)
    """
    backend.prepare()
    import keras

    inputs = keras.Input(shape, dtype="uint8", name="pixels")
    hidden = _changed(keras.layers.Rescaling(1 / 127.5, -1.0)(inputs), augment)
    halving, first, second, third = WIDTHS
    if _side(hidden) < 24:
        hidden = _convolve(hidden, halving, 3)
    while _side(hidden) > 16:
        hidden = _convolve(hidden, halving, 5 if _side(hidden) == min(shape[:2]) else 3, strides=2)
    hidden = _convolve(hidden, first, 3)
    if _side(hidden) > 1:
        hidden = keras.layers.MaxPooling2D()(hidden)
    while _side(hidden) > 8:
        hidden = keras.layers.MaxPooling2D()(hidden)
    hidden = _convolve(_convolve(hidden, second, 3), third, 3)
    optimizer = networks.optimizer(defaults, steps, warm_up=WARM_UP, weight_decay=WEIGHT_DECAY)
    return _answering(inputs, keras.layers.Flatten()(hidden), targets, optimizer)


def _changed(pictures: Any, augment: bool) -> Any:
    """Return the pictures changed a little in training, where that is wanted and there is something to be turned."""
    from amalthea.domains.images.augmentation import RandomAffine

    return RandomAffine()(pictures) if augment and _side(pictures) > 1 else pictures


def _side(pictures: Any) -> int:
    return int(min(pictures.shape[1:3]))


def _convolve(pictures: Any, filters: int, size: int, strides: int = 1) -> Any:
    """Return convolution, normalization and ReLU; small pictures keep their size."""
    import keras

    padding = "valid" if _side(pictures) >= size + 2 else "same"
    convolution = keras.layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.95)(convolution(pictures)))


def _answering(inputs: Any, hidden: Any, targets: Sequence[Target], optimizer: Any) -> keras.Model:
    import keras

    from amalthea.training.layers import TargetHeads, TargetModel

    widths = [target.width for target in targets]
    outputs = keras.layers.Dense(sum(widths), name="output")(hidden)
    model = TargetModel(inputs, TargetHeads(widths, name="answers")(outputs))
    model.compile(optimizer=optimizer)
    return model
