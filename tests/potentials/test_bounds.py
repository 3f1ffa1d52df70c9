"""Beyond what a member learned from its answers bend: smoothly, never far, and not at all inside."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

import amalthea as am
from amalthea.potentials.networks.bounds import Bounds
from amalthea.potentials.networks.committee import Committee
from tests.potentials.simulation.conftest import alloy, random_committee
from tests.potentials.trained import potential

BOUNDS = Bounds.of(np.array([-1.0]), np.array([2.0]), 0.5)


@given(st.floats(-1.0, 2.0))
def test_inside_nothing_changes(value: float) -> None:
    bent, slope = BOUNDS.bend(np.array([value]))
    assert (bent[0], slope[0]) == (value, 1.0)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_a_bend_keeps_the_order_and_ends_one_width_beyond(one: float, other: float) -> None:
    bent, slope = BOUNDS.bend(np.array(sorted([one, other])))
    assert -4.0 <= bent[0] <= bent[1] + 1e-12 <= 5.0 + 1e-12
    assert ((slope >= 0) & (slope <= 1)).all()


@given(st.floats(-20, 20))
def test_the_slope_is_that_of_the_bend(value: float) -> None:
    step = 1e-5
    (below, above), _ = BOUNDS.bend(np.array([value - step, value + step]))
    assert BOUNDS.bend(np.array([value]))[1][0] == pytest.approx((above - below) / (2 * step), abs=1e-6)


def bounded(committee: Committee, structures: list[Any]) -> Committee:
    """Return a committee whose first half of members learned from the first structure, the others from all."""
    bounds = {}
    for number, element in enumerate(committee.elements):
        ends = []
        for several in (structures[:1], structures):
            answers = [committee.answer(atoms) for atoms in several]
            mine = [answer.kinds == number for answer in answers]
            functions = np.concatenate([a.functions[rows] for a, rows in zip(answers, mine, strict=True)])
            energies = np.concatenate([a.energies[:, rows] for a, rows in zip(answers, mine, strict=True)], axis=1)
            ends.append((functions.min(axis=0), functions.max(axis=0), energies.min(axis=1), energies.max(axis=1)))
        first = np.arange(committee.members) < committee.members // 2
        low, high = (np.where(first[:, None], ends[0][place], ends[1][place])[:, None] for place in (0, 1))
        least, most = (np.where(first, ends[0][place], ends[1][place])[:, None] for place in (2, 3))
        bounds[element] = Bounds.of(low, high, 0.1), Bounds.of(least, most, 0.01)
    return dataclasses.replace(committee, bounds=bounds)


def narrow() -> Committee:
    return bounded(random_committee(), [alloy(0.05, seed=1), alloy(0.05, seed=2)])


def test_what_was_learned_from_is_answered_as_without_bounds_to_the_last_bit() -> None:
    free, bent, known = random_committee(), narrow(), alloy(0.05, seed=1)
    for one, other in ((free.answer(known), bent.answer(known)),):
        np.testing.assert_array_equal(one.energies, other.energies)
        np.testing.assert_array_equal(one.forces, other.forces)
        np.testing.assert_array_equal(one.stress, other.stress)


@pytest.mark.parametrize("rattle", [0.15, 0.5])
def test_forces_and_stress_are_the_gradient_across_the_bends(rattle: float) -> None:
    committee, atoms, step = narrow(), alloy(rattle, seed=3), 1e-4
    answer = committee.answer(atoms)
    assert not np.allclose(answer.energies, random_committee().answer(atoms).energies)  # something is bent
    for atom, axis in [(0, 0), (5, 1), (11, 2)]:
        energies = []
        for shift in (-2, -1, 1, 2):
            moved = atoms.copy()
            moved.positions[atom, axis] += shift * step
            energies.append(committee.answer(moved).energy)
        slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * step)
        np.testing.assert_allclose(answer.forces[:, atom, axis], -slope, rtol=1e-5, atol=1e-7)
    energies = []
    for shift in (-1, 1):
        strained = atoms.copy()
        strained.set_cell(atoms.cell * (1 + shift * step), scale_atoms=True)
        energies.append(committee.answer(strained).energy)
    slope = (energies[1] - energies[0]) / (2 * step)
    np.testing.assert_allclose(answer.stress[:, :3].sum(axis=1) * atoms.get_volume(), slope, rtol=1e-5, atol=1e-6)


def test_energies_and_forces_are_continuous_on_the_way_out() -> None:
    committee, atoms = narrow(), alloy(0.05, seed=1)
    way = np.random.default_rng(0).normal(size=atoms.positions.shape)
    answers = []
    for far in np.linspace(0, 0.4, 401):
        moved = atoms.copy()
        moved.positions += far * way
        answers.append(committee.answer(moved))
    for name in ("energies", "forces"):
        values = np.stack([getattr(answer, name).ravel() for answer in answers])
        jumps = np.abs(np.diff(values, n=2, axis=0)).max(axis=0)  # a kink of the curve would stand out
        assert jumps.max() < 0.1 * np.ptp(values, axis=0).max()


@given(
    positions=st.lists(st.tuples(*[st.floats(-8, 8)] * 3), min_size=1, max_size=6, unique=True),
    squeezed=st.sampled_from([0.05, 0.3, 1.0, 100.0]),
)
@settings(max_examples=50, deadline=None)
def test_any_geometry_has_finite_answers_near_those_learned_from(positions: Any, squeezed: float) -> None:
    committee = narrow()
    places = squeezed * (np.array(positions) + 0.3 * np.arange(len(positions))[:, None])
    apart = np.linalg.norm(places[:, None] - places, axis=-1) + np.eye(len(places))
    atoms = Atoms(["Cu", "Al"] * 3, np.arange(18).reshape(6, 3))[: len(places)]
    atoms.positions = places if apart.min() > 1e-3 else places + np.arange(len(places))[:, None]
    answer = committee.answer(atoms)
    assert np.isfinite(answer.forces).all()
    for number, element in enumerate(committee.elements):
        _, energies = committee.bounds[element]
        mine = answer.energies[:, answer.kinds == number]
        assert (mine >= energies.low - energies.width).all()
        assert (mine <= energies.high + energies.width).all()


def wild() -> list[Atoms]:
    """Return structures far from what the potential of copper and aluminium learned from."""
    return [Atoms("CuAl", [[0, 0, 0], [0.4, 0, 0]]), Atoms("Cu4", np.eye(4, 3) * 0.9), Atoms("AlCu", np.eye(2, 3) * 4)]


def test_a_saved_potential_bends_as_before(tmp_path: Path) -> None:
    trained = potential()
    trained.save(tmp_path / "model.amalthea")
    opened = am.load_model(tmp_path / "model.amalthea")
    for atoms in wild():
        one, other = (model.ready.committee.answer(atoms) for model in (trained, opened))
        np.testing.assert_array_equal(one.energies, other.energies)
        np.testing.assert_array_equal(one.forces, other.forces)


def test_a_potential_of_an_older_file_does_not_bend() -> None:
    trained = potential()
    state = dataclasses.replace(trained.state, member_ranges=None)
    older = dataclasses.replace(trained, state=state).ready.committee
    assert not older.bounds
    learned = trained.examples["atoms"].iloc[0]
    np.testing.assert_array_equal(older.answer(learned).energies, trained.ready.committee.answer(learned).energies)
    far = [(older.answer(atoms), trained.ready.committee.answer(atoms)) for atoms in wild()]
    assert not any(np.array_equal(one.energies, other.energies) for one, other in far)


def test_each_member_bends_beyond_its_own_structures() -> None:
    trained, ranges = potential(), potential().state.member_ranges
    fold = trained.out_of_fold["fold"].to_numpy()
    for member, of_fold in enumerate(trained.parts[0].ensemble.layout.fold_of(np.arange(6))):
        answers = [trained.ready.committee.answer(a) for a in trained.examples["atoms"][fold != of_fold]]
        copper = np.concatenate([answer.functions[answer.kinds == 1] for answer in answers])
        np.testing.assert_array_equal(copper.min(axis=0), ranges.low[member][1])
        energies = np.concatenate([answer.energies[member, answer.kinds == 1] for answer in answers])
        alone = trained.ready.committee.atoms[member, 1]
        assert energies.min() - alone == pytest.approx(ranges.energy_low[member][1])
        assert energies.max() - alone == pytest.approx(ranges.energy_high[member][1])
