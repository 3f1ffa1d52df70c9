"""How far atoms are from those in training, what that makes of error bars, and where nothing is answered."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

import amalthea as am
from amalthea.errors import DataError
from amalthea.potentials import judging
from amalthea.potentials.judging import environments_of, outer_half
from amalthea.potentials.networks.training_arrays import Examples
from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.symmetry_functions.environments import Environments, distances
from amalthea.potentials.symmetry_functions.selection import choose_functions
from amalthea.workflow.splitting import Split
from tests.potentials.alloys import read_back
from tests.potentials.trained import potential, structures, train

VALUES = np.random.default_rng(0).normal(size=(300, 3)) @ np.diag([1.0, 2.0, 1e-5])
KNOWN = Environments.of(VALUES, np.array([1.0, 2.0, 1.0]))


def test_a_typical_atom_of_the_training_has_distance_one() -> None:
    assert np.median(KNOWN.distance(VALUES)) == pytest.approx(1.0, rel=1e-5)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3), st.floats(1, 1e6))
@settings(deadline=None)
def test_the_farther_from_the_mean_the_larger(direction: list[float], times: float) -> None:
    way = np.array(direction)
    near, far = KNOWN.distance(np.array([KNOWN.mean + way, KNOWN.mean + times * way]))
    assert far >= near * (1 - 1e-6)


def test_functions_that_never_varied_and_unknown_elements_leave_a_distance_of_one() -> None:
    silent = Environments.of(np.ones((5, 2)), np.zeros(2))
    assert silent.distance(np.array([[1.0, 7.0]])).tolist() == [1.0]
    assert distances({}, ("Cu",), np.zeros(2, int), np.ones((2, 3))).tolist() == [1.0, 1.0]


def squeezed(length: float) -> Atoms:
    """Return a cluster of copper and aluminium with bonds of this length, in Å."""
    return Atoms("Cu2Al2", length * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]))


def test_error_bars_grow_with_the_distance_and_outside_is_told() -> None:
    answered = potential().predict([squeezed(length) for length in (2.6, 2.0, 1.5, 1.1)])
    known = potential().ready.certainty
    for spread, far in ((0.1, np.array([1.0, 2.0, 4.0, 100.0])),):
        sigma = known.forces_std(np.full(4, spread), far)
        assert (np.diff(sigma) >= 0).all()
        energies = [known.energy_std(spread, 4, np.full(4, distance)) for distance in far]
        assert (np.diff(energies) >= 0).all()
    assert answered.outside[-1]
    for row in np.flatnonzero(answered.outside):
        assert answered.warnings[row].startswith("outside what was learned: ")
    for std, half in zip(answered.forces_std, answered.forces_half_width, strict=True):
        np.testing.assert_allclose(half, known.forces.factor * std)


def test_a_crowd_gets_no_number_but_the_reason() -> None:
    crowd = Atoms(["Cu", "Al"] * 32, np.indices((4, 4, 4)).reshape(3, -1).T)  # an atom in each Å³
    answered = potential().predict([crowd])
    assert np.isnan(answered.mean[0])
    assert answered.forces[0] is None
    assert answered.problems[0].startswith("outside what was learned, too far for any answer: atom ")
    with pytest.raises(DataError, match="too far for any answer"):
        Calculator(potential()).get_property("energy", crowd)
    assert np.isfinite(Calculator(potential(), outside="warn").get_property("energy", crowd))


def test_a_potential_of_an_older_file_knows_no_distance() -> None:
    trained = potential()
    older = dataclasses.replace(
        trained, state=dataclasses.replace(trained.state, member_ranges=None, environments=None)
    )
    answered = older.predict([squeezed(1.1)])
    assert answered.outside is None
    assert not answered.warnings[0].startswith("outside")
    assert np.isfinite(answered.mean[0])


def test_a_saved_potential_is_as_sure_as_before(tmp_path: Path) -> None:
    potential().save(tmp_path / "model.amalthea")
    asked = [squeezed(length) for length in (2.5, 1.8)]
    one, other = (model.predict(asked) for model in (potential(), am.load_model(tmp_path / "model.amalthea")))
    np.testing.assert_array_equal(one.std, other.std)
    np.testing.assert_array_equal(one.forces_std[1], other.forces_std[1])
    assert one.warnings.tolist() == other.warnings.tolist()


def test_copies_lie_in_one_half_and_the_outer_one_teaches_what_distance_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "FEWEST_STRUCTURES", 20)
    said: list[str] = []
    far = train(structures(24), folds=2, say=said.append)
    assert any("inner half" in sentence for sentence in said)
    monkeypatch.undo()
    near = train(structures(24), folds=2)
    for one, other in ((far.calibrations[0], near.calibrations[0]), (far.state.force_calibration,) * 2):
        assert one.reach.largest_distance >= other.reach.largest_distance
    for one, other in zip(far.parts[0].ensemble.weights.values(), near.parts[0].ensemble.weights.values(), strict=True):
        np.testing.assert_array_equal(one, other)  # what is learned, and by whom, is the same


def test_the_outer_half_is_of_whole_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    images = structures(24)
    frames = read_back(images)
    elements = ("Al", "Cu")
    functions = choose_functions(elements, "auto", print, "angstrom")
    examples = Examples(frames, functions, dict.fromkeys(functions, 0.0))
    split = Split(np.arange(24) % 3, np.arange(24) // 4)
    assert outer_half(examples, split) is None  # too few
    monkeypatch.setattr(judging, "FEWEST_STRUCTURES", 20)
    outer = outer_half(examples, split)
    assert outer is not None
    assert 0 < outer.sum() < 24
    assert all(len(set(outer[split.units == unit])) == 1 for unit in range(6))
    assert outer_half(examples, Split(np.zeros(24, np.int64), np.arange(24))) is None
    assert set(environments_of(examples, outer)) <= set(elements)
