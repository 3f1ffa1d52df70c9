"""A small potential for copper and aluminium, trained on ASE's EMT; and committees of random networks."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amalthea as am
from amalthea.potentials.networks.committee import Committee
from amalthea.potentials.symmetry_functions.functions import Angular, Cutoff, Functions, Radial


def random_committee(members: int = 4, elements: tuple[str, ...] = ("Al", "Cu"), seed: int = 0) -> Committee:
    """Return networks with random weights: their energies mean nothing, and are as smooth as any other's."""
    random, cutoff = np.random.default_rng(seed), Cutoff(4.0)
    pairs = [(a, b) for index, a in enumerate(elements) for b in elements[index:]]
    several = (
        *(Radial(element, 0.5, shift, cutoff) for element in elements for shift in (0.0, 2.5)),
        *(Angular(pair, 0.05, 1.0, 4.0, cutoff, closed=True) for pair in pairs),
        *(Angular(pair, 0.05, -1.0, 1.0, cutoff) for pair in pairs),
    )
    functions: Functions = dict.fromkeys(elements, several)
    sizes = [len(several), 5, 1]
    layers = {
        element: [
            (random.normal(size=(members, n, m)) / np.sqrt(n), 0.1 * random.normal(size=(members, m)))
            for n, m in itertools.pairwise(sizes)
        ]
        for element in elements
    }
    activations = {element: ["tanh", "linear"] for element in elements}
    return Committee(functions, layers, activations, np.zeros((members, len(elements))))


def alloy(rattle: float = 0.1, seed: int = 0, periodic: Any = True, copies: int = 2) -> Any:
    """Return a rattled crystal of copper and aluminium."""
    from ase.build import bulk

    atoms = bulk("Cu", "fcc", a=3.8, cubic=True) * (copies, copies, 1)
    atoms.symbols[::3] = "Al"
    atoms.pbc = periodic
    atoms.rattle(rattle, seed=seed)
    return atoms


@pytest.fixture(scope="session")
def committee() -> Committee:
    return random_committee()


@pytest.fixture(scope="session")
def metal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a potential for copper that two folds of two members learned from 24 structures."""
    from ase.build import bulk
    from ase.calculators.emt import EMT
    from ase.io import write

    random, frames = np.random.default_rng(0), []
    for number in range(24):
        atoms = bulk("Cu", "fcc", a=3.6 + 0.02 * (number % 5 - 2), cubic=True)
        atoms.positions += random.normal(scale=0.03 + 0.005 * (number % 24), size=(4, 3))
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(atoms)
    folder = tmp_path_factory.mktemp("metal")
    write(folder / "copper.extxyz", frames)
    potential = am.train(folder / "copper.extxyz", folds=2, members=2, epochs=60, verbose=0)
    potential.save(folder / "copper.amalthea")
    return folder / "copper.amalthea"


@pytest.fixture(scope="session")
def copper(metal: Path) -> Any:
    """The potential, opened."""
    return am.load_model(metal)
