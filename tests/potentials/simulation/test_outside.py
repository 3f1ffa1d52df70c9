"""Dynamics end where a potential's knowledge does: before atoms fuse, and before they fly."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read, write

import amalthea as am
from amalthea.potentials.simulation.md import md

DATA = Path(os.environ.get("AMALTHEA_DATA", "nowhere"))


def nearest(atoms: Any) -> np.ndarray:
    """Return how far each atom is from its nearest neighbour, in Å."""
    apart = atoms.get_all_distances(mic=bool(atoms.pbc.any())) + 1e9 * np.eye(len(atoms))
    return apart.min(axis=1)


def test_copper_ends_before_atoms_fuse(copper: Any, tmp_path: Path) -> None:
    crystal = bulk("Cu", cubic=True)
    hot = md(copper, crystal, output=tmp_path / "hot", steps=400, temperature=8000, verbose=0)
    assert hot.end == "outside"
    for frame in read(hot.files.trajectory, ":"):
        assert nearest(frame).min() > 1.4


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "potentials" / "ethanol").is_dir(), reason="needs AMALTHEA_DATA with ethanol")
@pytest.mark.parametrize("seed", [0, 1])
def test_ethanol_at_2000_kelvin(tmp_path: Path, seed: int) -> None:
    frames = read(DATA / "potentials" / "ethanol" / "train.xyz", ":100")
    write(tmp_path / "some.extxyz", frames)
    potential = am.train(tmp_path / "some.extxyz", folds=2, members=2, epochs=60, verbose=0)
    outcome = md(
        potential,
        frames[0],
        output=tmp_path / "hot",
        steps=20_000,
        timestep=0.5,
        temperature=2000,
        seed=seed,
        verbose=0,
    )
    assert outcome.end == "outside"
    for frame in read(outcome.files.trajectory, ":"):
        assert nearest(frame).min() > 0.7
        assert nearest(frame).max() < 2.0


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "silicon").is_dir(), reason="needs AMALTHEA_DATA with silicon")
def test_silicon_in_the_structure_of_beta_tin(tmp_path: Path) -> None:
    some = am.read("silicon").take(np.arange(0, 200, 5))
    potential = am.train(some, folds=2, members=2, epochs=20, verbose=0)
    places = [(0, 0, 0), (0.5, 0.5, 0.5), (0, 0.5, 0.25), (0.5, 0, 0.75)]
    tin = Atoms("Si4", scaled_positions=places, cell=[4.81, 4.81, 2.65], pbc=True) * (2, 2, 4)
    for name, crystal, end in (("tin", tin, "outside"), ("diamond", bulk("Si", cubic=True), "finished")):
        outcome = md(potential, crystal, output=tmp_path / name, steps=200, temperature=300, verbose=0)
        assert outcome.end == end, outcome.reason
        for frame in read(outcome.files.trajectory, ":"):
            assert nearest(frame).min() > 1.9
