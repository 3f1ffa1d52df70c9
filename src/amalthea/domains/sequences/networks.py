"""Networks that foretell a window's future from its past, each window normalized by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from amalthea.domains.custom_models import open_user_model
from amalthea.domains.networks import optimizer
from amalthea.domains.protocol import Defaults
from amalthea.domains.sequences.windows import CUSTOM, WindowShape

SMALLEST = 1e-4
"""A window's spread, as a share of its size, below which it counts as constant."""

DILATIONS = (1, 2, 4, 8)
"""Of the convolutions, in periods: together they see sixteen."""

EFFECT_UNITS = 16
"""Of the layer that reads what is known of a step in advance."""


@keras.saving.register_keras_serializable("amalthea")
class Forecaster(keras.Model):
    """Foretells the steps that follow a window of one series.

    The window is normalized by its own mean and spread, and the answer brought back (Kim et al., ICLR 2022, without
    their affine part). "gru": a gated recurrent unit (Cho et al., EMNLP 2014) reads patches of one period (as in Nie et
    al., ICLR 2023), "lstm": likewise a long short-term memory (Hochreiter and Schmidhuber, Neural Comput. 9, 1735,
    1997); "convolution": causal dilated convolutions over these patches (Bai et al., arXiv 1803.01271); "nlinear": one
    linear map of the past less its last value (Zeng et al., AAAI 2023); "network": a model of the user's. What is known
    in advance, and codes of what never changes, have an effect on a step that is taken off the past and put on the
    future.

    Input: shape (batch, steps, columns), the target first; where more than one column, the steps of the future too.
    Output: shape (batch, horizon).

    Args:
        kind: "gru", "lstm", "convolution", "nlinear" or "network".
        context: steps of the past.
        horizon: steps of the future.
        patch: steps that are read at once.
        known: columns that are known in advance.
        fixed: for each column that never changes the number of its values.
        units: of the recurrent layer, or of each convolution.
        model: of the user's: takes the normalized past and where it is known, shape (batch, context, 2), and answers
            with the normalized future, shape (batch, horizon).
    """

    def __init__(
        self,
        kind: str,
        context: int,
        horizon: int,
        patch: int,
        known: int = 0,
        fixed: Sequence[int] = (),
        units: int = 64,
        model: keras.Model | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.arguments: dict[str, Any] = {
            "kind": kind, "context": context, "horizon": horizon, "patch": patch,
            "known": known, "fixed": list(fixed), "units": units,
        }  # fmt: skip
        self.kind, self.context, self.horizon, self.patch = kind, context, horizon, patch
        self.known, self.fixed = known, tuple(fixed)
        recurrent = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
        self.model = model
        self.body = recurrent[kind](units, name="body") if kind in recurrent else None
        self.convolutions = (
            [keras.layers.Dense(units, "gelu", name=f"convolution_{dilation}") for dilation in DILATIONS]
            if kind == "convolution"
            else []
        )
        start = keras.initializers.Constant(1 / context) if kind == "nlinear" else "glorot_uniform"
        self.head: Any = keras.layers.Dense(horizon, kernel_initializer=start, name="head") if model is None else None
        self.effect = (
            [keras.layers.Dense(EFFECT_UNITS, "gelu", name="effect"), keras.layers.Dense(1, name="effect_sum")]
            if known or fixed
            else []
        )

    def build(self, input_shape: Sequence[int | None]) -> None:  # noqa: ARG002  (Keras's signature)
        """Create the weights."""
        count, units = self.context // self.patch, self.arguments["units"]
        if self.body is not None:
            self.body.build((None, count, 2 * self.patch))
        for place, layer in enumerate(self.convolutions):
            layer.build((None, count, 2 * (units if place else 2 * self.patch)))
        if self.model is not None and not self.model.built:
            self.model.build((None, self.context, 2))
        if self.head is not None:
            self.head.build((None, self.context if self.kind == "nlinear" else units))
        for layer, width in zip(self.effect, (self.known + sum(self.fixed), EFFECT_UNITS), strict=False):
            layer.build((None, None, width))
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return the future of each window, in the target's unit."""
        past, there, mean, scale = self._normalized(inputs)
        effect = self._effect(inputs) if self.effect else ops.zeros_like(inputs[:, :1, 0])
        past = (past - effect[:, : self.context]) * there
        if self.model is not None:
            answer = self.model(ops.stack([past, there], axis=-1))
        elif self.kind == "nlinear":
            last = self._last(past, there)
            answer = self.head((past - last) * there) + last
        else:
            # One period a step: the values, and where they are known.
            patches = [ops.reshape(each, (-1, self.context // self.patch, self.patch)) for each in (past, there)]
            answer = self.head(self._read(ops.concatenate(patches, axis=-1)))
        if self.effect:
            answer = answer + effect[:, self.context :]
        return answer * scale + mean

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,  # noqa: ARG002  (Keras's signature)
        training: bool = True,  # noqa: ARG002
    ) -> Any:
        """Return the mean of sqrt(1 + e²) - 1 over the known steps; e counts in the spread of the window's past."""
        scale = self._normalized(x)[3]
        truth = y[:, :, 0]
        known = ops.isfinite(truth)
        error = ops.where(known, (truth - y_pred) / scale, 0.0)
        each = ops.sqrt(1.0 + ops.square(ops.clip(error, -1e3, 1e3))) - 1.0
        return ops.sum(each) / ops.maximum(ops.sum(ops.cast(known, each.dtype)), 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        model = None if self.model is None else keras.saving.serialize_keras_object(self.model)
        return {**self.arguments, "model": model, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Forecaster:  # noqa: ARG003
        """Return the network of some arguments."""
        model = config.get("model")
        return cls(**{**config, "model": None if model is None else keras.saving.deserialize_keras_object(model)})

    def _read(self, patches: Any) -> Any:
        """Return what the body makes of patches, shape (batch, units)."""
        if self.body is not None:
            return self.body(patches)
        count = self.context // self.patch
        for place, (layer, dilation) in enumerate(zip(self.convolutions, DILATIONS, strict=True)):
            # A convolution of two taps is a product with each step beside that so many steps before.
            before = ops.pad(patches, [[0, 0], [dilation, 0], [0, 0]])[:, :count]
            read = layer(ops.concatenate([patches, before], axis=-1))
            patches = read + patches if place else read
        return patches[:, -1]

    def _normalized(self, inputs: Any) -> tuple[Any, Any, Any, Any]:
        """Return the past in units of its own spread, 0 in gaps; where it is known; its mean and spread."""
        values = inputs[:, : self.context, 0]
        known = ops.isfinite(values)
        there = ops.cast(known, values.dtype)
        count = ops.maximum(ops.sum(there, axis=1, keepdims=True), 1.0)
        filled = ops.where(known, values, 0.0)
        mean = ops.sum(filled, axis=1, keepdims=True) / count
        centred = (filled - mean) * there
        spread = ops.sqrt(ops.sum(ops.square(centred), axis=1, keepdims=True) / count)
        scale = ops.maximum(spread, SMALLEST * ops.maximum(ops.abs(mean), SMALLEST))
        return centred / scale, there, mean, scale

    def _effect(self, inputs: Any) -> Any:
        """Return what known and fixed columns do to each step, shape (batch, steps)."""
        known = inputs[:, :, 1 : 1 + self.known]
        read = [ops.clip(ops.where(ops.isfinite(known), known, 0.0), -10.0, 10.0)]
        for column, values in enumerate(self.fixed, start=1 + self.known):
            code = inputs[:, :, column]
            read.append(ops.one_hot(ops.cast(ops.where(ops.isfinite(code), code, -1.0), "int32"), values))
        effect = ops.concatenate(read, axis=-1)
        for layer in self.effect:
            effect = layer(effect)
        return effect[:, :, 0]

    def _last(self, past: Any, there: Any) -> Any:
        """Return the last known value of each window, shape (batch, 1)."""
        place = ops.argmax(there * ops.arange(1, self.context + 1, dtype=past.dtype), axis=1)
        return ops.take_along_axis(past, place[:, None], axis=1)


def forecaster(window: WindowShape, defaults: Defaults, steps: int) -> Forecaster:
    """Return a compiled network for a window; its learning rate falls along a cosine to nothing.

    Args:
        window: its sizes, and by its name which network.
        defaults: the optimizer and its largest learning rate, and which network of the user's.
        steps: how many training steps there will be.

    Raises:
        DataError: there is no such network of the user's, or it does not fit.
    """
    model = None
    if window.name == CUSTOM:
        model = open_user_model(defaults.network, (window.context, 2), window.horizon)
    sizes = (window.context, window.horizon, window.patch, window.known, window.fixed)
    network = Forecaster(window.name, *sizes, model=model)
    # A linear map needs smaller steps than a recurrent one.
    rate = defaults.learning_rate / (3 if window.name == "nlinear" else 1)
    network.compile(optimizer=optimizer(dataclasses.replace(defaults, learning_rate=rate), steps))
    return network
