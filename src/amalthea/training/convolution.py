"""Convolution and pooling as slices and matrix products, which a CPU runs fast inside a compiled loop."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras

from amalthea.training.sharding import CACHE_BYTES


@contextlib.contextmanager
def fast_convolutions(model: keras.Model) -> Iterator[None]:
    """While tracing for a CPU, let a model's convolutions and poolings be slices and matrix products.

    XLA runs its own convolution inside a loop on a CPU more than ten times slower than outside (jax issue 12868), and
    the gradient of its maximum pooling is slow everywhere. Covered are Keras's convolutions, depthwise and
    separable convolutions, maximum and average poolings in one and two dimensions, channels last, without groups and
    "causal" padding. All other layers, and all layers on other devices, stay as they are; so does the model, once the
    context is left.

    Args:
        model: any built model.

    Example:
        >>> image = keras.ops.ones((1, 5, 5, 2))
        >>> model = keras.Sequential([keras.Input((5, 5, 2)), keras.layers.Conv2D(3, 3, strides=2, padding="same")])
        >>> with fast_convolutions(model):
        ...     fast = model(image)
        >>> bool(keras.ops.all(abs(fast - model(image)) < 1e-5))
        True
    """
    replaced = []
    try:
        for layer in _layers(model) if jax.default_backend() == "cpu" else ():
            call = None if "call" in vars(layer) else _fast_call(layer)
            if call is not None:
                layer.call = call
                replaced.append(layer)
        yield
    finally:
        for layer in replaced:
            del layer.call


def flowing_bytes(model: keras.Model) -> int:
    """Return the bytes to count for what flows through a member beside its variables: a cacheful with convolutions.

    Members with convolutions therefore advance one after the other: side by side they gain nothing, and their
    windows drive each other out of the cache.
    """
    kinds = _CONVOLUTIONS + _DEPTHWISE + _SEPARABLE
    return CACHE_BYTES if any(isinstance(layer, kinds) for layer in _layers(model)) else 0


def convolve(inputs: Any, kernel: Any, strides: Sequence[int], padding: str, dilation: Sequence[int]) -> Any:
    """Return the convolution of `inputs` with `kernel`: all windows in rows, times the kernel as one matrix.

    Args:
        inputs: shape (batch, *sizes, channels).
        kernel: shape (*window, channels, filters).
        strides: one for each of the sizes.
        padding: "same" or "valid".
        dilation: one for each of the sizes.

    Returns:
        Shape (batch, *sizes of the output, filters).
    """
    window, (channels, filters) = kernel.shape[:-2], kernel.shape[-2:]
    slices = windows(inputs, window, strides, padding, dilation)
    rows = jnp.concatenate(slices, axis=-1) if len(slices) > 1 else slices[0]
    matrix = kernel.reshape(math.prod(window) * channels, filters)
    return (rows.reshape(-1, matrix.shape[0]) @ matrix).reshape(*rows.shape[:-1], filters)


def convolve_depthwise(inputs: Any, kernel: Any, strides: Sequence[int], padding: str, dilation: Sequence[int]) -> Any:
    """Return the convolution of each channel with kernels of its own, shape (*window, channels, multiplier)."""
    *window, channels, multiplier = kernel.shape
    slices = windows(inputs, window, strides, padding, dilation)
    taps = kernel.reshape(-1, channels, multiplier)
    result = functools.reduce(jnp.add, (part[..., None] * tap for part, tap in zip(slices, taps, strict=True)))
    return result.reshape(*slices[0].shape[:-1], channels * multiplier)


def pool_maximum(inputs: Any, window: Sequence[int], strides: Sequence[int], padding: str) -> Any:
    """Return the maximum over each window, for each channel; of equal ones the first has the gradient, as in XLA."""
    slices = windows(inputs, window, strides, padding, fill=-jnp.inf)
    return functools.reduce(lambda one, other: jnp.where(one >= other, one, other), slices)


def pool_average(inputs: Any, window: Sequence[int], strides: Sequence[int], padding: str) -> Any:
    """Return the mean over each window, for each channel; what "same" adds at the border does not count."""
    inside = jnp.ones((1, *inputs.shape[1:-1], 1), inputs.dtype)
    total, count = (functools.reduce(jnp.add, windows(v, window, strides, padding)) for v in (inputs, inside))
    return total / count


def windows(
    inputs: Any,
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
    dilation: Sequence[int] | None = None,
    fill: float = 0.0,
) -> list[Any]:
    """Return, for each place in the window, what stands there in all windows: strided slices of the padded inputs.

    Args:
        inputs: shape (batch, *sizes, channels).
        window: the window's sizes.
        strides: steps between windows.
        padding: "valid", or "same": ⌈size / stride⌉ windows along each size, the odd row of padding at the end.
        dilation: steps between the places within a window; None: 1.
        fill: what stands outside.

    Returns:
        Arrays of shape (batch, *numbers of windows, channels), the last size's places running fastest.
    """
    dilation = [1] * len(window) if dilation is None else dilation
    sizes = inputs.shape[1:-1]
    reach = [(places - 1) * step + 1 for places, step in zip(window, dilation, strict=True)]
    if padding == "same":
        counts = [-(-size // stride) for size, stride in zip(sizes, strides, strict=True)]
        missing = [
            max((count - 1) * stride + span - size, 0)
            for count, stride, span, size in zip(counts, strides, reach, sizes, strict=True)
        ]
        if any(missing):
            inside = [(total // 2, total - total // 2) for total in missing]
            inputs = jnp.pad(inputs, [(0, 0), *inside, (0, 0)], constant_values=fill)
    else:
        counts = [(size - span) // stride + 1 for size, stride, span in zip(sizes, strides, reach, strict=True)]
    slices = []
    for offset in itertools.product(*map(range, window)):
        along = [
            slice(start * step, start * step + (count - 1) * stride + 1, stride)
            for start, step, count, stride in zip(offset, dilation, counts, strides, strict=True)
        ]
        slices.append(inputs[(slice(None), *along)])
    return slices


_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
_SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
_MAXIMUM = (keras.layers.MaxPooling1D, keras.layers.MaxPooling2D)
_AVERAGE = (keras.layers.AveragePooling1D, keras.layers.AveragePooling2D)


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    return list(model._flatten_layers(include_self=False, recursive=True))


def _fast_call(layer: Any) -> Callable[[Any], Any] | None:
    """Return what may take the place of a layer's `call`; None where it must stay, as a subclass's own must."""
    kind = type(layer)
    if getattr(layer, "data_format", None) != "channels_last":
        return None
    if getattr(layer, "padding", None) not in ("same", "valid") or getattr(layer, "groups", 1) != 1:
        return None
    if kind in _CONVOLUTIONS + _DEPTHWISE + _SEPARABLE:
        return functools.partial(_convolution, layer)
    return functools.partial(_pooling, layer) if kind in _MAXIMUM + _AVERAGE else None


def _convolution(layer: Any, inputs: Any) -> Any:
    """Do what the `call` of Keras's convolutions does."""
    kernels = ("depthwise_kernel", "pointwise_kernel") if isinstance(layer, _SEPARABLE) else ("kernel",)
    kernel, *pointwise = (keras.ops.convert_to_tensor(getattr(layer, name)) for name in kernels)
    plain = isinstance(layer, _CONVOLUTIONS)
    inputs = keras.ops.cast(inputs, kernel.dtype)
    answers = (convolve if plain else convolve_depthwise)(
        inputs, kernel, layer.strides, layer.padding, layer.dilation_rate
    )
    for mixing in pointwise:
        answers = answers @ mixing.reshape(mixing.shape[-2:])
    answers = answers + keras.ops.convert_to_tensor(layer.bias) if layer.use_bias else answers
    return answers if layer.activation is None else layer.activation(answers)


def _pooling(layer: Any, inputs: Any) -> Any:
    pool = pool_maximum if isinstance(layer, _MAXIMUM) else pool_average
    return pool(inputs, layer.pool_size, layer.strides, layer.padding)
