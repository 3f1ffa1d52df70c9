"""A potential in ASE: forces and stresses are gradients, lists with a skin change nothing, doubts are calibrated."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.calculator import PropertyNotImplementedError
from ase.eos import EquationOfState
from ase.filters import FrechetCellFilter
from ase.io import read
from ase.mep import NEB
from ase.optimize import BFGS
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.networks.committee import Committee
from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.simulation.verlet_list import VerletList
from tests.potentials.simulation.conftest import alloy, random_committee


@pytest.mark.parametrize("periodic", [True, False, (True, True, False)])
def test_forces_are_the_gradient_of_the_energy(committee: Committee, periodic: Any) -> None:
    atoms = alloy(periodic=periodic)
    atoms.calc = Calculator(committee)
    forces, step = atoms.get_forces(), 1e-4
    for atom, axis in [(0, 0), (5, 1), (11, 2)]:
        energies = []
        for shift in (-2, -1, 1, 2):
            moved = atoms.copy()
            moved.calc = atoms.calc
            moved.positions[atom, axis] += shift * step
            energies.append(moved.get_potential_energy())
        slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * step)
        assert forces[atom, axis] == pytest.approx(-slope, rel=1e-6, abs=1e-7)
    assert np.abs(forces.sum(axis=0)).max() < 1e-12


def test_stress_is_the_change_by_strain(committee: Committee) -> None:
    atoms = alloy()
    atoms.calc = Calculator(committee)
    stress, step = atoms.get_stress(voigt=False), 1e-4
    for row, column in [(0, 0), (1, 1), (1, 2), (0, 1)]:
        energies = []
        for shift in (-2, -1, 1, 2):
            strain = np.eye(3)
            strain[row, column] += shift * step / 2
            strain[column, row] += shift * step / 2
            strained = atoms.copy()
            strained.calc = atoms.calc
            strained.set_cell(atoms.cell @ strain, scale_atoms=True)
            energies.append(strained.get_potential_energy())
        slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * step)
        assert stress[row, column] == pytest.approx(slope / atoms.get_volume(), rel=1e-6, abs=1e-9)


def test_no_stress_without_a_volume(committee: Committee) -> None:
    atoms = alloy(periodic=False)
    atoms.calc = Calculator(committee)
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_stress()


@given(seed=st.integers(0, 1000), skin=st.floats(0.2, 1.5))
@settings(max_examples=5, deadline=None)
def test_a_list_with_a_skin_is_a_fresh_list_at_each_step(seed: int, skin: float) -> None:
    committee, random = random_committee(2), np.random.default_rng(seed)
    atoms, fresh = alloy(seed=seed), Calculator(committee, skin=0.0)
    atoms.calc = kept = Calculator(committee, skin=skin)
    for step in range(12):
        atoms.positions += random.normal(scale=0.03, size=atoms.positions.shape)
        if step % 3 == 2:
            strain = np.eye(3) + random.normal(scale=0.005, size=(3, 3))
            atoms.set_cell(atoms.cell @ strain, scale_atoms=step % 2 == 0)
        expected = fresh.get_property("forces", atoms)
        np.testing.assert_allclose(atoms.get_forces(), expected, rtol=0, atol=1e-12)
        assert kept.get_property("energy", atoms) == pytest.approx(fresh.get_property("energy", atoms), abs=1e-12)
    assert kept.neighbours.built < fresh.neighbours.built


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_no_pair_within_the_cutoff_is_missed(seed: int) -> None:
    random, pairs = np.random.default_rng(seed), VerletList(3.0, 0.5)
    positions, cell, periodic = random.uniform(0, 5, (6, 3)), np.eye(3) * 5, np.ones(3, bool)
    for _ in range(6):
        distances, expected = (
            np.linalg.norm(given.of(positions, cell, periodic).vector, axis=1)
            for given in (pairs, VerletList(3.0, 0.0))
        )
        assert (distances < 3.0).sum() == (expected < 3.0).sum()
        positions = positions + random.uniform(-0.15, 0.15, (6, 3))
        cell = cell @ (np.eye(3) + random.uniform(-0.03, 0.03, (3, 3)))


def test_threads_change_no_bit(committee: Committee) -> None:
    atoms, answers = alloy(copies=6), []
    for threads in (1, 2, 3):
        calculator = Calculator(committee, threads=threads)
        answers.append([calculator.get_property(name, atoms) for name in ("energy", "forces", "stress", "forces_std")])
    for other in answers[1:]:
        for one, same in zip(answers[0], other, strict=True):
            np.testing.assert_array_equal(one, same)


def test_answers_as_the_potential_does(copper: Any) -> None:
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.08, seed=3)
    calculator, answer = Calculator(copper), copper.predict([atoms])
    expected = {
        "energy": answer.mean[0],
        "forces": answer.forces[0],
        "stress": answer.stress[0],
        "energy_std": answer.std[0],
        "forces_std": answer.forces_std[0],
    }
    for name, value in expected.items():
        np.testing.assert_allclose(calculator.get_property(name, atoms), value, rtol=1e-9, atol=1e-12, err_msg=name)
    assert calculator.get_property("energies", atoms).sum() == pytest.approx(answer.mean[0])
    assert calculator.get_property("extrapolation", atoms) == answer.extrapolation[0]


def test_tells_where_it_extrapolates(copper: Any) -> None:
    calculator = Calculator(copper, outside="warn")
    squeezed = bulk("Cu", a=2.6, cubic=True)
    assert calculator.get_property("extrapolation", squeezed).excess > 0.5
    assert "extrapolation" not in calculator.export_properties()


def test_one_member_drives_and_all_doubt(committee: Committee) -> None:
    atoms = alloy()
    one, whole = Calculator(committee, members=2), Calculator(committee)
    answer = committee.answer(atoms)
    np.testing.assert_allclose(one.get_property("forces", atoms), answer.forces[2], atol=1e-12)
    np.testing.assert_allclose(whole.get_property("forces", atoms), answer.forces.mean(axis=0), atol=1e-12)
    for name in ("energy_std", "forces_std"):
        np.testing.assert_array_equal(one.get_property(name, atoms), whole.get_property(name, atoms))
    assert whole.get_property("energy_std", atoms) == pytest.approx(answer.energy.std(ddof=1))


def test_a_committee_of_one_cannot_doubt() -> None:
    with pytest.raises(PropertyNotImplementedError):
        Calculator(random_committee(1)).get_property("forces_std", alloy())


def test_optimizers_bands_and_equations_of_state(copper: Any, tmp_path: Any) -> None:
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.05, seed=1)
    atoms.calc = Calculator(copper)
    assert BFGS(atoms, logfile=None, trajectory=str(tmp_path / "relaxed.traj")).run(fmax=0.01, steps=60)
    last = read(tmp_path / "relaxed.traj", -1)
    assert last.get_potential_energy() == atoms.get_potential_energy()
    assert FrechetCellFilter(atoms).get_forces().shape == (7, 3)
    volumes, energies = [], []
    for scale in np.linspace(0.97, 1.03, 7):
        strained = atoms.copy()
        strained.calc = atoms.calc
        strained.set_cell(atoms.cell * scale, scale_atoms=True)
        volumes.append(strained.get_volume())
        energies.append(strained.get_potential_energy())
    volume, _, modulus = EquationOfState(volumes, energies).fit()
    assert 3.4**3 < volume < 3.8**3
    assert modulus > 0
    images = [atoms.copy() for _ in range(3)]
    images[-1].positions[0] += 0.3
    for image in images:
        image.calc = Calculator(copper)
    band = NEB(images, method="improvedtangent")
    band.interpolate()
    assert np.isfinite(band.get_forces()).all()


def test_refuses_what_it_does_not_know(committee: Committee, tmp_path: Any) -> None:
    with pytest.raises(DataError, match="does not know H, O; it knows Al, Cu"):
        Calculator(committee).get_property("energy", molecule("H2O"))
    with pytest.raises(DataError, match="cell has no volume"):
        Calculator(committee).get_property("energy", Atoms("Cu", pbc=True))
    with pytest.raises(DataError, match="lie at the same place"):
        Calculator(committee).get_property("energy", Atoms("Cu2", np.zeros((2, 3))))
    with pytest.raises(AmaltheaError, match="has 4 members, counted from 0"):
        Calculator(committee, members=4)
    with pytest.raises(AmaltheaError, match="is no potential: it knows tables"):
        Calculator(SimpleNamespace(domain="tables"))  # type: ignore[arg-type]
    (tmp_path / "broken.amalthea").write_text("nothing")
    with pytest.raises(AmaltheaError, match="not a saved model"):
        Calculator(tmp_path / "broken.amalthea")


def test_an_atom_alone(committee: Committee) -> None:
    alone = Atoms("Cu")
    alone.calc = Calculator(committee)
    assert np.isfinite(alone.get_potential_energy())
    np.testing.assert_array_equal(alone.get_forces(), np.zeros((1, 3)))


def test_works_again_after_an_error(committee: Committee) -> None:
    calculator, atoms = Calculator(committee), alloy()
    expected = calculator.get_property("energy", atoms)
    broken = atoms.copy()
    broken.positions[1] = np.nan
    with pytest.raises(DataError, match="not a finite number"):
        calculator.get_property("energy", broken)
    assert calculator.get_property("energy", atoms) == expected


def test_computes_anew_when_anything_changed_and_only_then(committee: Committee) -> None:
    calculator, atoms = Calculator(committee), alloy()
    calculator.get_property("energy", atoms)
    assert not calculator.calculation_required(atoms.copy(), ["energy"])
    moved, turned, strained, other = (atoms.copy() for _ in range(4))
    moved.positions[0, 0] = np.nextafter(moved.positions[0, 0], 9.0)
    turned.pbc = False
    strained.cell[0, 0] *= 1.001
    other.numbers[0] = 29 if other.numbers[0] == 13 else 13
    for changed in (moved, turned, strained, other, atoms[1:]):
        assert calculator.calculation_required(changed, ["energy"])
