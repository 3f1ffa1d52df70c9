"""The networks of a potential in plain arrays: energies of atoms and their gradients by the symmetry functions.

For molecular dynamics: no compilation, little overhead for each call; the members of a committee are stacked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Layer = tuple[Array, Array]
"""A kernel (M, inputs, outputs) and a bias (M, outputs) for M members."""


def energies_and_gradients(weights: Sequence[Layer], activations: Sequence[str], inputs: Array) -> tuple[Array, Array]:
    """Return atoms' energies and dE/dG of all members, for atoms of one element.

    Args:
        weights: each layer's kernel, shape (M, inputs, outputs), and bias, shape (M, outputs); the last has one output.
        activations: each layer's: one of `ACTIVATIONS`.
        inputs: the symmetry functions G, shape (N, F); in float32, all is computed in float32.

    Returns:
        Energies, shape (M, N), and gradients, shape (M, N, F).

    Example:
        >>> layer = (np.full((1, 2, 1), 3.0), np.zeros((1, 1)))
        >>> energies_and_gradients([layer], ["linear"], np.array([[1.0, 2.0]]))
        (array([[9.]]), array([[[3., 3.]]]))
    """
    values, slopes = inputs, []
    for (kernel, bias), activation in zip(weights, activations, strict=True):
        values = values @ kernel.astype(inputs.dtype, copy=False)
        values += bias.astype(inputs.dtype, copy=False)[:, None]
        values, slope = ACTIVATIONS[activation](values)
        slopes.append(slope)
    gradient = np.ones_like(values)
    for (kernel, _), slope in zip(reversed(weights), reversed(slopes), strict=True):
        if slope is not None:
            gradient = np.multiply(gradient, slope, out=slope)
        back = kernel.astype(inputs.dtype, copy=False).swapaxes(1, 2)
        gradient = gradient * back if back.shape[1] == 1 else gradient @ back
    return values[..., 0], gradient


def _linear(x: Array) -> tuple[Array, None]:
    return x, None


def _tanh(x: Array) -> tuple[Array, Array]:
    value = np.tanh(x, out=x)
    slope = value * value
    return value, np.subtract(1, slope, out=slope)


def _sigmoid(x: Array) -> tuple[Array, Array]:
    half = np.tanh(x / 2)  # no overflow, at either end
    value = (1 + half) / 2
    return value, value * (1 - value)


def _reversed_sigmoid(x: Array) -> tuple[Array, Array]:
    value, slope = _sigmoid(x)
    return 1 - value, -slope


def _softplus(x: Array) -> tuple[Array, Array]:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), _sigmoid(x)[0]


def _relu(x: Array) -> tuple[Array, Array]:
    return np.maximum(x, 0), (x > 0).astype(x.dtype)


def _gaussian(x: Array) -> tuple[Array, Array]:
    value = np.exp(-x * x / 2)
    return value, -x * value


def _cos(x: Array) -> tuple[Array, Array]:
    return np.cos(x), -np.sin(x)


def _exp(x: Array) -> tuple[Array, Array]:
    value = np.exp(-x)
    return value, -value


def _square(x: Array) -> tuple[Array, Array]:
    return x * x, 2 * x


def _silu(x: Array) -> tuple[Array, Array]:
    gate, slope = _sigmoid(x)
    return x * gate, gate + x * slope


ACTIVATIONS: dict[str, Callable[[Array], tuple[Array, Array | None]]] = {
    "linear": _linear,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "reversed_sigmoid": _reversed_sigmoid,
    "softplus": _softplus,
    "relu": _relu,
    "gaussian": _gaussian,
    "cos": _cos,
    "exp": _exp,
    "square": _square,
    "silu": _silu,
}
"""By name: value and slope. As in n2p2, "gaussian" is exp(-x²/2), "exp" is exp(-x), "reversed_sigmoid" 1 - sigmoid."""
