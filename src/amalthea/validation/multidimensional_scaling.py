"""A plane on which examples lie about as far from each other as they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from amalthea.validation.distances import Metric, fit_space

Floats = NDArray[np.float64]

LANDMARKS = 400
"""Examples that span the plane at most."""


def plane(features: NDArray[np.float32], metric: Metric) -> Callable[[NDArray[np.float32]], Floats]:
    """Return what puts examples on the plane that the first 400 of some examples span.

    Args:
        features: shape (n, d), of the examples that span it.
        metric: how their distances are measured.

    Returns:
        A function of features, shape (m, d), that returns places, shape (m, 2).

    Example:
        >>> line = np.linspace(0, 1, 9, dtype=np.float32)[:, None] * np.ones(3, np.float32)
        >>> places = plane(line, "euclidean")(line)
        >>> bool(np.allclose(np.abs(np.diff(places[:, 0])), np.ptp(places[:, 0]) / 8, rtol=0.01))
        True

    Source: de Silva and Tenenbaum, Sparse multidimensional scaling using landmark points (Stanford, 2004), section 2.
    """
    space = fit_space(features[:LANDMARKS], metric)

    def squares(asked: NDArray[np.float32]) -> Floats:
        return np.concatenate([np.asarray(block, np.float64) ** 2 for block in space.distances(asked)])

    # Classical scaling of the landmarks: squared distances, centred, are products of coordinates.
    between = squares(features[:LANDMARKS])
    mean = between.mean(axis=0)
    values, vectors = np.linalg.eigh(-0.5 * (between - mean - mean[:, None] + mean.mean()))
    largest, axes = values[:-3:-1], vectors[:, :-3:-1]
    if axes.shape[1] < 2:  # a lone landmark
        return lambda asked: np.zeros((len(asked), 2))
    scaled = np.divide(axes, np.sqrt(np.maximum(largest, 0)), out=np.zeros_like(axes), where=largest > 1e-9)

    # All others by their distances to the landmarks.
    return lambda asked: -0.5 * (squares(asked) - mean) @ scaled
