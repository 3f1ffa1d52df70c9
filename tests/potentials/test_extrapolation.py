"""Which atom lies outside of the training range, in which function, and by how much."""

from __future__ import annotations

import numpy as np

from amalthea.potentials.symmetry_functions.extrapolation import Ranges
from amalthea.potentials.symmetry_functions.functions import Cutoff, Radial

FUNCTIONS = {
    "H": (Radial("H", 0.5, 1.0, Cutoff(4.0)), Radial("O", 0.5, 2.0, Cutoff(4.0))),
    "O": (Radial("H", 0.7, 1.0, Cutoff(4.0)),),
}
KINDS = [np.array([0, 1, 0]), np.array([0])]
VALUES = [np.array([[1.0, 5.0], [7.0, 0.0], [2.0, 5.0]]), np.array([[3.0, 5.0]])]
RANGES = Ranges.of(FUNCTIONS, KINDS, VALUES)


def test_ranges_are_those_of_each_element() -> None:
    np.testing.assert_array_equal(RANGES.low, [[1.0, 5.0], [7.0, 0.0]])
    np.testing.assert_array_equal(RANGES.high, [[3.0, 5.0], [7.0, 0.0]])


def test_training_structures_lie_inside() -> None:
    for kinds, values in zip(KINDS, VALUES, strict=True):
        assert RANGES.worst(kinds, values) is None
        assert not RANGES.excess(kinds, values).any()


def test_the_worst_is_named_with_its_distance_as_a_share_of_the_range() -> None:
    worst = RANGES.worst(np.array([0, 0]), np.array([[3.2, 5.0], [0.0, 5.0]]))
    assert worst is not None
    assert (worst.atom, worst.element, worst.function, worst.excess) == (2, "H", "G2(H, eta=0.5, Rs=1)", 0.5)
    assert str(worst) == "atom 2 (H), G2(H, eta=0.5, Rs=1): 50% of its training range outside"


def test_a_function_that_never_varied_is_far_outside_at_once() -> None:
    worst = RANGES.worst(np.array([0, 1]), np.array([[2.0, 5.0], [7.1, 0.0]]))
    assert worst is not None
    assert (worst.atom, worst.element) == (2, "O")
    assert "more than ten times its training range outside" in str(worst)


def test_rounding_of_a_function_that_never_varied_is_no_extrapolation() -> None:
    excess = RANGES.excess(np.array([1]), np.array([[7.0 * (1 + 1e-12), 1e-15]]))
    assert excess.max() < 0.1


def test_no_atoms_lie_nowhere() -> None:
    assert RANGES.worst(np.array([], int), np.empty((0, 2))) is None
