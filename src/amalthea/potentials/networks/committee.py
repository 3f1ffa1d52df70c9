"""Trained networks as a potential: energies, forces and stresses of any structure, by every member, in float64."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.networks.bounds import LEAST_ENERGY_WIDTH, LEAST_WIDTH, Bounds, MemberRanges
from amalthea.potentials.networks.subnets import Layer, energies_and_gradients
from amalthea.potentials.networks.training_arrays import Surroundings, surroundings
from amalthea.potentials.symmetry_functions import kernels
from amalthea.potentials.symmetry_functions.functions import Functions, reach
from amalthea.potentials.voigt import to_voigt

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """What the M members say of one structure of A atoms.

    Args:
        energies: of the atoms, shape (M, A), in eV.
        forces: shape (M, A, 3), in eV/Å.
        stress: shape (M, 6), in eV/Å³, in Voigt's order and ASE's sign; NaN where the structure is not periodic
            throughout.
        functions: the symmetry functions, shape (A, F).
        kinds: the number of each atom's element, shape (A,).
    """

    energies: Floats
    forces: Floats
    stress: Floats
    functions: Floats
    kinds: NDArray[np.int64]

    @property
    def energy(self) -> Floats:
        """Total energies, shape (M,), in eV."""
        total: Floats = self.energies.sum(axis=1)
        return total


@dataclasses.dataclass(frozen=True, eq=False)
class Committee:
    """M potentials with the same symmetry functions.

    Args:
        functions: of each element.
        layers: for each element the layers of its subnets: kernels of shape (M, inputs, outputs) and biases of shape
            (M, outputs), for symmetry functions as they are, answering in eV.
        activations: for each element those of its layers, by the names of `subnets.ACTIVATIONS`.
        atoms: the energy of an atom of each element alone, shape (M, elements), in eV.
        bounds: for each element how its functions, shape (M, 1, F), and its atoms' energies, shape (M, 1), bend; an
            element without bounds is not bent.
    """

    functions: Functions
    layers: Mapping[str, Sequence[Layer]]
    activations: Mapping[str, Sequence[str]]
    atoms: Floats
    bounds: Mapping[str, tuple[Bounds, Bounds]] = dataclasses.field(default_factory=dict)

    @property
    def members(self) -> int:
        """M, the number of members."""
        return len(self.atoms)

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that the potential knows."""
        return tuple(self.functions)

    @functools.cached_property
    def cutoff(self) -> float:
        """The distance beyond which an atom sees nothing, in Å."""
        return reach(self.functions)

    @functools.cached_property
    def plan(self) -> Any:
        """The symmetry functions, ordered for the compiled loops."""
        return kernels.plan(self.functions, self.elements)

    def take(self, members: Sequence[int] | NDArray[np.int64]) -> Committee:
        """Return these members only."""
        chosen = np.asarray(members, np.int64)
        layers = {element: [(k[chosen], b[chosen]) for k, b in listed] for element, listed in self.layers.items()}
        bounds = {element: (f.take(chosen), e.take(chosen)) for element, (f, e) in self.bounds.items()}
        return dataclasses.replace(self, layers=layers, atoms=self.atoms[chosen], bounds=bounds)

    def networks(self, element: str, values: Floats) -> tuple[Floats, Floats]:
        """Return what the networks say of atoms of an element: energies, shape (M, n), and dE/dG, shape (M, n, F).

        Args:
            element: its symbol.
            values: the symmetry functions, shape (n, F).
        """
        layers, activations = self.layers[element], self.activations[element]
        energies, gradient = energies_and_gradients(layers, activations, values)
        if element not in self.bounds:
            return energies, gradient
        of_functions, of_energies = self.bounds[element]
        # Few atoms lie beyond a range: only those are asked again, with functions that are bent for each member.
        far = np.flatnonzero(~of_functions.inside(values))
        if len(far):
            bent, slope = of_functions.bend(values[far])
            energies[:, far], by_function = energies_and_gradients(layers, activations, bent)
            gradient[:, far] = by_function * slope
        energies, slope = of_energies.bend(energies)
        beyond = slope < 1
        gradient[beyond] *= slope[beyond, None]
        return energies, gradient

    def answer(self, atoms: Any, threads: int = 1) -> Answer:
        """Return energies, forces and stress of an `ase.Atoms`.

        Raises:
            ValueError: an element that the potential does not know.
            DataError: a structure without volume, or atoms at one place.
        """
        structure = surroundings(atoms, self.elements, self.cutoff)
        volume = atoms.get_volume() if atoms.pbc.all() else np.nan
        return self.answer_for(structure, volume, threads)

    def answer_for(self, structure: Surroundings, volume: float = np.nan, threads: int = 1) -> Answer:
        """Return energies, forces and stress of a structure whose pairs are known; `volume` in Å³."""
        pairs, kinds = structure.neighbours, structure.kinds
        values = kernels.values(self.plan, kinds, pairs.first, pairs.neighbour, pairs.vector, threads=threads)
        energies = np.take(self.atoms, kinds, axis=1)
        gradient = np.zeros((self.members, *values.shape))
        for number, element in enumerate(self.elements):
            mine = np.flatnonzero(kinds == number)
            width = len(self.functions[element])
            if len(mine):
                answers, slope = self.networks(element, values[mine, :width])
                energies[:, mine] += answers
                gradient[:, mine, :width] = slope
        # dE/d(R_j - R_i) of each pair; the force on i is the sum over its pairs of its own less the reverse pair's.
        pulls = kernels.pull_back(
            self.plan, kinds, pairs.first, pairs.neighbour, pairs.vector, gradient, threads=threads
        )
        forces = _sum_by_atom(pulls - pulls[:, pairs.reverse], pairs.first)
        virial = np.einsum("px,mpy->mxy", pairs.vector, pulls) / volume
        return Answer(energies, forces, to_voigt(virial), values, kinds)


@dataclasses.dataclass(frozen=True, eq=False)
class Networks:
    """M potentials as they were trained: their first layers take scaled functions, (G - center) * inverse_scale.

    Args:
        functions: of each element.
        center: for each element, shape (M, F).
        inverse_scale: for each element, shape (M, F); 0 leaves a function out.
        layers: as in `Committee`, but for scaled functions.
        activations: as in `Committee`.
        atoms: as in `Committee`.
    """

    functions: Functions
    center: Mapping[str, Floats]
    inverse_scale: Mapping[str, Floats]
    layers: Mapping[str, Sequence[Layer]]
    activations: Mapping[str, Sequence[str]]
    atoms: Floats

    def committee(self, ranges: MemberRanges | None = None) -> Committee:
        """Return the same potentials with the scaling taken into the first layers.

        Args:
            ranges: beyond which the members bend; None: nowhere.
        """
        layers = {}
        for element, ((kernel, bias), *others) in self.layers.items():
            scaled = self.inverse_scale[element][:, :, None] * kernel
            layers[element] = [(scaled, bias - np.einsum("mf,mfh->mh", self.center[element], scaled)), *others]
        whole = Committee(self.functions, layers, self.activations, self.atoms)
        return whole if ranges is None else dataclasses.replace(whole, bounds=self._bounds(ranges))

    def least_width(self, element: str) -> Floats:
        """Return the least width that counts as a range of each of an element's functions, shape (M, F)."""
        inverse = self.inverse_scale[element]
        return LEAST_WIDTH * np.divide(1.0, inverse, out=np.ones_like(inverse), where=inverse > 0)

    def _bounds(self, ranges: MemberRanges) -> dict[str, tuple[Bounds, Bounds]]:
        bounds = {}
        for number, element in enumerate(self.functions):
            least = self.least_width(element)
            low, high = (np.asarray(ends)[:, number, : least.shape[1]] for ends in (ranges.low, ranges.high))
            of_functions = Bounds.of(low, high, least).take(np.s_[:, None])
            low, high = (np.asarray(ends)[:, number, None] for ends in (ranges.energy_low, ranges.energy_high))
            bounds[element] = of_functions, Bounds.of(low, high, LEAST_ENERGY_WIDTH)
        return bounds


def networks(
    weights: Mapping[str, NDArray[Any]],
    functions: Functions,
    activation: str | Mapping[str, Sequence[str]],
    energy_of_atoms: Mapping[str, float],
) -> Networks:
    """Return what a trained `PotentialNetwork` holds, answering in eV.

    Args:
        weights: `Ensemble.weights`, stacked.
        functions: of each element.
        activation: of the hidden layers, as `PotentialNetwork` has it.
        energy_of_atoms: by element, what was taken off the energies before training.
    """
    named = {name.partition("/")[2]: np.asarray(values, np.float64) for name, values in weights.items()}

    def find(*ends: str) -> NDArray[np.float64]:
        (name,) = [name for name in named if name.endswith("/".join(ends))]
        return named[name]

    unit, center, inverse, layers, activations = find("energies", "unit"), {}, {}, {}, {}
    for number, element in enumerate(functions):
        width = len(functions[element])
        center[element], inverse[element] = (
            find("scaling", name)[:, number, :width] for name in ("center", "inverse_scale")
        )
        depth = sum(f"element_{element}/hidden_" in name and name.endswith("/kernel") for name in named)
        names = [*(f"hidden_{n}" for n in range(1, depth + 1)), "energy"]
        stacked = [
            (find(f"element_{element}", name, "kernel"), find(f"element_{element}", name, "bias")) for name in names
        ]
        stacked[0] = (stacked[0][0][:, :width], stacked[0][1])
        kernel, bias = stacked[-1]
        stacked[-1] = (kernel * unit[:, None, None], bias * unit[:, None])
        layers[element] = stacked
        hidden = [activation] * depth if isinstance(activation, str) else activation[element]
        activations[element] = [*hidden, "linear"]
    alone = np.array([energy_of_atoms[element] for element in functions])
    return Networks(functions, center, inverse, layers, activations, find("energies", "atoms") + alone)


def from_weights(
    weights: Mapping[str, NDArray[Any]],
    functions: Functions,
    activation: str | Mapping[str, Sequence[str]],
    energy_of_atoms: Mapping[str, float],
) -> Committee:
    """Return the committee of a trained `PotentialNetwork`; the arguments are those of `networks`."""
    return networks(weights, functions, activation, energy_of_atoms).committee()


def _sum_by_atom(values: Floats, first: NDArray[np.int64]) -> Floats:
    """Return the sums over each atom's pairs, shape (M, A, 3), of values of shape (M, P, 3)."""
    total = np.concatenate([np.zeros((len(values), 1, 3)), np.cumsum(values, axis=1)], axis=1)
    by_atom: Floats = total[:, first[1:]] - total[:, first[:-1]]
    return by_atom
