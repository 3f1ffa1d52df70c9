"""Which atoms stand near which: every atom's neighbours within a cutoff, periodic images included."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.errors import DataError, MissingDependencyError

CLOSEST = 1e-6  # Å; closer, a pair has no direction


@dataclasses.dataclass(frozen=True, eq=False)
class Neighbours:
    """The P ordered pairs i -> j of N atoms, sorted by i: those of atom i are `first[i]` to `first[i + 1] - 1`.

    Every pair stands there twice, as i -> j and as j -> i.

    Args:
        first: where each atom's pairs begin, shape (N + 1,).
        neighbour: the atom j of each pair, shape (P,).
        vector: R_j - R_i with j's periodic image, shape (P, 3), in Å.
        shift: the image of j, as multiples of the cell's vectors, shape (P, 3).
        reverse: where the pair j -> i stands, shape (P,).
    """

    first: NDArray[np.int64]
    neighbour: NDArray[np.int32]
    vector: NDArray[np.float64]
    shift: NDArray[np.int32]
    reverse: NDArray[np.int64]

    @property
    def atoms(self) -> int:
        """The number of atoms, N."""
        return len(self.first) - 1

    @property
    def centre(self) -> NDArray[np.int32]:
        """The atom i of each pair, shape (P,)."""
        return np.repeat(np.arange(self.atoms, dtype=np.int32), np.diff(self.first))


def neighbours(
    positions: ArrayLike, cell: ArrayLike | None, periodic: bool | Sequence[bool], cutoff: float
) -> Neighbours:
    """Return all pairs of atoms nearer than a cutoff; in a small cell, an atom sees images of itself.

    Args:
        positions: shape (N, 3), in Å; atoms may lie outside the cell.
        cell: the cell's vectors as rows, shape (3, 3), in Å; None where there is none.
        periodic: whether the structure goes on along each of the cell's vectors; one for all, or three.
        cutoff: in Å.

    Raises:
        DataError: periodic without a cell that has a volume, positions that are no numbers, atoms at one place.
        MissingDependencyError: vesin is not installed.

    Example:
        >>> chain = neighbours([[0.0, 0.0, 0.0]], [[2.0, 0, 0], [0, 0, 0], [0, 0, 0]], (True, False, False), 3.0)
        >>> chain.neighbour, chain.vector[:, 0]
        (array([0, 0], dtype=int32), array([-2.,  2.]))
    """
    places = np.ascontiguousarray(positions, np.float64).reshape(-1, 3)
    along = np.broadcast_to(np.asarray(periodic, bool), 3)
    box = _box(cell, along)
    if not np.isfinite(places).all():
        raise DataError("a position is not a finite number. Correct the structure.")
    search = _vesin().NeighborList(cutoff=float(cutoff), full_list=True)
    i, j, shift, vector = search.compute(places, box, along, "ijSD")
    i, j, shift = i.astype(np.int64), j.astype(np.int64), shift.reshape(-1, 3).astype(np.int32)
    vector = vector.reshape(-1, 3)
    _check_apart(i, j, vector)
    order = np.lexsort((*shift.T[::-1], j, i))  # by i, then j and image: sums do not depend on how was searched
    i, j, shift = i[order], j[order], shift[order]
    reverse = np.empty(len(i), np.int64)
    reverse[np.lexsort((*-shift.T[::-1], i, j))] = np.arange(len(i))
    first = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=len(places)))]).astype(np.int64)
    return Neighbours(first, j.astype(np.int32), vector[order], shift, reverse)


def concatenate(many: Sequence[Neighbours]) -> Neighbours:
    """Return the neighbours of several structures as those of one, their atoms in the order of the structures.

    Example:
        >>> dimer = neighbours([[0.0, 0, 0], [1.0, 0, 0]], None, False, 2.0)
        >>> concatenate([dimer, dimer]).neighbour
        array([1, 0, 3, 2], dtype=int32)
    """
    atoms = np.cumsum([0, *(one.atoms for one in many)])
    pairs = np.cumsum([0, *(len(one.neighbour) for one in many)])
    empty = Neighbours(pairs[:1], np.empty(0, np.int32), np.empty((0, 3)), np.empty((0, 3), np.int32), pairs[:0])
    shifted = [
        Neighbours(
            one.first[1:] + pair, (one.neighbour + atom).astype(np.int32), one.vector, one.shift, one.reverse + pair
        )
        for one, atom, pair in zip(many, atoms[:-1], pairs[:-1], strict=True)
    ]
    parts = [empty, *shifted]
    return Neighbours(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in dataclasses.fields(empty))
    )


def position_gradient(neighbours: Neighbours, pair_gradient: NDArray[Any]) -> NDArray[np.float64]:
    """Return dE/dR of each atom from dE/d(vector) of each pair: a pair's vector is R_j - R_i. The force is minus this.

    Args:
        neighbours: the P pairs of N atoms.
        pair_gradient: shape (P, 3), in eV/Å.

    Example:
        >>> dimer = neighbours([[0.0, 0, 0], [1.0, 0, 0]], None, False, 2.0)
        >>> position_gradient(dimer, np.array([[3.0, 0, 0], [0, 0, 0]]))
        array([[-3.,  0.,  0.],
               [ 3.,  0.,  0.]])
    """
    by_pair = pair_gradient[neighbours.reverse] - pair_gradient
    columns = [np.bincount(neighbours.centre, by_pair[:, axis], neighbours.atoms) for axis in range(3)]
    return np.stack(columns, axis=1)


def _box(cell: ArrayLike | None, along: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a cell with a volume: vectors along which nothing is repeated are replaced by perpendicular ones."""
    box = np.zeros((3, 3)) if cell is None else np.array(cell, np.float64).reshape(3, 3)
    if not along.any():
        return np.eye(3)
    if not np.isfinite(box).all():
        raise DataError("the cell holds something that is not a finite number. Correct the structure.")
    repeated = box[along]
    spread = np.linalg.svd(repeated, compute_uv=False)
    if spread[-1] <= 1e-9 * spread[0] or spread[0] == 0:
        raise DataError(
            "the structure is periodic, and its cell has no volume. Give the cell's vectors, or say that it is not "
            "periodic."
        )
    box[~along] = np.linalg.svd(repeated)[2][len(repeated) :]
    return box


def _check_apart(i: NDArray[np.int64], j: NDArray[np.int64], vector: NDArray[np.float64]) -> None:
    together = np.flatnonzero((np.abs(vector) < CLOSEST).all(axis=1))
    if len(together):
        pair = together[0]
        raise DataError(
            f"atoms {i[pair] + 1} and {j[pair] + 1} (counted from 1) lie at the same place. Correct the structure."
        )


def _vesin() -> Any:
    try:
        import vesin  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingDependencyError(
            'finding neighbours needs vesin. Install it with: pip install "amalthea[structures]"'
        ) from error
    return vesin
