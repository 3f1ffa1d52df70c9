"""Radial distributions and diffusion of structures whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

from amalthea.errors import DataError
from amalthea.potentials.simulation.analysis import mean_square_displacement, radial_distribution, read_trajectory
from amalthea.potentials.simulation.curves import write_curve


def gas(frames: int, seed: int = 0) -> list[Atoms]:
    random = np.random.default_rng(seed)
    return [Atoms("Ar200", random.uniform(0, 20, (200, 3)), cell=[20, 20, 20], pbc=True) for _ in range(frames)]


def test_an_ideal_gas_has_no_structure() -> None:
    table = radial_distribution(gas(60), bins=20, blocks=6)
    assert table["r"].iloc[-1] == pytest.approx(9.75)
    late = table[table["r"] > 2]
    assert (late["g"] - 199 / 200).abs().mean() < 0.01
    within = ((late["g"] - 199 / 200).abs() < 3 * late["error"]).mean()
    assert within > 0.8  # 3 errors from 6 blocks
    assert late["error"].max() < 0.1


def test_shells_of_a_crystal() -> None:
    atoms = bulk("Cu", a=3.6, cubic=True) * (3, 3, 3)
    table = radial_distribution([atoms, atoms], reach=5.0, bins=250)
    step, density = 5.0 / 250, 4 / 3.6**3
    around = (table["g"] * 4 * np.pi * table["r"] ** 2 * step * density).rename("atoms")
    for shell, number in [(3.6 / np.sqrt(2), 12), (3.6, 6), (3.6 * np.sqrt(1.5), 24)]:
        assert around[(table["r"] - shell).abs() < 0.1].sum() == pytest.approx(number, rel=1e-3)
    assert (table["error"] == 0).all()


def test_pairs_of_elements() -> None:
    salt = bulk("NaCl", "rocksalt", a=5.6, cubic=True) * (2, 2, 2)
    unlike, like = (
        radial_distribution([salt, salt], pair=pair, reach=5.0, bins=100) for pair in (("Na", "Cl"), ("Na", "Na"))
    )
    assert unlike["r"][unlike["g"] > 0].iloc[0] == pytest.approx(2.8, abs=0.05)
    assert like["r"][like["g"] > 0].iloc[0] == pytest.approx(5.6 / np.sqrt(2), abs=0.05)
    with pytest.raises(DataError, match="no K"):
        radial_distribution([salt], pair=("Na", "K"))
    with pytest.raises(DataError, match="periodic in all directions"):
        radial_distribution([Atoms("Ar2", [[0, 0, 0], [1, 0, 0]])])


def test_the_diffusion_of_random_walkers() -> None:
    random, size, step = np.random.default_rng(0), 0.1, 10.0  # Å along each axis in 10 fs
    positions = np.cumsum(random.normal(scale=size, size=(400, 100, 3)), axis=0)
    frames = [Atoms("Ar100", frame) for frame in positions]
    table, diffusion = mean_square_displacement(frames, step, blocks=4)
    expected = size**2 / (2 * step * 1e-3)  # Å²/ps
    assert diffusion.coefficient == pytest.approx(expected * 1e-4, rel=0.1)
    assert abs(diffusion.coefficient - expected * 1e-4) < 4 * diffusion.error
    np.testing.assert_allclose(table["msd_A2"], 6 * expected * table["time_ps"], rtol=0.1)
    still = mean_square_displacement([atoms.copy() for atoms in frames[:1] * 40], step)
    assert still[1].coefficient == 0


def test_a_drift_is_no_diffusion() -> None:
    frames = [Atoms("Ar3", np.eye(3) + 5.0 * number) for number in range(50)]
    table, diffusion = mean_square_displacement(frames, 1.0, blocks=2)
    assert table["msd_A2"].abs().max() < 1e-20
    assert abs(diffusion.coefficient) < 1e-20
    with pytest.raises(DataError, match="Simulate longer"):
        mean_square_displacement(frames[:10], 1.0)
    with pytest.raises(DataError, match="no Si"):
        mean_square_displacement(frames, 1.0, element="Si")


def test_trajectories_and_curves_on_the_disk(tmp_path: Path) -> None:
    write(tmp_path / "gas.extxyz", gas(5))
    frames = read_trajectory(tmp_path / "gas.extxyz", start=0.4)
    assert len(frames) == 3
    with pytest.raises(DataError, match="at least two"):
        read_trajectory(tmp_path / "gas.extxyz", start=0.9)
    table = radial_distribution(frames, bins=10)
    numbers, picture = write_curve(table, tmp_path / "gas-rdf", ("r (Å)", "g(r)"))
    pd.testing.assert_frame_equal(pd.read_csv(numbers), table)
    assert picture.read_bytes().startswith(b"\x89PNG")
