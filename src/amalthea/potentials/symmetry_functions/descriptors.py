"""A whole structure as one row of numbers: how far it is from others, and what the simplest potential learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def structure_features(kinds: NDArray[np.int64], values: NDArray[np.float64], elements: int) -> NDArray[np.float32]:
    """Return, element by element, its share of the atoms, and mean and spread of the symmetry functions of its atoms.

    Args:
        kinds: the number of each atom's element, shape (A,).
        values: the symmetry functions, shape (A, F).
        elements: E.

    Returns:
        Shape (E + 2 E F,); zeros for an element that is not there.

    Example:
        >>> structure_features(np.array([0, 0]), np.array([[1.0], [3.0]]), 1).tolist()
        [1.0, 2.0, 1.0]
    """
    parts = [np.array([np.mean(kinds == element) for element in range(elements)])]
    for element in range(elements):
        described = values[kinds == element]
        none = np.zeros(values.shape[1])
        parts += [described.mean(axis=0), described.std(axis=0)] if len(described) else [none, none]
    return np.concatenate(parts).astype(np.float32)
