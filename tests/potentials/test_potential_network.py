"""A potential's network and its committee: physics, and that both say the same."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
from ase import Atoms
from scipy.spatial.transform import Rotation

import amalthea as am
from amalthea.domains.protocol import Defaults
from amalthea.potentials.networks.committee import Committee, from_weights
from amalthea.potentials.networks.training import potential_network, shapes_of
from amalthea.potentials.networks.training_arrays import Examples
from amalthea.potentials.reading.examples import as_examples, as_frames
from amalthea.potentials.symmetry_functions.functions import Functions
from amalthea.potentials.symmetry_functions.selection import choose_functions, pool
from amalthea.potentials.voigt import from_voigt
from tests.potentials.alloys import cell, cluster, read_back

CUTOFF = 4.0
ISOLATED = Atoms("CuAl", [[0, 0, 0], [0, 0, 9.0]])


def few() -> Functions:
    """A few functions of each element, of every kind; one element has fewer."""
    whole = pool(["Al", "Cu"], {frozenset(pair): 2.4 for pair in (("Al",), ("Cu",), ("Al", "Cu"))}, CUTOFF)
    return {"Al": whole["Al"][::19], "Cu": whole["Cu"][3::13]}


def of_copper() -> Functions:
    """A few functions of copper among itself."""
    return {"Cu": pool(["Cu"], {frozenset(["Cu"]): 2.4}, CUTOFF)["Cu"][::9]}


def structures() -> list[Any]:
    """Mixed sizes, both elements and one, small and large cells, a slab, atoms that see nothing."""
    slab = cell("CuAl", 5, (1, 1, 2))
    slab.pbc = (True, True, False)
    return [
        *(cluster(size, symbols, size) for size, symbols in ((4, "Cu"), (9, "CuAl"), (13, "Al"))),
        *(cell("CuAl", 1), cell("Cu", 2, (2, 1, 1)), slab, ISOLATED),
    ]


@pytest.fixture(scope="module")
def trained() -> SimpleNamespace:
    """Two folds of two members, and what they are asked."""
    frames = read_back(structures())
    examples = Examples(frames, few(), {"Al": -0.3, "Cu": -0.2})
    network = potential_network(examples, Defaults(2, 2, 2, 2, "soap", 0.01, "potential"), 8)
    shapes, _ = shapes_of(examples, 0.4, 1, lambda _: None, 0)
    ensemble = am.Ensemble(network, folds=2, members=2)
    ensemble.fit_shapes(shapes, epochs=2, batch_size=2, fold_ids=np.arange(len(frames)) % 2)
    committee = from_weights(ensemble.weights, few(), "softplus", examples.energy_of_atoms)
    return SimpleNamespace(examples=examples, shapes=shapes, ensemble=ensemble, committee=committee, frames=frames)


def test_committee_says_what_the_keras_networks_say(trained: SimpleNamespace) -> None:
    alone = trained.examples.energy_of_atoms
    for member in range(len(trained.ensemble)):
        network = trained.ensemble[member]
        for (x, _), numbers in zip(trained.shapes.parts, trained.shapes.rows, strict=True):
            said = {name: np.asarray(values) for name, values in network(x).items()}
            for place, number in enumerate(numbers):
                atoms = trained.frames.atoms[number]
                own = trained.committee.answer(atoms)
                offset = sum(alone[symbol] for symbol in atoms.symbols)
                assert said["energy"][place] + offset == pytest.approx(own.energy[member], abs=2e-5 * len(atoms))
                scale = max(1.0, np.abs(own.forces[member]).max())
                np.testing.assert_allclose(
                    said["forces"][place, : len(atoms)], own.forces[member], atol=2e-3 * scale
                )  # their derivatives are stored in half precision
                assert not said["forces"][place, len(atoms) :].any()
                if atoms.pbc.all():
                    scale = max(1.0, np.abs(own.stress[member]).max())
                    np.testing.assert_allclose(said["stress"][place], own.stress[member], atol=2e-3 * scale)
                else:
                    assert np.isnan(own.stress).all()


def committee() -> Committee:
    """Three potentials with random weights."""
    random, functions = np.random.default_rng(0), few()
    layers = {}
    for element, own in functions.items():
        widths = (len(own), 5, 4, 1)
        layers[element] = [
            (random.normal(size=(3, i, o)) / np.sqrt(i), random.normal(size=(3, o)))
            for i, o in itertools.pairwise(widths)
        ]
    activations = {element: ["tanh", "softplus", "linear"] for element in functions}
    return Committee(functions, layers, activations, random.normal(size=(3, 2)))


def energy(atoms: Any, potential: Committee) -> np.ndarray:
    return potential.answer(atoms).energy


@pytest.mark.parametrize("number", range(7))
def test_forces_are_minus_the_gradient_of_the_energy(number: int) -> None:
    potential, atoms = committee(), structures()[number]
    forces, step = potential.answer(atoms).forces, 1e-5
    random = np.random.default_rng(number)
    for _ in range(2):
        way = random.normal(size=atoms.positions.shape)
        ends = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions += sign * step * way
            ends.append(energy(moved, potential))
        slope = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(-(forces * way).sum(axis=(1, 2)), slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("number", [3, 4])
def test_stress_is_the_energys_derivative_by_strain(number: int) -> None:
    potential, atoms = committee(), structures()[number]
    stress, step = potential.answer(atoms).stress, 1e-6
    for place, (row, column) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
        strain = np.zeros((3, 3))
        strain[row, column] += 0.5
        strain[column, row] += 0.5
        ends = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.set_cell(moved.cell.array @ (np.eye(3) + sign * step * strain), scale_atoms=True)
            ends.append(energy(moved, potential))
        slope = (ends[0] - ends[1]) / (2 * step) / atoms.get_volume()
        np.testing.assert_allclose(stress[:, place], slope, rtol=1e-6, atol=1e-8)


def test_keras_forces_and_stress_are_derivatives_of_its_energy(trained: SimpleNamespace) -> None:
    """In the network itself: the energy of displaced, and of strained, structures from their functions alone."""
    network, step = trained.ensemble[0], 2e-3
    atoms = structures()[3]
    ways = np.random.default_rng(8).normal(size=(3, *atoms.positions.shape))
    images = [atoms]
    for way in ways:
        for sign in (1, -1):
            images.append(atoms.copy())
            images[-1].positions += sign * step * way
    for sign in (1, -1):
        images.append(atoms.copy())
        images[-1].set_cell(atoms.cell.array * (1 + sign * step), scale_atoms=True)
    said = answers(network, images)
    found = said["energy"].astype(np.float64)
    slopes = (found[1:7:2] - found[2:8:2]) / (2 * step)
    np.testing.assert_allclose(-(said["forces"][0] * ways).sum(axis=(1, 2)), slopes, rtol=0.02, atol=0.02)
    pressure = (found[7] - found[8]) / (2 * step) / (3 * atoms.get_volume())
    assert said["stress"][0, :3].mean() == pytest.approx(pressure, rel=0.02, abs=1e-3)


def answers(network: Any, images: list[Any]) -> dict[str, np.ndarray]:
    examples = Examples(read_back(images), few(), {"Al": 0.0, "Cu": 0.0})
    x, _ = examples.part(np.arange(len(images)), examples.unit())
    return {name: np.asarray(values) for name, values in network(x).items()}


@pytest.mark.parametrize("number", [1, 3, 5])
def test_rotation_and_permutation_change_nothing(number: int) -> None:
    potential, atoms = committee(), structures()[number]
    turn = Rotation.random(random_state=number).as_matrix()
    order = np.random.default_rng(number).permutation(len(atoms))
    turned = atoms[order]
    turned.set_cell(atoms.cell.array @ turn.T)
    turned.positions = atoms.positions[order] @ turn.T + [0.3, -0.2, 5.0]
    before, after = potential.answer(atoms), potential.answer(turned)
    np.testing.assert_allclose(after.energies, before.energies[:, order], atol=1e-11)
    np.testing.assert_allclose(after.forces, before.forces[:, order] @ turn.T, atol=1e-10)
    if atoms.pbc.all():
        np.testing.assert_allclose(from_voigt(after.stress), turn @ from_voigt(before.stress) @ turn.T, atol=1e-11)


def test_twice_the_cell_has_twice_the_energy() -> None:
    potential, atoms = committee(), cell("CuAl", 4)
    once, twice = potential.answer(atoms), potential.answer(atoms.repeat((2, 1, 1)))
    np.testing.assert_allclose(twice.energy, 2 * once.energy, rtol=1e-12)
    np.testing.assert_allclose(twice.stress, once.stress, atol=1e-12)
    np.testing.assert_allclose(once.forces.sum(axis=1), 0, atol=1e-11)


def test_an_atom_alone_has_its_own_energy_and_no_force(trained: SimpleNamespace) -> None:
    together = trained.committee.answer(ISOLATED)
    alone = [trained.committee.answer(Atoms(symbol)).energy for symbol in ("Cu", "Al")]
    np.testing.assert_allclose(together.energy, alone[0] + alone[1], rtol=1e-12)
    assert not together.forces.any()


def test_some_members_answer_as_they_do_among_all() -> None:
    potential, atoms = committee(), cluster(6, "CuAl", 0)
    np.testing.assert_array_equal(potential.take([2, 0]).answer(atoms).forces, potential.answer(atoms).forces[[2, 0]])


def test_an_element_that_sees_nothing_still_has_an_energy() -> None:
    """Its atoms stood alone in training, so none of its functions ever varied."""
    images = [Atoms("Cu2Al", [[0, 0, 0], [0, 0, 2 + 0.05 * n], [0, 9, 0]]) for n in range(4)]
    frames = read_back(images)
    functions = choose_functions(["Al", "Cu"], "auto", lambda _: None)
    assert functions["Al"]
    examples = Examples(frames, functions, {"Al": 0.0, "Cu": 0.0})
    network = potential_network(examples, Defaults(1, 1, 1, 4, "adam", 0.01, "potential"), 1)
    shapes, _ = shapes_of(examples, 0.4, 1, lambda _: None, 0)
    ensemble = am.Ensemble(network, folds=1, members=1)
    ensemble.fit_shapes(shapes, epochs=1, batch_size=4)
    potential = from_weights(ensemble.weights, functions, "softplus", examples.energy_of_atoms)
    said = np.asarray(ensemble[0](shapes.parts[0][0])["energy"])
    np.testing.assert_allclose(said, [potential.answer(atoms).energy[0] for atoms in images], rtol=1e-4)


@pytest.mark.parametrize("rattle", [0.0, 1e-7, 1e-3])
def test_crystals_that_hardly_differ_can_be_learned_from(rattle: float) -> None:
    """Their functions hardly vary while their derivatives are large: nothing may become infinite in half precision."""
    images = [cell("Cu", 0) for _ in range(4)]
    for number, atoms in enumerate(images):
        atoms.positions += np.random.default_rng(number).normal(size=atoms.positions.shape) * rattle
    examples = Examples(read_back(images), of_copper(), {"Cu": 0.0})
    x, _ = examples.part(np.arange(4), examples.unit())
    assert np.isfinite(x["derivatives"]).all()
    assert np.abs(x["derivatives"]).max() > 0


def test_a_label_that_is_missing_pulls_at_nothing() -> None:
    """The loss of a structure without forces, or without an energy, is that of what it has."""
    images = [cluster(5, "Cu", seed) for seed in range(3)]
    table = as_examples(read_back(images))
    forces = np.ones((5, 3))
    table["energy"] = [-1.0, -1.0, np.nan]
    table["forces"] = [forces, None, forces]
    examples = Examples(as_frames(table), of_copper(), {"Cu": 0.0})
    network = potential_network(examples, Defaults(1, 1, 1, 4, "adam", 0.01, "potential"), 1)
    x, y = examples.part(np.arange(3), examples.unit())

    def loss(row: int) -> Any:
        one_x, one_y = jax.tree.map(lambda values: values[row : row + 1], (x, y))
        return float(network.compute_loss(one_x, one_y, network(one_x)))

    said = {name: np.asarray(values, np.float64) for name, values in network(x).items()}
    energy_part = ((said["energy"] + 1) / 5 / 0.02) ** 2
    force_part = (((said["forces"] - 1) / 0.1) ** 2).mean(axis=(1, 2))
    expected = [energy_part[0] + force_part[0], energy_part[1], force_part[2]]
    np.testing.assert_allclose([loss(row) for row in range(3)], expected, rtol=1e-4, atol=1e-6)
