"""Symmetry functions: the formulas by hand, what they must not depend on, and their derivatives."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from amalthea.errors import DataError
from amalthea.potentials.n2p2.symfunctions import KINDS, SHAPES
from amalthea.potentials.symmetry_functions import definitions as symmetry_functions
from amalthea.potentials.symmetry_functions.cutoffs import compact, cutoff
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
from amalthea.potentials.symmetry_functions.neighbours import neighbours

Floats = NDArray[np.float64]
seeds = st.integers(0, 2**32 - 1)

SOFT = Cutoff(3.5)
FUNCTIONS: Functions = {
    "H": (
        Radial("O", 0.3, 0.5, Cutoff(3.2, "tanh")),
        Angular(("H", "O"), 0.05, -1.0, 2.0, SOFT),
        CompactRadial("H", 0.4, 3.4, "p2a"),
    ),
    "O": (
        Radial("H", 0.1, 0.0, SOFT),
        WeightedRadial(0.2, 1.0, SOFT),
        Angular(("H", "H"), 0.1, 1.0, 1.5, SOFT, 0.2, closed=True),
        WeightedAngular(0.02, 0.1, -1.0, 4.0, SOFT),
        CompactAngular(("H", "O"), -1.0, 3.3, 40.0, 170.0, "p3"),
        CompactAngular(("O", "H"), 0.2, 3.3, 0.0, 180.0, "e", closed=True),
    ),
}
"""All kinds of records; two elements with different numbers of functions."""

CELL = np.array([[3.1, 0.2, 0.0], [-0.4, 2.9, 0.3], [0.5, 0.1, 3.3]])
SYMBOLS = ["H", "O", "H", "O"]


def positions(seed: int) -> Floats:
    """Return four atoms in `CELL` that keep apart."""
    corners = np.array([[0.1, 0.1, 0.1], [0.55, 0.5, 0.1], [0.5, 0.05, 0.55], [0.05, 0.55, 0.6]])
    return (corners + np.random.default_rng(seed).uniform(-0.1, 0.1, (4, 3))) @ CELL


def values(places: Any, cell: Any = CELL, symbols: list[str] = SYMBOLS, functions: Functions = FUNCTIONS) -> Floats:
    pairs = neighbours(places, cell, cell is not None, reach(functions))
    found: Floats = symmetry_functions.values(functions, symbols, pairs)
    return found


def by_hand(functions: Functions, symbols: list[str], places: Floats) -> Floats:
    """Return the functions of a molecule with a cosine cutoff as the papers write them, one atom after the other."""
    numbers = {"H": 1, "O": 8}
    rows = []
    for i, element in enumerate(symbols):
        others = [j for j in range(len(symbols)) if j != i]
        row = []
        for f in functions[element]:
            total = 0.0
            for j in others:
                r = math.dist(places[i], places[j])
                if isinstance(f, Radial | WeightedRadial):
                    weight = numbers[symbols[j]] if isinstance(f, WeightedRadial) else symbols[j] == f.neighbour
                    total += weight * math.exp(-f.eta * (r - f.shift) ** 2) * fc(f.cutoff, r)
            for j, k in itertools.combinations(others, 2):
                r_ij, r_ik, r_jk = (math.dist(places[a], places[b]) for a, b in ((i, j), (i, k), (j, k)))
                cosine = float((places[j] - places[i]) @ (places[k] - places[i])) / (r_ij * r_ik)
                if isinstance(f, Angular | WeightedAngular):
                    closed = isinstance(f, WeightedAngular) or f.closed
                    weight = (
                        numbers[symbols[j]] * numbers[symbols[k]]
                        if isinstance(f, WeightedAngular)
                        else {symbols[j], symbols[k]} == set(f.neighbours)
                    )
                    product = 2 ** (1 - f.zeta) * (1 + f.lambda_ * cosine) ** f.zeta
                    for r in (r_ij, r_ik, r_jk) if closed else (r_ij, r_ik):
                        product *= math.exp(-f.eta * (r - f.shift) ** 2) * fc(f.cutoff, r)
                    total += weight * product
            row.append(total)
        rows.append(row)
    return np.array(rows)


def fc(kind: Cutoff, r: float) -> float:
    return (math.cos(math.pi * r / kind.radius) + 1) / 2 if r < kind.radius else 0.0


def test_the_formulas_by_hand() -> None:
    wide = Cutoff(5.0)
    own = (
        Radial("H", 0.3, 0.5, wide),
        Radial("O", 0.1, 0.0, Cutoff(4.0)),
        WeightedRadial(0.2, 1.0, wide),
        Angular(("O", "H"), 0.1, -1.0, 3.0, wide),
        Angular(("H", "H"), 0.05, 1.0, 2.5, wide, 0.3, closed=True),
        WeightedAngular(0.02, 0.1, 1.0, 4.0, wide),
    )
    symbols = ["H", "O", "H", "H", "O"]
    places = np.random.default_rng(1).uniform(0, 3.5, (5, 3))
    functions = {"H": own, "O": own}
    np.testing.assert_allclose(
        values(places, None, symbols, functions), by_hand(functions, symbols, places), rtol=1e-12
    )


def test_compact_functions_of_a_molecule() -> None:
    places = [[0, 0, 0], [1.0, 0, 0], [0, 2.0, 0]]
    functions = {
        "H": (
            CompactRadial("H", 0.0, 4.0, "p1"),
            CompactAngular(("H", "H"), 0.0, 4.0, 60.0, 180.0, "p1"),
            CompactAngular(("H", "H"), 0.0, 4.0, 60.0, 180.0, "p1", closed=True),
        )
    }

    def bump(x: float) -> float:
        return (2 * x - 3) * x**2 + 1

    first = values(places, None, ["H"] * 3, functions)[0]
    radial = [bump(0.5), bump(0.0)]
    angle = bump(abs(90 - 120) / 60)
    apart = bump(abs(math.sqrt(5) - 2) / 2)
    np.testing.assert_allclose(first, [sum(radial), math.prod(radial) * angle, math.prod(radial) * angle * apart])


@settings(max_examples=3, deadline=None)
@given(seeds)
def test_rotation_reflection_translation_and_order_do_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    places = positions(seed)
    before = values(places)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    np.testing.assert_allclose(values(places @ turn, CELL @ turn), before, atol=1e-11)
    np.testing.assert_allclose(values(places + random.normal(size=3)), before, atol=1e-11)
    order = random.permutation(4)
    np.testing.assert_allclose(values(places[order], CELL, [SYMBOLS[n] for n in order]), before[order], atol=1e-11)


@settings(max_examples=3, deadline=None)
@given(seeds)
def test_the_choice_of_the_cell_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    places = positions(seed)
    before = values(places)
    outside = places + random.integers(-2, 3, (4, 3)) @ CELL
    np.testing.assert_allclose(values(outside), before, atol=1e-11)
    other = np.array([[1, 1, 0], [0, 1, 0], [0, -1, 1]]) @ CELL
    np.testing.assert_allclose(values(places, other), before, atol=1e-11)
    double = np.concatenate([places, places + CELL[0]])
    np.testing.assert_allclose(
        values(double, np.diag([2, 1, 1]) @ CELL, SYMBOLS * 2), np.tile(before, (2, 1)), atol=1e-11
    )


def test_a_longer_list_of_neighbours_changes_nothing() -> None:
    places = positions(0)
    longer = neighbours(places, CELL, True, reach(FUNCTIONS) + 0.7)
    np.testing.assert_allclose(symmetry_functions.values(FUNCTIONS, SYMBOLS, longer), values(places), atol=1e-11)


@settings(max_examples=3, deadline=None)
@given(seeds)
def test_derivatives_are_those_of_finite_differences(seed: int) -> None:
    pairs = neighbours(positions(seed), CELL, True, reach(FUNCTIONS))
    random = np.random.default_rng(seed)
    way = random.normal(size=pairs.vector.shape)

    def at(step: float) -> Floats:
        moved = dataclasses.replace(pairs, vector=pairs.vector + step * way)
        found: Floats = symmetry_functions.values(FUNCTIONS, SYMBOLS, moved)
        return found

    h = 2e-4
    numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    exact = symmetry_functions.derivatives(FUNCTIONS, SYMBOLS, pairs)
    assert exact.shape == (len(way), 6, 3)
    along = np.zeros_like(numeric)
    np.add.at(along, pairs.centre, np.einsum("pfx,px->pf", exact, way))
    np.testing.assert_allclose(along, numeric, atol=1e-6 * np.abs(numeric).max())
    gradient = random.normal(size=numeric.shape)
    pulled = symmetry_functions.pull_back(FUNCTIONS, SYMBOLS, pairs, gradient)
    np.testing.assert_allclose(pulled, np.einsum("pfx,pf->px", exact, gradient[pairs.centre]), atol=1e-11)


def test_columns_that_an_element_lacks_are_zero() -> None:
    pairs = neighbours(positions(0), CELL, True, reach(FUNCTIONS))
    found = symmetry_functions.values(FUNCTIONS, SYMBOLS, pairs)
    slopes = symmetry_functions.derivatives(FUNCTIONS, SYMBOLS, pairs)
    hydrogen = np.array(SYMBOLS) == "H"
    assert not found[hydrogen, 3:].any()
    assert not slopes[hydrogen[pairs.centre], 3:].any()
    assert (np.abs(found[~hydrogen]) > 1e-12).all(), "no function of this structure is empty"


def test_isolated_atoms_have_nothing_around_them() -> None:
    alone = neighbours(np.diag([0.0, 10.0, 20.0, 30.0])[:, 1:], None, False, reach(FUNCTIONS))
    assert symmetry_functions.values(FUNCTIONS, SYMBOLS, alone).tolist() == np.zeros((4, 6)).tolist()
    assert symmetry_functions.pull_back(FUNCTIONS, SYMBOLS, alone, np.ones((4, 6))).shape == (0, 3)


def test_single_precision_is_close() -> None:
    pairs = neighbours(positions(0), CELL, True, reach(FUNCTIONS))
    double = symmetry_functions.values(FUNCTIONS, SYMBOLS, pairs)
    single = symmetry_functions.values(FUNCTIONS, SYMBOLS, pairs, "float32")
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    assert 0 < np.abs(double - single).max() < 1e-5 * np.abs(double).max()
    assert jnp.ones(1).dtype == np.float32, "JAX's own setting is as it was"


def test_an_unknown_element_is_named() -> None:
    pairs = neighbours(positions(0), CELL, True, 3.0)
    with pytest.raises(DataError, match=r"no symmetry functions for Xe, only for H, O"):
        symmetry_functions.values(FUNCTIONS, ["H", "O", "Xe", "O"], pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_cutoff_functions_end_smoothly(kind: Any) -> None:
    with jax.enable_x64(True):
        ends = Cutoff(4.0, kind, 0.4)
        r = jnp.array([0.0, 0.5, 1.0, 1.59, 2.0, 3.0, 4.0 - 1e-7, 4.0, 5.0])
        value = np.asarray(cutoff(ends, r))
        slope = np.asarray(jax.vmap(jax.grad(lambda one: cutoff(ends, one)))(r))
    assert np.isfinite(slope).all()
    assert (value[-2:] == 0).all()
    assert (slope[-2:] == 0).all()
    assert (np.diff(value) <= 1e-12).all()
    assert value[0] == pytest.approx(math.tanh(1) ** 3 if kind == "tanh" else 1)
    if kind != "hard":
        assert value[-3] < 1e-12
        assert abs(slope[-3]) < 1e-6
    if not kind.startswith("tanh"):
        assert (value[:4] == 1).all()
        assert (slope[:4] == 0).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_compact_functions_are_bumps(shape: str) -> None:
    with jax.enable_x64(True):
        a = jnp.array([0.9, 1.0, 1.0 + 1e-7, 1.5, 2.0, 2.5, 3.0 - 1e-7, 3.0, 9.0])
        value = np.asarray(compact(shape, 1.0, 3.0, a))
        slope = np.asarray(jax.vmap(jax.grad(lambda one: compact(shape, 1.0, 3.0, one)))(a))
    assert np.isfinite(slope).all()
    assert value[4] == pytest.approx(1.0)
    assert value[3] == pytest.approx(value[5])
    assert 0 < value[3] < 1
    np.testing.assert_allclose(value[[0, 1, 2, 6, 7, 8]], 0, atol=1e-12)
    np.testing.assert_allclose(slope[[0, 1, 2, 6, 7, 8]], 0, atol=1e-5)


def test_an_atom_that_crosses_the_cutoff_is_not_noticed() -> None:
    kinds = [kind for kind in KINDS if kind != "hard"]
    functions = {"H": tuple(Radial("H", 0.0, 0.0, Cutoff(3.0, kind)) for kind in kinds)}

    def at(r: float) -> Floats:
        pairs = neighbours([[0, 0, 0], [r, 0, 0]], None, False, 4.0)
        found: Floats = symmetry_functions.values(functions, ["H", "H"], pairs)
        return found[0]

    assert (at(2.5) > 1e-4).all()
    np.testing.assert_allclose(at(3.0 - 1e-5), at(3.0 + 1e-5), atol=1e-9)


@pytest.mark.parametrize("closed", [True, False])
def test_atoms_on_one_line_have_finite_derivatives(closed: bool) -> None:
    functions = {
        "H": (
            CompactAngular(("H", "H"), 0.0, 4.0, 90.0, 270.0, "p2", closed),
            Angular(("H", "H"), 0.1, 1.0, 1.0, Cutoff(4.0), closed=closed),
            Angular(("H", "H"), 0.1, 1.0, 0.5, Cutoff(4.0), closed=closed),
        )
    }
    pairs = neighbours([[-1.0, 0, 0], [0, 0, 0], [1.5, 0, 0]], None, False, 4.0)
    assert np.isfinite(symmetry_functions.derivatives(functions, ["H"] * 3, pairs)).all()
    assert symmetry_functions.values(functions, ["H"] * 3, pairs)[1, 0] == 0, "as in n2p2"
