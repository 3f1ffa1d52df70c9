"""Files of CP2K, DeePMD-kit, VASP's own force fields and MPtrj are read as what they are, in eV and Å."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

import amalthea as am
from amalthea.potentials.reading.discovery import claims
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.reading.read_frames import read_frames

HARTREE, BOHR, GPA, KBAR = 27.211386, 0.529177, 1 / 160.21766, 1 / 1602.1766
TENSOR = [[3.0, 0.1, 0.2], [0.1, 2.0, 0.3], [0.2, 0.3, 1.0]]
VOIGT = np.array([3.0, 2.0, 1.0, 0.3, 0.2, 0.1])


def xyz(energies: list[float], rows: str) -> str:
    """Return steps as CP2K writes them."""
    comment = " i = {step:8d}, time = {time:12.3f}, E = {energy:20.10f}"
    steps = [comment.format(step=step, time=step / 2, energy=energy) for step, energy in enumerate(energies)]
    return "".join(f"       2\n{step}\n{rows}" for step in steps)


def output(energy: float, step: str = "") -> str:
    rows = "".join(
        f" STRESS|      {axis} " + "".join(f"{value:20.11E}" for value in row) + "\n"
        for axis, row in zip("xyz", TENSOR, strict=True)
    )
    return f"{step} ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]: {energy:.15f}\n{FORCES}{rows}"


HEADER = " CP2K| version string:   CP2K version 2024.1\n GLOBAL| Project name                  gas\n"
CELL = "".join(
    f" CELL| Vector {a} [angstrom]: {row} |{a}| = 7.0\n"
    for a, row in zip("abc", ["7.0 0.0 0.0", "0.0 7.0 0.0", "0.0 0.0 7.0"], strict=True)
)
PLACES = """
 MODULE QUICKSTEP: ATOMIC COORDINATES IN ANGSTROM
   Atom Kind Element         X             Y             Z       Z(eff)     Mass
      1    1 N     7      1.000000      1.000000      1.000000   5.0000    14.0067
      2    1 N     7      1.000000      1.000000      2.100000   5.0000    14.0067
"""
FORCES = """ ATOMIC FORCES in [a.u.]
 # Atom   Kind   Element          X              Y              Z
      1      1      N           0.00000000     0.00000000     0.10000000
      2      1      N           0.00000000     0.00000000    -0.10000000
 SUM OF ATOMIC FORCES           0.00000000     0.00000000     0.00000000     0.00000000
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a folder as an MD run of CP2K leaves it."""
    folder = tmp_path / "run"
    folder.mkdir()
    energies = [-19.5, -19.6]
    (folder / "gas-pos-1.xyz").write_text(xyz(energies, "  N 1.0 1.0 1.0\n  N 1.0 1.0 2.1\n"))
    (folder / "gas-frc-1.xyz").write_text(xyz(energies, "  N 0.0 0.0 0.1\n  N 0.0 0.0 -0.1\n"))
    (folder / "gas-1.cell").write_text(
        "# Step Time Ax ...\n" + "".join(f"{s} 0.0 {7 + s}.0 0 0 0 7.0 0 0 0 7.0 300.0\n" for s in (0, 1))
    )
    (folder / "gas-1.ener").write_text("# Step\n")
    (folder / "md.out").write_text(HEADER + output(energies[0]) + output(energies[1]))
    return folder


@pytest.mark.parametrize("name", ["", "gas-pos-1.xyz", "gas-frc-1.xyz", "md.out"])
def test_a_run_of_cp2k_is_read_together_whichever_file_is_named(run: Path, name: str) -> None:
    frames = read_frames([run / name])
    assert len(frames) == 2
    assert frames.refused == ()
    np.testing.assert_allclose(frames.energy, [-19.5 * HARTREE, -19.6 * HARTREE])
    np.testing.assert_allclose(frames.forces[1][0], [0, 0, 0.1 * HARTREE / BOHR])
    np.testing.assert_allclose(frames.stress[0], -GPA * VOIGT)
    assert frames.atoms[1].cell.lengths().tolist() == [8.0, 7.0, 7.0]
    assert frames.notes[0].startswith("CP2K's gas-pos-1.xyz, gas-frc-1.xyz, gas-1.cell, md.out were read together")


def test_runs_behind_one_another_and_a_step_that_was_cut_lose_nothing(run: Path) -> None:
    for name in ("gas-pos-1.xyz", "gas-frc-1.xyz"):
        text = (run / name).read_text()
        (run / name).write_text(text + text.replace("-19.5", "-19.3").replace("-19.6", "-19.4")[:-30])
    frames = read_frames([run])
    np.testing.assert_allclose(frames.energy / HARTREE, [-19.5, -19.6, -19.3])
    assert all(forces is not None for forces in frames.forces)
    assert "the file ends after" in frames.refused[0].reason


def test_the_cell_of_a_run_of_cp2k_comes_from_its_input_or_its_absence_is_told(run: Path) -> None:
    (run / "gas-1.cell").unlink()
    (run / "md.out").unlink()
    assert any("no cell was found" in note for note in read_frames([run]).notes)
    (run / "md.inp").write_text("&GLOBAL\n PROJECT gas\n&END\n &CELL\n  ABC 9.0 9.0 9.0\n &END CELL\n")
    frames = read_frames([run])
    assert frames.atoms[0].cell.lengths().tolist() == [9.0] * 3
    assert frames.stress[0] is None


def test_trajectories_of_cp2k_are_known_by_their_comments_whatever_they_are_called(tmp_path: Path) -> None:
    comment = 'Lattice="7 0 0 0 7 0 0 0 7" Properties=species:S:1:pos:R:3 Step=4 Time=2.0 Energy=-19.5'
    (tmp_path / "new.xyz").write_text(f"2\n{comment}\nN 1 1 1\nN 1 1 2.1\n")
    frames = read_frames([tmp_path / "new.xyz"])
    assert frames.energy.tolist() == [-19.5 * HARTREE]
    assert frames.atoms[0].cell.lengths().tolist() == [7.0] * 3
    forces = comment.replace("pos:R:3", "pos:R:3:forces:R:3")  # a file of the user's own, in eV
    (tmp_path / "own.xyz").write_text(f"2\n{forces}\nN 1 1 1 0 0 1\nN 1 1 2.1 0 0 -1\n")
    assert read_frames([tmp_path / "own.xyz"]).energy.tolist() == [-19.5]


def test_an_output_of_cp2k_is_read_by_itself_where_it_tells_positions(tmp_path: Path) -> None:
    path = tmp_path / "single.out"
    path.write_text(HEADER + CELL + output(-19.5, PLACES) + output(-19.6))
    frames = read_frames([path])
    assert frames.energy.tolist() == [-19.5 * HARTREE]
    np.testing.assert_allclose(frames.forces[0][1], [0, 0, -0.1 * HARTREE / BOHR])
    np.testing.assert_allclose(frames.stress[0], -GPA * VOIGT)
    assert "tells no positions" in frames.refused[0].reason


def deepmd(folder: Path, binary: bool) -> Path:
    """Write two frames of a periodic system of DeePMD-kit."""
    arrays = {
        "coord": np.array([[0, 0, 0, 0, 0, 1.7], [0, 0, 0, 0, 0, 1.8]]),
        "box": np.tile(np.eye(3).ravel() * 6.0, (2, 1)),
        "energy": np.array([-5.0, -5.5]),
        "force": np.array([[0, 0, 1, 0, 0, -1], [0, 0, 2, 0, 0, -2.0]]),
        "virial": np.tile(np.ravel(TENSOR), (2, 1)),
    }
    part = folder / "set.000" if binary else folder
    part.mkdir(parents=True)
    for name, values in arrays.items():
        np.save(part / f"{name}.npy", values) if binary else np.savetxt(part / f"{name}.raw", values)
    (folder / "type.raw").write_text("0\n1\n")
    (folder / "type_map.raw").write_text("Cu\nO\n")
    return folder


@pytest.mark.parametrize("binary", [True, False])
def test_a_folder_of_deepmd_is_read(tmp_path: Path, binary: bool) -> None:
    folder = deepmd(tmp_path / "system", binary)
    assert claims(tmp_path)
    frames = read_frames([tmp_path])
    assert frames.atoms[0].get_chemical_symbols() == ["Cu", "O"]
    assert frames.energy.tolist() == [-5.0, -5.5]
    assert frames.forces[1].tolist() == [[0, 0, 2], [0, 0, -2]]
    np.testing.assert_allclose(frames.stress[0], -VOIGT / 216.0)
    assert not any("ignored" in note for note in frames.notes)
    (folder / "type_map.raw").unlink()
    with pytest.raises(am.AmaltheaError, match=r"no type_map\.raw"):
        read_frames([folder])


def test_an_ml_ab_of_vasp_is_read_and_a_damaged_configuration_costs_no_other(tmp_path: Path) -> None:
    sections = {
        "System name": "oxide",
        "The number of atoms": "2",
        "Atom types and atom numbers": "Cu 1\nO 1",
        "Primitive lattice vectors (ang.)": "6 0 0\n0 6 0\n0 0 6",
        "Atomic positions (ang.)": "0 0 0\n0 0 1.7",
        "Total energy (eV)": "-5.0",
        "Forces (eV ang.^-1)": "0 0 1\n0 0 -1",
        "Stress (kbar)": f"XX YY ZZ\n{'-' * 50}\n3 2 1\n{'-' * 50}\nXY YZ ZX\n{'-' * 50}\n0.1 0.3 0.2",
    }
    body = "".join(f"{'=' * 50}\n  {title}\n{'-' * 50}\n{rows}\n" for title, rows in sections.items())
    block = f"{'*' * 50}\n  Configuration num.  1\n{body}"
    (tmp_path / "ML_AB").write_text(" 1.0 Version\n" + block + block.replace("-5.0", "*****") + block)
    frames = read_frames([tmp_path])
    assert frames.energy.tolist() == [-5.0, -5.0]
    assert frames.forces[0].tolist() == [[0, 0, 1], [0, 0, -1]]
    np.testing.assert_allclose(frames.stress[0], -KBAR * VOIGT)
    assert "configuration 2 cannot be read" in frames.refused[0].reason


def test_nested_json_as_in_mptrj_is_read(tmp_path: Path) -> None:
    structure = {
        "@module": "pymatgen.core.structure",
        "lattice": {"matrix": (6.0 * np.eye(3)).tolist()},
        "sites": [
            {"species": [{"element": "Cu", "occu": 1}], "abc": [0, 0, 0]},
            {"species": [{"element": "O", "occu": 1}], "abc": [0, 0, 0.3]},
        ],
    }
    record = {
        "structure": structure,
        "corrected_total_energy": -5.0,
        "energy_per_atom": -2.5,
        "force": [[0, 0, 1], [0, 0, -1]],
        "stress": TENSOR,
    }
    path = tmp_path / "mp.json"
    path.write_text(json.dumps({"mp-1": {"mp-1-0-0": record, "mp-1-0-1": {"structure": {}}}}))
    frames: Frames = read_frames([path])
    assert frames.energy.tolist() == [-5.0]
    np.testing.assert_allclose(frames.atoms[0].positions[1], [0, 0, 1.8])
    np.testing.assert_allclose(frames.stress[0], -KBAR * VOIGT)
    assert frames.info["name"].tolist() == ["mp-1-0-0"]
    assert "cannot be read" in frames.refused[0].reason


def test_pictures_beside_a_stray_file_stay_pictures_and_plots_beside_structures_plots(tmp_path: Path) -> None:
    (tmp_path / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (tmp_path / "data.traj").write_bytes(b"nothing")
    assert not claims(tmp_path)
    (tmp_path / "atoms.xyz").write_text("1\n\nAr 0 0 0\n")
    (tmp_path / "plot.png").write_bytes(b"")
    assert claims(tmp_path)
    for number in range(20):
        (tmp_path / f"cat.{number}.jpg").write_bytes(b"")
    assert not claims(tmp_path)


def test_what_a_program_needs_to_be_told_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASE_CONFIG_PATH", str(tmp_path / "none.ini"))
    with pytest.raises(am.AmaltheaError) as raised:
        am.label(bulk("Si"), calculator="espresso", output=tmp_path / "out.extxyz")
    for word in ("[espresso]", "pseudo_dir", "config.ini", "pseudopotentials=", "tprnfor", "kpts="):
        assert word in str(raised.value)
