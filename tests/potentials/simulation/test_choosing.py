"""Which structures are chosen for reference calculations, and how these are run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import read, write
from ase.units import Hartree

from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.simulation.label import label
from amalthea.potentials.simulation.labelled_file import structure_key
from amalthea.potentials.simulation.select import farthest, select


def crystals(number: int, seed: int = 0) -> list[Any]:
    images = []
    for index in range(number):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.01 + 0.02 * index, seed=seed + index)
        images.append(atoms)
    return images


def test_chooses_the_least_certain_that_differ(copper: Any) -> None:
    structures = crystals(12)
    chosen = select(copper, [*structures, structures[-1], structures[-1]], number=3, verbose=0)
    assert chosen.rows[0] == np.nanargmax(chosen.uncertainty)
    assert len({*chosen.rows} & {11, 12, 13}) == 1  # the copies count once
    assert len(chosen.rows) == 3
    everyone = select(copper, [structures[0]] * 4, number=3, verbose=0)
    assert everyone.rows.tolist() == [0]


def test_what_cannot_be_looked_at_is_told(copper: Any) -> None:
    strange = bulk("Ni", cubic=True)
    chosen = select(copper, [strange, *crystals(2)], number=5, verbose=0)
    assert sorted(chosen.rows) == [1, 2]
    assert "does not know Ni" in chosen.problems[0]
    with pytest.raises(DataError, match="none of 1 structures"):
        select(copper, [strange], verbose=0)
    with pytest.raises(AmaltheaError, match="At least one"):
        select(copper, crystals(1), number=0)


def test_what_is_read_is_written_beside_and_the_next_command_is_quoted(
    copper: Any, metal: Path, tmp_path: Path
) -> None:
    path = tmp_path / "two melts; hot.extxyz"
    write(path, crystals(4))
    chosen = select(metal, path, number=2, verbose=0)
    assert chosen.output == tmp_path / "two melts; hot-selected.extxyz"
    frames = read(chosen.output, ":")
    assert [frame.info["frame"] for frame in frames] == [chosen.frames.frame[row] for row in chosen.rows]
    assert str(chosen).splitlines()[-1] == f"  amalthea label '{chosen.output}' --calculator NAME"
    in_memory = select(copper, crystals(4), number=2, verbose=0)
    assert in_memory.output is None
    np.testing.assert_array_equal(in_memory.rows, chosen.rows)
    with pytest.raises(AmaltheaError, match="would be replaced"):
        select(metal, path, output=path, verbose=0)


def test_labels_need_a_name_to_be_written_under() -> None:
    with pytest.raises(AmaltheaError, match="output="):
        label(crystals(1), calculator="emt", verbose=0)
    with pytest.raises(AmaltheaError, match="jobs=0"):
        label(crystals(1), calculator="emt", output="labelled.extxyz", jobs=0, verbose=0)


def test_farthest_points_spread_out() -> None:
    points = np.random.default_rng(0).uniform(size=(200, 2))
    taken = points[farthest(points, 9)]
    apart = np.linalg.norm(taken[:, None] - taken, axis=2)[~np.eye(9, dtype=bool)].min()
    assert apart > 0.25  # nine of a grid of 3 x 3 are 0.5 apart, nine by chance some 0.05


@pytest.mark.parametrize("jobs", [1, 2])
def test_labels_are_the_calculator_s(jobs: int, tmp_path: Path) -> None:
    structures = crystals(4)
    labelled = label(structures, calculator="emt", output=tmp_path / "labelled.extxyz", jobs=jobs, verbose=0)
    frames = read(tmp_path / "labelled.extxyz", ":")
    assert (labelled.done, labelled.before, labelled.failures) == (4, 0, ())
    for frame, atoms in zip(frames, structures, strict=True):
        atoms.calc = EMT()
        assert frame.get_potential_energy() == pytest.approx(atoms.get_potential_energy())
        np.testing.assert_allclose(frame.get_forces(), atoms.get_forces(), atol=1e-7)
        np.testing.assert_allclose(frame.get_stress(), atoms.get_stress(), atol=1e-7)


BY_FILES = '''
import time
from pathlib import Path
from ase.calculators.calculator import Calculator, all_changes

class ByFiles(Calculator):
    """Writes its input where it stands, as CP2K's shell does, and reads it a little later."""
    implemented_properties = ["energy", "forces"]
    default_parameters = {"table": "", "scale": 1.0}

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        Path("input.txt").write_text(str(float(atoms.positions.sum())))
        time.sleep(0.05)
        factor = float(Path(self.parameters.table).read_text())
        energy = factor * float(Path("input.txt").read_text())
        self.results = {"energy": energy, "forces": 0 * atoms.positions}
'''


@pytest.mark.parametrize("jobs", [1, 8])
def test_no_label_is_another_structure_s(jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of calculators that write where the process stands; and nothing of theirs is left in the user's folder."""
    monkeypatch.chdir(tmp_path)
    Path("by_files.py").write_text(BY_FILES)
    Path("factor.txt").write_text("2.0")
    structures = [Atoms("Ar", [[0.1 * number, 0, 0]]) for number in range(24)]
    options = {"table": "factor.txt"}
    labelled = label(
        structures, calculator="by_files:ByFiles", option=options, output="labelled.extxyz", jobs=jobs, verbose=0
    )
    assert labelled.failures == ()
    frames = read("labelled.extxyz", ":")
    assert [frame.get_potential_energy() for frame in frames] == pytest.approx([0.2 * n for n in range(24)])
    assert {frame.info["reference_method"] for frame in frames} == {"by_files:ByFiles table=factor.txt"}
    left = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}
    assert left == {"by_files.py", "factor.txt", "labelled.extxyz"}


def test_goes_on_and_tells_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, structures = tmp_path / "labelled.extxyz", crystals(3)
    label(structures[1:2], calculator="emt", output=output, jobs=1, verbose=0)
    with output.open("a") as stream:
        stream.write('4\nLattice="3.6 0 0 0 3.6 0 0 0 3.6" Properties=species:S:1:pos:R:3\nCu 0 0 0\nC')
    computed = []
    monkeypatch.setattr(EMT, "get_potential_energy", lambda *_, **__: computed.append(1) or 1.0)
    everything = [structures[0], structures[1], Atoms("Fe2", [[0, 0, 0], [2, 0, 0]]), structures[2], structures[0]]
    labelled = label(everything, calculator="emt", output=output, jobs=1, verbose=0)
    assert (labelled.done, labelled.before) == (3, 1)
    assert [failure.row for failure in labelled.failures] == [3]
    assert len(computed) == 3  # the one that was there and the copy were not
    keys = [frame.info["structure_key"] for frame in read(output, ":")]
    assert keys == [structure_key(atoms) for atoms in structures]


@pytest.mark.parametrize("copies", [1, 3])
def test_what_was_labelled_before_is_kept_to_the_last_digit(copies: int, tmp_path: Path) -> None:
    """Also where there are more than nine atoms."""
    structures = [atoms * (copies, 1, 1) for atoms in crystals(3)]
    quick: dict[str, Any] = {"calculator": "emt", "jobs": 1, "verbose": 0}
    label(structures, output=tmp_path / "whole.extxyz", **quick)
    label(structures[:2], output=tmp_path / "later.extxyz", **quick)
    labelled = label(structures, output=tmp_path / "later.extxyz", **quick)
    assert (labelled.done, labelled.before) == (3, 2)
    again = label(structures, output=tmp_path / "later.extxyz", **quick)
    assert (again.done, again.before) == (3, 3)
    assert (tmp_path / "later.extxyz").read_bytes() == (tmp_path / "whole.extxyz").read_bytes()


def test_no_file_of_others_is_touched(tmp_path: Path) -> None:
    output = tmp_path / "labelled.extxyz"
    for content in ("a letter\n", "1\nenergy=-0.1\nAr 0 0 0\n"):
        output.write_text(content)
        with pytest.raises(AmaltheaError, match="Give another name"):
            label(crystals(1), calculator="emt", output=output, verbose=0)
        assert output.read_text() == content
    output.unlink()
    label(crystals(1), calculator="emt", output=output, verbose=0)
    with pytest.raises(AmaltheaError, match="not labelled with lj"):
        label(crystals(1), calculator="lj", output=output, verbose=0)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("emtt", {}, "no calculator that is called emtt"),
        ("espresso", {"nonsense": 1}, "espresso cannot be set up"),
        ("no:C", {}, "No module named 'no'"),
    ],
)
def test_calculators_that_are_none(name: str, options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(AmaltheaError, match=words):
        label(crystals(1), calculator=name, option=options, output=tmp_path / "labelled.extxyz", verbose=0)
    assert not list(tmp_path.iterdir())


def test_tight_binding(tmp_path: Path) -> None:
    pytest.importorskip("tblite")
    water = Atoms("OH2", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    label(water, output=tmp_path / "labelled.extxyz", verbose=0)
    assert read(tmp_path / "labelled.extxyz").get_potential_energy() == pytest.approx(-5.0703 * Hartree, abs=0.02)
