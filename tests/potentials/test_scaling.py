"""What networks of potentials are scaled by: wild labels do not move it, and silent functions are not blown up."""

from __future__ import annotations

import numpy as np
import pytest

from amalthea.potentials.networks.atomic_energies import reference_energies
from amalthea.potentials.networks.potential_network import FunctionScaling
from amalthea.potentials.symmetry_functions.families import LEAST_SPREAD
from tests.potentials.alloys import cluster, read_back


def test_a_fifth_of_wild_labels_hardly_moves_the_energies_of_atoms() -> None:
    """Each atom of copper has -3 eV and each of aluminium -2 eV, give or take; every fifth label is another world's."""
    images = [cluster(4 + number % 6, ("Cu", "Al", "CuAl")[number % 3], number) for number in range(30)]
    frames = read_back(images)
    random = np.random.default_rng(0)
    for number, atoms in enumerate(images):
        copper, aluminium = (atoms.symbols.count(symbol) for symbol in ("Cu", "Al"))
        frames.energy[number] = -3 * copper - 2 * aluminium + random.normal() * 0.1
    before = reference_energies(frames, ["Al", "Cu"])
    assert before == pytest.approx({"Al": -2, "Cu": -3}, abs=0.05)
    frames.energy[::5] = 1e6
    assert reference_energies(frames, ["Al", "Cu"]) == pytest.approx(before, abs=0.1)


def scaling(spread: np.ndarray) -> np.ndarray:
    """Return the inverse scales of four functions, two families of two, that vary so much and typically by 1 and 2."""
    layer = FunctionScaling(1, 4, [[0, 0, 1, 1]], [[1.0, 1.0, 2.0, 2.0]])
    values = np.empty(1, object)
    standard = np.array([1.0, -1.0] * 50)[:, None] * spread
    values[0] = (np.zeros(100, np.int32), (3.0 + standard).astype(np.float32))
    return layer.statistics(values)[1][0]


def test_functions_of_a_family_share_the_root_mean_square_of_their_spreads() -> None:
    np.testing.assert_allclose(
        scaling(np.array([0.3, 0.4, 5.0, 5.0])), [1 / 0.125**0.5, 1 / 0.125**0.5, 0.2, 0.2], rtol=1e-4
    )


def test_a_family_that_is_all_but_silent_is_not_blown_up() -> None:
    first, _, third, _ = scaling(np.array([1e-4, 1e-4, 0.5, 0.5]))
    assert first == pytest.approx(1 / LEAST_SPREAD)
    assert third == pytest.approx(2.0, rel=1e-4)


def test_what_is_rounding_says_nothing() -> None:
    np.testing.assert_array_equal(scaling(np.array([0.0, 0.0, 0.5, 0.5]))[:2], 0.0)
