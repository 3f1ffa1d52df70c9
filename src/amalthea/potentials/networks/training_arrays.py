"""Structures as a potential's training sees them: arrays of symmetry functions and of their derivatives.

For a fixed structure the derivatives never change, so they are computed once where they fit in memory. Structures are
sorted into a few classes of similar size and padded to the largest of their class.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.domains.protocol import Progress
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.symmetry_functions import kernels
from amalthea.potentials.symmetry_functions.functions import Functions, reach
from amalthea.potentials.symmetry_functions.neighbours import Neighbours, neighbours
from amalthea.potentials.symmetry_functions.random_clusters import typical_spread

MOST_CLASSES = 4
"""Each class of sizes is a compiled program of its own."""

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Surroundings:
    """One structure as the symmetry functions see it.

    Args:
        kinds: the number of each atom's element, shape (A,).
        neighbours: its pairs.
    """

    kinds: NDArray[np.int64]
    neighbours: Neighbours

    @property
    def most(self) -> int:
        """The largest number of neighbours that an atom has."""
        return int(np.diff(self.neighbours.first).max(initial=0))


def surroundings(atoms: Any, elements: Sequence[str], cutoff: float) -> Surroundings:
    """Return a structure's elements by their numbers, and its pairs within the cutoff in Å.

    Raises:
        ValueError: an element is not among `elements`.
    """
    numbers = np.array([elements.index(symbol) for symbol in atoms.get_chemical_symbols()], np.int64)
    return Surroundings(numbers, neighbours(atoms.positions, atoms.cell.array, atoms.pbc, cutoff))


class Examples:
    """n structures, ready to be learned from.

    Args:
        frames: the structures and their labels.
        functions: the symmetry functions of each element.
        energy_of_atoms: by element in eV: what is taken off the energies, so that single precision holds them.
        progress: called as progress(done, n).
    """

    def __init__(
        self,
        frames: Frames,
        functions: Functions,
        energy_of_atoms: Mapping[str, float],
        progress: Progress | None = None,
    ) -> None:
        self.frames, self.functions = frames, functions
        self.elements = tuple(functions)
        self.energy_of_atoms = energy_of_atoms
        self.plan = kernels.plan(functions, self.elements)
        self.width = max(map(len, functions.values()))
        cutoff = reach(functions)
        self.surroundings, values = [], []
        for done, atoms in enumerate(frames.atoms, start=1):
            structure = surroundings(atoms, self.elements, cutoff)
            self.surroundings.append(structure)
            values.append(_values(self.plan, structure))
            if progress is not None:
                progress(done, len(frames))
        self.values: list[Floats] = values
        """The symmetry functions of each structure's atoms, shape (A, F)."""

    @functools.cached_property
    def typical_spread(self) -> dict[str, Floats]:
        """How much each element's functions vary over random clusters: no structure has a say in it."""
        return typical_spread(self.functions)

    def unit(self) -> NDArray[np.float32]:
        """Return for each element and function the power of two that half precision counts its derivatives in."""
        unit = np.ones((len(self.elements), self.width), np.float32)
        for row, spread in zip(unit, self.typical_spread.values(), strict=True):
            row[: len(spread)] = np.exp2(np.rint(np.log2(np.where(spread > 0, spread, 1.0))))
        return unit

    def classes(self) -> list[NDArray[np.int64]]:
        """Return which structures are padded to a common size: at most 4 classes with the least padding."""
        return size_classes(np.array([len(each.kinds) for each in self.surroundings]))

    def bytes(self) -> int:
        """Return how much memory the derivatives take."""
        pairs = 0
        for rows in self.classes():
            atoms, most = self.room(rows)
            pairs += len(rows) * atoms * most
        return pairs * 3 * self.width * 2

    def room(self, rows: NDArray[np.int64]) -> tuple[int, int]:
        """Return the most atoms, and the most neighbours of an atom, of these structures."""
        chosen = [self.surroundings[row] for row in rows]
        return max(len(each.kinds) for each in chosen), max(1, *(each.most for each in chosen))

    def part(
        self, rows: NDArray[np.int64], unit: NDArray[np.float32], stored: bool = True
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the inputs and targets of a class of structures, padded; see `PotentialNetwork`.

        Args:
            rows: the structures.
            unit: as `unit` gave it.
            stored: whether the derivatives are computed now.
        """
        atoms, most = self.room(rows)
        count, chosen = len(rows), [self.surroundings[row] for row in rows]
        x: dict[str, Any] = {
            "functions": np.zeros((count, atoms, self.width), np.float32),
            "unit": np.ones((count, atoms, self.width), np.float32),
            "element": np.full((count, atoms), -1, np.int32),
            "reverse": np.tile(np.arange(atoms * most, dtype=np.int32), (count, 1)),
            "vectors": np.zeros((count, atoms, most, 3), np.float32),
            "volume": np.full(count, np.inf, np.float32),
            "counts": np.zeros((count, len(self.elements)), np.float32),
        }
        for index, (row, structure) in enumerate(zip(rows, chosen, strict=True)):
            here = slice(len(structure.kinds))
            x["functions"][index, here] = self.values[row]
            x["unit"][index, here] = unit[structure.kinds]
            x["element"][index, here] = structure.kinds
            where = _places(structure.neighbours, most)
            x["reverse"][index, where] = where[structure.neighbours.reverse]
            x["vectors"][index].reshape(-1, 3)[where] = structure.neighbours.vector
            x["counts"][index] = np.bincount(structure.kinds, minlength=len(self.elements))
            if self.frames.atoms[row].pbc.all():
                x["volume"][index] = self.frames.atoms[row].get_volume()
        if stored:
            x["derivatives"] = np.empty((count, atoms, 3 * most, self.width), np.float16)
            for index, row in enumerate(rows):
                x["derivatives"][index] = self.derivatives(row, unit, atoms, most)
        else:
            x["number"] = rows.astype(np.int32)
        return x, self._targets(rows, atoms)

    def derivatives(self, row: int, unit: NDArray[np.float32], atoms: int, most: int) -> NDArray[np.float16]:
        """Return the derivatives of a structure's functions by its pairs' vectors, padded: (atoms, 3 most, F)."""
        structure = self.surroundings[row]
        pairs = structure.neighbours
        _, slopes = kernels.derivatives(self.plan, structure.kinds, pairs.first, pairs.neighbour, pairs.vector)
        slopes = slopes / unit[structure.kinds[pairs.centre]][:, :, None]
        padded = np.zeros((atoms * most, 3, self.width), np.float16)
        padded[_places(pairs, most)] = slopes.swapaxes(1, 2)
        return padded.reshape(atoms, most * 3, self.width)

    def _targets(self, rows: NDArray[np.int64], atoms: int) -> dict[str, Any]:
        frames, count = self.frames, len(rows)
        forces, stress = np.full((count, atoms, 3), np.nan, np.float32), np.full((count, 6), np.nan, np.float32)
        energy = np.full(count, np.nan)
        alone = np.array([self.energy_of_atoms[element] for element in self.elements])
        for index, row in enumerate(rows):
            energy[index] = frames.energy[row] - alone[self.surroundings[row].kinds].sum()
            if (labels_of_atoms := frames.forces[row]) is not None:
                forces[index, : len(labels_of_atoms)] = labels_of_atoms
            if (labels := frames.stress[row]) is not None and frames.atoms[row].pbc.all():
                stress[index] = labels
        return {"energy": energy.astype(np.float32), "forces": forces, "stress": stress}


def size_classes(atoms: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return which structures share a size: at most 4 classes, so that the fewest atoms are padding.

    Numbers of atoms alone decide, and no neighbours: which structures share a mini-batch hangs on no geometry.

    Args:
        atoms: the number of atoms of each structure, shape (n,).

    Example:
        >>> [rows.tolist() for rows in size_classes(np.array([2, 64, 2, 63]))]
        [[0, 2], [3], [1]]
    """
    sizes, where, count = np.unique(atoms, return_inverse=True, return_counts=True)
    # best[j]: the least work for the first j sizes, with the classes that reach it; one class more in each round.
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ()), *((np.inf, ()) for _ in sizes)]
    for _ in range(min(MOST_CLASSES, len(sizes))):
        grown = list(best)
        for end in range(1, len(sizes) + 1):
            for start in range(end):
                work = float(count[start:end].sum() * sizes[end - 1])
                grown[end] = min(grown[end], (best[start][0] + work, (*best[start][1], end)))
        best = grown
    ends = best[-1][1]
    return [np.flatnonzero((where >= start) & (where < end)) for start, end in zip((0, *ends), ends, strict=False)]


def free_memory() -> int:
    """Return the bytes of memory that nothing uses now."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):  # not on every system
        return 4 * 2**30


def _values(plan: Any, structure: Surroundings) -> Floats:
    pairs = structure.neighbours
    values: Floats = kernels.values(plan, structure.kinds, pairs.first, pairs.neighbour, pairs.vector)
    return values


def _places(pairs: Neighbours, most: int) -> NDArray[np.int64]:
    """Return where each pair stands when every atom has room for `most`."""
    within = np.arange(len(pairs.neighbour)) - pairs.first[pairs.centre]
    return pairs.centre.astype(np.int64) * most + within
