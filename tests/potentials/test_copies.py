"""The same structure has the same key, however it is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.potentials.reading.duplicates import structure_keys


def silicon(pbc: Any = True) -> Any:
    atoms = bulk("Si", a=5.43, cubic=True)
    atoms.pbc = pbc
    return atoms


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), rattled=st.booleans())
def test_order_images_and_digits_do_not_matter(seed: int, rattled: bool) -> None:
    random = np.random.default_rng(seed)
    atoms = silicon()
    if rattled:
        atoms.rattle(0.1, rng=random)
    copy = atoms[random.permutation(len(atoms))]
    copy.positions += random.integers(-2, 3, (len(copy), 3)) @ copy.cell.array
    copy.positions += random.uniform(-1e-9, 1e-9, copy.positions.shape)
    first, second = structure_keys([atoms, copy])
    assert first == second


def test_positions_rounded_to_six_digits_are_the_same() -> None:
    frames = [silicon() for _ in range(50)]
    for seed, atoms in enumerate(frames):
        atoms.rattle(0.1, seed=seed)
    rounded = [atoms.copy() for atoms in frames]
    for atoms in rounded:
        atoms.positions = atoms.positions.round(6)
    same = np.array(structure_keys(frames)) == np.array(structure_keys(rounded))
    assert same.mean() > 0.9  # a grid has borders
    assert len(set(structure_keys(frames))) == 50


@pytest.mark.parametrize("change", ["moved", "element", "cell", "open", "fewer"])
def test_other_structures_have_other_keys(change: str) -> None:
    atoms, other = silicon(), silicon()
    if change == "moved":
        other.positions[3, 1] += 0.01
    elif change == "element":
        other.symbols[3] = "Ge"
    elif change == "cell":
        other.set_cell(other.cell * 1.001, scale_atoms=True)
    elif change == "open":
        other.pbc = (True, True, False)
    else:
        other = other[1:]
    first, second = structure_keys([atoms, other])
    assert first != second


def test_molecules_need_no_cell() -> None:
    water = Atoms("OH2", [[0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0]])
    first, second, third = structure_keys([water, water[[0, 2, 1]], Atoms("OH2", water.positions * 1.01)])
    assert first == second != third
