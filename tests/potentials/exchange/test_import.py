"""A potential from n2p2's files answers what n2p2 answers, and claims to know nothing of its errors."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import ase
import ase.build
import numpy as np
import pytest

import amalthea as am
from amalthea.errors import DataError
from amalthea.potentials import n2p2
from amalthea.potentials.exchange import import_n2p2
from amalthea.potentials.n2p2.units import angstroms, electronvolts
from tests.potentials import written_formulas as formulas

DATA = Path(os.environ.get("AMALTHEA_DATA", "")) / "n2p2"
ATOMIC: dict[str, Any] = {"length_unit": "bohr", "energy_unit": "hartree"}
METRIC: dict[str, Any] = {"length_unit": "angstrom", "energy_unit": "ev"}

INPUT = """
number_of_elements 2
elements O H
atom_energy O -75.0
cutoff_type 6 0.25
{extra}
scale_max_short 2.0
global_hidden_layers_short 2
global_nodes_short 4 3
global_activation_short t p l
element_hidden_layers_short O 1
element_nodes_short O 5
element_activation_short O g l
symfunction_short O 2 H 0.4 1.1 6.0
symfunction_short H 9 O H 0.1 1.0 1.0 6.0
symfunction_short H 2 O 0.1 1.0 6.0
symfunction_short H 2 H 0.1 1.0 5.0
"""


def folder_with(path: Path, extra: str = "scale_symmetry_functions\ncenter_symmetry_functions") -> Path:
    """Return a folder with a potential of two elements and random weights."""
    random = np.random.default_rng(0)
    path.mkdir(exist_ok=True)
    (path / "input.nn").write_text(INPUT.format(extra=extra))
    rows = []
    for element, index in ((1, 1), (1, 2), (1, 3), (2, 1)):
        low, width = random.uniform(0.5, 1.5, size=2)
        rows.append(f"{element} {index} {low} {low + width} {low + 0.6 * width} {0.3 * width}")
    (path / "scaling.data").write_text("\n".join(rows) + "\n")
    for name, sizes in (("weights.001.data", (3, 4, 3, 1)), ("weights.008.data", (1, 5, 1))):
        count = sum((a + 1) * b for a, b in itertools.pairwise(sizes))
        (path / name).write_text("\n".join(map(str, random.normal(size=count))) + "\n")
    return path


def check_by_formula(folder: Path, units: dict[str, Any]) -> None:
    atoms = ase.build.molecule("H2O")
    atoms.rattle(0.05, seed=1)
    nothing = np.zeros((3, 3))
    frame = n2p2.Frame(tuple(atoms.symbols), atoms.positions, None, np.nan, nothing, np.zeros(3))
    energy, forces = formulas.Potential.read(folder, **units).energy_and_forces(frame)
    answer = import_n2p2(folder, **units).ready.committee.answer(atoms)
    np.testing.assert_allclose(answer.energy, [energy], rtol=1e-13)
    np.testing.assert_allclose(answer.forces[0], forces, rtol=0, atol=1e-11 * np.abs(forces).max())
    assert np.abs(forces).max() > 1e-3


@pytest.mark.parametrize(
    "extra",
    [
        "",
        "scale_symmetry_functions",
        "center_symmetry_functions",
        "scale_symmetry_functions\ncenter_symmetry_functions",
        "scale_symmetry_functions_sigma\nscale_min_short -1.0",
        "scale_symmetry_functions\nnormalize_nodes",
        "mean_energy -0.3\nconv_energy 85.0\nconv_length 22.8",
    ],
)
def test_what_input_nn_can_say(extra: str, tmp_path: Path) -> None:
    check_by_formula(folder_with(tmp_path / "water", extra), METRIC)


def test_units_are_those_that_are_asked_for(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "water")
    check_by_formula(folder, ATOMIC)
    metric, atomic = import_n2p2(folder, **METRIC), import_n2p2(folder)
    atoms = ase.build.molecule("H2O")
    larger = atoms.copy()
    larger.positions *= angstroms("bohr")
    one, other = metric.ready.committee.answer(atoms), atomic.ready.committee.answer(larger)
    np.testing.assert_allclose(one.energy * electronvolts("hartree"), other.energy, rtol=1e-12)
    assert atomic.ready.committee.cutoff == pytest.approx(6 * 0.529177210903, rel=1e-10)  # CODATA 2018
    assert electronvolts("hartree") == pytest.approx(27.211386245988, rel=1e-10)


@pytest.mark.skipif("AMALTHEA_DATA" not in os.environ, reason="AMALTHEA_DATA is not set: n2p2 is not at hand")
@pytest.mark.parametrize(("name", "chosen"), [("silicon", range(0, 8, 2)), ("water", range(1, 4))])
def test_what_n2p2_answers(name: str, chosen: range, tmp_path: Path) -> None:
    import_n2p2(DATA / name).save(tmp_path / "model.amalthea")
    opened = am.load_model(tmp_path / "model.amalthea")
    energies = np.loadtxt(DATA / name / "expected_energies.csv", delimiter=",", skiprows=1)[:, 2]
    forces = np.loadtxt(DATA / name / "expected_forces.csv", delimiter=",", skiprows=1)
    frames = list(n2p2.read_structures(DATA / name / "input.data", **ATOMIC))
    every = [f for f in frames if isinstance(f, n2p2.Frame)]
    some = [ase.Atoms(f.symbols, f.positions, cell=f.cell, pbc=f.cell is not None) for f in every]
    answer = opened.predict([some[index] for index in chosen])
    for index, energy, force in zip(chosen, answer.mean, answer.forces, strict=True):
        assert f"{energy / electronvolts('hartree'):.8E}" == f"{energies[index]:.8E}"
        wanted = forces[forces[:, 0] == index, 2]
        digits = 0.5001e-8 * 10 ** np.floor(np.log10(np.abs(wanted)))
        answered = force.ravel() * angstroms("bohr") / electronvolts("hartree")
        np.testing.assert_array_less(np.abs(answered - wanted), np.maximum(digits, 1e-14))


def test_it_is_saved_and_opened_and_claims_nothing(tmp_path: Path) -> None:
    made = import_n2p2(folder_with(tmp_path / "water"))
    made.save(tmp_path / "water.amalthea")
    opened = am.load_model(tmp_path / "water.amalthea")
    asked = [ase.build.molecule("H2O"), ase.build.molecule("CH4")]
    before, after = made.predict(asked), opened.predict(asked)
    assert after.mean[0] == before.mean[0]
    np.testing.assert_array_equal(after.forces[0], before.forces[0])
    assert np.isfinite(after.mean[0])
    assert np.isnan(after.std).all()
    assert np.isnan(after.applicability).all()
    assert (after.lower, after.forces_std[0]) == (None, None)
    assert "does not know C" in after.problems[1]
    assert "extrapolates" in after.warnings[0]  # the ranges in scaling.data are arbitrary
    assert "trained elsewhere" in str(opened.validation)
    assert "bohr" in opened.provenance.notes[0]
    assert "CODATA 2018" in opened.provenance.notes[0]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nnp_type 4G-HDNNP", r"line 6: nnp_type 4G-HDNNP has charges"),
        ("nnp_type 3", r"nnp_type 3 has charges"),
        ("use_electrostatics", r"line 6: 'use_electrostatics' adds energies"),
        ("element_activation_short H t p t", r"H's network is not linear"),
        ("element_activation_short H t X l", r"'X' is no activation"),
        ("symfunction_short H 23 0.5 5.0 p1", r"type 23"),
    ],
)
def test_what_is_not_known_here_is_said(line: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=complaint):
        import_n2p2(folder_with(tmp_path / "water", line))


def test_a_potential_of_the_second_generation_says_so(tmp_path: Path) -> None:
    assert import_n2p2(folder_with(tmp_path / "water", "nnp_type 2G-HDNNP")).ready.committee.elements == ("H", "O")


def test_files_that_are_not_there_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        import_n2p2(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has no input\.nn"):
        import_n2p2(tmp_path)
    folder = folder_with(tmp_path / "member_0")
    with pytest.raises(DataError, match=r"several potentials.*member_0"):
        import_n2p2(tmp_path)
    weights = (folder / "weights.001.data").read_text().splitlines()
    (folder / "weights.001.data").write_text("\n".join(["nan", *weights[1:]]))
    with pytest.raises(DataError, match=r"not finite \(element_H/hidden_1"):
        import_n2p2(folder)
    (folder / "weights.001.data").write_text("\n".join(weights[1:]))
    with pytest.raises(DataError, match="incomplete"):
        import_n2p2(folder)
    (folder / "weights.001.data").unlink()
    with pytest.raises(DataError, match=r"weights\.001\.data"):
        import_n2p2(folder)
