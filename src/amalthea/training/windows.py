"""Windows of series that lie in memory once: a window is cut where a member asks for it."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


@functools.partial(jax.tree_util.register_dataclass, data_fields=["values", "starts"], meta_fields=["length", "hidden"])
@dataclasses.dataclass(frozen=True, eq=False)
class Windows:
    """n windows of series, indexed by rows as an array of shape (n, length, columns) would be.

    Args:
        values: all series, one behind the other, shape (total, columns).
        starts: shape (n,): where each window begins in `values`.
        length: steps of a window.
        hidden: so many of its last steps show NaN in the first column: they are the future.

    Example:
        >>> windows = Windows(np.arange(6.0)[:, None], np.array([0, 2]), length=3, hidden=1)
        >>> np.asarray(windows[np.array([1])])[:, :, 0]
        array([[ 2.,  3., nan]], dtype=float32)
    """

    values: Any
    starts: Any
    length: int
    hidden: int = 0

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: Any) -> Any:
        """Return the windows of some rows, shape (rows, length, columns)."""
        cut = jnp.asarray(self.values)[jnp.asarray(self.starts)[rows][:, None] + np.arange(self.length)]
        if not self.hidden:
            return cut
        future = np.zeros(cut.shape[1:], bool)
        future[self.length - self.hidden :, 0] = True
        return jnp.where(future, jnp.nan, cut)


def take(data: Any, rows: Any) -> Any:
    """Return some rows of inputs or targets, arrays or windows.

    Args:
        data: an array, `Windows`, or a dict, list or tuple of them, of n rows.
        rows: a slice, or row numbers.

    Example:
        >>> take({"x": np.arange(4)}, slice(2))
        {'x': array([0, 1])}
    """
    return jax.tree.map(lambda values: values[rows], data, is_leaf=lambda values: isinstance(values, Windows))
