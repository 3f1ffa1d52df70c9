"""Data as Keras's users bring them: batches that are put together, weights of classes, validation data."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import keras
import numpy as np

from amalthea.errors import DataError
from amalthea.training.arrays import as_arrays, count_rows, size_in_bytes

LARGEST = 2**31
"""Bytes that batches may take when they are put together."""


def gathered(x: Any, y: Any, sample_weight: Any, steps: int | None = None) -> tuple[Any, Any, Any]:
    """Return inputs, targets and weights as arrays; batches are put together.

    Args:
        x: arrays; or a `PyDataset`, a generator, or what else gives batches (x, y) or (x, y, weights).
        y: targets, None with batches.
        sample_weight: weights, likewise.
        steps: the number of batches to take; None: all.

    Raises:
        DataError: the batches do not end, or are none.
    """
    dataset = isinstance(x, keras.utils.PyDataset)
    if dataset or (hasattr(x, "__iter__") and not hasattr(x, "__getitem__") and not hasattr(x, "__array__")):
        if y is not None or sample_weight is not None:
            raise DataError(f"{type(x).__name__} gives the targets and weights itself: leave y and sample_weight out.")
        batches = map(x.__getitem__, range(len(x))) if dataset else iter(x)
        x, y, sample_weight = _joined(itertools.islice(batches, steps), type(x).__name__)
    elif steps is not None:
        raise DataError("steps_per_epoch counts the batches of a generator or PyDataset; here batch_size makes them.")
    return as_arrays(x, "x"), as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight")


def _joined(batches: Iterator[Any], name: str) -> tuple[Any, Any, Any]:
    parts, size = [], 0
    for batch in batches:
        x, y, weight = (*batch, None, None)[:3] if isinstance(batch, tuple | list) else (batch, None, None)
        parts.append(jax.tree.map(np.asarray, (x, y, weight), is_leaf=lambda value: hasattr(value, "__array__")))
        size += size_in_bytes(parts[-1])
        if size > LARGEST:
            raise DataError(
                f"{name} gave {len(parts)} batches of more than {LARGEST / 2**30:.0f} GiB and did not end; all members "
                "share one array of the rows. Say with steps_per_epoch=... how many batches are to be kept."
            )
    if not parts:
        raise DataError(f"{name} gave no batch. A generator gives its batches only once: make a new one.")
    joined: tuple[Any, Any, Any] = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    return joined


def weighted(y: Any, sample_weight: Any, class_weight: Mapping[int, float] | None) -> Any:
    """Return each row's weight, once the weights of classes are in it, as in Keras: 1 for a class without one.

    Raises:
        DataError: there are weights of rows too, or several targets.

    Example:
        >>> weighted(np.array([0, 2, 2]), None, {2: 5.0}).tolist()
        [1.0, 5.0, 5.0]
    """
    if class_weight is None:
        return sample_weight
    if sample_weight is not None or not isinstance(y, np.ndarray):
        raise DataError(
            "class_weight weighs the rows of one target: give either it or sample_weight, which may differ."
        )
    labels = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y))
    return np.array([class_weight.get(int(label), 1.0) for label in labels.round()], np.float32)


def beside(data: tuple[Any, Any, Any], validation_data: Any) -> tuple[tuple[Any, Any, Any], int]:
    """Return the data with validation data behind them, and the number of rows of these.

    Args:
        data: inputs, targets and weights of n rows.
        validation_data: (x, y) or (x, y, weights), or what gives batches of such.
    """
    if isinstance(validation_data, tuple | list):
        validation_data = (*validation_data, None, None)[:3]
        more = gathered(*validation_data)
    else:
        more = gathered(validation_data, None, None)
    count, added = count_rows(x=data[0]), count_rows(x=more[0], y=more[1], sample_weight=more[2])
    # Rows weigh 1 where only the others have weights.
    (x, y, weight), (more_x, more_y, more_weight) = data, more
    if weight is not None or more_weight is not None:
        weight = np.ones(count, np.float32) if weight is None else weight
        more_weight = np.ones(added, np.float32) if more_weight is None else more_weight
    try:
        both = jax.tree.map(lambda *leaves: np.concatenate(leaves), (x, y, weight), (more_x, more_y, more_weight))
    except ValueError as error:
        raise DataError(f"validation_data must be of the same form as x and y: {error}") from error
    return both, added
