"""Energies in another unit are found; structures that are merely different are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT

from amalthea.potentials.reading.outliers import find_outliers

HARTREE, RYDBERG, KCAL = 27.211386, 13.605693, 1 / 23.060548
COHESION = 3.5
"""What is taken off each atom, in eV: effective medium theory counts from the crystal, density functionals do not."""


def energy_of(atoms: Any) -> float:
    atoms = atoms.copy()
    atoms.calc = EMT()
    return float(atoms.get_potential_energy()) - COHESION * len(atoms)


def crystals(count: int = 40) -> list[Any]:
    """Return rattled and strained crystals of copper, gold and their alloys."""
    frames = []
    for seed in range(count):
        atoms = bulk("Cu", a=3.6 + 0.1 * (seed % 5), cubic=True)
        atoms.symbols[: seed % 3] = "Au"
        atoms.rattle(0.08, seed=seed)
        frames.append(atoms)
    return frames


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1 / HARTREE, "it is in hartree"),
        (1 / RYDBERG, "it is in rydberg"),
        (1 / KCAL, "it is in kcal/mol"),
        (HARTREE, "it was converted from hartree twice"),
    ],
)
def test_a_wrong_unit_is_named(factor: float, words: str) -> None:
    frames = crystals()
    energy = np.array([energy_of(atoms) for atoms in frames])
    energy[[4, 21]] *= factor
    outliers = find_outliers(frames, energy)
    assert set(outliers.wrong) == {4, 21}
    assert all(words in reason for reason in outliers.wrong.values())


def test_an_energy_for_each_atom_is_named() -> None:
    frames = [atoms * (2, 1, 1) for atoms in crystals()]
    energy = np.array([energy_of(atoms) for atoms in frames])
    energy[7] /= len(frames[7])
    outliers = find_outliers(frames, energy)
    assert "divided by the number of atoms" in outliers.wrong[7]
    assert set(outliers.wrong) == {7}


def test_energies_of_another_program_are_named() -> None:
    frames = crystals()
    energy = np.array([energy_of(atoms) for atoms in frames])
    energy[:3] -= 450.0 * 4
    assert set(find_outliers(frames, energy).wrong) == {0, 1, 2}


def test_atoms_dimers_and_compressed_cells_are_no_mistakes() -> None:
    different = [Atoms("Cu", cell=[12] * 3, pbc=True), Atoms("Au")]
    different += [Atoms("Cu2", [[0, 0, 0], [0, 0, d]]) for d in np.linspace(1.4, 5, 10)]
    different += [Atoms("Au3", [[0, 0, 0], [0, 0, d], [0, d, 0]]) for d in np.linspace(2, 5, 5)]
    different += [bulk("Cu", a=a, cubic=True) for a in np.linspace(2.6, 6, 10)]
    frames = crystals() + different
    outliers = find_outliers(frames, np.array([energy_of(atoms) for atoms in frames]))
    assert not outliers.wrong


def test_molecules_of_other_compositions_are_no_mistakes() -> None:
    names = ["CH4", "C2H6", "C2H4", "H2O", "CO2", "CH3OH", "C6H6", "HCOOH", "H2", "O2", "CO", "H2CO"]
    atomic = {"H": -13.6, "C": -1030.0, "O": -2042.0}  # all electrons
    frames = [molecule(name) for name in names]
    energy = np.array([sum(atomic[symbol] for symbol in atoms.symbols) - 4.5 * len(atoms) for atoms in frames])
    outliers = find_outliers(frames, energy)
    assert not outliers.wrong
    assert not outliers.far


def test_where_many_stand_out_none_is_refused() -> None:
    frames = crystals()
    energy = np.array([energy_of(atoms) for atoms in frames])
    energy[:12] *= HARTREE
    outliers = find_outliers(frames, energy)
    assert not outliers.wrong
    assert set(range(12)) <= set(outliers.far)


def test_missing_energies_and_few_frames() -> None:
    frames = crystals(10)
    energy = np.array([energy_of(atoms) for atoms in frames])
    energy[2] = np.nan
    energy[3] *= HARTREE
    assert set(find_outliers(frames, energy).wrong) == {3}
    assert not find_outliers(frames[:4], energy[:4]).wrong
