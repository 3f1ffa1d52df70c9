"""n2p2's files: what n2p2 answers, what is written is read again, and what cannot be used is said."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from amalthea.datasets.dataset import Refusal
from amalthea.errors import DataError
from amalthea.potentials import n2p2
from amalthea.potentials.n2p2.units import angstroms, electronvolts, text
from amalthea.potentials.symmetry_functions.functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Cutoff,
    Radial,
    WeightedAngular,
    WeightedRadial,
)
from tests.potentials.written_formulas import Potential

DATA = Path(os.environ.get("AMALTHEA_DATA", "")) / "n2p2"
needs_data = pytest.mark.skipif(
    "AMALTHEA_DATA" not in os.environ, reason="AMALTHEA_DATA is not set: n2p2 is not at hand"
)
ATOMIC: dict[str, Any] = {"length_unit": "bohr", "energy_unit": "hartree"}
METRIC: dict[str, Any] = {"length_unit": "angstrom", "energy_unit": "ev"}

INPUT = """
# a potential
number_of_elements 2
elements O H   # sorted by number
atom_energy O -75.0
cutoff_type 6 0.25
scale_symmetry_functions
center_symmetry_functions
scale_max_short 2.0
global_hidden_layers_short 3
global_nodes_short 20 15 10
global_activation_short t s p l
element_nodes_short O 12 11 10
element_activation_short O g c r h
epochs 10
symfunction_short O 12 0.1 1.0 6.0
symfunction_short H 9 O H 0.1 1.0 1.0 6.0
symfunction_short H 2 O 0.1 1.0 6.0
symfunction_short O 22 H O 0.5 5.0 40.0 170.0 p2
symfunction_short O 21 H H 0.5 5.0 40.0 170.0 ea
symfunction_short O 13 0.1 1.0 -1.0 4.0 6.0
symfunction_short H 3 O O 0.1 -1.0 16.0 6.0 0.5
symfunction_short H 20 O -1.0 5.0 e
symfunction_short H 2 O 0.1 1.0 5.0
"""


def written(folder: Path, content: str, name: str = "input.nn") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def frames(path: Path, **units: Any) -> list[n2p2.Frame]:
    read = list(n2p2.read_structures(path, **units))
    assert not [one for one in read if isinstance(one, Refusal)]
    return [one for one in read if isinstance(one, n2p2.Frame)]


def check_against_n2p2(name: str, chosen: slice) -> None:
    """Compare energies and forces, in hartree and bohr, to all nine digits, rounding where forces cancel aside."""
    potential = Potential.read(DATA / name, **ATOMIC)
    energies = np.loadtxt(DATA / name / "expected_energies.csv", delimiter=",", skiprows=1)[:, 2]
    forces = np.loadtxt(DATA / name / "expected_forces.csv", delimiter=",", skiprows=1)
    all_frames = frames(DATA / name / "input.data", **ATOMIC)
    assert len(all_frames) == len(energies)
    for index in range(len(all_frames))[chosen]:
        energy, force = potential.energy_and_forces(all_frames[index], own_images=False)
        assert f"{energy / electronvolts('hartree'):.8E}" == f"{energies[index]:.8E}"
        wanted = forces[forces[:, 0] == index, 2]
        digits = 0.5001e-8 * 10 ** np.floor(np.log10(np.abs(wanted)))
        answered = force.ravel() * angstroms("bohr") / electronvolts("hartree")
        np.testing.assert_array_less(np.abs(answered - wanted), np.maximum(digits, 1e-14))


@needs_data
def test_energy_and_forces_of_n2p2_in_a_cell_smaller_than_the_cutoff() -> None:
    check_against_n2p2("silicon", slice(8, 9))


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(("name", "chosen"), [("silicon", slice(0, 25, 6)), ("water", slice(1, 3))])
def test_energies_and_forces_of_n2p2(name: str, chosen: slice) -> None:
    check_against_n2p2(name, chosen)


@needs_data
@pytest.mark.parametrize("name", ["silicon", "water"])
def test_what_is_written_is_read_again(name: str, tmp_path: Path) -> None:
    potential = Potential.read(DATA / name, **ATOMIC)
    n2p2.write_input(tmp_path / "input.nn", potential.settings)
    n2p2.write_scaling(tmp_path / "scaling.data", potential.settings, potential.statistics)
    for element, layers in potential.layers.items():
        n2p2.write_weights(tmp_path / n2p2.weights_name(element), layers)
    again = Potential.read(tmp_path, **ATOMIC)
    assert again.settings == potential.settings
    for element in potential.settings.elements:
        for field in dataclasses.fields(n2p2.Statistics):
            before, after = (getattr(one.statistics[element], field.name) for one in (potential, again))
            np.testing.assert_array_equal(before, after)
        for before, after in zip(potential.layers[element], again.layers[element], strict=True):
            np.testing.assert_array_equal(before[0], after[0])
            np.testing.assert_array_equal(before[1], after[1])
    some = frames(DATA / name / "input.data", **ATOMIC)[:3]
    n2p2.write_structures(tmp_path / "input.data", some, **ATOMIC)
    check_equal(some, frames(tmp_path / "input.data", **ATOMIC))


def check_equal(some: list[n2p2.Frame], others: list[n2p2.Frame]) -> None:
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        for field in dataclasses.fields(n2p2.Frame):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


def test_all_that_an_input_says(tmp_path: Path) -> None:
    described = n2p2.read_input(written(tmp_path, INPUT), **METRIC)
    ends = Cutoff(6.0, "poly2", 0.25)
    assert described.elements == ("H", "O")
    assert described.functions["H"] == (
        Radial("O", 0.1, 1.0, Cutoff(5.0, "poly2", 0.25)),
        Radial("O", 0.1, 1.0, ends),
        Angular(("O", "O"), 0.1, -1.0, 16.0, ends, 0.5, closed=True),
        Angular(("H", "O"), 0.1, 1.0, 1.0, ends),
        CompactRadial("O", -1.0, 5.0, "e"),
    )
    assert described.functions["O"] == (
        WeightedRadial(0.1, 1.0, ends),
        WeightedAngular(0.1, 1.0, -1.0, 4.0, ends),
        CompactAngular(("H", "H"), 0.5, 5.0, 40.0, 170.0, "ea", closed=True),
        CompactAngular(("H", "O"), 0.5, 5.0, 40.0, 170.0, "p2"),
    )
    assert (described.hidden["H"], described.sizes("O")) == ((20, 15, 10), (4, 12, 11, 10, 1))
    assert described.activations["H"] == ("tanh", "sigmoid", "softplus", "linear")
    assert described.activations["O"] == ("gaussian", "cosine", "relu", "square")
    assert (described.scaling, described.scale_range) == ("scale_center", (0.0, 2.0))
    assert described.atom_energy == {"H": 0.0, "O": -75.0}
    assert (described.normalization, described.normalize_nodes) == (None, False)


@pytest.mark.parametrize("units", [ATOMIC, METRIC])
def test_settings_are_written_and_read(units: dict[str, Any], tmp_path: Path) -> None:
    content = INPUT + "normalize_nodes\nmean_energy -0.3\nconv_energy 851.7\nconv_length 22.8\n"
    before = n2p2.read_input(written(tmp_path, content), **units)
    n2p2.write_input(tmp_path / "again.nn", before)
    assert n2p2.read_input(tmp_path / "again.nn", **units) == before
    assert before.normalization is not None
    assert before.normalize_nodes


def test_lengths_and_energies_are_converted(tmp_path: Path) -> None:
    path = written(tmp_path, INPUT)
    ours, theirs = n2p2.read_input(path, **METRIC), n2p2.read_input(path, **ATOMIC)
    one, other = ours.functions["H"][1], theirs.functions["H"][1]
    assert isinstance(one, Radial)
    assert isinstance(other, Radial)
    bohr = 0.529177210903
    assert other.shift == pytest.approx(one.shift * bohr, rel=1e-9)
    assert other.cutoff.radius == pytest.approx(one.cutoff.radius * bohr, rel=1e-9)
    assert other.eta == pytest.approx(one.eta / bohr**2, rel=1e-9)
    assert theirs.atom_energy["O"] == pytest.approx(-75 * 27.211386245988, rel=1e-9)
    assert (ours.network_energy, theirs.network_energy) == (1.0, pytest.approx(27.211386245988, rel=1e-9))
    assert theirs.offset("O") == theirs.atom_energy["O"]


def test_nodes_of_one_layer_as_runner_gives_them(tmp_path: Path) -> None:
    content = INPUT.replace("element_nodes_short O 12 11 10", "element_nodes_short O 2 7")
    assert n2p2.read_input(written(tmp_path, content), **METRIC).hidden == {"H": (20, 15, 10), "O": (20, 7, 10)}
    content = INPUT.replace("element_nodes_short O 12 11 10", "element_hidden_layers_short O 1").replace(
        " g c r h", " g l"
    )
    assert n2p2.read_input(written(tmp_path, content), **METRIC).hidden == {"H": (20, 15, 10), "O": (20,)}


@pytest.mark.parametrize(
    "keyword",
    [
        "number_of_elements",
        "elements",
        "cutoff_type",
        "global_hidden_layers_short",
        "global_nodes_short",
        "global_activation_short",
        "symfunction_short",
    ],
)
def test_a_missing_keyword_is_named(keyword: str, tmp_path: Path) -> None:
    content = "\n".join(line for line in INPUT.splitlines() if not line.startswith(f"{keyword} "))
    with pytest.raises(DataError, match=f"'{keyword}"):
        n2p2.read_input(written(tmp_path, content), **METRIC)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("symfunction_short O 23 0.5 5.0 p1", "type 23 .compact and weighted"),
        ("symfunction_short O 25 0.5 5.0 40 170 p1", "type 25"),
        ("symfunction_short O 7 H 0.5 5.0", "no symmetry function of type '7'"),
        ("symfunction_short O 2 H 0.5 5.0", "takes 4 parameters"),
        ("symfunction_short O 2 H 0.5 five 5.0", "not a number"),
        ("symfunction_short O 2 N 0.5 0.0 5.0", "'N' is none of the potential's elements"),
        ("symfunction_short N 2 H 0.5 0.0 5.0", "'N' is none of the potential's elements"),
        ("symfunction_short O 2 H 0.5 0.0 -5.0", "radius is not positive"),
        ("symfunction_short O 20 H 5.0 1.0 p1", "left end is not below"),
        ("symfunction_short O 20 H 1.0 5.0 p7", "'p7' is no compact function"),
        ("symfunction_short O", "at least 2 values"),
        ("elements H O", "stands here again, after line 4"),
        ("element_nodes_short H 1 2 3 4", "do not fit H's 3 hidden layers"),
        ("element_activation_short H 1 2 t", "'1' is no activation"),
        ("mean_energy -0.2", "'conv_energy'"),
        ("scale_symmetry_functions_sigma", "exclude each other"),
        ("atom_energy O low", "'low' is not a number"),
    ],
)
def test_what_cannot_be_understood_is_said(line: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=complaint):
        n2p2.read_input(written(tmp_path, INPUT + line + "\n"), **METRIC)


def test_cutoffs_of_two_kinds_cannot_be_written(tmp_path: Path) -> None:
    functions = {"H": (Radial("H", 1.0, 0.0, Cutoff(6.0)), Radial("H", 1.0, 0.0, Cutoff(6.0, "poly2")))}
    potential = n2p2.Settings(("H",), functions, {"H": (5,)}, {"H": ("tanh", "linear")})
    with pytest.raises(DataError, match="2 kinds"):
        n2p2.write_input(tmp_path / "input.nn", potential)
    assert not (tmp_path / "input.nn").exists()


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e6, 1e6), st.sampled_from([1.0, angstroms("bohr"), electronvolts("hartree")]))
def test_numbers_lose_no_digit(value: float, unit: float) -> None:
    in_our_unit = value * unit  # what reading makes of a number of the file
    assert float(text(in_our_unit, unit)) * unit == in_our_unit
    assert float(text(in_our_unit)) == in_our_unit


FRAMES = """begin set=train
comment one  molecule
atom 0 0 0 H 0.1 0 0.5 0 0
atom 0 0 1.4 H -0.1 0 -0.5 0 0
energy -1.1
charge 0
end
begin
lattice 4 0 0
lattice 0 4 0
lattice 0 0 4
atom 1 2 3 O 0 0 0 0 0
charge 1
end
"""


def test_structures_are_read_and_written(tmp_path: Path) -> None:
    both = frames(written(tmp_path, FRAMES, "input.data"), **ATOMIC)
    molecule, crystal = both
    assert (molecule.symbols, molecule.cell, molecule.part, molecule.comment) == (
        ("H", "H"),
        None,
        "train",
        "one molecule",
    )
    np.testing.assert_allclose(molecule.positions[1], [0, 0, 1.4 * 0.529177210544])
    np.testing.assert_allclose(molecule.forces[0], [0.5 * 27.211386245981 / 0.529177210544, 0, 0])
    assert molecule.energy == pytest.approx(-1.1 * 27.211386245981)
    assert molecule.charges.tolist() == [0.1, -0.1]
    assert crystal.cell is not None
    np.testing.assert_allclose(crystal.cell, 4 * 0.529177210544 * np.eye(3))
    assert np.isnan(crystal.energy)
    assert (crystal.charge, crystal.part) == (1.0, "")
    n2p2.write_structures(tmp_path / "again.data", both, **ATOMIC)
    check_equal(both, frames(tmp_path / "again.data", **ATOMIC))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("atom 1 2 3 O 0 0 0 0 0", "atom 1 2 3 O 0 0 0 0", "atom 1 has 8 values"),
        ("atom 1 2 3 O 0 0 0 0 0", "atom 1 2 3 Oo 0 0 0 0 0", "'Oo' is no element"),
        ("atom 1 2 3 O 0 0 0 0 0", "atom 1 2 x O 0 0 0 0 0", "'x' is not a number"),
        ("atom 1 2 3 O 0 0 0 0 0", "atom 1 2 nan O 0 0 0 0 0", "'nan' is not a number"),
        ("atom 1 2 3 O 0 0 0 0 0\n", "", "no atoms"),
        ("lattice 0 4 0\n", "", "2 lattice vectors"),
        ("lattice 0 4 0", "lattice 0 4", "not 3 numbers"),
        ("charge 1", "charge 1\nenergy 1\nenergy 2", "no single energy"),
        ("charge 1", "entropy 1", "'entropy' is no keyword"),
        ("charge 1\nend\n", "charge 1\n", "the file ends"),
    ],
)
def test_a_bad_structure_is_refused_and_the_others_are_used(old: str, new: str, reason: str, tmp_path: Path) -> None:
    assert old in FRAMES
    path = written(tmp_path, FRAMES.replace(old, new), "input.data")
    good, bad = n2p2.read_structures(path, **ATOMIC)
    assert isinstance(good, n2p2.Frame)
    assert isinstance(bad, Refusal)
    assert bad.row == 8
    assert reason in bad.reason


def test_a_structure_without_its_end_costs_no_other(tmp_path: Path) -> None:
    path = written(tmp_path, FRAMES.replace("charge 0\nend\n", "charge 0\n"), "input.data")
    bad, good = n2p2.read_structures(path, **ATOMIC)
    assert bad == Refusal(1, "one molecule", "the next structure begins before its end")
    assert isinstance(good, n2p2.Frame)


def test_a_file_without_structures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no structure"):
        list(n2p2.read_structures(written(tmp_path, "1 2 3\n", "input.data"), **ATOMIC))
    with pytest.raises(DataError, match="no such file"):
        list(n2p2.read_structures(tmp_path / "output.data", **ATOMIC))


def test_scaling_of_another_potential(tmp_path: Path) -> None:
    potential = n2p2.read_input(written(tmp_path, INPUT), **METRIC)
    rows = [f"{e} {f} 0.0 1.0 0.5" for e, count in ((1, 5), (2, 4)) for f in range(1, count + 1)]
    statistics = n2p2.read_scaling(written(tmp_path, "\n".join([*rows, "-1.0 1.0"]), "scaling.data"), potential)
    assert np.isnan(statistics["O"].sigma).all()
    n2p2.write_scaling(tmp_path / "again.data", potential, statistics)
    np.testing.assert_array_equal(n2p2.read_scaling(tmp_path / "again.data", potential)["O"].mean, statistics["O"].mean)
    for wrong, complaint in ((rows[:-1], "function 4 of element 2 is missing"), ([*rows, "3 1 0 1 0"], "too many")):
        with pytest.raises(DataError, match=complaint):
            n2p2.read_scaling(written(tmp_path, "\n".join(wrong), "scaling.data"), potential)


def test_weights_are_written_and_read(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    layers = [(random.normal(size=shape), random.normal(size=shape[1])) for shape in ((4, 3), (3, 1))]
    path = tmp_path / n2p2.weights_name("O")
    n2p2.write_weights(path, layers)
    for (kernel, bias), (before, biased) in zip(n2p2.read_weights(path, (4, 3, 1)), layers, strict=True):
        np.testing.assert_array_equal(kernel, before)
        np.testing.assert_array_equal(bias, biased)
    with pytest.raises(DataError, match=r"holds 19 weights, and a network 4-4-1 has 25"):
        n2p2.read_weights(path, (4, 4, 1))


@pytest.mark.parametrize("kind", ["none", "scale", "center", "scale_center", "sigma"])
def test_scaling_by_its_definition(kind: Any) -> None:
    low, high, mean, sigma, value = 1.0, 3.0, 1.5, 0.5, 2.0
    one = np.ones(1)
    potential = n2p2.Settings((), {}, {}, {}, scaling=kind, scale_range=(-1.0, 2.0))
    factor, offset = n2p2.linear_scaling(potential, n2p2.Statistics(low * one, high * one, mean * one, sigma * one))
    wanted = {
        "none": value,
        "center": value - mean,
        "scale": -1 + 3 * (value - low) / (high - low),
        "scale_center": -1 + 3 * (value - mean) / (high - low),
        "sigma": -1 + 3 * (value - mean) / sigma,
    }
    assert (factor * value + offset).tolist() == pytest.approx([wanted[kind]])


def test_a_function_that_never_varied_cannot_be_scaled() -> None:
    potential = n2p2.Settings((), {}, {}, {}, scaling="scale")
    with pytest.raises(DataError, match="symmetry function 1 cannot be scaled"):
        n2p2.linear_scaling(potential, n2p2.Statistics(*np.ones((4, 1))))
