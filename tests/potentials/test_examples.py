"""Structures as a potential's training sees them: classes of sizes, padding, derivatives stored and on the fly."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amalthea as am
from amalthea.domains.protocol import Defaults
from amalthea.potentials.networks import training
from amalthea.potentials.networks.training import potential_network, shapes_of
from amalthea.potentials.networks.training_arrays import MOST_CLASSES, Examples, size_classes
from amalthea.potentials.symmetry_functions.functions import Functions
from amalthea.potentials.symmetry_functions.selection import pool
from tests.potentials.alloys import cell, cluster, labelled, read_back


def functions() -> Functions:
    """A few functions of both elements."""
    whole = pool(["Al", "Cu"], {frozenset(pair): 2.4 for pair in (("Al",), ("Cu",), ("Al", "Cu"))}, 4.0)
    return {element: own[::25] for element, own in whole.items()}


def made(images: list[Any]) -> Examples:
    return Examples(read_back([labelled(atoms) for atoms in images]), functions(), {"Al": -0.1, "Cu": -0.2})


def work(atoms: np.ndarray, classes: list[np.ndarray]) -> int:
    """The room that classes take: in each, as many atoms for all as any of them has."""
    return sum(len(rows) * atoms[rows].max() for rows in classes)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_no_other_classes_of_sizes_take_less_room(sizes: list[int]) -> None:
    atoms = np.array(sizes)
    classes = size_classes(atoms)
    assert sorted(np.concatenate(classes)) == list(range(len(sizes)))
    assert len(classes) <= MOST_CLASSES
    present = sorted(set(sizes))
    others = []
    for count in range(min(MOST_CLASSES, len(present))):
        for cuts in itertools.combinations(range(1, len(present)), count):
            spans = itertools.pairwise((0, *cuts, len(present)))
            others.append([np.flatnonzero(np.isin(atoms, present[start:end])) for start, end in spans])
    assert work(atoms, classes) == min(work(atoms, other) for other in others)


def test_padding_changes_no_answer() -> None:
    images = [cluster(4, "Cu", 0), cell("CuAl", 1), cluster(9, "CuAl", 2)]
    examples = made(images)
    network = potential_network(examples, Defaults(1, 1, 1, 4, "adam", 0.01, "potential"), 1)
    unit = examples.unit()
    together, labels = examples.part(np.arange(3), unit)
    padded = {name: np.asarray(values) for name, values in network(together).items()}
    for row, atoms in enumerate(images):
        x, y = examples.part(np.array([row]), unit)
        alone = {name: np.asarray(values)[0] for name, values in network(x).items()}
        assert x["functions"].shape[1] == len(atoms)
        assert padded["energy"][row] == pytest.approx(alone["energy"], rel=1e-5)
        np.testing.assert_allclose(padded["forces"][row, : len(atoms)], alone["forces"], rtol=1e-4, atol=1e-5)
        assert not padded["forces"][row, len(atoms) :].any()
        np.testing.assert_allclose(padded["stress"][row], alone["stress"], rtol=1e-4, atol=1e-6)
        assert np.isnan(labels["forces"][row, len(atoms) :]).all()
        assert np.isnan(labels["stress"][row]).any() == (not atoms.pbc.all())
        np.testing.assert_allclose(labels["forces"][row, : len(atoms)], y["forces"][0])


def test_targets_are_labels_less_the_energies_of_atoms() -> None:
    examples = made([cluster(5, "CuAl", 3)])
    _, labels = examples.part(np.array([0]), examples.unit())
    assert labels["energy"][0] == pytest.approx(examples.frames.energy[0] + 3 * 0.2 + 2 * 0.1, rel=1e-6)
    np.testing.assert_allclose(labels["forces"][0], examples.frames.forces[0], rtol=1e-6)


def test_bytes_are_those_of_the_derivatives() -> None:
    examples = made([cluster(4, "Cu", 0), cell("CuAl", 1), cluster(9, "CuAl", 2), cluster(13, "Al", 3)])
    shapes, _ = shapes_of(examples, 1.0, 1, lambda _: None, 0)
    assert examples.bytes() == sum(x["derivatives"].nbytes for x, _ in shapes.parts)


def test_each_device_that_trains_needs_room_for_the_derivatives(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = made([cluster(4, "Cu", 0), cell("CuAl", 1)])
    monkeypatch.setattr(training, "free_memory", lambda: 2.5 * examples.bytes())
    assert len(jax.devices()) > 1
    for members, stored in ((1, True), (2, False)):
        _, derive = shapes_of(examples, 1.0, members, lambda _: None, 0)
        assert (derive is None) == stored


def test_derivatives_on_the_fly_are_the_stored_ones() -> None:
    """With no memory for them, training ends with the same networks."""
    images = [cluster(4, "Cu", 0), cell("CuAl", 1), cluster(5, "CuAl", 2), cell("Al", 3), cluster(4, "Al", 4)]
    trained, heard = [], []
    for share in (0.0, 0.5):
        examples = made(images)
        shapes, derive = shapes_of(examples, share, 2, heard.append, 0)
        assert (derive is None) == (share > 0)
        network = potential_network(examples, Defaults(1, 2, 2, 2, "adam", 0.01, "potential"), 6)
        network.derive = derive
        ensemble = am.Ensemble(network, folds=1, members=2)
        ensemble.fit_shapes(shapes, epochs=2, batch_size=2)
        trained.append(ensemble.weights)
    assert "computed anew in every step" in heard[0]
    assert "computed once" in heard[1]
    for some, others in zip(*(own.values() for own in trained), strict=True):
        np.testing.assert_allclose(some, others, rtol=1e-4, atol=1e-5)
