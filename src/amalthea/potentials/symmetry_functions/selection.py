"""Which symmetry functions describe the atoms of a data set: a pool, and from a large one a selection."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import DataError
from amalthea.potentials.n2p2.units import LengthUnit
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.symmetry_functions.functions import Angular, Cutoff, Functions, Radial, SymmetryFunction
from amalthea.potentials.symmetry_functions.neighbours import neighbours
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
SAMPLE = 2_000
"""Atoms of an element on whose surroundings functions are compared."""


def choose_functions(
    frames: Frames, choice: str, say: Callable[[str], None], length_unit: LengthUnit = "bohr"
) -> Functions:
    """Return the symmetry functions for the elements of a data set.

    Args:
        frames: the structures.
        choice: "auto", or the path of an `input.nn` of n2p2 with a list of one's own.
        say: hears what was chosen, as a table.
        length_unit: of the list of one's own, which does not say it: "bohr" or "angstrom".

    Raises:
        DataError: the user's list cannot be read, or lacks an element.
    """
    elements = sorted({s for atoms in frames.atoms for s in set(atoms.get_chemical_symbols())}, key=_number)
    if choice == "auto":
        functions = _thinned(pool(elements, shortest_distances(frames.atoms, elements)), frames)
    else:
        functions = _from_file(Path(choice), elements, length_unit)
        say(f"{choice}: lengths were taken to be in {length_unit}.")
    table = as_table(functions)
    say(f"Symmetry functions ({', '.join(f'{e} {len(own)}' for e, own in functions.items())}):")
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
        own: list[SymmetryFunction] = []
        for neighbour in elements:
            start = 0.8 * shortest[frozenset((element, neighbour))]
            own += [Radial(neighbour, round(eta * scale, 8), 0.0, end) for eta in CENTRED]
            own += [
                Radial(neighbour, eta, shift, end) for eta, shift in side_by_side(start, cutoff - 0.4, RADIAL_SHIFTS)
            ]
        for pair in itertools.combinations_with_replacement(elements, 2):
            start = 0.8 * min(shortest[frozenset((element, one))] for one in pair)
            gaussians = [(round(eta * scale, 8), 0.0) for eta in CENTRED]
            gaussians += side_by_side(start, cutoff - 0.5, ANGULAR_SHIFTS)
            own += [
                Angular(pair, eta, sign, zeta, end, shift)
                for (eta, shift), sign, zeta in itertools.product(gaussians, (1.0, -1.0), ZETAS)
            ]
            own += [
                Angular(pair, eta, sign, zeta, end, closed=True)
                for (eta, _), sign, zeta in itertools.product(gaussians[: len(CENTRED)], (1.0, -1.0), ZETAS)
            ]
        functions[element] = tuple(own)
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


def shortest_distances(images: Sequence[Any], elements: Sequence[str]) -> dict[frozenset[str], float]:
    """Return the shortest distance of each pair of elements, in Å: the first percentile of those up to the cutoff.

    A pair that never meets is taken as far apart as its covalent radii together.
    """
    from ase.data import atomic_numbers, covalent_radii

    found: dict[frozenset[str], list[NDArray[np.float64]]] = {}
    for atoms in images[:: max(1, len(images) // 100)]:
        pairs = neighbours(atoms.positions, atoms.cell.array, atoms.pbc, CUTOFF)
        symbols = np.array(atoms.get_chemical_symbols())
        distances = np.linalg.norm(pairs.vector, axis=1)
        own, other = symbols[pairs.centre], symbols[pairs.neighbour]
        for one, two in itertools.combinations_with_replacement(elements, 2):
            between = distances[(own == one) & (other == two)]
            if len(between):
                nearest = np.sort(between)[: max(1, (own == one).sum() // 100 + 1)]
                found.setdefault(frozenset((one, two)), []).append(nearest)
    shortest = {}
    for one, two in itertools.combinations_with_replacement(elements, 2):
        known = found.get(frozenset((one, two)))
        touching = float(sum(covalent_radii[atomic_numbers[symbol]] for symbol in (one, two)))
        shortest[frozenset((one, two))] = touching if known is None else float(np.median(np.concatenate(known)))
    return shortest


def _thinned(functions: Functions, frames: Frames) -> Functions:
    """Return at most 90 functions an element: those that tell most beyond the ones chosen before.

    The order is that of a QR decomposition with column pivoting of the standardized functions on a sample of atoms:
    each next function is the one farthest from all that the ones before it span.
    """
    if max(map(len, functions.values())) <= MOST:
        return functions
    from scipy.linalg import qr

    sampled = _sample(functions, frames)
    chosen: dict[str, tuple[SymmetryFunction, ...]] = {}
    for element, own in functions.items():
        values = sampled[element][:, : len(own)]
        spread = values.std(axis=0)
        telling = np.flatnonzero(spread > 1e-6 * np.abs(values).max(axis=0, initial=1e-12))
        standard = (values[:, telling] - values[:, telling].mean(axis=0)) / spread[telling]
        first = telling[qr(standard, mode="r", pivoting=True)[1]] if len(telling) else telling
        # Those that never vary come last: they teach nothing, but where they do vary, the potential extrapolates.
        kept = np.sort(np.concatenate([first, np.setdiff1d(np.arange(len(own)), telling)])[:MOST])
        chosen[element] = tuple(own[place] for place in kept)
    return chosen


def _sample(functions: Functions, frames: Frames) -> dict[str, NDArray[np.float64]]:
    """Return the functions of up to 2,000 atoms of each element."""
    from amalthea.potentials.networks.training_arrays import surroundings
    from amalthea.potentials.symmetry_functions import kernels
    from amalthea.potentials.symmetry_functions.functions import reach

    elements, cutoff = tuple(functions), reach(functions)
    plan = kernels.plan(functions, elements)
    random = np.random.default_rng(0)
    found: dict[str, list[NDArray[np.float64]]] = {element: [] for element in elements}
    for row in random.permutation(len(frames)):
        if all(sum(map(len, values)) >= SAMPLE for values in found.values()):
            break
        own = surroundings(frames.atoms[row], elements, cutoff)
        pairs = own.neighbours
        values = kernels.values(plan, own.kinds, pairs.first, pairs.neighbour, pairs.vector)
        for number, element in enumerate(elements):
            found[element].append(values[own.kinds == number])
    return {element: np.concatenate(values)[: 2 * SAMPLE] for element, values in found.items()}


def _from_file(path: Path, elements: Sequence[str], length_unit: LengthUnit) -> Functions:
    """Return the functions that a file lists for these elements; those of neighbours that never occur are left out."""
    from amalthea.potentials.n2p2 import read_input

    if not path.is_file():
        raise DataError(f"no such list of symmetry functions: {path}. Give an input.nn as n2p2 reads it.")
    listed = read_input(path, length_unit=length_unit, energy_unit="hartree").functions
    functions = {
        element: tuple(own for own in listed.get(element, ()) if _neighbours(own) <= set(elements))
        for element in elements
    }
    lacking = [element for element, own in functions.items() if not own]
    if lacking:
        raise DataError(f"{path} has no symmetry functions for {', '.join(lacking)}, which the structures contain.")
    return functions


def _neighbours(function: SymmetryFunction) -> set[str]:
    """Return the elements that a function sees; none for one that sees all."""
    one = getattr(function, "neighbour", None)
    return set(getattr(function, "neighbours", ())) | ({one} if one else set())


def _number(symbol: str) -> int:
    from ase.data import atomic_numbers

    return int(atomic_numbers[symbol])
