"""Whether the classes of a target have as many examples each as one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RARE = 0.3
"""A class is rare where it has less than this share of the rows that it would have if all were equally many (of two:
15 %)."""


def relative_sizes(labels: NDArray[np.floating], width: int) -> NDArray[np.float64]:
    """Return for each class its number of rows, in units of what it would be if all that occur were equally many.

    Args:
        labels: codes of classes, shape (n,), NaN where unknown.
        width: the number of classes.

    Example:
        >>> relative_sizes(np.array([0.0, 0, 0, 2, np.nan]), 3)
        array([1.5, 0. , 0.5])
    """
    counts = np.bincount(labels[np.isfinite(labels)].astype(np.int64), minlength=width)
    sizes: NDArray[np.float64] = counts * (counts > 0).sum() / max(counts.sum(), 1)
    return sizes


def has_rare_class(labels: NDArray[np.floating], width: int) -> bool:
    """Say whether a class that occurs is rare; the arguments are those of `relative_sizes`."""
    sizes = relative_sizes(labels, width)
    return bool(((sizes > 0) & (sizes < RARE)).any())
