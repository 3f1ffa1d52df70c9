"""Atomic structures on the command line, in a folder with a space: trained, judged, predicted as extended XYZ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from amalthea.potentials.n2p2 import Frame, write_structures
from tests.cli.conftest import Amalthea
from tests.potentials.alloys import cell, cluster, frames, labelled
from tests.potentials.test_workflow import LIST

QUICK = (
    "--folds",
    "2",
    "--members",
    "2",
    "--epochs",
    "1",
    "--optimizer",
    "adam",
    "--symmetry-functions",
    "own list.nn",
)
UNITS = ("--length-unit", "angstrom", "--energy-unit", "eV")


@pytest.fixture(scope="session")
def model(amalthea: Amalthea) -> Amalthea:
    """Return the command line in a folder with runs of a trajectory each, and a potential trained on them."""
    folder = amalthea.folder
    (folder / "own list.nn").write_text(LIST)
    images = frames(16)
    for run in range(4):
        ase.io.write(folder / f"run {run}.extxyz", images[4 * run : 4 * run + 4])
    runs = [f"run {run}.extxyz" for run in range(4)]
    words = ("--group", "trajectory", "--out-of-fold", "held.csv", "-o", "emt.amalthea", "--json", *UNITS)
    (folder / "trained.json").write_text(amalthea("train", *runs, *words, *QUICK).stdout)
    return amalthea


def test_trained_on_several_files_by_trajectory(model: Amalthea) -> None:
    printed = json.loads((model.folder / "trained.json").read_text())
    assert (printed["task"], printed["examples"], printed["folds"]) == ("potential", 16, 2)
    names = {"energy_mae", "energy_rmse", "force_mae", "force_rmse", "stress_mae"}
    assert set(printed["metrics"]) == names
    assert printed["calibration"]["coverage_90"] is None  # eight residuals of the other fold are too few
    held = pd.read_csv(model.folder / "held.csv")
    assert list(held.columns[:10]) == [
        *("row", "fold", "target", "prediction", "std", "lower", "upper", "applicability", "warning", "problem")
    ]
    assert (held.groupby("file")["fold"].nunique() == 1).all()
    errors = 1000 * (held["prediction"] - held["target"]).abs() / held["atoms"]
    assert printed["metrics"]["energy_mae"]["value"] == pytest.approx(errors.mean(), rel=1e-5)


def test_evaluated(model: Amalthea) -> None:
    ase.io.write(model.folder / "new.extxyz", [labelled(cluster(6, "CuAl", 90)), labelled(cell("Cu", 91))])
    printed = json.loads(model("evaluate", "emt.amalthea", "new.extxyz", "--json").stdout)
    assert (printed["examples"], printed["trained_on"]) == (2, 0)
    assert set(printed["metrics"]) == {"energy_mae", "energy_rmse", "force_mae", "force_rmse", "stress_mae"}
    assert "training examples" in model("evaluate", "emt.amalthea", "run 1.extxyz").stderr


def test_predicted_as_structures(model: Amalthea) -> None:
    slab = cell("Cu", 92)
    slab.pbc = (True, True, False)
    squeezed = cell("Cu", 3)
    squeezed.set_cell(0.9 * squeezed.cell.array, scale_atoms=True)
    given = [labelled(cluster(6, "CuAl", 90)), labelled(cell("Cu", 91)), slab, Atoms("CuO", [[0, 0, 0], [0, 0, 1.9]])]
    given[0].info["name"] = 'a "quoted" name = 1'
    ase.io.write(model.folder / "first.extxyz", given)
    ase.io.write(model.folder / "second.xyz", squeezed, format="extxyz")
    with (model.folder / "first.extxyz").open("a") as stream:
        stream.write("2\n\nCu 0 0 0\nCu 0 0 0.1\n3\n\nCu 0 0\n")
    run = model("predict", "emt.amalthea", "first.extxyz", "second.xyz", "-o", "out put.extxyz", "--json")
    printed = json.loads(run.stdout)
    assert (printed["rows"], printed["predicted"], printed["problems"]) == (7, 4, 3)
    assert printed["warnings"] >= 1
    assert "first.extxyz, frame 5: atoms 1 (Cu) and 2 (Cu) are 0.100 Å apart" in run.stderr
    assert "first.extxyz, frame 6:" in run.stderr
    out: Any = ase.io.read(model.folder / "out put.extxyz", index=":")
    assert [(atoms.info["file"], atoms.info["frame"]) for atoms in out] == [
        *(("first.extxyz", number) for number in (1, 2, 3, 4)),
        ("second.xyz", 1),
    ]
    for number in (0, 1):
        assert out[number].info["reference_energy"] == pytest.approx(given[number].get_potential_energy())
        np.testing.assert_allclose(out[number].arrays["reference_forces"], given[number].get_forces(), atol=1e-7)
        assert out[number].get_potential_energy() != pytest.approx(given[number].get_potential_energy(), abs=1e-9)
        assert np.abs(out[number].get_forces() - given[number].get_forces()).max() > 1e-6
    for atoms in (*out[:3], out[4]):
        assert atoms.arrays["forces_std"].shape == (len(atoms),)
        assert (atoms.arrays["forces_std"] > 0).all()
        assert atoms.info["energy_std"] > 0
        assert atoms.info["energy_lower"] < atoms.get_potential_energy() < atoms.info["energy_upper"]
    assert out[1].get_stress().shape == (6,)
    assert "stress" not in out[2].calc.results
    assert out[3].calc is None
    assert "does not know O" in out[3].info["problem"]
    assert "(Cu), G" in out[4].info["warning"]
    assert out[4].info["extrapolation"] > 0.1
    assert out[0].info["name"] == 'a "quoted" name = 1'


def test_predicted_again_and_as_a_table(model: Amalthea) -> None:
    """What was predicted is read again like any other file; a .csv gets the columns of every table."""
    model("predict", "emt.amalthea", "run 0.extxyz", "run 1.extxyz", "-o", "once.extxyz")
    model("predict", "emt.amalthea", "once.extxyz", "-o", "twice.extxyz")
    once, twice = (ase.io.read(model.folder / name, index=":") for name in ("once.extxyz", "twice.extxyz"))
    for some, others in zip(once, twice, strict=True):
        assert others.get_potential_energy() == pytest.approx(some.get_potential_energy(), abs=1e-6)
        assert others.info["reference_energy"] == some.info["reference_energy"]
    model("predict", "emt.amalthea", "run 0.extxyz", "run 1.extxyz", "-o", "table.csv")
    table = pd.read_csv(model.folder / "table.csv", keep_default_na=False)
    assert list(table.columns[2:]) == ["prediction", "std", "lower", "upper", "applicability", "warning", "problem"]
    np.testing.assert_allclose(table["prediction"], [atoms.get_potential_energy() for atoms in once], atol=1e-6)


def test_units_of_n2p2_are_those_of_the_training(model: Amalthea) -> None:
    atoms = cluster(6, "CuAl", 93)
    known = Frame(tuple(atoms.get_chemical_symbols()), atoms.positions, None, -1.0, np.zeros((6, 3)), np.zeros(6))
    write_structures(model.folder / "input.data", [known], length_unit="angstrom", energy_unit="ev")
    ase.io.write(model.folder / "same.extxyz", atoms)
    energies = []
    for name in ("input.data", "same.extxyz"):
        model("predict", "emt.amalthea", name, "-o", "answer.extxyz")
        energies.append(ase.io.read(model.folder / "answer.extxyz").get_potential_energy())  # type: ignore[union-attr]
    assert energies[0] == pytest.approx(energies[1], abs=1e-6)


def with_labels(atoms: Any, **labels: Any) -> Any:
    atoms.calc = SinglePointCalculator(atoms, **labels)
    return atoms


def test_bad_frames_are_named_and_the_others_learned_from(model: Amalthea) -> None:
    images = frames(12)
    forces = images[0].get_forces()
    forces[1, 2] = np.nan
    with_labels(images[0], energy=images[0].get_potential_energy(), forces=forces)
    with_labels(images[1], energy=images[1].get_potential_energy())
    with_labels(images[2], forces=images[2].get_forces())
    images[4].pbc = (True, False, False)
    images[4].cell = [20.0, 0, 0]
    no_volume = Atoms("Cu2", [[0, 0, 0], [0, 0, 2.4]], cell=[[9, 0, 0], [0, 9, 0], [9, 9, 0]], pbc=True)
    close = Atoms("Cu2", [[0, 0, 0], [0, 0, 0.1]])
    hartree = with_labels(cluster(9, "Cu", 94), energy=9 * 27.2114 * -130.0, forces=np.zeros((9, 3)))
    bad = [with_labels(atoms, energy=0.1, forces=np.zeros((2, 3))) for atoms in (no_volume, close)]
    ase.io.write(model.folder / "bad.extxyz", [*images, *bad, cluster(5, "Cu", 95), hartree])
    with (model.folder / "bad.extxyz").open("a") as stream:
        stream.write("3\nProperties=species:S:1:pos:R:3 energy=1.0\nCu 0 0 0\nCu 0 0 ")
    run = model("train", "bad.extxyz", "--json", *QUICK, *UNITS)
    printed = json.loads(run.stdout)
    assert printed["examples"] == 12
    reasons = {refusal["example"]: refusal["reason"] for refusal in printed["refused"]}
    assert "no volume" in reasons["bad.extxyz, frame 13"]
    assert "0.100 Å apart" in reasons["bad.extxyz, frame 14"]
    assert "no energy and no forces" in reasons["bad.extxyz, frame 15"]
    assert "bad.extxyz, frame 16" in reasons
    assert "ends after 2 of its 3 atoms" in reasons["bad.extxyz, frame 17"]
    assert "not finite" in run.stderr
    assert "Forces: 'forces' in 10 frames" in run.stderr
    assert model("train", "bad.extxyz", "--strict", *QUICK, code=2).stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("train", "run 0.extxyz", "--group", "colour"), "--group colour: no such column"),
        (("train", "run 0.extxyz", "--folds", "9"), "folds"),
        (("train", "nowhere.extxyz"), "nowhere.extxyz"),
        (("train", "empty.extxyz"), "empty.extxyz"),
        (("train", "run 0.extxyz", "numbers.csv"), "several files"),
        (("train", "run 0.extxyz", "--symmetry-functions", "nowhere.nn"), "nowhere.nn"),
        (("train", "run 0.extxyz", "--features", "morgan", "--symmetry-functions", "own list.nn"), "not both"),
        (("evaluate", "emt.amalthea", "numbers.csv"), "no atomic structures"),
        (("predict", "emt.amalthea", "numbers.csv", "-o", "no.extxyz"), "numbers.csv"),
        (("predict", "emt.amalthea", "nowhere.extxyz", "-o", "no.extxyz"), "nowhere.extxyz"),
        (("predict", "emt.amalthea", "run 0.extxyz", "-o", "run 0.extxyz"), "would be replaced"),
    ],
)
def test_mistakes_are_told_in_a_sentence(model: Amalthea, words: tuple[str, ...], printed: str) -> None:
    (model.folder / "empty.extxyz").write_text("")
    run = model(*words, code=2)
    assert printed in run.stderr
    assert "Traceback" not in run.stderr
    assert not Path(model.folder / "no.extxyz").exists()
