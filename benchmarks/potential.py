"""Time energy and forces of 1,000 silicon atoms: symmetry functions, network and pulled-back gradient, on one core.

The potential is one released in n2p2's format (27 functions, network 27-24-24-1); the neighbour list is not counted.
The prediction is a count of arithmetic operations over the machine's rate, which is that of a vector loop with as
many loads as sums, measured in the same run. Times are the least of many, in this process's own processor time.

    AMALTHEA_DATA=/path/to/data taskset -c 0 python benchmarks/potential.py
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from ase.build import bulk
from threadpoolctl import threadpool_limits

from amalthea.potentials.networks.subnets import energies_and_gradients
from amalthea.potentials.symmetry_functions import kernels
from amalthea.potentials.symmetry_functions.functions import Angular, Cutoff, Functions, Radial
from amalthea.potentials.symmetry_functions.neighbours import neighbours

BOHR = 0.529177210903
SIZES = (27, 24, 24, 1)


def released() -> Functions:
    """Return the symmetry functions of the released potential, as its input.nn lists them."""
    cutoff, widths = Cutoff(10.3934937 * BOHR), (0.01, 0.02, 0.05)
    radial = [Radial("Si", eta / BOHR**2, 7.5589045 * BOHR, cutoff) for eta in widths]
    angular = [
        Angular(("Si", "Si"), eta / BOHR**2, sign, zeta, cutoff, closed=True)
        for eta in widths
        for zeta in (1.0, 2.0, 4.0, 16.0)
        for sign in (-1.0, 1.0)
    ]
    return {"Si": (*radial, *angular)}


def least(work: Callable[[], Any], times: int = 50) -> float:
    """Return the least processor time in seconds of many runs."""
    spent = []
    for _ in range(times):
        start = time.thread_time()
        work()
        spent.append(time.thread_time() - start)
    return min(spent)


def weights() -> list[tuple[Any, Any]]:
    """Return the released network's weights, shape (1, inputs, outputs): their order does not matter for the time."""
    folder = Path(os.environ["AMALTHEA_DATA"]) / "n2p2" / "silicon"
    flat = np.loadtxt(folder / "weights.014.data", usecols=0)
    layers = []
    for inputs, outputs in itertools.pairwise(SIZES):
        kernel, bias, flat = np.split(flat, [inputs * outputs, (inputs + 1) * outputs])
        layers.append((kernel.reshape(1, inputs, outputs), bias[None]))
    return layers


def measure(plan: Any, given: tuple[Any, ...], network: list[tuple[Any, Any]]) -> dict[str, float]:
    """Return microseconds an atom for each part."""
    values = kernels.values(plan, *given)
    scaled = (values - values.min(0)) / np.ptp(values, 0)
    activations = ["tanh", "tanh", "linear"]
    _, gradient = energies_and_gradients(network, activations, scaled)
    members = np.repeat(gradient, 8, axis=0)
    parts = {
        "values": lambda: kernels.values(plan, *given),
        "network": lambda: energies_and_gradients(network, activations, scaled),
        "pull back": lambda: kernels.pull_back(plan, *given, gradient),
        "(pull back of 8 members)": lambda: kernels.pull_back(plan, *given, members),
    }
    return {name: least(work) / len(values) * 1e6 for name, work in parts.items()}


def main() -> None:
    """Print microseconds an atom: each part, the sum, the prediction."""
    crystal = bulk("Si", cubic=True) * (5, 5, 5)
    crystal.rattle(0.1, seed=0)
    functions = released()
    pairs = neighbours(crystal.positions, crystal.cell.array, True, functions["Si"][0].cutoff.radius)
    atoms, network = len(crystal), weights()
    for dtype in (np.float64, np.float32):
        given = np.zeros(atoms, np.int64), pairs.first, pairs.neighbour, pairs.vector.astype(dtype)
        spent = measure(kernels.plan(functions, dtype=dtype), given, network)
        total = sum(spent[name] for name in ("values", "network", "pull back"))
        print(f"{dtype.__name__}: {total:.2f} us an atom")
        for name, each in spent.items():
            print(f"  {name:25s} {each:6.2f} us  {each / total:4.0%}")
    triplets = closed_triplets(pairs)
    operations, rate = count(triplets), vector_rate()
    print(
        f"{len(pairs.neighbour) / atoms:.1f} neighbours, {triplets:.0f} triplets, {operations:.0f} operations an atom"
    )
    print(f"predicted for float64: {operations / rate * 1e6:.2f} us an atom at {rate / 1e9:.1f} GFLOP/s")


def closed_triplets(pairs: Any) -> float:
    """Return the mean number of pairs of neighbours j < k with r_jk within the cutoff."""
    total = 0
    for start, stop in zip(pairs.first, pairs.first[1:], strict=False):
        vectors = pairs.vector[start:stop]
        squares = ((vectors[:, None] - vectors) ** 2).sum(-1)
        total += int((np.triu(squares < (10.3934937 * BOHR) ** 2, 1)).sum())
    return total / (len(pairs.first) - 1)


def count(triplets: float) -> float:
    """Return the floating-point operations an atom: those of a triplet in both passes, and of the network."""
    described = 2 * (
        12 + 60 + 35 + 20
    )  # both passes: the angle, cutoff and its slope, one exponential, products of powers
    values = 3 + 2 * 24
    pulled = 2 * 2 * 24 + 3 * 8 + 30 + 14  # sums over functions twice, over terms, three sides, two vectors
    network = 3 * 2 * sum(a * b for a, b in itertools.pairwise(SIZES)) + 48 * 25
    return triplets * (described + values + pulled) + network


@numba.njit(fastmath=True)
def dot(a: Any, b: Any, times: int) -> float:
    """Return a sum of dot products, each of which depends on the one before."""
    total = 0.0
    for _ in range(times):
        for t in range(a.size):
            total += a[t] * b[t]
        a[0] = total
    return total


def vector_rate() -> float:
    """Return operations per second of dot products of two short rows, which is what most of the work looks like."""
    a, b = np.zeros((2, 256))
    return 2 * 256 * 1000 / least(lambda: dot(a, b, 1000))


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
