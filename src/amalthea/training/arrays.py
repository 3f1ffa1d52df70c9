"""Arrays as a network takes them: single ones, or dicts and tuples of them for several inputs or outputs."""

from __future__ import annotations

import operator
from typing import Any

import jax
import numpy as np

from amalthea.errors import AmaltheaError, DataError


def as_arrays(values: Any, name: str) -> Any:
    """Return `values` as NumPy arrays in the types that devices hold: float32, int32, or bytes as they are.

    Integers too large for int32 become float32.

    Args:
        values: an array, or a dict, list or tuple of arrays; a list of numbers, or of rows of numbers, is an array.
        name: what they are called in an error.

    Raises:
        DataError: something is not numeric, or rows differ in length.

    Example:
        >>> as_arrays([[1, 2], [3, 4]], "x").shape, len(as_arrays(([1, 2], [3, 4]), "x"))
        ((2, 2), 2)
    """
    return jax.tree.map(
        lambda value: _as_array(value, name), values, is_leaf=lambda v: hasattr(v, "__array__") or _of_numbers(v)
    )


def _of_numbers(value: Any) -> bool:
    """Return whether a list holds numbers or text, or lists of them, and no arrays."""
    if not isinstance(value, list) or not value:
        return False
    first = value[0]
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return isinstance(first, int | float | str | np.generic)


def _as_array(value: Any, name: str) -> Any:
    try:
        array = np.asarray(value)
    except ValueError as error:
        lengths = [np.size(row) for row in value]
        row = next((index for index, length in enumerate(lengths) if length != lengths[0]), 0)
        raise DataError(
            f"{name} needs rows of one length. Received: {lengths[0]} numbers in row 0, {lengths[row]} in row {row}."
        ) from error
    if array.dtype.kind == "f":
        return array.astype(np.float32) if array.dtype == np.float64 else array
    if array.dtype.kind in "iu":
        if array.dtype.itemsize < 4 or array.dtype == np.int32 or not array.size:
            return array
        small = int(array.min()) >= -(2**31) and int(array.max()) < 2**31
        return array.astype(np.int32 if small else np.float32)
    if array.dtype.kind == "b":
        return array
    raise DataError(f"{name} must be numbers. Received: an array of {array.dtype}.")


def count_rows(**named: Any) -> int:
    """Return the number of rows that all given arrays have in common.

    Raises:
        DataError: they differ, or there are none.

    Example:
        >>> count_rows(x=np.zeros((3, 2)), y=np.zeros(3), sample_weight=None)
        3
    """
    counts = {name: len(leaf) if leaf.ndim else 0 for name, values in named.items() for leaf in jax.tree.leaves(values)}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        sizes = ", ".join(f"{name}: {count}" for name, count in counts.items())
        raise DataError(f"All arrays need the same number of rows, at least one. Received: {sizes or 'no array'}.")
    return next(iter(counts.values()))


def size_in_bytes(*values: Any) -> int:
    """Return the bytes that arrays or Keras variables take.

    Example:
        >>> size_in_bytes([np.zeros(3, np.float32)], np.zeros(2, np.int8))
        14
    """
    return sum(int(np.prod(leaf.shape)) * np.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(values))


def whole_number(name: str, number: Any, least: int) -> int:
    """Return a whole number that was given as an argument.

    Args:
        name: the argument's.
        number: what was given.
        least: the smallest that makes sense.

    Raises:
        AmaltheaError: it is none, or too small.
    """
    try:
        whole = operator.index(number)
    except TypeError:
        whole = least - 1
    if whole < least:
        raise AmaltheaError(f"{name} must be an integer, {least} or more. Received: {name}={number!r}")
    return whole
