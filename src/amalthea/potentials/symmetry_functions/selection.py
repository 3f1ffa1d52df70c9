"""Which symmetry functions describe the atoms of a data set: a pool, and from a large one a selection.

Both hang on the elements alone: no structure that a network is judged on has a say in what the network sees.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from amalthea.errors import DataError
from amalthea.potentials.n2p2.units import LengthUnit
from amalthea.potentials.symmetry_functions.families import families, family_scale
from amalthea.potentials.symmetry_functions.functions import Angular, Cutoff, Functions, Radial, SymmetryFunction
from amalthea.potentials.symmetry_functions.random_clusters import covalent_radius, on_random_clusters
from amalthea.potentials.symmetry_functions.serialization import as_table

CUTOFF = 5.5
"""In Å: two to three shells of neighbours."""

MOST = 90
"""Functions of an element, at most: a larger pool is thinned out."""

RADIAL_SHIFTS = 12
ANGULAR_SHIFTS = 6
CENTRED = (0.003, 0.03, 0.1)
"""Exponents of the Gaussians around the atom itself, in 1/Å², for a cutoff of 5.5 Å."""

ZETAS = (1.0, 4.0, 16.0)


def choose_functions(
    elements: Sequence[str], choice: str, say: Callable[[str], None], length_unit: LengthUnit = "bohr"
) -> Functions:
    """Return the symmetry functions for the elements of a data set.

    Args:
        elements: the symbols.
        choice: "auto", or the path of an `input.nn` of n2p2 with a list of one's own.
        say: hears what was chosen, as a table.
        length_unit: of the list of one's own, which does not say it: "bohr" or "angstrom".

    Raises:
        DataError: the user's list cannot be read, or lacks an element.
    """
    if choice == "auto":
        functions = _thinned(pool(elements, touching_distances(elements)))
    else:
        functions = _from_file(Path(choice), elements, length_unit)
        say(f"{choice}: lengths were taken to be in {length_unit}.")
    table = as_table(functions)
    say(f"Symmetry functions ({', '.join(f'{e} {len(listed)}' for e, listed in functions.items())}):")
    say(table.to_string(index=False))
    return functions


def pool(elements: Sequence[str], shortest: dict[frozenset[str], float], cutoff: float = CUTOFF) -> Functions:
    """Return for each element radial and angular functions of all its neighbours and pairs of neighbours.

    Half of the Gaussians stand around the atom itself and see all of the surroundings at once; the others stand side by
    side from just below the shortest distance to the cutoff, each as wide as the step between them.

    Args:
        elements: the symbols.
        shortest: the shortest distance of each pair of elements, in Å.
        cutoff: in Å.

    Example:
        >>> functions = pool(["Si"], {frozenset(["Si"]): 2.35})
        >>> len(functions["Si"])
        87
    """
    end, scale = Cutoff(cutoff), (CUTOFF / cutoff) ** 2
    functions: dict[str, tuple[SymmetryFunction, ...]] = {}
    for element in elements:
        seen: list[SymmetryFunction] = []
        for neighbour in elements:
            start = 0.8 * shortest[frozenset((element, neighbour))]
            seen += [Radial(neighbour, round(eta * scale, 8), 0.0, end) for eta in CENTRED]
            seen += [
                Radial(neighbour, eta, shift, end) for eta, shift in side_by_side(start, cutoff - 0.4, RADIAL_SHIFTS)
            ]
        for pair in itertools.combinations_with_replacement(elements, 2):
            start = 0.8 * min(shortest[frozenset((element, one))] for one in pair)
            gaussians = [(round(eta * scale, 8), 0.0) for eta in CENTRED]
            gaussians += side_by_side(start, cutoff - 0.5, ANGULAR_SHIFTS)
            seen += [
                Angular(pair, eta, sign, zeta, end, shift)
                for (eta, shift), sign, zeta in itertools.product(gaussians, (1.0, -1.0), ZETAS)
            ]
            seen += [
                Angular(pair, eta, sign, zeta, end, closed=True)
                for (eta, _), sign, zeta in itertools.product(gaussians[: len(CENTRED)], (1.0, -1.0), ZETAS)
            ]
        functions[element] = tuple(seen)
    return functions


def side_by_side(start: float, stop: float, number: int) -> list[tuple[float, float]]:
    """Return (eta, shift) of Gaussians whose standard deviation is the step between them.

    Example:
        >>> side_by_side(2.0, 4.0, 3)
        [(0.5, 2.0), (0.5, 3.0), (0.5, 4.0)]
    """
    shifts = np.linspace(start, stop, number)
    step = float(shifts[1] - shifts[0])
    return [(round(1 / (2 * step**2), 6), round(float(shift), 6)) for shift in shifts]


def touching_distances(elements: Sequence[str]) -> dict[frozenset[str], float]:
    """Return how far apart two atoms of each pair of elements are when they touch, in Å: their covalent radii.

    Example:
        >>> touching_distances(["Si"])
        {frozenset({'Si'}): 2.22}

    Source: Cordero et al., Dalton Trans. 2832 (2008), as ASE lists them.
    """
    radii = covalent_radius(elements)
    return {
        frozenset((one, two)): radii[one] + radii[two]
        for one, two in itertools.combinations_with_replacement(elements, 2)
    }


def _thinned(functions: Functions) -> Functions:
    """Return at most 90 functions an element: those that tell most beyond the ones chosen before.

    The order is that of a QR decomposition with column pivoting on the atoms of random clusters: each next function is
    the one farthest from all that the ones before it span. All functions of a family have one scale, or those that
    hardly vary would come first.
    """
    if max(map(len, functions.values())) <= MOST:
        return functions
    from scipy.linalg import qr

    sampled = on_random_clusters(functions)
    chosen: dict[str, tuple[SymmetryFunction, ...]] = {}
    for element, candidates in functions.items():
        values = sampled[element]
        scale = family_scale(values.std(axis=0), families(candidates))
        scaled = (values - values.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
        order = qr(scaled, mode="r", pivoting=True)[1]
        chosen[element] = tuple(candidates[index] for index in np.sort(order[:MOST]))
    return chosen


def _from_file(path: Path, elements: Sequence[str], length_unit: LengthUnit) -> Functions:
    """Return the functions that a file lists for these elements; those of neighbours that never occur are left out."""
    from amalthea.potentials.n2p2 import read_input

    if not path.is_file():
        raise DataError(f"no such list of symmetry functions: {path}. Give an input.nn as n2p2 reads it.")
    listed = read_input(path, length_unit=length_unit, energy_unit="hartree").functions
    functions = {
        element: tuple(each for each in listed.get(element, ()) if _neighbours(each) <= set(elements))
        for element in elements
    }
    lacking = [element for element, kept in functions.items() if not kept]
    if lacking:
        raise DataError(f"{path} has no symmetry functions for {', '.join(lacking)}, which the structures contain.")
    return functions


def _neighbours(function: SymmetryFunction) -> set[str]:
    """Return the elements that a function sees; none for one that sees all."""
    one = getattr(function, "neighbour", None)
    return set(getattr(function, "neighbours", ())) | ({one} if one else set())
