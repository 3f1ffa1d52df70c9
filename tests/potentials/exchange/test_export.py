"""A potential in n2p2's files is the member that it was: for n2p2's formulas, and for us when we read it again."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials import n2p2
from amalthea.potentials.exchange import export_n2p2, import_n2p2
from amalthea.potentials.symmetry_functions.functions import Cutoff, Radial
from tests.potentials import written_formulas as formulas
from tests.potentials.exchange.potentials import ENDS, WATER, potential, structures

METRIC: dict[str, Any] = {"length_unit": "angstrom", "energy_unit": "ev"}


def check_by_formula(folder: Path, made: Any, member: int, atoms: Any) -> None:
    """Compare an exported member, by n2p2's formulas, to what its potential says."""
    cell = atoms.cell.array if atoms.pbc.all() else None
    frame = n2p2.Frame(tuple(atoms.symbols), atoms.positions, cell, np.nan, atoms.positions, np.zeros(len(atoms)))
    energy, forces = formulas.Potential.read(folder, **METRIC).energy_and_forces(frame)
    answer = made.ready.committee.answer(atoms)
    np.testing.assert_allclose(energy, answer.energy[member], rtol=0, atol=1e-10)
    np.testing.assert_allclose(forces, answer.forces[member], rtol=0, atol=1e-10)


def check_again(folder: Path, made: Any, member: int) -> None:
    """Compare an exported member, imported again, to what its potential says."""
    again = import_n2p2(folder, **METRIC)
    for atoms in structures():
        answer, read = made.ready.committee.answer(atoms), again.ready.committee.answer(atoms)
        np.testing.assert_allclose(read.energies[0], answer.energies[member], rtol=0, atol=1e-10)
        np.testing.assert_allclose(read.forces[0], answer.forces[member], rtol=0, atol=1e-10)
        np.testing.assert_allclose(read.stress[0], answer.stress[member], rtol=0, atol=1e-10)
        assert np.abs(answer.forces[member]).max() > 0.01


def test_every_member_is_what_it_was(tmp_path: Path) -> None:
    made = potential()
    written = export_n2p2(made, tmp_path / "water")
    assert [one.member for one in written] == [0, 1, 2]
    for one in written:
        check_again(one.folder, made, one.member)
    check_by_formula(written[1].folder, made, 1, structures()[1])


def test_networks_of_their_own_for_each_element(tmp_path: Path) -> None:
    made = potential(
        {"O": ["tanh", "cos"], "H": ["gaussian"]}, hidden={"O": (4, 3), "H": (5,)}, members=1, examples=False
    )
    (written,) = export_n2p2(made, tmp_path / "water")
    check_again(written.folder, made, 0)
    check_by_formula(written.folder, made, 0, structures()[0])


@pytest.mark.parametrize(
    "activation", ["linear", "sigmoid", "relu", "exp", "square", "reversed_sigmoid", "tanh", "gaussian"]
)
def test_activations_of_n2p2(activation: str, tmp_path: Path) -> None:
    made = potential(activation, hidden=(3,), members=1)
    (written,) = export_n2p2(made, tmp_path / "water")
    check_again(written.folder, made, 0)


def test_an_activation_that_n2p2_lacks_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no activation function 'silu', only .*softplus"):
        export_n2p2(potential("silu"), tmp_path / "water")
    assert not list(tmp_path.iterdir())


def test_cutoffs_of_two_kinds_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    functions = {"H": (Radial("H", 0.1, 0.0, ENDS), Radial("O", 0.1, 0.0, Cutoff(4.0))), "O": WATER["O"]}
    with pytest.raises(DataError, match="2 kinds"):
        export_n2p2(potential(functions=functions), tmp_path / "water")
    assert not list(tmp_path.iterdir())


def test_ranges_of_training_become_those_of_scaling_data(tmp_path: Path) -> None:
    made = potential(members=1)
    (written,) = export_n2p2(made, tmp_path / "water")
    again = import_n2p2(written.folder, **METRIC)
    squeezed = structures()[1]
    squeezed.set_cell(squeezed.cell.array * 0.8, scale_atoms=True)
    before, after = (made.predict([squeezed]).extrapolation[0], again.predict([squeezed]).extrapolation[0])
    assert before is not None
    assert after == before
    assert again.predict(structures()).extrapolation == [None, None]


def test_how_far_a_member_is_from_the_mean(tmp_path: Path) -> None:
    made = potential()
    written = export_n2p2(made, tmp_path / "water", [2])
    energies, forces = [], []
    for atoms in structures():
        answer = made.ready.committee.answer(atoms)
        energies.append((answer.energy[2] - answer.energy.mean()) / len(atoms))
        forces.append((answer.forces[2] - answer.forces.mean(axis=0)).ravel())
    assert written[0].energy == pytest.approx(np.sqrt(np.mean(np.square(energies))), rel=1e-12)
    assert written[0].forces == pytest.approx(np.sqrt(np.mean(np.square(np.concatenate(forces)))), rel=1e-12)
    assert (written[0].structures, written[0].members) == (2, 3)
    assert f"{written[0].forces:.3g} eV/Å (RMS) from the mean over all 3 members, on 2 structures" in str(written[0])
    alone = export_n2p2(made, tmp_path / "alone", [2], structures()[:1])[0]
    assert alone.structures == 1
    assert alone.energy == pytest.approx(abs(energies[0]), rel=1e-12)


def test_without_structures_no_distance_is_told(tmp_path: Path) -> None:
    (written,) = export_n2p2(potential(members=2, examples=False), tmp_path / "water", [1])
    assert np.isnan([written.energy, written.forces]).all()
    assert "no structures to compare" in str(written)
    assert not (written.folder / "structure.data").exists()
    assert "Give a structure of your own, with the types H O" in (written.folder / "in.lammps").read_text()


def test_a_member_that_was_left_out_is_not_exported(tmp_path: Path) -> None:
    made = potential(left_out=(1,))
    with pytest.raises(DataError, match="no member 1: the members are 0, 2"):
        export_n2p2(made, tmp_path / "water", [1])
    written = export_n2p2(made, tmp_path / "water")
    assert [one.member for one in written] == [0, 2]
    check_again(written[1].folder, made, 1)  # the committee counts those that answer


def test_an_older_export_is_not_mixed_with_a_new_one(tmp_path: Path) -> None:
    made = potential(members=1)
    export_n2p2(made, tmp_path / "water")
    before = (tmp_path / "water" / "member_0" / "input.nn").stat()
    with pytest.raises(DataError, match="no empty folder"):
        export_n2p2(made, tmp_path / "water")
    assert (tmp_path / "water" / "member_0" / "input.nn").stat() == before
    (tmp_path / "empty").mkdir()
    export_n2p2(made, tmp_path / "empty")
    assert (tmp_path / "empty" / "member_0" / "input.nn").exists()
    with pytest.raises(DataError, match="There is no folder"):
        export_n2p2(made, tmp_path / "nowhere" / "water")


def test_only_potentials_are_exported(tmp_path: Path) -> None:
    model: Any = object()
    with pytest.raises(AmaltheaError, match="is no potential: it knows object"):
        export_n2p2(model, tmp_path / "water")


def test_the_input_of_lammps(tmp_path: Path) -> None:
    third = Cutoff(4.0000004 + 1e-9, "poly2", 0.1)
    functions = {
        element: tuple(dataclasses.replace(function, cutoff=third) for function in several)
        for element, several in WATER.items()
    }
    (written,) = export_n2p2(potential(functions=functions, members=1), tmp_path / "water")
    text = (written.folder / "in.lammps").read_text()
    (cutoff,) = re.findall(r"pair_style +hdnnp (\S+) ", text)
    assert third.radius <= float(cutoff) < third.radius + 2e-6  # LAMMPS refuses a smaller one
    assert re.search(r"^pair_coeff +\* \* H O$", text, re.MULTILINE)
    assert re.search(r"^units +metal$", text, re.MULTILINE)
    assert "cflength 1.0 cfenergy 1.0" in text
    data = (written.folder / "structure.data").read_text()
    assert re.search(r"^6 atoms$", data, re.MULTILINE)
    assert re.search(r"^2 atom types$", data, re.MULTILINE)
