"""A list of neighbours with a skin: built anew only when an atom may have come near without being in it.

L. Verlet, Phys. Rev. 159, 98 (1967).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.symmetry_functions.neighbours import Neighbours, neighbours

Floats = NDArray[np.float64]


class VerletList:
    """Neighbours within a cutoff and a skin around it; pairs in the skin have to be ignored by those who use the list.

    The pairs within the cutoff are always there and always in the same order; which ones of the skin are there as well
    depends on when the list was built.

    Args:
        cutoff: in Å.
        skin: in Å; 0 builds the list for every structure anew.

    Example:
        >>> pairs = VerletList(cutoff=2.0, skin=1.0)
        >>> dimer = np.array([[0.0, 0, 0], [2.5, 0, 0]])
        >>> alone = np.zeros((3, 3)), np.zeros(3, bool)
        >>> pairs.of(dimer, *alone).vector[:, 0], pairs.of(0.9 * dimer, *alone).vector[:, 0], pairs.built
        (array([ 2.5, -2.5]), array([ 2.25, -2.25]), 1)
    """

    def __init__(self, cutoff: float, skin: float) -> None:
        self.cutoff, self.skin = cutoff, skin
        self.built = 0
        """How often the list was built."""
        self.positions: Floats = np.empty((0, 3))
        """Where the atoms were when it was built."""
        self.cell: Floats = np.zeros((3, 3))
        """The cell that they were in."""
        self._periodic = np.zeros(3, bool)
        self._pairs: Neighbours | None = None
        self._centre = np.empty(0, np.int32)
        self._shift: Floats | None = None  # None where no pair goes to another image
        self._shifted, self._image = np.full((3, 3), np.nan), np.empty((0, 3))

    def of(self, positions: Floats, cell: Floats, periodic: NDArray[np.bool_]) -> Neighbours:
        """Return the neighbours in a structure, with the vectors as they are now.

        Args:
            positions: shape (A, 3), in Å.
            cell: the cell's vectors as rows, in Å.
            periodic: along which of them the structure is repeated.

        Raises:
            DataError: see `neighbours`.
        """
        if self._pairs is None or not self._covers(positions, cell, periodic):
            self.build(positions, cell, periodic)
        assert self._pairs is not None
        # Which images are neighbours stays; where they lie follows the cell, which most dynamics never change.
        if self._shift is not None and (cell != self._shifted).any():
            self._image, self._shifted = self._shift @ cell, cell.copy()
        # The vectors as they are now: R_j - R_i, and for images the cell vectors between them.
        vector = np.take(positions, self._pairs.neighbour, axis=0)
        vector -= np.take(positions, self._centre, axis=0)
        if self._shift is not None:
            vector += self._image
        return dataclasses.replace(self._pairs, vector=vector)

    def build(self, positions: Floats, cell: Floats, periodic: NDArray[np.bool_]) -> None:
        """Build the list for a structure."""
        self._pairs = neighbours(positions, cell, list(periodic), self.cutoff + self.skin)
        self._centre = self._pairs.centre
        self._shift = self._pairs.shift.astype(np.float64) if self._pairs.shift.any() else None
        self._shifted = np.full((3, 3), np.nan)  # the images' vectors are computed when they are needed
        self.positions, self.cell, self._periodic = positions.copy(), np.array(cell), np.array(periodic)
        self.built += 1

    def _covers(self, positions: Floats, cell: Floats, periodic: NDArray[np.bool_]) -> bool:
        """Say whether no pair outside of the list can be nearer than the cutoff.

        A pair that is not in it was longer than cutoff + skin. A cell that changes by the matrix F shrinks it at most
        by F's smallest singular value, and atoms that move a distance d besides by 2 d.
        """
        if positions.shape != self.positions.shape or (periodic != self._periodic).any():
            return False
        least, moved = 1.0, positions - self.positions
        # What the strain of the cell moved is no motion of atoms against each other.
        if (cell != self.cell).any():
            if not self._periodic.all():
                return False
            change = np.linalg.solve(self.cell, cell)
            least, moved = float(np.linalg.svd(change, compute_uv=False)[-1]), positions - self.positions @ change
        # Two atoms may have come towards each other, each as far as the one that moved farthest.
        farthest = np.sqrt(np.einsum("ax,ax->a", moved, moved).max(initial=0.0))
        return bool(least * (self.cutoff + self.skin) - 2 * farthest > self.cutoff)
