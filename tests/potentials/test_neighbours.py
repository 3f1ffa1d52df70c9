"""Neighbours: against brute force and against ASE, in cells of every kind."""

from __future__ import annotations

import itertools
from typing import Any

import ase
import hypothesis.strategies as st
import numpy as np
import pytest
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from numpy.typing import NDArray

from amalthea.errors import DataError
from amalthea.potentials.symmetry_functions.neighbours import Neighbours, concatenate, neighbours, position_gradient

Floats = NDArray[np.float64]
Structure = tuple[Floats, Floats, tuple[bool, bool, bool], float]


@st.composite
def structures(draw: Any) -> Structure:
    """Few atoms, some outside their cell; skewed and left-handed cells, some smaller than the cutoff."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cell = random.normal(size=(3, 3)) * random.uniform(1.5, 5)
    cell += 0.7 * np.sign(np.linalg.det(cell)) * np.eye(3) * np.abs(np.linalg.det(cell)) ** (1 / 3)
    periodic = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    positions = random.uniform(-1, 2, (draw(st.integers(1, 6)), 3)) @ cell
    volume = abs(np.linalg.det(cell))
    return positions, cell, periodic, float(random.uniform(0.3, 1.2) * volume ** (1 / 3))


def found(pairs: Neighbours) -> list[tuple[int, ...]]:
    return [tuple(row) for row in np.column_stack([pairs.centre, pairs.neighbour, pairs.shift]).tolist()]


@settings(max_examples=25, deadline=None)
@given(structures())
def test_the_pairs_of_ase(structure: Structure) -> None:
    positions, cell, periodic, cutoff = structure
    pairs = neighbours(positions, cell, periodic, cutoff)
    atoms = ase.Atoms(f"H{len(positions)}", positions=positions, cell=cell, pbc=periodic)
    i, j, shift = neighbor_list("ijS", atoms, cutoff)
    assert found(pairs) == sorted(tuple(row) for row in np.column_stack([i, j, shift]).tolist())
    expected = positions[pairs.neighbour] - positions[pairs.centre] + pairs.shift @ cell
    np.testing.assert_allclose(pairs.vector, expected, atol=1e-12)
    assert (pairs.first[1:] - pairs.first[:-1] == np.bincount(i, minlength=len(positions))).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_pairs_of_brute_force(seed: int) -> None:
    random = np.random.default_rng(seed)
    cell = 2 * np.eye(3) + random.uniform(-0.4, 0.4, (3, 3))
    positions, cutoff = random.uniform(0, 1, (3, 3)) @ cell, random.uniform(1, 3)
    wanted = []
    for shift in itertools.product(range(-4, 5), repeat=3):
        distances = np.linalg.norm(positions + shift @ cell - positions[:, None], axis=2)
        pairs = np.argwhere(distances < cutoff)
        wanted += [(i, j, *shift) for i, j in pairs.tolist() if i != j or any(shift)]
    assert found(neighbours(positions, cell, True, cutoff)) == sorted(wanted)


@settings(max_examples=15, deadline=None)
@given(structures())
def test_every_pair_knows_its_reverse(structure: Structure) -> None:
    pairs = neighbours(*structure)
    np.testing.assert_array_equal(pairs.centre[pairs.reverse], pairs.neighbour)
    np.testing.assert_array_equal(pairs.neighbour[pairs.reverse], pairs.centre)
    np.testing.assert_array_equal(pairs.shift[pairs.reverse], -pairs.shift)
    np.testing.assert_allclose(pairs.vector[pairs.reverse], -pairs.vector, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(structures(), structures())
def test_several_structures_as_one(one: Structure, other: Structure) -> None:
    first, second = neighbours(*one), neighbours(*other)
    both = concatenate([first, second])
    size = len(first.neighbour)
    assert both.atoms == first.atoms + second.atoms
    np.testing.assert_array_equal(both.centre[size:], second.centre + first.atoms)
    np.testing.assert_array_equal(both.neighbour, np.append(first.neighbour, second.neighbour + first.atoms))
    np.testing.assert_array_equal(both.vector, np.concatenate([first.vector, second.vector]))
    np.testing.assert_array_equal(both.neighbour[both.reverse], both.centre)


def test_a_slab_whose_cell_has_no_height() -> None:
    flat = neighbours([[0, 0, 0], [0, 0, 1.0]], [[2, 0, 0], [0, 2, 0], [0, 0, 0]], (True, True, False), 1.5)
    assert found(flat) == [(0, 1, 0, 0, 0), (1, 0, 0, 0, 0)]


@pytest.mark.parametrize("atoms", [0, 1, 2])
def test_atoms_without_neighbours(atoms: int) -> None:
    alone = neighbours(10.0 * np.arange(3 * atoms).reshape(atoms, 3), None, False, 3.0)
    assert alone.atoms == atoms
    assert len(alone.vector) == len(alone.reverse) == 0
    assert concatenate([alone, alone]).atoms == 2 * atoms
    assert position_gradient(alone, alone.vector).shape == (atoms, 3)


@pytest.mark.parametrize(
    ("positions", "cell", "periodic", "complaint"),
    [
        ([[0, 0, 0]], None, True, "no volume"),
        ([[0, 0, 0]], np.zeros((3, 3)), (False, False, True), "no volume"),
        ([[0, 0, 0]], [[1, 0, 0], [0, 1, 0], [1, 1, 0]], True, "no volume"),
        ([[0, 0, np.nan]], np.eye(3), True, "not a finite number"),
        ([[0, 0, 0]], np.full((3, 3), np.inf), True, "not a finite number"),
        ([[0, 0, 0], [1, 1, 1], [1, 1, 1]], None, False, "atoms 2 and 3"),
        ([[0, 0, 0], [0, 0, 5.0]], 5.0 * np.eye(3), True, "atoms 1 and 2"),
    ],
)
def test_what_has_no_neighbours_is_refused(positions: Any, cell: Any, periodic: Any, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        neighbours(positions, cell, periodic, 3.0)


def test_forces_between_atoms_add_up_to_nothing() -> None:
    random = np.random.default_rng(0)
    pairs = neighbours(random.uniform(0, 3, (5, 3)), 3 * np.eye(3), True, 4.0)
    gradient = position_gradient(pairs, random.normal(size=pairs.vector.shape))
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-12)
    assert np.abs(gradient).max() > 0.1
