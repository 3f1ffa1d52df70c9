"""Distances across any kind of border, and cells that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.potentials.reading.geometry import CLOSEST, nearest_distance, problem_of


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000), pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_contacts_are_those_of_a_neighbour_list(seed: int, pbc: tuple[bool, bool, bool]) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 8))
    cell = np.diag(random.uniform(2, 5, 3)) + random.uniform(-1, 1, (3, 3))
    positions = random.uniform(-6, 6, (count, 3))
    atoms = Atoms(random.choice(["H", "O", "Si", "Cs"], count), positions, cell=cell, pbc=pbc)
    first, second, distances = neighbor_list("ijd", atoms, 8.0)
    radii = covalent_radii[atoms.numbers]
    share = distances / (radii[first] + radii[second])
    problem = problem_of(atoms)
    if len(share) and share.min() < CLOSEST:
        assert f"{distances[np.argmin(share)]:.3f} Å apart" in problem
    else:
        assert problem == ""
        nearest = [share[first == atom].min(initial=np.inf) for atom in range(count)]
        if len(set(atoms.symbols)) == 1 and np.median(nearest) < 1.5:  # within the 8 Å
            assert nearest_distance(atoms) == pytest.approx(np.median(nearest))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ([3.6, 3.6, 0.01], "thick"),
        ([[3.6, 0, 0], [3.6, 1e-5, 0], [0, 0, 3.6]], "no volume"),
        ([0.5, 0.5, 0.5], "Å³ for 1 atom"),
        ([0.8, 3.6, 3.6], "its own periodic image"),
    ],
)
def test_cells_that_hold_no_matter(cell: list[float], words: str) -> None:
    assert words in problem_of(Atoms("Cs" if "image" in words else "Cu", cell=cell, pbc=True))


def test_only_periodic_directions_need_a_cell() -> None:
    wire = Atoms("Cu", cell=[0, 0, 2.5], pbc=(False, False, True))
    assert problem_of(wire) == ""
    assert problem_of(Atoms("Cu", cell=[0, 0, 0.01], pbc=False)) == ""


def test_an_atom_that_has_left_is_named() -> None:
    assert "atom 2" in problem_of(Atoms("Cu2", [[0, 0, 0], [0, 0, 1e9]]))


@pytest.mark.parametrize(("name", "constant"), [("Si", 5.43), ("Cu", 3.61), ("Na", 4.23), ("Pb", 4.95)])
def test_solids_have_ordinary_distances(name: str, constant: float) -> None:
    assert 0.8 < nearest_distance(bulk(name, a=constant)) < 1.3
