"""A trace made ready for features: gaps filled, averaged where it is very long, brought to one length."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Trace = NDArray[np.float32]
"""The values of one example, shape (places, channels); NaN where one is not known."""


def filled(trace: Trace) -> Trace:
    """Return a trace with its gaps filled linearly, channel by channel; 0 where a channel has no value at all.

    Example:
        >>> filled(np.array([[1.0], [np.nan], [3.0], [np.nan]], np.float32)).ravel().tolist()
        [1.0, 2.0, 3.0, 3.0]
    """
    known = np.isfinite(trace)
    if known.all():
        return trace
    result, places = np.zeros_like(trace), np.arange(len(trace))
    for channel in np.flatnonzero(known.any(axis=0)):
        there = known[:, channel]
        result[:, channel] = np.interp(places, places[there], trace[there, channel])
    return result


def averaged(trace: Trace, factor: int) -> Trace:
    """Return the means of each `factor` neighbouring places, of what is known there.

    Example:
        >>> averaged(np.arange(5.0, dtype=np.float32)[:, None], 2).ravel().tolist()
        [0.5, 2.5, 4.0]
    """
    if factor == 1:
        return trace
    count = math.ceil(len(trace) / factor)
    padded = np.full((count * factor, trace.shape[1]), np.nan, np.float32)
    padded[: len(trace)] = trace
    blocks = padded.reshape(count, factor, -1)
    known = np.isfinite(blocks)
    total = np.where(known, blocks, 0).sum(axis=1, dtype=np.float64)
    number = known.sum(axis=1)
    means: Trace = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0).astype(np.float32)
    return means


def resampled(trace: Trace, size: int) -> Trace:
    """Return a trace without gaps at `size` places, evenly from its first to its last, by linear interpolation."""
    if len(trace) == size:
        return trace
    places = np.linspace(0, len(trace) - 1, size)
    there = np.arange(len(trace))
    return np.stack([np.interp(places, there, channel) for channel in trace.T], axis=1).astype(np.float32)


def standardized(trace: Trace, by_channel: bool = True) -> Trace:
    """Return a trace without gaps with mean 0 and standard deviation 1; 0 where it is constant.

    Args:
        trace: shape (places, channels).
        by_channel: each channel by itself; False: all with one mean and one deviation.
    """
    axis = 0 if by_channel else None
    values = trace.astype(np.float64)
    centre = values.mean(axis=axis, keepdims=True)
    spread = values.std(axis=axis, keepdims=True)
    # What rounding leaves of a constant is no deviation.
    varies = spread > 1e-6 * np.abs(centre)
    scaled: Trace = np.divide(values - centre, spread, out=np.zeros_like(values), where=varies).astype(np.float32)
    return scaled
