"""Predictions stand where ASE looks for them, and what was given beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator

from amalthea.errors import DataError
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.reading.read_frames import StructureOptions, read_frames
from amalthea.potentials.reading.writing import write_predictions


@pytest.fixture
def frames(tmp_path: Path) -> Frames:
    """Return two frames with labels and one without."""
    images = []
    for seed in range(3):
        atoms: Any = bulk("Si", cubic=True)
        atoms.rattle(0.05, seed=seed)
        atoms.info = {"config_type": f"kind {seed}", "step": seed}
        if seed < 2:
            labels = {"energy": -40.0 - seed, "forces": np.full((8, 3), seed + 0.5), "stress": np.arange(6) / 100.0}
            atoms.calc = SinglePointCalculator(atoms, **labels)
        images.append(atoms)
    ase.io.write(tmp_path / "given.traj", images)
    return read_frames([tmp_path / "given.traj"], options=StructureOptions(labelled=False))


def test_predictions_and_references_after_a_round_trip(frames: Frames, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    energy = random.normal(size=3)
    forces = [random.normal(size=(8, 3)) for _ in range(3)]
    stress = [random.normal(size=6) for _ in range(3)]
    spread = [random.uniform(size=8) for _ in range(3)]
    info = pd.DataFrame({"energy_std": [0.1, 0.2, np.nan], "warning": ["", "far from the training set", None]})
    path = tmp_path / "out.xyz"
    write_predictions(path, frames, energy, forces, stress, info=info, arrays={"forces_std": spread})
    images = ase.io.read(path, index=":")
    assert isinstance(images, list)
    assert len(images) == 3
    for row, atoms in enumerate(images):
        assert atoms.get_potential_energy() == pytest.approx(energy[row])
        np.testing.assert_allclose(atoms.get_forces(), forces[row], atol=1e-7)
        np.testing.assert_allclose(atoms.get_stress(), stress[row])
        np.testing.assert_allclose(atoms.arrays["forces_std"], spread[row], atol=1e-7)
        np.testing.assert_allclose(atoms.positions, frames.atoms[row].positions, atol=1e-7)
        assert (atoms.info["config_type"], atoms.info["frame"]) == (f"kind {row}", row + 1)
    for row in range(2):
        assert images[row].info["reference_energy"] == -40.0 - row
        np.testing.assert_allclose(images[row].info["reference_stress"], np.arange(6) / 100.0)
        np.testing.assert_allclose(images[row].arrays["reference_forces"], row + 0.5)
    assert "reference_energy" not in images[2].info
    assert "reference_forces" not in images[2].arrays
    assert images[1].info["warning"] == "far from the training set"
    assert "warning" not in images[0].info
    assert "energy_std" not in images[2].info


def test_reading_predictions_again_finds_the_references(frames: Frames, tmp_path: Path) -> None:
    path = tmp_path / "out.xyz"
    write_predictions(path, frames, np.zeros(3), [np.zeros((8, 3))] * 3, [np.zeros(6)] * 3)
    again = read_frames([path])
    assert again.energy.tolist()[:2] == [-40.0, -41.0]
    for row in range(2):
        np.testing.assert_allclose(again.forces[row], frames.forces[row])  # type: ignore[arg-type]
        np.testing.assert_allclose(again.stress[row], frames.stress[row])  # type: ignore[arg-type]


def test_a_frame_without_a_prediction_has_none(frames: Frames, tmp_path: Path) -> None:
    path = tmp_path / "out.xyz"
    write_predictions(path, frames, np.array([1.0, np.nan, 3.0]))
    images = ase.io.read(path, index=":")
    assert isinstance(images, list)
    assert images[0].get_potential_energy() == 1.0
    assert images[1].calc is None
    with pytest.raises(PropertyNotImplementedError):
        images[2].get_forces()


def test_nothing_is_written_where_it_cannot_be(frames: Frames, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write"):
        write_predictions(tmp_path / "nowhere" / "out.xyz", frames, np.zeros(3))
