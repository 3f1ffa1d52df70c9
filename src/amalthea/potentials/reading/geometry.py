"""Whether a frame can be a piece of matter: elements, cell, and no two atoms in one place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import counted

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

CLOSEST = 0.3
"""The shortest distance between two atoms, as a part of the sum of their covalent radii: 0.19 Å for H-H, 0.67 Å for
Si-Si. Strongly compressed matter and the short end of dimer curves stay above; lengths in nm, doubled atoms do not."""

ORDINARY = (0.8, 1.3)
"""Where the distance to the nearest neighbour of most atoms in molecules and solids lies, as a part of the sum of the
covalent radii: diamond 1.02, copper 0.97, sodium chloride 1.05, lead 1.20."""

FLATTEST = 1e-4
"""The smallest volume of a periodic cell, as a part of the product of its vectors' lengths."""

THINNEST = 0.1
"""The smallest distance between opposite faces of a cell, in Å."""

DENSEST = 0.3
"""The smallest volume of an atom, in Å³: metallic hydrogen at the pressures of a planet's core has more than 1."""

FARTHEST = 1e5
"""The largest coordinate, in Å: an atom beyond it has left, or the number is damaged."""


def problem_of(atoms: Any) -> str:
    """Say why a frame cannot be used, "" where it can.

    Atoms are counted from 1. Only directions that are periodic need a cell vector.

    Args:
        atoms: an `ase.Atoms`.

    Example:
        >>> from ase import Atoms
        >>> problem_of(Atoms("OH2", [[0, 0, 0], [0.1, 0, 0], [0, 0.96, 0]]))
        'atoms 1 (O) and 2 (H) are 0.100 Å apart'
        >>> problem_of(Atoms("H", pbc=True))
        'it is periodic along a without a cell vector'
    """
    if not len(atoms):
        return "it has no atoms"
    return _unknown_element(atoms) or _bad_numbers(atoms) or _bad_cell(atoms) or _contact(atoms)


def compact(atoms: Any) -> Any:
    """Return a structure whose cell is not needlessly skewed: the same lattice, by shorter vectors (Minkowski's).

    Args:
        atoms: an `ase.Atoms`; what has no thin periodic cell is returned as it is.
    """
    cell = atoms.cell.array
    if not atoms.pbc.all() or not np.isfinite(cell).all() or abs(np.linalg.det(cell)) < DENSEST * len(atoms):
        return atoms
    if _heights(cell).min() >= 10 * THINNEST:
        return atoms
    from ase.geometry import minkowski_reduce

    reduced = atoms.copy()
    reduced.calc = atoms.calc
    reduced.set_cell(minkowski_reduce(cell)[0])
    return reduced


def has_ordinary_distances(atoms: Any) -> bool:
    """Say whether at least half of the atoms have their nearest neighbour about where molecules and solids have it.

    Args:
        atoms: an `ase.Atoms` without a problem.

    Example:
        >>> from ase import Atoms
        >>> [has_ordinary_distances(Atoms("H2", [[0, 0, 0], [0, 0, d]])) for d in (0.4, 0.74, 3.0)]
        [False, True, False]
    """
    return ORDINARY[0] <= nearest_distance(atoms) <= ORDINARY[1]


def nearest_distance(atoms: Any) -> float:
    """Return the median distance of the atoms to their nearest neighbours, as a part of the sum of the covalent radii.

    Args:
        atoms: an `ase.Atoms` without a problem.

    Returns:
        Infinite where it would be above 2.4.

    Example:
        >>> from ase.build import bulk
        >>> round(nearest_distance(bulk("Si")), 2)
        1.06
    """
    radii = _radii(atoms.numbers)
    first, second, distances = _pairs(atoms, 4.8 * float(radii.max()), most=8)
    share = distances / (radii[first] + radii[second])
    nearest = np.full(len(atoms), np.inf)
    np.minimum.at(nearest, first, share)
    np.minimum.at(nearest, second, share)
    return float(np.median(nearest))


def _unknown_element(atoms: Any) -> str:
    unknown = np.flatnonzero((atoms.numbers < 1) | (atoms.numbers > 118))
    if not len(unknown):
        return ""
    number = int(atoms.numbers[unknown[0]])
    return f"atom {unknown[0] + 1} is {f'number {number}' if number else repr('X')}, which is no element"


def _bad_numbers(atoms: Any) -> str:
    bad = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(bad):
        return f"the position of atom {bad[0] + 1} is not a finite number"
    far = np.flatnonzero(np.abs(atoms.positions).max(axis=1) > FARTHEST)
    if len(far):
        return f"atom {far[0] + 1} is more than {FARTHEST:,.0f} Å from the origin"
    return "" if np.isfinite(atoms.cell.array).all() else "its cell has values that are not finite numbers"


def _bad_cell(atoms: Any) -> str:
    if not atoms.pbc.any():
        return ""
    lengths = np.linalg.norm(atoms.cell.array, axis=1)
    for axis in range(3):
        if atoms.pbc[axis] and lengths[axis] < 1e-6:
            return f"it is periodic along {'abc'[axis]} without a cell vector"
    vectors = np.where(atoms.pbc[:, None], atoms.cell.array / np.maximum(lengths, 1e-300)[:, None], 0)
    periodic = vectors[atoms.pbc]
    if np.sqrt(max(np.linalg.det(periodic @ periodic.T), 0)) < FLATTEST:
        return "its periodic cell has no volume"
    cell = atoms.cell.complete().array
    heights = _heights(cell)
    if heights[atoms.pbc].min() < THINNEST:
        return f"its periodic cell is only {heights[atoms.pbc].min():.2g} Å thick"
    volume = abs(float(np.linalg.det(cell)))
    if atoms.pbc.all() and volume < DENSEST * len(atoms):
        return f"its cell has {volume:.3g} Å³ for {counted(len(atoms), 'atom')}"
    return ""


def _contact(atoms: Any) -> str:
    """Name the two atoms that are too close to each other by most."""
    radii = _radii(atoms.numbers)
    first, second, distances = _pairs(atoms, 2 * CLOSEST * float(radii.max()), most=64)
    share = distances / (radii[first] + radii[second])
    if not len(share) or share.min() >= CLOSEST:
        return ""
    worst = int(np.argmin(share))
    one, other = sorted((int(first[worst]), int(second[worst])))
    names = [f"{atom + 1} ({atoms.symbols[atom]})" for atom in (one, other)]
    if one == other:
        return f"atom {names[0]} and its own periodic image are {distances[worst]:.3f} Å apart"
    return f"atoms {names[0]} and {names[1]} are {distances[worst]:.3f} Å apart"


def _radii(numbers: Integers) -> Floats:
    from ase.data import covalent_radii

    return np.asarray(covalent_radii, np.float64)[np.minimum(numbers, len(covalent_radii) - 1)]


def _pairs(atoms: Any, cutoff: float, most: int) -> tuple[Integers, Integers, Floats]:
    """Return pairs of atoms closer than `cutoff`: for each atom at most its `most` nearest neighbours."""
    from scipy.spatial import cKDTree

    points, owners = _with_images(atoms, cutoff)
    most = min(most + 1, len(points))  # an atom is its own nearest point
    distances, nearest = cKDTree(points).query(points[: len(atoms)], k=most, distance_upper_bound=cutoff)
    distances, nearest = distances.reshape(len(atoms), most), nearest.reshape(len(atoms), most)
    first, rank = np.nonzero(np.isfinite(distances) & (nearest != np.arange(len(atoms))[:, None]))
    return first, owners[nearest[first, rank]], distances[first, rank]


def _with_images(atoms: Any, cutoff: float) -> tuple[Floats, Integers]:
    """Return the atoms, wrapped into the cell, then images of them up to `cutoff` around it; and whose each one is."""
    if not atoms.pbc.any():
        return atoms.positions, np.arange(len(atoms))
    cell = atoms.cell.complete().array
    # In parts of the cell's vectors, wrapping and shifting are the same for cells of all shapes.
    fractions = np.linalg.solve(cell.T, atoms.positions.T).T
    fractions = np.where(atoms.pbc, fractions % 1.0, fractions)
    owners = np.arange(len(atoms))
    reach = cutoff / _heights(cell)
    # Axis by axis, so that images along one are shifted along the next as well: edges and corners are there, too.
    for axis in np.flatnonzero(atoms.pbc):
        shifts = np.arange(1, np.ceil(reach[axis]) + 1)
        shifts = np.concatenate([[0.0], shifts, -shifts])  # the atoms themselves first, in their order
        moved = fractions[:, axis] + shifts[:, None]
        shift, point = np.nonzero((moved >= -reach[axis]) & (moved <= 1 + reach[axis]))
        fractions, owners = fractions[point], owners[point]
        fractions[:, axis] = moved[shift, point]
    return fractions @ cell, owners


def _heights(cell: Floats) -> Floats:
    """Return the distances between opposite faces of a cell, shape (3,)."""
    return np.asarray(1 / np.linalg.norm(np.linalg.inv(cell), axis=0), np.float64)
