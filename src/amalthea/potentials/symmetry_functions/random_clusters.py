"""Clusters of atoms at random, made from elements alone: what symmetry functions are compared on before any data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.symmetry_functions import kernels
from amalthea.potentials.symmetry_functions.families import families, family_scale
from amalthea.potentials.symmetry_functions.functions import Functions, reach
from amalthea.potentials.symmetry_functions.neighbours import neighbours

CLUSTERS, ATOMS, MOST_TRIES = 60, 40, 4_000
BONDED, NEAREST = (0.9, 1.3), 0.85
"""A new atom stands this far from one of the others, and at least so far from all, in sums of covalent radii."""


def covalent_radius(elements: Sequence[str]) -> dict[str, float]:
    """Return the covalent radius of each element, in Å."""
    from ase.data import atomic_numbers, covalent_radii

    return {element: float(covalent_radii[atomic_numbers[element]]) for element in elements}


def random_clusters(elements: Sequence[str]) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return clusters of up to 40 atoms, always the same: elements' numbers, shape (A,), and positions in Å, (A, 3).

    Args:
        elements: the symbols; each is as frequent as any other.
    """
    random, radius = np.random.default_rng(0), np.array(list(covalent_radius(elements).values()))
    clusters = []
    for _ in range(CLUSTERS):
        kinds, positions = [int(random.integers(len(elements)))], [np.zeros(3)]
        for _ in range(MOST_TRIES):
            if len(kinds) == ATOMS:
                break
            # A new atom is bonded to one that is there already, in any direction ...
            kind, partner = int(random.integers(len(elements))), int(random.integers(len(kinds)))
            touching = radius[kind] + radius[kinds]
            direction = random.normal(size=3)
            length = touching[partner] * random.uniform(*BONDED) / np.linalg.norm(direction)
            position = positions[partner] + length * direction
            # ... and stays where no other atom is.
            if (np.linalg.norm(positions - position, axis=1) >= NEAREST * touching).all():
                kinds.append(kind)
                positions.append(position)
        clusters.append((np.array(kinds), np.array(positions)))
    return clusters


def on_random_clusters(functions: Functions) -> Mapping[str, NDArray[np.float64]]:
    """Return the symmetry functions of the atoms of random clusters: by element, shape (atoms, its functions)."""
    elements = tuple(functions)
    plan, cutoff = kernels.plan(functions, elements), reach(functions)
    values: dict[str, list[Any]] = {element: [] for element in elements}
    for kinds, positions in random_clusters(elements):
        pairs = neighbours(positions, np.zeros((3, 3)), False, cutoff)
        described = kernels.values(plan, kinds, pairs.first, pairs.neighbour, pairs.vector)
        for number, element in enumerate(elements):
            values[element].append(described[kinds == number, : len(functions[element])])
    return {element: np.concatenate(described) for element, described in values.items()}


def typical_spread(functions: Functions) -> dict[str, NDArray[np.float64]]:
    """Return the scale of each function's family over random clusters: by element, shape (its functions,)."""
    sampled = on_random_clusters(functions)
    return {
        element: family_scale(sampled[element].std(axis=0), families(listed)) for element, listed in functions.items()
    }
