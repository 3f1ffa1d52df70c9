"""A potential for ethanol from nothing, in three rounds of learning: python examples/ethanol.py

Sample with a reference method (GFN2-xTB; pip install tblite), train, simulate, let the committee choose what it is
least sure of, compute that, train again. Judged, after each round, on structures that the reference method itself
visited at 600 K and that no round ever sees.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # nine atoms: more threads only wait for each other

import time
from pathlib import Path

import amalthea as am
import numpy as np
from ase.build import molecule
from ase.io import read, write
from tblite.ase import TBLite

from amalthea.potentials.simulation.dynamics import Dynamics, Integrator, set_velocities

FOLDER, ROUNDS, NEW, BEGUN = Path("ethanol"), 3, 40, time.perf_counter()
FOLDER.mkdir(exist_ok=True)
ethanol = molecule("CH3CH2OH")


def sampled(temperature: float, frames: int, seed: int) -> list:
    """Return structures that GFN2-xTB visits, one every 20 fs."""
    atoms, visited = ethanol.copy(), []
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    dynamics = Dynamics("langevin", temperature=temperature, timestep=0.5, seed=seed)
    set_velocities(atoms, dynamics)
    integrator = Integrator(dynamics, atoms)
    for step in range(1, 40 * frames + 1):
        integrator.step(step)
        if step % 40 == 0:
            visited.append(atoms.copy())
    return visited


def learned(files: list[Path]) -> am.Predictor:
    """Return a potential trained on these files."""
    return am.train(files, folds=2, members=3, epochs=200, verbose=0)


# 1. The beginning: 40 structures at 300 K; and 100 at 600 K to be judged on.
files = [FOLDER / "round-0.extxyz"]
am.label(sampled(300, NEW, seed=0), output=files[0], verbose=0)
am.label(sampled(600, 100, seed=1), output=FOLDER / "test.extxyz", verbose=0)
test = read(FOLDER / "test.extxyz", ":")
errors = []

for number in range(1, ROUNDS + 1):
    # 2. Train, and judge on what the reference method visited at 600 K.
    potential = learned(files)
    answers = potential.predict([atoms.copy() for atoms in test])
    wrong = np.concatenate([ours - atoms.get_forces() for ours, atoms in zip(answers.forces, test, strict=True)])
    errors.append(float(np.sqrt((wrong**2).mean())))
    print(
        f"round {number}: {sum(len(read(file, ':')) for file in files)} structures, force RMSE at 600 K "
        f"{errors[-1]:.3f} eV/Å, {time.perf_counter() - BEGUN:.0f} s",
        flush=True,
    )
    if number == ROUNDS:
        break
    # 3. Simulate at 600 K with the potential, from several beginnings: each until it leaves what it knows.
    visited = []
    for seed in range(8):
        name = FOLDER / f"md-{number}-{seed}"
        hot = {"steps": 2000, "timestep": 0.5, "temperature": 600, "seed": seed}
        simulation = am.md(potential, ethanol, output=name, overwrite=True, verbose=0, **hot)
        visited += read(simulation.files.trajectory, ":")
    # 4. Choose what the committee is least sure of, and 5. compute it.
    chosen = am.select(potential, visited, number=NEW, verbose=0)
    files.append(FOLDER / f"round-{number}.extxyz")
    labelled = am.label(chosen.atoms, output=files[-1], verbose=0)
    print(f"  {len(visited)} frames visited, {labelled.done} chosen and computed, {len(labelled.failures)} failed")

potential.save(FOLDER / "ethanol.amalthea")
write(FOLDER / "ethanol.extxyz", ethanol)
print(f"The error fell from {errors[0]:.3f} to {errors[-1]:.3f} eV/Å. Worth trying next:")
print(f"  amalthea md {FOLDER}/ethanol.amalthea {FOLDER}/ethanol.extxyz --timestep 0.5")
