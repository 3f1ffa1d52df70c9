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
from amalthea.potentials.networks.training_arrays import Surroundings
from amalthea.potentials.symmetry_functions import kernels
from amalthea.potentials.symmetry_functions.neighbours import position_gradient
from amalthea.potentials.voigt import to_voigt

Floats = NDArray[np.float64]

ATOMS_TOGETHER = 256
"""Atoms whose networks are evaluated together; a fixed number, so that results do not depend on the threads."""


@dataclasses.dataclass(frozen=True, eq=False)
class DescribedStructure:
    """One structure of A atoms as a committee sees it.

    Args:
        surroundings: the atoms' elements and pairs; those beyond the cutoff are ignored.
        values: the symmetry functions, shape (A, F).
        volume: in Å³; NaN where the structure is not periodic throughout.
        threads: how many share the work; the results are the same to the last bit.
    """

    surroundings: Surroundings
    values: Floats
    volume: float
    threads: int

    @classmethod
    def of(cls, committee: Committee, surroundings: Surroundings, volume: float, threads: int) -> DescribedStructure:
        """Return a structure with its symmetry functions."""
        kinds, pairs = surroundings.kinds, surroundings.neighbours
        values = kernels.values(committee.plan, kinds, pairs.first, pairs.neighbour, pairs.vector, threads=threads)
        return cls(surroundings, values, volume, threads)

    def energies_and_gradients(self, committee: Committee) -> tuple[Floats, Floats]:
        """Return the atoms' energies by all M members, shape (M, A), and their gradients, shape (M, A, F)."""
        kinds = self.surroundings.kinds
        energies = np.take(committee.atoms, kinds, axis=1)
        gradient = np.zeros((committee.members, *self.values.shape))

        def ask(element: str, atoms: NDArray[np.int64]) -> None:
            width = len(committee.functions[element])
            by_networks, slope = committee.networks(element, self.values[atoms, :width])
            energies[:, atoms] += by_networks
            gradient[:, atoms, :width] = slope

        # Parts of a fixed size, whoever works on them: products of matrices of other sizes differ in the last bits.
        parts = []
        for number, element in enumerate(committee.elements):
            atoms = np.flatnonzero(kinds == number)
            parts += [(element, atoms[n : n + ATOMS_TOGETHER]) for n in range(0, len(atoms), ATOMS_TOGETHER)]
        if self.threads == 1 or len(parts) == 1:
            for part in parts:
                ask(*part)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(lambda part: ask(*part), parts))
        return energies, gradient

    def forces_and_stress(self, committee: Committee, gradient: Floats) -> tuple[Floats, Floats]:
        """Return forces, shape (A, 3), and stress, shape (6,), from dE/dG of shape (A, F)."""
        pairs, by_pair = self.surroundings.neighbours, self._pair_gradients(committee, gradient)
        virial = pairs.vector.T @ by_pair / self.volume
        return -position_gradient(pairs, by_pair), to_voigt(virial)

    def answer(self, committee: Committee) -> Answer:
        """Return what every member says: energies and forces; no stress."""
        energies, gradient = self.energies_and_gradients(committee)
        pairs = self.surroundings.neighbours
        forces = np.stack([-position_gradient(pairs, member) for member in self._pair_gradients(committee, gradient)])
        return Answer(energies, forces, np.full((len(forces), 6), np.nan), self.values, self.surroundings.kinds)

    def _pair_gradients(self, committee: Committee, gradient: Floats) -> Floats:
        """Return the energy's gradient by each pair's vector, shape (P, 3), from dE/dG; members' from members'."""
        kinds, pairs = self.surroundings.kinds, self.surroundings.neighbours
        by_pair: Floats = kernels.pull_back(
            committee.plan, kinds, pairs.first, pairs.neighbour, pairs.vector, gradient, threads=self.threads
        )
        return by_pair


def one_thread() -> Any:
    """Return a context in which NumPy's products use one thread: the last bits would depend on how many there are."""
    return _libraries().limit(limits=1, user_api="blas")


@functools.cache
def _libraries() -> ThreadpoolController:
    """Return the loaded numerical libraries; to look for them takes milliseconds."""
    return ThreadpoolController()
