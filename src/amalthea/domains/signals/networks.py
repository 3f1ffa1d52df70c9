"""The networks that traces are learned with: convolutions at several scales, and linear ones that are solved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.domains.networks import SMOOTHING, optimizer
from amalthea.domains.protocol import Defaults
from amalthea.domains.signals.closed_form import Method, solve
from amalthea.domains.signals.featurizers import MOST_SEEN, VIEWS, Featurized, Kernels
from amalthea.training.layers import TargetHeads, TargetModel

FILTERS = 16
"""Of each scale."""

SCALES = (3, 9, 21)
"""Places that a convolution looks at."""

BLOCKS = 3

WARM_UP = 0.1

WEIGHT_DECAY = 0.05


@keras.saving.register_keras_serializable("amalthea")
class Solved(keras.layers.Layer):
    """A linear layer whose weights solve a linear model of a member's own training rows; only a bias is trained.

    Input: shape (batch, d). Output: shape (batch, sum of widths), as `TargetHeads` takes it.

    Args:
        widths: for each target 1 (a regression) or its number of classes.
        method: "ridge" or "pls".
        views: parts of the columns of which "pls" uses one.
    """

    def __init__(self, widths: Sequence[int], method: Method = "ridge", views: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.widths, self.method, self.views = tuple(int(width) for width in widths), method, views

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create centres and weights, of each target by itself, and a bias."""
        outputs = sum(self.widths)
        shape = (input_shape[-1], outputs)
        self.solution = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="solution")
        centre = (input_shape[-1], len(self.widths))
        self.centre = self.add_weight(shape=centre, initializer="zeros", trainable=False, name="centre")
        self.offset = self.add_weight(shape=(outputs,), initializer="zeros", trainable=False, name="offset")
        self.bias = self.add_weight(shape=(outputs,), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Answer for a batch."""
        ends = np.cumsum(self.widths).tolist()
        answers = [
            ops.matmul(inputs - self.centre[:, index], self.solution[:, end - width : end])
            for index, (width, end) in enumerate(zip(self.widths, ends, strict=True))
        ]
        return ops.concatenate(answers, axis=-1) + self.offset + self.bias

    def statistics(self, values: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Return this layer's weights, as training rows demand.

        Args:
            values: shape (n, d + targets): features, and behind them the targets.
        """
        features, labels = np.split(values, [-len(self.widths)], axis=1)
        solutions = solve(features, labels.astype(np.float64), self.widths, self.method, self.views)
        parts = (
            np.concatenate([each.weights for each in solutions], axis=1),
            np.stack([each.centre for each in solutions], axis=1),
            np.concatenate([each.offset for each in solutions]),
        )
        return [part.astype(np.float32) for part in parts]

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), "widths": list(self.widths), "method": self.method, "views": self.views}


@keras.saving.register_keras_serializable("amalthea")
class SolvedModel(TargetModel):
    """A functional model of `Solved` and `TargetHeads`: each meets the targets of a member's training rows."""

    def scalers(self, x: Any, y: Any) -> list[tuple[keras.layers.Layer, NDArray[Any]]]:
        """Return the layers that are given statistics, each with what it meets."""
        labels = np.reshape(np.asarray(y, np.float32), (len(y), -1))
        both = np.concatenate([np.asarray(x, np.float32), labels], axis=1)
        meets = {Solved: both, TargetHeads: labels}
        return [(layer, meets[type(layer)]) for layer in self.layers if type(layer) in meets]


@keras.saving.register_keras_serializable("amalthea")
class TraceScaling(keras.layers.Layer):
    """Shows a trace in units of the training rows, standardized by itself, where it is known, and its places.

    Input: shape (batch, places * channels), NaN where unknown. Output: shape (batch, places, 2 * channels + 2); the
    last but one is 1 where something is known and 0 elsewhere, the last runs from -1 to 1.

    Args:
        channels: the number of channels.
    """

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__(**options)
        self.channels = channels

    def build(self, input_shape: Sequence[int | None]) -> None:  # noqa: ARG002
        """Create the mean and the inverse deviation of each channel."""
        shape = (self.channels,)
        self.centre = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="centre")
        self.inverse_scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="inverse_scale")

    def call(self, inputs: Any) -> Any:
        """Scale a batch."""
        places = inputs.shape[1] // self.channels
        traces = ops.reshape(inputs, (-1, places, self.channels))
        known = ops.cast(ops.logical_not(ops.isnan(traces)), "float32")
        scaled = ops.where(ops.isnan(traces), 0.0, (traces - self.centre) * self.inverse_scale)
        scaled = scaled / ops.sqrt(1.0 + ops.square(scaled / 4.0))  # no far value rules
        count = ops.maximum(ops.sum(known, axis=1, keepdims=True), 1.0)
        centred = (scaled - ops.sum(scaled, axis=1, keepdims=True) / count) * known
        spread = ops.sqrt(ops.sum(ops.square(centred), axis=1, keepdims=True) / count + 1e-8)
        somewhere = ops.max(known, axis=2, keepdims=True)
        ramp = ops.reshape(ops.linspace(-1.0, 1.0, places), (1, places, 1))
        return ops.concatenate([scaled, centred / spread, somewhere, ramp * ops.ones_like(somewhere)], axis=-1)

    def statistics(self, values: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Return this layer's weights, as the training rows `values`, shape (n, places * channels), demand."""
        columns = np.asarray(values, np.float64).reshape(-1, self.channels)
        centre, inverse = np.zeros(self.channels), np.zeros(self.channels)
        for channel, column in enumerate(columns.T):
            known = column[np.isfinite(column)]
            if len(known) and known.std() > 1e-7 * abs(known.mean()):
                centre[channel], inverse[channel] = known.mean(), 1 / known.std()
        return [centre.astype(np.float32), inverse.astype(np.float32)]

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), "channels": self.channels}


def solved(featurizer: Featurized, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:
    """Return a compiled linear network: ridge regression of kernels' responses, partial least squares of a spectrum."""
    kernels = isinstance(featurizer, Kernels)
    widths = [target.width for target in targets]
    inputs = keras.Input(featurizer.shape, name="features")
    answers = Solved(widths, "ridge" if kernels else "pls", 1 if kernels else len(VIEWS), name="solved")(inputs)
    model = SolvedModel(inputs, TargetHeads(widths, SMOOTHING, name="answers")(answers))
    model.compile(optimizer=optimizer(defaults, steps))
    return model


def convolution(featurizer: Featurized, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:
    """Return a compiled network of convolutions at several scales, side by side, averaged over what is known.

    Args:
        featurizer: gives the places and channels.
        targets: give the outputs.
        defaults: optimizer and largest learning rate.
        steps: the number of training steps.

    Source: Fawaz et al., Data Min. Knowl. Discov. 34, 1936 (2020), section 3 (InceptionTime), with fewer and shorter
        filters.
    """
    widths, places = [target.width for target in targets], featurizer.of.places(MOST_SEEN)
    inputs = keras.Input(featurizer.shape, name="values")
    traces = TraceScaling(featurizer.of.channels, name="scaling")(inputs)
    known = traces[..., 2 * featurizer.of.channels : 2 * featurizer.of.channels + 1]
    hidden = traces
    for number in range(BLOCKS):
        hidden = _block(hidden, [scale for scale in SCALES if scale <= max(3, places)], number)
    shortcut = keras.layers.Conv1D(hidden.shape[-1], 1, use_bias=False, name="shortcut")(traces)
    hidden = keras.layers.ReLU()(hidden + keras.layers.BatchNormalization(momentum=0.9)(shortcut))
    average = ops.sum(hidden * known, axis=1) / ops.maximum(ops.sum(known, axis=1), 1.0)
    share = ops.mean(known, axis=1)  # of the places that are known: the length
    hidden = keras.layers.Dropout(0.2)(ops.concatenate([average, share], axis=-1))
    raw = keras.layers.Dense(sum(widths), name="output")(hidden)
    model = TargetModel(inputs, TargetHeads(widths, SMOOTHING, name="answers")(raw))
    model.compile(optimizer=optimizer(defaults, steps, warm_up=WARM_UP, weight_decay=WEIGHT_DECAY))
    return model


def _block(traces: Any, scales: Sequence[int], number: int) -> Any:
    """Return convolutions at several scales and a maximum, side by side, normalized."""
    narrow = traces
    if traces.shape[-1] > FILTERS:
        narrow = keras.layers.Conv1D(FILTERS, 1, use_bias=False, name=f"narrow_{number}")(traces)
    branches = [
        keras.layers.Conv1D(FILTERS, scale, padding="same", use_bias=False, name=f"scale_{scale}_{number}")(narrow)
        for scale in scales
    ]
    largest = keras.layers.MaxPooling1D(3, strides=1, padding="same")(traces)
    branches.append(keras.layers.Conv1D(FILTERS, 1, use_bias=False, name=f"largest_{number}")(largest))
    joined = keras.layers.BatchNormalization(momentum=0.9)(keras.layers.Concatenate()(branches))
    return joined if number == BLOCKS - 1 else keras.layers.ReLU()(joined)
