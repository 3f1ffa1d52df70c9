"""Which symmetry functions are chosen: of all neighbours, few, always the same; or the user's own."""

from __future__ import annotations

from pathlib import Path

import ase.units
import numpy as np
import pytest
from ase import Atoms

from amalthea.errors import DataError
from amalthea.potentials.symmetry_functions.functions import Angular, Radial
from amalthea.potentials.symmetry_functions.selection import MOST, choose_functions, pool, shortest_distances
from tests.potentials.alloys import cell, cluster, read_back
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
        assert {f.cutoff.radius for f in own} == {5.5}


def test_distances_are_those_of_the_data() -> None:
    found = shortest_distances([Atoms("Cu2Al", [[0, 0, 0], [0, 0, 2.3], [0, 4.0, 0]])], ["Al", "Cu"])
    assert found[frozenset(["Cu"])] == pytest.approx(2.3)
    assert found[frozenset(["Cu", "Al"])] == pytest.approx(4.0, abs=0.7)
    assert 2 < found[frozenset(["Al"])] < 3  # never met: the covalent radii


def test_thinning_keeps_few_and_always_the_same() -> None:
    frames = read_back([cluster(9, "CuAl", seed) for seed in range(4)] + [cell("CuAl", 9)])
    heard: list[str] = []
    first, second = (choose_functions(frames, "auto", heard.append) for _ in range(2))
    assert first == second
    assert list(first) == ["Al", "Cu"]
    whole = pool(["Al", "Cu"], shortest_distances(frames.atoms, ["Al", "Cu"]))
    for element, own in first.items():
        assert len(own) == MOST < len(whole[element])
        assert set(own) <= set(whole[element])
    assert "Al 90, Cu 90" in heard[0]
    assert "zeta" in heard[1]


def test_thinning_keeps_what_tells_atoms_apart() -> None:
    """Copper sees no aluminium here, so of its functions those of copper alone come first."""
    images = [cluster(6, "Cu", seed) + Atoms("Al3", np.diag([30.0, 40.0, 50.0])) for seed in range(12)]
    functions = choose_functions(read_back(images), "auto", nobody)
    kept = [f for f in functions["Cu"] if "Al" not in (getattr(f, "neighbours", None) or (f.neighbour,))]  # type: ignore[union-attr]
    lone = pool(["Cu"], {frozenset(["Cu"]): 2.0})["Cu"]
    assert len(kept) >= 0.8 * min(len(lone), MOST)
    assert 0 < len(functions["Al"]) <= MOST


def test_one_element_keeps_its_whole_pool() -> None:
    frames = read_back([cell("Cu", seed) for seed in range(2)])
    assert (
        choose_functions(frames, "auto", nobody)["Cu"] == pool(["Cu"], shortest_distances(frames.atoms, ["Cu"]))["Cu"]
    )


def test_a_list_of_ones_own_in_either_unit(tmp_path: Path) -> None:
    (tmp_path / "input.nn").write_text(LIST)
    both = read_back([cluster(6, "CuAl", 0)])
    angstrom = choose_functions(both, str(tmp_path / "input.nn"), nobody, "angstrom")
    bohr = choose_functions(both, str(tmp_path / "input.nn"), nobody)
    assert {element: len(own) for element, own in angstrom.items()} == {"Al": 3, "Cu": 4}
    assert angstrom["Cu"][0].cutoff.radius == 4.5  # type: ignore[union-attr]
    assert bohr["Cu"][0].cutoff.radius == pytest.approx(4.5 * ase.units.Bohr)  # type: ignore[union-attr]


def test_functions_of_neighbours_that_never_occur_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "input.nn").write_text(LIST)
    functions = choose_functions(read_back([cluster(6, "Cu", 0)]), str(tmp_path / "input.nn"), nobody, "angstrom")
    assert {element: len(own) for element, own in functions.items()} == {"Cu": 3}


def test_a_list_without_an_element_is_refused(tmp_path: Path) -> None:
    (tmp_path / "input.nn").write_text(LIST)
    with pytest.raises(DataError, match=r"input\.nn has no symmetry functions for O"):
        choose_functions(read_back([Atoms("CuO", [[0, 0, 0], [0, 0, 1.9]])]), str(tmp_path / "input.nn"), nobody)
    with pytest.raises(DataError, match="no such list"):
        choose_functions(read_back([cluster(4, "Cu", 0)]), str(tmp_path / "none.nn"), nobody)
