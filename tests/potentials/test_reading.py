"""Frames from files: what they have is used, and what cannot be used is named."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms

from amalthea.errors import DataError, MissingDependencyError
from amalthea.potentials.reading.discovery import claims
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.reading.label_names import LabelNames
from amalthea.potentials.reading.read_frames import StructureOptions, read_frames
from tests.potentials.calculations import outcar, pwscf, vasprun

DATA = os.environ.get("AMALTHEA_DATA")
EV_PER_RYDBERG = 13.605693
ANGSTROM_PER_BOHR = 0.529177
KBAR_PER_EV_PER_A3 = 1602.1766


def copper(seed: int) -> Any:
    """Return four rattled copper atoms with the labels of effective medium theory."""
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=seed)
    return labelled(atoms)


def labelled(atoms: Any) -> Any:
    """Return atoms with the energy, forces and stress of effective medium theory standing on them."""
    worker = atoms.copy()
    worker.calc = EMT()
    energy, forces = worker.get_potential_energy(), worker.get_forces()
    stress = worker.get_stress() if atoms.pbc.all() else None
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces, stress=stress)
    return atoms


def read(path: Path, **options: Any) -> Frames:
    return read_frames([path], options=StructureOptions(**options))


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def extended(comment: str, *atoms: str) -> str:
    """Return one frame as extended XYZ."""
    return "\n".join([str(len(atoms)), comment, *atoms]) + "\n"


@pytest.mark.parametrize("name", ["md.extxyz", "md.xyz", "md.xyz.gz", "md.traj", "md.db", "md.json"])
def test_every_format_of_ase_gives_the_same_frames(name: str, tmp_path: Path) -> None:
    frames = [copper(seed) for seed in range(3)]
    ase.io.write(tmp_path / name, frames)
    kept = read(tmp_path / name)
    assert kept.frame.tolist() == [1, 2, 3]
    assert set(kept.source) == {name}
    for index, atoms in enumerate(frames):
        plain = kept.atoms[index]
        assert plain.calc is None
        assert (plain.numbers == atoms.numbers).all()
        assert (plain.pbc == atoms.pbc).all()
        np.testing.assert_allclose(plain.positions, atoms.positions, atol=1e-7)
        np.testing.assert_allclose(plain.cell, atoms.cell, atol=1e-7)
        np.testing.assert_allclose(kept.energy[index], atoms.get_potential_energy(), atol=1e-7)
        np.testing.assert_allclose(kept.forces[index], atoms.get_forces(), atol=1e-7)
        np.testing.assert_allclose(kept.stress[index], atoms.get_stress(), atol=1e-7)


def test_constraints_change_no_forces_and_are_dropped(tmp_path: Path) -> None:
    atoms = copper(0)
    forces = atoms.get_forces()
    atoms.set_constraint(FixAtoms([0, 1]))
    ase.io.write(tmp_path / "relaxed.traj", atoms)
    kept = read(tmp_path / "relaxed.traj")
    assert not kept.atoms[0].constraints
    np.testing.assert_allclose(kept.forces[0], forces)


def test_frames_without_energy_or_without_forces_are_used_for_what_they_have(tmp_path: Path) -> None:
    path = write(
        tmp_path / "argon.xyz",
        extended("energy=-0.1", "Ar 0 0 0", "Ar 0 0 3.8")
        + extended("Properties=species:S:1:pos:R:3:forces:R:3", "Ar 0 0 0 0 0 1", "Ar 0 0 3 0 0 -1")
        + extended("a remark", "Ar 0 0 0", "Ar 0 0 4"),
    )
    kept = read(path)
    assert kept.row.tolist() == [1, 2]
    assert kept.energy[0] == -0.1
    assert kept.forces[0] is None
    assert np.isnan(kept.energy[1])
    assert kept.forces[1] is not None
    assert [(refusal.row, refusal.reason) for refusal in kept.refused] == [(3, "no energy and no forces")]
    assert len(read(path, labelled=False)) == 3


def test_names_of_labels_are_told_and_the_reference_comes_first(tmp_path: Path) -> None:
    frame = extended(
        'Lattice="10 0 0 0 10 0 0 0 10" energy=-1 REF_energy=-2 virial="1 0 0 0 2 0 0 0 3" config_type=dimer '
        "Properties=species:S:1:pos:R:3:dft_forces:R:3",
        "Ar 0 0 0 0 0 1",
        "Ar 0 0 3 0 0 -1",
    )
    kept = read(write(tmp_path / "named.xyz", frame))
    assert kept.energy.tolist() == [-2]
    np.testing.assert_allclose(kept.stress[0], [-0.001, -0.002, -0.003, 0, 0, 0])  # stress = -virial/volume
    assert kept.info.iloc[0].to_dict() == {"config_type": "dimer", "file": "named.xyz"}
    notes = " ".join(kept.notes)
    assert "'REF_energy'" in notes
    assert "'dft_forces'" in notes
    assert "-virial/volume" in notes
    assert read(tmp_path / "named.xyz", names=LabelNames(energy="energy")).energy.tolist() == [-1]


@pytest.mark.parametrize("stress", ["1 2 3 4 5 6", "1 6 5 6 2 4 5 4 3"])
def test_a_stress_has_six_or_nine_components(stress: str, tmp_path: Path) -> None:
    frame = extended(f'Lattice="9 0 0 0 9 0 0 0 9" energy=-1 stress="{stress}"', "Ar 0 0 0")
    assert read(write(tmp_path / "stress.xyz", frame)).stress[0].tolist() == [1, 2, 3, 4, 5, 6]  # type: ignore[union-attr]


def test_labels_that_are_no_numbers_are_dropped_and_named(tmp_path: Path) -> None:
    columns = "Properties=species:S:1:pos:R:3:forces:R:3"
    path = write(
        tmp_path / "nan.xyz",
        extended(f"energy=-0.1 {columns}", "Ar 0 0 0 0 0 nan", "Ar 0 0 3.8 0 0 0")
        + extended(f"energy=nan {columns}", "Ar 0 0 0 0 0 nan", "Ar 0 0 3.8 0 0 0")
        + extended(f"energy=-0.1 {columns}", "Ar 0 0 0 0 0 0", "Ar 0 nan 3.8 0 0 0"),
    )
    kept = read(path)
    assert kept.energy.tolist() == [-0.1]
    assert kept.forces == [None]
    assert any("nan.xyz frame 1" in note and "forces" in note for note in kept.notes)
    assert "no energy and no forces" in kept.refused[0].reason
    assert kept.refused[1].reason == "the position of atom 2 is not a finite number"


def test_a_damaged_frame_is_refused_and_those_after_it_are_read(tmp_path: Path) -> None:
    good = extended("energy=-0.1", "Ar 0 0 0", "Ar 0 0 3.8")
    bad = (
        good.replace("Ar 0 0 3.8\n", ""),  # an atom too few
        good + "Ar 0 0 9\n",  # one too many
        good.replace("3.8", "3.8.1"),
        good.replace("Ar 0 0 3.8", "Ar 0 0"),
        good.replace("Ar 0 0 3.8", "Xx 0 0 3.8"),
        "two\n" + good.partition("\n")[2],
        good.replace("energy=-0.1", "energy=-0.1 Properties=species:S:1:pos:R:3:forces:R:3000000"),
    )
    kept = read(write(tmp_path / "damaged.xyz", good.join(["", *bad, ""])))
    assert kept.row.tolist() == [1, 3, 5, 7, 9, 11, 13, 15]
    assert [refusal.row for refusal in kept.refused] == [2, 4, 6, 8, 10, 12, 14]
    reasons = [refusal.reason for refusal in kept.refused]
    assert "1 of its 2 atoms" in reasons[0]
    assert "holds one more" in reasons[1]
    assert "3.8.1" in reasons[2]
    assert "3 fields" in reasons[3]
    assert "'Xx'" in reasons[4]
    assert "'two'" in reasons[5]
    assert "names 3,000,004 fields" in reasons[6]


@pytest.mark.parametrize("name", ["cut.xyz", "cut.xyz.gz", "cut.traj"])
@pytest.mark.parametrize("count", [8, 50])
def test_of_a_truncated_file_the_whole_frames_are_used(name: str, count: int, tmp_path: Path) -> None:
    frames = [copper(seed) for seed in range(count)]
    ase.io.write(tmp_path / name, frames)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(0.6 * len(content))])
    kept = read(tmp_path / name)
    assert 0.3 * count < len(kept) < count
    assert kept.refused[0].row == len(kept) + 1
    np.testing.assert_allclose(kept.energy, [atoms.get_potential_energy() for atoms in frames[: len(kept)]])
    np.testing.assert_allclose(kept.forces[-1], frames[len(kept) - 1].get_forces(), atol=1e-7)


def test_a_file_cut_in_its_last_number_gives_no_wrong_force(tmp_path: Path) -> None:
    path = tmp_path / "cut.xyz"
    ase.io.write(path, [copper(0), copper(1)], format="extxyz")
    text = path.read_text()
    write(path, text.rstrip()[:-4])
    kept = read(path)
    assert kept.row.tolist() == [1]
    assert "in the middle of its last number" in kept.refused[0].reason
    assert len(read(write(path, text.rstrip()))) == 2  # only the last line break is missing


@pytest.mark.parametrize("pbc", [True, False, (True, False, True)])
def test_atoms_on_top_of_each_other_are_named(pbc: Any, tmp_path: Path) -> None:
    atoms = bulk("Si", cubic=True)
    atoms.pbc = pbc
    atoms.positions[5] = atoms.positions[2] + [0.06, 0, 0.08]
    atoms.calc = SinglePointCalculator(atoms, energy=-40.0)
    ase.io.write(tmp_path / "close.xyz", [labelled(bulk("Cu")), atoms], format="extxyz")
    kept = read(tmp_path / "close.xyz")
    assert kept.refused[0].reason == "atoms 3 (Si) and 6 (Si) are 0.100 Å apart"
    assert len(kept) == 1


def test_contacts_across_periodic_borders_count_only_where_it_is_periodic(tmp_path: Path) -> None:
    atoms = Atoms("Si2", [[0.05, 1, 1], [5.95, 1, 1]], cell=[6, 6, 6], pbc=(True, False, False))
    path = tmp_path / "border.xyz"
    for pbc, count in (((False, True, True), 1), ((True, False, False), 0)):
        atoms.pbc = pbc
        atoms.calc = SinglePointCalculator(atoms, energy=-3.0)
        ase.io.write(path, [labelled(bulk("Cu")), atoms], format="extxyz")
        assert len(read(path)) == 1 + count


def test_many_atoms_in_one_place_are_refused_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "heap.xyz", extended("energy=-1", *["Ar 0 0 0"] * 10_000))
    with pytest.raises(DataError, match=r"are 0\.000 Å apart"):
        read(path)


def test_ten_thousand_atoms(tmp_path: Path) -> None:
    atoms = bulk("Si", cubic=True) * (11, 11, 11)
    atoms.calc = SinglePointCalculator(atoms, energy=-5.4 * len(atoms), forces=np.zeros((len(atoms), 3)))
    ase.io.write(tmp_path / "large.xyz", atoms, format="extxyz")
    kept = read(tmp_path / "large.xyz")
    assert len(kept.atoms[0]) == 10_648
    assert not kept.refused


def test_mixed_periodicity_is_kept(tmp_path: Path) -> None:
    slab = bulk("Cu", cubic=True)
    slab.pbc = (True, True, False)
    slab.cell[2] = 0
    slab.calc = SinglePointCalculator(slab, energy=-1.0)
    ase.io.write(tmp_path / "slab.xyz", slab, format="extxyz")
    assert read(tmp_path / "slab.xyz").atoms[0].pbc.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("lattice", "reason"),
    [("4 0 0 8 0 0 0 0 4", "no volume"), ("4 0 0 0 4 0 0 0 0", "along c"), ("4 0 0 0 nan 0 0 0 4", "not finite")],
)
def test_periodic_cells_need_a_volume(lattice: str, reason: str, tmp_path: Path) -> None:
    good = extended('Lattice="4 0 0 0 4 0 0 0 4" energy=-1', "Cu 0 0 0")
    bad = extended(f'Lattice="{lattice}" energy=-1', "Cu 0 0 0")
    kept = read(write(tmp_path / "cells.xyz", good + bad))
    assert kept.row.tolist() == [1]
    assert reason in kept.refused[0].reason


def test_an_unknown_element_is_refused(tmp_path: Path) -> None:
    good = extended("energy=-1", "Cu 0 0 0", "Cu 0 0 3")
    kept = read(write(tmp_path / "ghost.xyz", good + good.replace("Cu 0 0 3", "X 0 0 3")))
    assert kept.refused[0].reason == "atom 2 is 'X', which is no element"


def test_an_energy_in_another_unit_is_refused_with_the_frame_and_the_unit(tmp_path: Path) -> None:
    frames = [copper(seed) for seed in range(12)]
    for atoms in frames:
        atoms.calc.results["energy"] -= 3.5 * len(atoms)  # a binding energy, as density functionals give it
    frames[7].calc.results["energy"] /= 27.211386
    ase.io.write(tmp_path / "units.traj", frames)
    kept = read(tmp_path / "units.traj")
    assert kept.row.tolist() == [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]
    assert kept.refused[0].example == "units.traj, frame 8"
    assert "hartree" in kept.refused[0].reason
    assert len(read(tmp_path / "units.traj", labelled=False)) == 12


def test_strong_forces_are_named_and_kept(tmp_path: Path) -> None:
    frame = extended("energy=1 Properties=species:S:1:pos:R:3:forces:R:3", "Ar 0 0 0 0 0 -150", "Ar 0 0 1 0 0 150")
    kept = read(write(tmp_path / "strong.xyz", frame))
    assert len(kept) == 1
    assert any("strong.xyz frame 1" in note and "100 eV/Å" in note for note in kept.notes)


def check_silicon_steps(kept: Frames, count: int) -> None:
    """Check what the small outputs of VASP say of each step."""
    assert len(kept) == count
    for atoms, forces, stress in zip(kept.atoms, kept.forces, kept.stress, strict=True):
        assert str(atoms.symbols) == "Si2"
        np.testing.assert_allclose(atoms.positions[1], 1.3575)
        np.testing.assert_allclose(forces, [[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]])
        # VASP prints a pressure in kbar: xx, yy, zz, xy, yz, zx
        np.testing.assert_allclose(stress, -np.array([10, 20, 30, 5, 6, 4]) / KBAR_PER_EV_PER_A3, rtol=1e-6)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "make"), [("OUTCAR", outcar), ("vasprun.xml", vasprun)])
def test_all_ionic_steps_of_vasp_with_the_free_energy(name: str, make: Any, packed: bool, tmp_path: Path) -> None:
    content = make([-10.8, -10.9, -11.0]).encode()
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    kept = read(path)
    check_silicon_steps(kept, 3)
    np.testing.assert_allclose(kept.energy, [-10.8, -10.9, -11.0])  # not the -10.5 that belongs to no forces
    assert not kept.refused


@pytest.mark.parametrize(("name", "make"), [("OUTCAR", outcar), ("vasprun.xml", vasprun)])
def test_runs_of_vasp_that_were_cut(name: str, make: Any, tmp_path: Path) -> None:
    text = make([-10.8, -10.9, -11.0])
    cut = text.rindex("-0.1")  # in the forces of the third step
    kept = read(write(tmp_path / name, text[:cut]))
    check_silicon_steps(kept, 2)
    assert kept.refused[0].row == 3
    assert "the file ends in the middle" in kept.refused[0].reason


def test_an_ionic_step_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    kept = read(write(tmp_path / "OUTCAR", outcar([-10.8, -10.9, -11.0], bad=2)))
    check_silicon_steps(kept, 2)
    assert kept.row.tolist() == [1, 3]
    assert "****" in kept.refused[0].reason


def test_electrons_that_did_not_converge_are_named(tmp_path: Path) -> None:
    text = outcar([-10.8, -10.9]).replace("aborting loop because EDIFF is reached", "", 1)
    kept = read(write(tmp_path / "OUTCAR", text))
    assert any("ionic step 1." in note for note in kept.notes)


def test_outputs_of_quantum_espresso(tmp_path: Path) -> None:
    text = pwscf([-15.8, -15.9])
    kept = read(write(tmp_path / "relax.pwo", text))
    np.testing.assert_allclose(kept.energy, np.array([-15.8, -15.9]) * EV_PER_RYDBERG, rtol=1e-6)
    np.testing.assert_allclose(kept.forces[1][0, 0], 0.01 * EV_PER_RYDBERG / ANGSTROM_PER_BOHR, rtol=1e-5)  # type: ignore[index]
    np.testing.assert_allclose(kept.stress[1][0], -0.001 * EV_PER_RYDBERG / ANGSTROM_PER_BOHR**3, rtol=1e-5)  # type: ignore[index]
    np.testing.assert_allclose(kept.atoms[1].positions[1], 1.33)
    assert claims(write(tmp_path / "relax.out", text))
    cut = read(write(tmp_path / "cut.pwo", text[: text.rindex("     atom    2")]))
    assert np.isfinite(cut.energy).all()
    assert cut.forces[1] is None  # of two atoms one is left
    assert any("was cut" in note for note in cut.notes)


@pytest.mark.parametrize("name", ["OUTCAR_example_1", "vasprun_pstress.xml"])
def test_real_outputs_of_vasp(name: str) -> None:
    spec = importlib.util.find_spec("ase.test")
    path = Path((spec and spec.origin) or "").parent / "testdata" / "vasp" / name
    if not path.is_file():
        pytest.skip("this ASE comes without its test data")
    kept = read(path)
    given = ase.io.read(path)
    assert isinstance(given, Atoms)
    assert kept.energy[0] == given.get_potential_energy(force_consistent=True)
    np.testing.assert_allclose(kept.forces[0], given.get_forces(apply_constraint=False))
    np.testing.assert_allclose(kept.stress[0], given.get_stress(apply_constraint=False))


@pytest.mark.skipif(DATA is None, reason="needs AMALTHEA_DATA")
def test_silicon_loses_no_frame() -> None:
    kept = read(Path(str(DATA)) / "silicon")
    assert len(kept) == 239
    assert not kept.refused
    assert kept.info["file"].value_counts().to_dict() == {"training.json": 214, "test.json": 25}
    assert set(kept.info["group"]) == {"AIMD-NVT", "Elastic", "Surface", "Vacancy"}


def test_data_of_n2p2_are_converted_and_the_units_are_said(tmp_path: Path) -> None:
    atoms = "atom 0 0 {z} Si 0 0 0 0 {force}\n"
    text = (
        "begin\ncomment a dimer\n" + atoms.format(z=0, force=0.1) + atoms.format(z=4.2, force=-0.1) + "energy -8\nend\n"
    )
    path = write(tmp_path / "input.data", text + text.replace("4.2", "4.2.1"))
    kept = read(path)
    assert claims(path)
    np.testing.assert_allclose(kept.energy, [-8 * 2 * EV_PER_RYDBERG], rtol=1e-6)
    np.testing.assert_allclose(kept.atoms[0].positions[1, 2], 4.2 * ANGSTROM_PER_BOHR, rtol=1e-6)
    np.testing.assert_allclose(kept.forces[0][0, 2], 0.1 * 2 * EV_PER_RYDBERG / ANGSTROM_PER_BOHR, rtol=1e-5)  # type: ignore[index]
    assert kept.refused[0].row == 2
    assert any("bohr" in note and "hartree" in note for note in kept.notes)
    unconverted = read(path, length_unit="angstrom", energy_unit="ev")
    assert unconverted.energy.tolist() == [-8]
    assert any("twice the usual distance" in note for note in unconverted.notes)


@pytest.mark.skipif(DATA is None, reason="needs AMALTHEA_DATA")
@pytest.mark.parametrize(("name", "count"), [("water", 20), ("silicon", 25)])
def test_real_data_of_n2p2_lose_no_frame(name: str, count: int) -> None:
    kept = read(Path(str(DATA)) / "n2p2" / name / "input.data")
    assert len(kept) == count
    assert not kept.refused


def test_mlearn_stress_has_the_sign_and_the_order_of_its_group(tmp_path: Path) -> None:
    def record(group: str) -> dict[str, Any]:
        site = {"species": [{"element": "Si", "occu": 1}], "xyz": [0.0, 0.0, 0.0]}
        lattice = {"matrix": [[5, 0, 0], [0, 5, 0], [0, 0, 5]]}
        structure = {"@module": "pymatgen.core.structure", "lattice": lattice, "sites": [site]}
        outputs = {"energy": -1.0, "forces": [[0, 0, 0]], "virial_stress": [1, 2, 3, 4, 5, 6]}
        return {"structure": structure, "group": group, "outputs": outputs}

    path = write(tmp_path / "small.json", json.dumps([record("Elastic"), record("Surface"), {"structure": {}}]))
    kept = read(path)
    # Elastic: xx, yy, zz, xy, yz, xz; all others: xx, yy, zz, xy, xz, yz; ASE: xx, yy, zz, yz, xz, xy
    np.testing.assert_allclose(kept.stress[0], -np.array([1, 2, 3, 5, 6, 4]) / KBAR_PER_EV_PER_A3)
    np.testing.assert_allclose(kept.stress[1], -np.array([1, 2, 3, 6, 5, 4]) / KBAR_PER_EV_PER_A3)
    assert kept.refused[0].row == 3


def test_a_folder_is_read_in_order_and_other_files_are_counted(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "OUTCAR", outcar([-10.8]))
        write(tmp_path / name / "INCAR", "ENCUT = 300\n")
    shutil.copy(tmp_path / "a" / "OUTCAR", tmp_path / "a" / "POSCAR")
    write(tmp_path / "a" / "vasprun.xml", vasprun([-10.8, -10.9]))
    seen: list[tuple[int, int]] = []
    kept = read_frames([tmp_path], lambda done, total: seen.append((done, total)))
    assert kept.info["file"].tolist() == ["a/vasprun.xml", "a/vasprun.xml", "b/OUTCAR"]
    assert seen == [(1, 2), (2, 2)]
    assert any("1 OUTCAR left out" in note for note in kept.notes)
    assert any("3 files" in note or "4 files" in note for note in kept.notes)
    assert claims(tmp_path)


def test_what_holds_no_structures_is_not_claimed(tmp_path: Path) -> None:
    write(tmp_path / "table.csv", "smiles,y\nCCO,1\n")
    write(tmp_path / "model.json", "{}")
    write(tmp_path / "job.out", "done\n")
    assert not claims(tmp_path)
    assert not any(claims(path) for path in tmp_path.iterdir())
    with pytest.raises(DataError, match="no files of atomic structures"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["junk.xyz", "junk.traj", "junk.db", "OUTCAR", "vasprun.xml", "junk.pwo", "junk.bin"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\x13" * 100, b"x,y\n1,2\n"])
def test_files_of_rubbish_give_one_clear_error(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        read(tmp_path / name)


def test_a_missing_file_is_said() -> None:
    with pytest.raises(DataError, match="no such file"):
        read(Path("nowhere.xyz"))


def test_without_ase_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ase", None)
    with pytest.raises(MissingDependencyError, match=r"pip install \"amalthea\[structures\]\""):
        read(Path("any.xyz"))
