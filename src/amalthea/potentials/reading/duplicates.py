"""Which frames hold the same structure: such copies must share a fold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESOLUTION = 1e-3
"""In Å. Files are written with 5 to 16 digits, so copies differ a little; a much finer grid would part them."""

OFFSET = (3 - 5**0.5) / 2
"""Puts the borders of the grid at irrational positions: atoms on sites of high symmetry would lie on rational ones."""


def structure_keys(frames: Iterable[Any]) -> list[str]:
    """Return a text for each structure, equal for structures with the same elements, cell and positions.

    Atoms may stand in another order, or in another periodic image. Structures whose atoms all lie within about a
    thousandth of an Å of each other count as the same; a structure that was shifted or turned does not.

    Args:
        frames: n `ase.Atoms`.

    Example:
        >>> from ase.build import bulk
        >>> silicon = bulk("Si", cubic=True)
        >>> moved = silicon.copy()
        >>> moved.positions[3] += moved.cell[1]
        >>> compressed = bulk("Si", a=5.3, cubic=True)
        >>> first, second, third, fourth = structure_keys([silicon, silicon[::-1], moved, compressed])
        >>> first == second == third, first == fourth
        (True, False)
    """
    return [_key(atoms) for atoms in frames]


def _key(atoms: Any) -> str:
    # The order of atoms means nothing: sorted by element and position, copies are the same text.
    cell = np.where(atoms.pbc[:, None], atoms.cell.array, 0)
    steps = _steps(atoms)
    order = np.lexsort((*steps.T, atoms.numbers))
    parts = (atoms.pbc.astype(np.int64), _rounded(cell), atoms.numbers[order].astype(np.int64), steps[order])
    return hashlib.sha256(b"|".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()[:32]


def _steps(atoms: Any) -> NDArray[np.int64]:
    """Return positions as integers, those along periodic directions wrapped into the cell."""
    if not atoms.pbc.any():
        return _rounded(atoms.positions)
    cell = atoms.cell.complete().array
    count = np.maximum(_rounded(np.linalg.norm(cell, axis=1)), 1)  # whole steps: a periodic image lies on the same grid
    steps = _rounded(np.linalg.solve(cell.T, atoms.positions.T).T * count * RESOLUTION)
    return np.where(atoms.pbc, steps % count, steps)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(values / RESOLUTION + OFFSET).astype(np.int64)
