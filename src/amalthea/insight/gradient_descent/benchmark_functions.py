"""Losses of one or two weights to be walked down: the ones that every lecture draws."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from amalthea.errors import DataError


def parabola(weight: Any) -> Any:
    """Return w², the simplest loss: one step of gradient descent multiplies the weight by 1 − 2 · learning rate.

    Example:
        >>> float(parabola(3.0))
        9.0
    """
    return jnp.sum(jnp.square(weight))


def valley(weights: Any) -> Any:
    """Return (w₁² + 10 w₂²) / 2, a quadratic that is ten times steeper in one direction.

    Example:
        >>> float(valley(jnp.array([2.0, 1.0])))
        7.0
    """
    return (weights[0] ** 2 + 10 * weights[1] ** 2) / 2


def plateau(weight: Any) -> Any:
    """Return a loss with a plateau, a shallow local minimum near −0.9 and the global one near 1.5.

    Example:
        >>> bool(plateau(1.5) < plateau(-0.9) < plateau(-3.0))
        True
    """
    w = jnp.sum(weight)
    return 1 - 0.05 * w - 0.2 * jnp.exp(-((w + 0.9) ** 2) / 0.15) - jnp.exp(-((w - 1.5) ** 2) / 0.5) + 0.01 * w**2


def linear_model(weights: Any, batch: tuple[Any, Any]) -> Any:
    """Return the mean squared error of y = w₁ · x + w₂.

    Args:
        weights: slope and intercept, shape (2,).
        batch: (x, y), each of shape (n,).

    Example:
        >>> float(linear_model(jnp.array([2.0, 3.0]), (jnp.array([1.0, 2.0]), jnp.array([5.0, 8.0]))))
        0.5
    """
    x, y = batch
    return jnp.mean((weights[0] * x + weights[1] - y) ** 2)


def made_up_line(
    rows: int = 64, mean: float = 0.0, spread: float = 1.0, seed: int = 0
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return made-up examples of a line with noise, y = 2 (x − mean) / spread + 1 + noise.

    Args:
        rows: how many.
        mean: of the feature x.
        spread: its standard deviation; 0 and 1 is a scaled feature.
        seed: of the noise.

    Example:
        >>> [values.shape for values in made_up_line(rows=5)]
        [(5,), (5,)]
    """
    generator = np.random.default_rng(seed)
    scaled = generator.standard_normal(rows)
    scaled = (scaled - scaled.mean()) / scaled.std()
    y = 2 * scaled + 1 + 0.8 * generator.standard_normal(rows)
    return (mean + spread * scaled).astype(np.float32), y.astype(np.float32)


def in_batches(arrays: tuple[Any, ...], size: int, seed: int = 0) -> tuple[Any, ...]:
    """Return arrays of n rows, shuffled, as batches: shape (n // size, size, ...).

    Args:
        arrays: with the same number of rows.
        size: of a batch; n: one batch, 1: stochastic gradient descent.
        seed: of the order.

    Raises:
        DataError: a batch is larger than the data, or the arrays differ in length.

    Example:
        >>> [values.shape for values in in_batches(made_up_line(rows=10), size=3)]
        [(3, 3), (3, 3)]
    """
    rows = len(arrays[0])
    if {len(values) for values in arrays} != {rows} or not 1 <= size <= rows:
        lengths = ", ".join(str(len(values)) for values in arrays)
        raise DataError(f"Batches of {size} need arrays of the same length, at least {size}. Received: {lengths}.")
    order = np.random.default_rng(seed).permutation(rows)[: rows // size * size]
    return tuple(np.asarray(values)[order].reshape(-1, size, *np.shape(values)[1:]) for values in arrays)
