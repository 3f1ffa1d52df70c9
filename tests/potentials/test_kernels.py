"""The compiled symmetry functions say what the reference says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.potentials.symmetry_functions import definitions as symmetry_functions
from amalthea.potentials.symmetry_functions import kernels
from amalthea.potentials.symmetry_functions.functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Cutoff,
    Functions,
    Radial,
    WeightedAngular,
    WeightedRadial,
    reach,
)
from amalthea.potentials.symmetry_functions.neighbours import Neighbours, neighbours

NEAR, FAR = Cutoff(3.0), Cutoff(4.0, "poly2", 0.2)
CUTOFFS = tuple(
    Radial("H", 0.3, 1.0, Cutoff(3.5, kind, 0.0 if kind.startswith("tanh") else 0.1))  # type: ignore[arg-type]
    for kind in ("hard", "cosine", "tanh", "tanh_scaled", "exponential", "poly1", "poly2", "poly3", "poly4")
)
FUNCTIONS: Functions = {
    "H": (
        *CUTOFFS,
        Angular(("O", "H"), 0.1, 1.0, 1.0, NEAR, closed=True),
        Angular(("H", "O"), 0.2, -1.0, 16.0, NEAR, closed=True),
        Angular(("H", "H"), 0.1, -1.0, 3.0, NEAR, shift=0.7, closed=True),
        Angular(("H", "H"), 0.0, 1.0, 2.0, FAR),
        Angular(("H", "H"), 0.07, 1.0, 2.5, FAR, shift=1.1),
        Angular(("O", "O"), 0.11, 0.5, 7.0, FAR),
        WeightedRadial(0.2, 0.5, NEAR),
        WeightedAngular(0.1, 0.4, -1.0, 2.0, NEAR),
        CompactRadial("O", 0.5, 3.5, "p2"),
        CompactRadial("H", -3.0, 3.0, "p1a"),
        CompactAngular(("H", "O"), 0.2, 3.5, 20.0, 160.0, "p3", closed=True),
        CompactAngular(("H", "H"), -3.5, 3.5, 60.0, 180.0, "e"),
    ),
    "O": (
        Radial("H", 1.0, 0.0, FAR),
        Angular(("H", "H"), 0.05, -1.0, 4.0, NEAR),
        Angular(("H", "H"), 0.10, -1.0, 4.0, NEAR),
        Angular(("H", "H"), 0.20, 1.0, 1.0, NEAR),
    ),
}
CUTOFF = reach(FUNCTIONS)
PLAN = kernels.plan(FUNCTIONS)


def structure(seed: int) -> tuple[list[str], Neighbours]:
    """Twelve atoms in a small periodic cell, none nearer than 0.6 Å to another."""
    random = np.random.default_rng(seed)
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1, 2], indexing="ij"), -1).reshape(-1, 3)
    positions = corners * 2.0 + random.uniform(-0.7, 0.7, (12, 3))
    cell = np.diag([4.0, 4.0, 6.0]) + random.uniform(-0.2, 0.2, (3, 3))
    symbols = [("H", "O")[random.integers(2)] for _ in range(12)]
    return symbols, neighbours(positions, cell, (True, True, False), CUTOFF)


def arguments(symbols: list[str], found: Neighbours) -> tuple[Any, ...]:
    return [("H", "O").index(symbol) for symbol in symbols], found.first, found.neighbour, found.vector


@given(st.integers(0, 10_000))
@settings(max_examples=3, deadline=None)
def test_as_the_reference(seed: int) -> None:
    symbols, found = structure(seed)
    expected = symmetry_functions.values(FUNCTIONS, symbols, found)
    slopes = symmetry_functions.derivatives(FUNCTIONS, symbols, found)
    got, got_slopes = kernels.derivatives(PLAN, *arguments(symbols, found))
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(got_slopes, slopes, rtol=1e-8, atol=1e-10 * abs(slopes).max())
    np.testing.assert_allclose(kernels.values(PLAN, *arguments(symbols, found)), expected, rtol=1e-10, atol=1e-11)


@given(st.integers(0, 10_000))
@settings(max_examples=3, deadline=None)
def test_pulled_back_is_gradient_times_derivatives(seed: int) -> None:
    symbols, found = structure(seed)
    given_ = arguments(symbols, found)
    values, slopes = kernels.derivatives(PLAN, *given_)
    gradient = np.random.default_rng(seed).normal(size=(3, *values.shape))
    expected = np.einsum("mpf,pfd->mpd", gradient[:, found.centre], slopes)
    got = kernels.pull_back(PLAN, *given_, gradient)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12 * abs(expected).max())
    np.testing.assert_array_equal(kernels.pull_back(PLAN, *given_, gradient[1]), got[1])


def test_threads_change_nothing() -> None:
    symbols, found = structure(1)
    given_ = arguments(symbols * 2, twice(found))
    values = kernels.values(PLAN, *given_)
    gradient = np.cos(values)
    np.testing.assert_array_equal(kernels.values(PLAN, *given_, threads=3), values)
    np.testing.assert_array_equal(
        kernels.pull_back(PLAN, *given_, gradient, threads=3), kernels.pull_back(PLAN, *given_, gradient)
    )


def twice(found: Neighbours) -> Neighbours:
    from amalthea.potentials.symmetry_functions.neighbours import concatenate

    return concatenate([found, found])


def test_many_neighbours_need_several_blocks() -> None:
    """Some 180 neighbours have 16,000 pairs of them."""
    functions: Functions = {"H": (Angular(("H", "H"), 0.1, 1.0, 2.0, Cutoff(3.5)),)}
    side = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), -1).reshape(-1, 3) + np.random.default_rng(0).uniform(
        -0.1, 0.1, (64, 3)
    )
    found = neighbours(side, np.eye(3) * 4, True, 3.5)
    symbols = ["H"] * 64
    got = kernels.values(kernels.plan(functions), [0] * 64, found.first, found.neighbour, found.vector)
    np.testing.assert_allclose(got, symmetry_functions.values(functions, symbols, found), rtol=1e-10)


def test_an_atom_alone_and_no_atom() -> None:
    alone = kernels.values(PLAN, [0], [0, 0], [], np.zeros((0, 3)))
    assert alone.shape == (1, PLAN.width)
    assert not alone.any()
    assert kernels.values(PLAN, [], [0], [], np.zeros((0, 3))).shape == (0, PLAN.width)
    assert kernels.pull_back(PLAN, [0], [0, 0], [], np.zeros((0, 3)), np.ones((1, PLAN.width))).shape == (0, 3)


@pytest.mark.slow
def test_float32_is_near() -> None:
    """Compiled for the second time: so it takes long."""
    symbols, found = structure(2)
    single = kernels.plan(FUNCTIONS, dtype=np.float32)
    given_ = arguments(symbols, found)
    values = kernels.values(PLAN, *given_)
    gradient = np.cos(values)
    got = kernels.pull_back(single, *given_, gradient)
    expected = kernels.pull_back(PLAN, *given_, gradient)
    assert got.dtype == np.float32
    np.testing.assert_allclose(kernels.values(single, *given_), values, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5 * abs(expected).max())
