"""Which symmetry functions are chosen: of all neighbours, few, always the same; or the user's own."""

from __future__ import annotations

from pathlib import Path

import ase.units
import numpy as np
import pytest

from amalthea.errors import DataError
from amalthea.potentials.symmetry_functions.functions import Angular, Radial
from amalthea.potentials.symmetry_functions.random_clusters import random_clusters
from amalthea.potentials.symmetry_functions.selection import MOST, choose_functions, pool, touching_distances
from tests.potentials.test_workflow import LIST

THREE = ["O", "Al", "Cu"]
SHORTEST = {frozenset(pair): 2.0 for pair in [(one, two) for one in THREE for two in THREE]}


def nobody(sentence: str) -> None:
    """Hear and tell nothing."""


def test_the_pool_sees_all_neighbours_and_all_pairs_of_them() -> None:
    functions = pool(THREE, SHORTEST)
    assert list(functions) == THREE
    for own in functions.values():
        assert {f.neighbour for f in own if isinstance(f, Radial)} == set(THREE)
        pairs = {frozenset(f.neighbours) for f in own if isinstance(f, Angular)}
        assert pairs == set(SHORTEST)
        assert len(set(own)) == len(own)
        assert {f.cutoff.radius for f in own} == {5.5}  # type: ignore[union-attr]


def test_distances_are_those_of_atoms_that_touch() -> None:
    touching = touching_distances(["H", "C"])
    assert touching[frozenset(["C"])] == pytest.approx(1.54, abs=0.05)  # of ethane
    assert touching[frozenset(["H", "C"])] == pytest.approx(1.09, abs=0.05)  # of methane


def test_thinning_keeps_few_and_always_the_same() -> None:
    heard: list[str] = []
    first, second = (choose_functions(["Al", "Cu"], "auto", heard.append) for _ in range(2))
    assert first == second
    assert list(first) == ["Al", "Cu"]
    whole = pool(["Al", "Cu"], touching_distances(["Al", "Cu"]))
    for element, kept in first.items():
        assert len(kept) == MOST < len(whole[element])
        assert set(kept) <= set(whole[element])
        assert {f.neighbour for f in kept if isinstance(f, Radial)} == {"Al", "Cu"}
        assert len({frozenset(f.neighbours) for f in kept if isinstance(f, Angular)}) == 3
    assert "Al 90, Cu 90" in heard[0]
    assert "zeta" in heard[1]


def test_one_element_keeps_its_whole_pool() -> None:
    assert choose_functions(["Cu"], "auto", nobody) == pool(["Cu"], touching_distances(["Cu"]))


def test_no_atom_of_a_random_cluster_stands_on_another() -> None:
    for kinds, positions in random_clusters(["H", "Si"]):
        radius = np.array([0.31, 1.11])[kinds]
        apart = np.linalg.norm(positions[:, None] - positions, axis=2) + np.diag(np.full(len(kinds), np.inf))
        touching = radius[:, None] + radius
        assert (apart >= 0.85 * touching - 1e-9).all()
        assert (apart <= 1.3 * touching + 1e-9).any(axis=1).all()


def test_a_list_of_ones_own_in_either_unit(tmp_path: Path) -> None:
    (tmp_path / "input.nn").write_text(LIST)
    both = ["Al", "Cu"]
    angstrom = choose_functions(both, str(tmp_path / "input.nn"), nobody, "angstrom")
    bohr = choose_functions(both, str(tmp_path / "input.nn"), nobody)
    assert {element: len(own) for element, own in angstrom.items()} == {"Al": 3, "Cu": 4}
    assert angstrom["Cu"][0].cutoff.radius == 4.5  # type: ignore[union-attr]
    assert bohr["Cu"][0].cutoff.radius == pytest.approx(4.5 * ase.units.Bohr)  # type: ignore[union-attr]


def test_functions_of_neighbours_that_never_occur_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "input.nn").write_text(LIST)
    functions = choose_functions(["Cu"], str(tmp_path / "input.nn"), nobody, "angstrom")
    assert {element: len(own) for element, own in functions.items()} == {"Cu": 3}


def test_a_list_without_an_element_is_refused(tmp_path: Path) -> None:
    (tmp_path / "input.nn").write_text(LIST)
    with pytest.raises(DataError, match=r"input\.nn has no symmetry functions for O"):
        choose_functions(["O", "Cu"], str(tmp_path / "input.nn"), nobody)
    with pytest.raises(DataError, match="no such list"):
        choose_functions(["Cu"], str(tmp_path / "none.nn"), nobody)
