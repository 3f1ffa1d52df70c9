"""The plane in which the paths of many networks move most."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError
from amalthea.training.weight_history import Recording

Array = NDArray[Any]
Floats = NDArray[np.float64]

RUNAWAY = 10.0
"""A member that moved this many times as far as the median does not decide where the plane lies."""


@dataclasses.dataclass(frozen=True, eq=False)
class Plane:
    """Two directions in the space of the weights, and where the members are when seen along them.

    Args:
        positions: of each member at each recorded time, from the mean of the starts, shape (members, times, 2).
        share: how much of the members' movement away from their starts the plane shows, squared lengths, 0 to 1.
        shares: of each member's own movement, shape (members,).
        used: whether a member helped to find the plane: it neither diverged nor ran away, shape (members,).
        directions: of length 1, one array a trainable variable, shape (2, ...).
        companions: how the other variables change along the directions, likewise; None: no real numbers.
    """

    positions: Floats
    share: float
    shares: Floats
    used: NDArray[np.bool_]
    directions: list[Array]
    companions: list[Array | None]


def plane_of(recording: Recording, left_out: Sequence[int]) -> Plane:
    """Return the first two principal components of the members' movements.

    A movement is where a member is less where it began: members begin in places of their own, and the distances
    between these would hide everything else.

    Args:
        recording: the weights.
        left_out: members that diverged.

    Raises:
        AmaltheaError: nobody moved.

    Source: Lorch, "Visualizing deep network training trajectories with PCA", ICML workshop (2016); Li et al., NeurIPS
        2018, section 7.2.
    """
    # Who ran far away would alone decide where the plane lies.
    lengths = np.sqrt(sum(_moved(values, slice(-1, None)).sum(axis=-1)[:, 0] for values in recording.trainable))
    alive = ~np.isin(np.arange(len(lengths)), left_out) & np.isfinite(lengths)
    used = alive & (lengths <= RUNAWAY * np.median(lengths[alive])) if alive.any() else alive
    if not (lengths[used] > 0).any():
        raise AmaltheaError("No member's weights moved: there is no path to be shown. Train longer, or faster.")
    # Inner products of all movements: a small matrix, however many weights there are.
    count, times = int(used.sum()), recording.epochs.shape[1]
    gram = np.zeros((count * times, count * times))
    for values in recording.trainable:
        rows = _movements(values[used])
        gram += rows @ rows.T
    # Its first two eigenvectors say how to mix movements into the two directions, each of length 1.
    heights, mixtures = (ascending[..., ::-1] for ascending in np.linalg.eigh(gram))
    weights = mixtures[:, :2] / np.sqrt(np.maximum(heights[:2], 1e-12 * heights[0]))
    weights[:, heights[:2] <= 1e-9 * heights[0]] = 0.0  # all paths on one line
    # Signs are chosen so that the members end on the positive side.
    weights *= np.where((gram @ weights).reshape(count, times, 2)[:, -1].sum(axis=0) < 0, -1, 1)
    directions = [_mixed(weights, values[used]) for values in recording.trainable]
    # Everybody is projected, those who ran away as well.
    positions = np.zeros((*recording.epochs.shape, 2))
    for values, direction in zip(recording.trainable, directions, strict=True):
        center = values[used, 0].mean(axis=0, dtype=np.float64).astype(values.dtype)
        away = (values - center).reshape(*values.shape[:2], -1)
        positions += away @ direction.reshape(2, -1).T
    # What part of the squared movement remains in the plane.
    seen = ((positions - positions[:, :1]) ** 2).sum(axis=(1, 2))
    whole = np.sum([_moved(values).sum(axis=(1, 2)) for values in recording.trainable], axis=0)
    return Plane(
        positions,
        float(seen[used].sum() / whole[used].sum()),
        np.divide(seen, whole, out=np.zeros_like(seen), where=whole > 0),
        used,
        directions,
        [_mixed(weights, v[used]) if v.dtype.kind == "f" else None for v in recording.others],
    )


def _movements(values: Array) -> Array:
    """Return how far each weight is from where it began, shape (members · times, weights)."""
    away = values - values[:, :1]
    return away.reshape(values.shape[0] * values.shape[1], -1)


def _moved(values: Array, times: slice = slice(None)) -> Floats:
    """Return the squared distance of each weight from where it began, shape (members, times, weights)."""
    away = (values[:, times] - values[:, :1]).reshape(len(values), -1, int(np.prod(values.shape[2:])))
    with np.errstate(over="ignore"):
        squares: Floats = np.square(away, dtype=np.float64)
    return squares


def _mixed(weights: Floats, values: Array) -> Array:
    """Return combinations of movements, shape (2, ...)."""
    mixed = weights.T.astype(values.dtype) @ _movements(values)
    return np.asarray(mixed.reshape(2, *values.shape[2:]))
