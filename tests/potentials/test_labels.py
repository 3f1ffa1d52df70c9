"""What labels are called is found, asked for or listed, and labels that contradict each other are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

import amalthea as am
from amalthea.errors import DataError
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.reading.label_names import LabelNames
from amalthea.potentials.reading.read_frames import StructureOptions, read_frames

HARTREE, BOHR, GPA = 27.211386, 0.529177, 160.21766


def crystals(count: int = 12) -> list[Any]:
    """Return rattled and strained copper and gold, each with its energy, forces and stress as entries."""
    frames = []
    for seed in range(count):
        atoms = bulk("Cu", cubic=True, a=3.6 + 0.02 * (seed % 5))
        atoms.rattle(0.06, seed=seed)
        atoms.calc = EMT()
        energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
        atoms.calc = None
        atoms.info.update(energy=energy - 20.0, stress=stress)
        atoms.new_array("forces", forces)
        frames.append(atoms)
    return frames


def changed(frames: list[Any], energy: Any = None, forces: Any = None, stress: Any = None) -> list[Any]:
    """Return frames whose labels went through functions."""
    for atoms in frames:
        if energy:
            atoms.info["energy"] = energy(atoms.info["energy"])
        if forces:
            atoms.arrays["forces"] = forces(atoms.arrays["forces"])
        if stress:
            atoms.info["stress"] = stress(atoms.info["stress"])
    return frames


def renamed(frames: list[Any], **names: str) -> list[Any]:
    for atoms in frames:
        for old, new in names.items():
            store = atoms.arrays if old in atoms.arrays else atoms.info
            store[new] = store.pop(old)
    return frames


def read(path: Path, frames: list[Any], **names: str) -> Frames:
    ase.io.write(path / "set.extxyz", frames)
    return read_frames([path / "set.extxyz"], options=StructureOptions(names=LabelNames(**names)))


def notes(path: Path, frames: list[Any], **names: str) -> str:
    return "\n".join(read(path, frames, **names).notes)


@pytest.mark.parametrize("name", ["energy_dft", "TotEnergy", "Etot", "pbe_total_energy", "vasp_energy"])
def test_a_name_that_can_only_mean_the_energy_is_taken(tmp_path: Path, name: str) -> None:
    assert f"Energies: '{name}' in 12 frames" in notes(tmp_path, renamed(crystals(), energy=name))


@pytest.mark.parametrize("name", ["kinetic_energy", "energy_per_atom", "energy_std", "formation_energy", "band_gap"])
def test_another_quantity_is_not_taken_for_the_energy_but_listed(tmp_path: Path, name: str) -> None:
    frames = read(tmp_path, renamed(crystals(), energy=name))
    assert np.isnan(frames.energy).all()
    assert any("Energies: none" in note and f"'{name}'" in note and "--energy-key" in note for note in frames.notes)


def test_keys_choose_among_labels_and_none_leaves_them_out(tmp_path: Path) -> None:
    frames = crystals()
    for atoms in frames:
        atoms.info["E"] = atoms.info["energy"] + 1.0
    kept = read(tmp_path, frames, energy="E", stress="none")
    assert kept.energy[0] == pytest.approx(frames[0].info["E"])
    assert kept.stress[0] is None
    with pytest.raises(DataError, match=r"--energy-key energi: no frame has it. Did you mean 'energy'"):
        read(tmp_path, frames, energy="energi")


def test_a_model_reads_new_data_by_the_names_it_learned_from(tmp_path: Path) -> None:
    ase.io.write(tmp_path / "set.extxyz", renamed(crystals(), energy="E"))
    dataset = am.read(tmp_path / "set.extxyz", energy_key="E")
    kind = am.domains.domain("structures")
    again = kind.labelled(tmp_path / "set.extxyz", dataset.targets, kind.input_state(dataset))
    np.testing.assert_array_equal(again.values, dataset.values)


def test_a_second_energy_is_listed_and_the_one_an_atom_gives_way_to_the_total(tmp_path: Path) -> None:
    frames = crystals()
    for atoms in frames:
        atoms.info["free_energy"] = atoms.info["energy"] - 0.3
    assert "'free_energy' in 12 frames; not used: 'energy'" in notes(tmp_path, frames)
    frames = crystals()
    for atoms in frames:
        atoms.info["corrected_total_energy"] = atoms.info["energy"]
        atoms.info["energy"] /= len(atoms)
    assert read(tmp_path, frames).energy[0] == pytest.approx(frames[0].info["corrected_total_energy"])


def test_right_labels_raise_no_doubt(tmp_path: Path) -> None:
    text = notes(tmp_path, crystals())
    assert text == (
        "Energies: 'energy' in 12 frames.\nForces: 'forces' in 12 frames.\nStresses: 'stress' in 12 frames."
    )


@pytest.mark.parametrize(
    ("forces", "words"),
    [
        (lambda forces: -forces, "opposite sign"),
        (lambda forces: forces / (HARTREE / BOHR), "hartree/bohr"),
        (lambda forces: forces * 23.060548, "kcal/mol/Å"),
    ],
)
def test_forces_that_are_no_slope_of_the_energy_are_named(tmp_path: Path, forces: Any, words: str) -> None:
    text = notes(tmp_path, changed(crystals(), forces=forces))
    assert "Forces do not fit the energies" in text
    assert words in text
    assert "--forces-key" in text


def test_energies_and_forces_in_another_unit_alike_are_named(tmp_path: Path) -> None:
    frames = changed(crystals(), energy=lambda energy: 23.060548 * energy, forces=lambda forces: 23.060548 * forces)
    assert "perhaps both are in kcal/mol" in notes(tmp_path, frames)


def test_energies_in_hartree_beside_forces_in_ev_are_named(tmp_path: Path) -> None:
    assert "Perhaps the energies are in hartree" in notes(
        tmp_path, changed(crystals(), energy=lambda energy: energy / HARTREE)
    )


def test_forces_of_molecules_are_compared_without_a_cell(tmp_path: Path) -> None:
    frames = [Atoms("N2", [[0, 0, 0], [0, 0, 1.05 + 0.02 * step]]) for step in range(8)]
    for atoms in frames:
        atoms.calc = EMT()
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = None
        atoms.info["energy"] = energy
        atoms.new_array("forces", -forces)
    assert "opposite sign" in notes(tmp_path, frames)


def test_stresses_of_the_wrong_sign_or_unit_are_named(tmp_path: Path) -> None:
    assert "wrong sign" in notes(tmp_path, changed(crystals(), stress=lambda stress: -stress))
    assert "GPa" in notes(tmp_path, changed(crystals(), stress=lambda stress: stress * GPA))


def test_a_stress_that_contradicts_the_virial_is_named(tmp_path: Path) -> None:
    frames = crystals()
    for atoms in frames:
        stress = atoms.info["stress"]
        tensor = stress[[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3)
        atoms.info["virial"] = (tensor if atoms is frames[3] else -tensor) * atoms.get_volume()
    assert "Stress and virial of 1 frame do not agree (set.extxyz frame 4): -virial/volume is -1 times" in notes(
        tmp_path, frames
    )


def test_one_structure_with_two_energies_is_named(tmp_path: Path) -> None:
    frames = [*crystals(), *changed(crystals(3), energy=lambda energy: energy + 1.0)]
    assert "3 structures stand with different energies, up to 0.25 eV an atom apart" in notes(tmp_path, frames)


def test_two_functionals_in_one_file_are_named(tmp_path: Path) -> None:
    frames = crystals(16)
    changed(frames[::2], energy=lambda energy: energy - 12.0)
    text = notes(tmp_path, frames)
    assert "fall into two groups 2." in text
    assert "8 frames such as" in text
    changed(frames[::2], energy=lambda energy: energy + 10.0)
    for row, atoms in enumerate(frames):
        atoms.info["functional"] = "PBE" if row % 2 else "PBE+U"
    assert "'functional' is PBE+U in one and PBE in the other" in notes(tmp_path, frames)


def test_an_element_in_one_frame_only_and_charges_are_named(tmp_path: Path) -> None:
    frames = crystals()
    frames[7].symbols[0] = "Au"
    for row, atoms in enumerate(frames):
        atoms.info["charge"] = row % 2
    text = notes(tmp_path, frames)
    assert "In one frame only: Au (set.extxyz frame 8)" in text
    assert "Frames differ in 'charge' (0 in 6 frames, 1 in 6 frames)" in text


def test_isolated_atoms_and_far_dimers_are_never_refused(tmp_path: Path) -> None:
    frames = changed(crystals(), energy=lambda energy: energy + 20.0)  # counted from the crystal, as some codes do
    for distance in (2.2, 2.6, 3.0, 6.0, 20.0):
        frames.append(Atoms("Cu2", [[0, 0, 0], [0, 0, distance]]))
    frames.append(Atoms("Cu"))
    frames.append(Atoms("Cu", cell=[15.0] * 3, pbc=True))
    for atoms in frames[12:]:
        atoms.calc = EMT()
        energy = atoms.get_potential_energy()
        atoms.calc = None
        atoms.info["energy"] = energy
    assert read(tmp_path, frames).refused == ()


def test_a_lattice_given_by_long_skewed_vectors_is_read(tmp_path: Path) -> None:
    skewed = crystals(1)[0]
    skewed.set_cell(np.array([[1, 0, 0], [7, 1, 0], [-5, 9, 1]]) @ skewed.cell.array)
    kept = read(tmp_path, [skewed])
    assert kept.refused == ()
    assert kept.atoms[0].get_volume() == pytest.approx(skewed.get_volume())


def test_numbered_symbols_are_elements_and_numbers_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "atoms.xyz"
    path.write_text("2\nenergy=-1\nCu1 0 0 0\nO12 0 0 1.7\n2\nenergy=-1\n29 0 0 0\n8 0 0 1.7\n")
    kept = read_frames([path])
    assert kept.atoms[0].get_chemical_symbols() == ["Cu", "O"]
    assert "write the element" in kept.refused[0].reason
    assert "Properties=Z:I:1" in kept.refused[0].reason


def test_where_no_label_is_recognized_what_stands_there_is_named(tmp_path: Path) -> None:
    head = 'Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:F_pbe:R:3 E_pbe=-1.5 pbc="T T T"'
    (tmp_path / "odd.extxyz").write_text(f"2\n{head}\nCu 0 0 0 0 0 0\nCu 2 0 0 0 0 0\n")
    with pytest.raises(DataError, match=r"What stands with them: 'F_pbe', 'E_pbe'; --energy-key and --forces-key"):
        am.read(tmp_path / "odd.extxyz")
