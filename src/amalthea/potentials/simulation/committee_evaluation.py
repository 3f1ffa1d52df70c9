"""A committee asked step after step: the mean's forces for the price of one member's, single members' on demand.

The gradient by the neighbours' vectors is linear in that by the symmetry functions. So the mean of the members' forces
needs one pass back through the symmetry functions, with the members' mean gradient.
"""

from __future__ import annotations

import dataclasses
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from amalthea.potentials.networks.committee import Answer, Committee
from amalthea.potentials.networks.subnets import energies_and_gradients
from amalthea.potentials.networks.training_arrays import Surroundings
from amalthea.potentials.symmetry_functions import kernels
from amalthea.potentials.symmetry_functions.neighbours import position_gradient

Floats = NDArray[np.float64]

TOGETHER = 256
"""Atoms whose networks are evaluated together; a fixed number, so that results do not depend on the threads."""


@dataclasses.dataclass(frozen=True, eq=False)
class Described:
    """One structure of A atoms as a committee sees it.

    Args:
        own: the atoms' elements and pairs; those beyond the cutoff are ignored.
        values: the symmetry functions, shape (A, F).
        volume: in Å³; NaN where the structure is not periodic throughout.
        threads: how many share the work; the results are the same to the last bit.
    """

    own: Surroundings
    values: Floats
    volume: float
    threads: int

    @classmethod
    def of(cls, committee: Committee, own: Surroundings, volume: float, threads: int) -> Described:
        """Return a structure with its symmetry functions."""
        pairs = own.neighbours
        values = kernels.values(committee.plan, own.kinds, pairs.first, pairs.neighbour, pairs.vector, threads=threads)
        return cls(own, values, volume, threads)

    def networks(self, committee: Committee) -> tuple[Floats, Floats]:
        """Return the atoms' energies by all M members, shape (M, A), and their gradients, shape (M, A, F)."""
        energies = np.take(committee.atoms, self.own.kinds, axis=1)
        gradient = np.zeros((committee.members, *self.values.shape))

        def ask(element: str, atoms: NDArray[np.int64]) -> None:
            width = len(committee.functions[element])
            found, slope = energies_and_gradients(
                committee.layers[element], committee.activations[element], self.values[atoms, :width]
            )
            energies[:, atoms] += found
            gradient[:, atoms, :width] = slope

        parts = [
            (element, atoms[start : start + TOGETHER])
            for number, element in enumerate(committee.elements)
            for atoms in [np.flatnonzero(self.own.kinds == number)]
            for start in range(0, len(atoms), TOGETHER)
        ]
        if self.threads == 1 or len(parts) == 1:
            for part in parts:
                ask(*part)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(lambda part: ask(*part), parts))
        return energies, gradient

    def forces_and_stress(self, committee: Committee, gradient: Floats) -> tuple[Floats, Floats]:
        """Return forces, shape (A, 3), and stress, shape (6,), from dE/dG of shape (A, F)."""
        pulls = self._pulls(committee, gradient)
        virial = self.own.neighbours.vector.T @ pulls / self.volume
        stress = ((virial + virial.T) / 2).reshape(9)[[0, 4, 8, 5, 2, 1]]
        return -position_gradient(self.own.neighbours, pulls), stress

    def answer(self, committee: Committee) -> Answer:
        """Return what every member says: energies and forces; no stress."""
        energies, gradient = self.networks(committee)
        pulls = self._pulls(committee, gradient)
        forces = np.stack([-position_gradient(self.own.neighbours, own) for own in pulls])
        return Answer(energies, forces, np.full((len(forces), 6), np.nan), self.values, self.own.kinds)

    def _pulls(self, committee: Committee, gradient: Floats) -> Floats:
        pairs = self.own.neighbours
        found: Floats = kernels.pull_back(
            committee.plan, self.own.kinds, pairs.first, pairs.neighbour, pairs.vector, gradient, threads=self.threads
        )
        return found


def one_thread() -> Any:
    """Return a context in which NumPy's products use one thread: the last bits would depend on how many there are."""
    return _libraries().limit(limits=1, user_api="blas")


@functools.cache
def _libraries() -> ThreadpoolController:
    """Return the loaded numerical libraries; to look for them takes milliseconds."""
    return ThreadpoolController()
