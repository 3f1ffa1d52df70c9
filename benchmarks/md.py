"""Time molecular dynamics of silicon with everything in it: neighbour lists, Python, integrator, ASE.

The potential is one released in n2p2's format (27 functions, network 27-24-24-1), and a committee of eight of it whose
weights were shaken. Beside each stands the bare evaluation of one member, measured in the same run: symmetry
functions, network and pulled-back gradient with a list of neighbours that is there. Steps are of 1 fs at 1,000 K.
With one thread, processor time is taken; with two, wall time; the least of several runs in turn with the bare
evaluation, as other work on the machine only adds.

    AMALTHEA_DATA=/path/to/data python benchmarks/md.py
"""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase.build import bulk

from amalthea.potentials import n2p2
from amalthea.potentials.networks.committee import Committee
from amalthea.potentials.networks.training_arrays import surroundings
from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.simulation.committee_evaluation import DescribedStructure, one_thread
from amalthea.potentials.simulation.dynamics import Dynamics, Integrator, set_velocities

MEMBERS = 8


def released() -> Committee:
    """Return the released potential as a committee of one."""
    folder = Path(os.environ["AMALTHEA_DATA"]) / "n2p2" / "silicon"
    settings = n2p2.read_input(folder / "input.nn", length_unit="bohr", energy_unit="hartree")
    factor, offset = n2p2.linear_scaling(settings, n2p2.read_scaling(folder / "scaling.data", settings)["Si"])
    layers = n2p2.read_weights(folder / n2p2.weights_name("Si"), settings.sizes("Si"))
    (first, bias), *others = [(kernel[None], bias[None]) for kernel, bias in layers]
    scaled = [(factor[:, None] * first, bias + offset @ first[0]), *others]
    scaled[-1] = tuple(part * settings.network_energy for part in scaled[-1])
    return Committee(settings.functions, {"Si": scaled}, settings.activations, np.array([[settings.offset("Si")]]))


def shaken(alone: Committee) -> Committee:
    """Return a committee of slightly different potentials."""
    random = np.random.default_rng(0)
    repeated = alone.take([0] * MEMBERS)
    layers = {
        element: [tuple(part * random.normal(1.0, 1e-3, part.shape) for part in layer) for layer in network]
        for element, network in repeated.layers.items()
    }
    return dataclasses.replace(repeated, layers=layers)


def measure(committee: Committee, copies: int, threads: int) -> dict[str, float]:
    """Return microseconds an atom and step: bare, one member, the mean of all, these with uncertainties each step."""
    alone, least = committee.take([0]), {}
    clock = time.process_time if threads == 1 else time.perf_counter
    start = bulk("Si", cubic=True) * (copies, copies, copies)
    dynamics = Dynamics("nve", temperature=1000.0)
    around = surroundings(start, ("Si",), alone.cutoff)

    def bare() -> None:
        with one_thread():
            described = DescribedStructure.of(alone, around, start.get_volume(), threads)
            _, gradient = described.energies_and_gradients(alone)
            described.forces_and_stress(alone, gradient[0])

    runs: dict[str, Any] = {"bare": bare}
    for name, calculator in {
        "one member": Calculator(alone, threads=threads),
        "mean of 8": Calculator(committee, threads=threads),
        "and doubts": Calculator(committee, threads=threads),
    }.items():
        atoms = start.copy()
        atoms.calc = calculator
        set_velocities(atoms, dynamics)
        integrator = Integrator(dynamics, atoms)

        def step(integrator: Integrator = integrator, doubts: bool = name == "and doubts") -> None:
            integrator.step(1)
            if doubts:
                integrator.atoms.calc.get_property("forces_std", integrator.atoms)

        runs[name] = step
    steps = max(3, 4000 // len(start))
    for work in runs.values():
        for _ in range(3):
            work()
    for _ in range(7):
        for name, work in runs.items():
            began = clock()
            for _ in range(steps):
                work()
            spent = (clock() - began) / steps / len(start) * 1e6
            least[name] = min(spent, least.get(name, np.inf))
    return least


def main() -> None:
    """Print a table."""
    committee = shaken(released())
    print("atoms  threads   bare  one member  overhead  mean of 8  with uncertainties   (us an atom and step)")
    for threads in (1, 2):
        for copies in (2, 5, 10):
            times = measure(committee, copies, threads)
            overhead = times["one member"] / times["bare"] - 1
            print(
                f"{8 * copies**3:5d}  {threads:7d}  {times['bare']:5.1f}  {times['one member']:10.1f}  "
                f"{overhead:8.0%}  {times['mean of 8']:9.1f}  {times['and doubts']:18.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
