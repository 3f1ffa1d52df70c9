"""A potential as a calculator of ASE: energies, forces and stresses, and how sure of them it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.answers import committee_mean
from amalthea.potentials.certainty import UNKNOWN
from amalthea.potentials.networks.committee import Answer, Committee
from amalthea.potentials.networks.training_arrays import Surroundings
from amalthea.potentials.potential import Potential
from amalthea.potentials.reading.read_errors import need_ase
from amalthea.potentials.simulation.committee_evaluation import DescribedStructure, one_thread
from amalthea.potentials.simulation.verlet_list import VerletList
from amalthea.predictor.predictor import Predictor
from amalthea.predictor.serialization import load_model

need_ase()
from ase.calculators import calculator as ase_calculator  # noqa: E402  (after the sentence that says how to install it)
from ase.data import atomic_numbers, chemical_symbols  # noqa: E402
from ase.outputs import Properties, all_outputs  # noqa: E402

Floats = NDArray[np.float64]

SKIN = 0.6
"""In Å. A larger skin makes lists that serve longer, and more pairs that nobody needs."""


class Calculator(ase_calculator.Calculator):
    """A trained potential as an ASE calculator, in float64; forces are the exact gradient of the energy.

    Beside `energy`, `free_energy` (the same), `energies`, `forces` and, of structures that are periodic throughout,
    `stress`, it answers `get_property(NAME, atoms)` for

    - `energy_std`: the calibrated uncertainty of the energy, in eV;
    - `forces_std`: the calibrated uncertainty of each atom's force, a component, shape (A,), in eV/Å: both grow with
      the members' spread and with the atoms' distance from those in training;
    - `extrapolation`: the atom and symmetry function farthest outside of the training range, or None.

    These three are computed when they are asked for: each costs nothing in steps in which nobody asks.

    Args:
        potential: what `am.train` returned for structures, a file of such a model, or a bare committee, which knows
            neither calibration (its spread is given as it is) nor training ranges.
        members: whose mean drives the atoms: None, all of them; one number or several, only these (single members are
            up to a third faster). The uncertainties are the whole committee's in either case.
        skin: in Å; the neighbour list reaches so much farther than the cutoff, and is built again when an atom has
            moved half of it.
        threads: how many share the work; the results are the same to the last bit.
        outside: "stop" raises where atoms are crowded more than ten training ranges beyond what was learned; "warn"
            answers there, too.

    Raises:
        AmaltheaError: the model is no potential, or has no such member.
        ModelFileError: the file cannot be opened.
        MissingDependencyError: ASE is not installed.

    Example:
        >>> from ase import Atoms
        >>> from amalthea.potentials.symmetry_functions.functions import Cutoff, Radial
        >>> layer = np.full((1, 1, 1), -2.0), np.zeros((1, 1))
        >>> functions = {"Ar": (Radial("Ar", 0.0, 0.0, Cutoff(4.0)),)}
        >>> pair = Committee(functions, {"Ar": [layer]}, {"Ar": ["linear"]}, np.zeros((1, 1)))
        >>> dimer = Atoms("Ar2", [[0, 0, 0], [2, 0, 0]], calculator=Calculator(pair))
        >>> round(dimer.get_potential_energy(), 4), dimer.get_forces()[:, 0].round(4)
        (-2.0, array([ 1.5708, -1.5708]))
    """

    implemented_properties: ClassVar[list[str]] = [  # type: ignore[misc]
        "energy",
        "free_energy",
        "energies",
        "forces",
        "stress",
        "energy_std",
        "forces_std",
        "extrapolation",
    ]

    def __init__(
        self,
        potential: Potential | Committee | str | os.PathLike[str],
        *,
        members: int | Sequence[int] | None = None,
        skin: float = SKIN,
        threads: int = 1,
        outside: Literal["stop", "warn"] = "stop",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.potential, self.committee = _opened(potential)
        """All members: the uncertainties are theirs."""
        self.driving = _chosen(self.committee, members)
        """The members whose mean drives the atoms."""
        self.threads, self.outside = threads, outside
        self.neighbours = VerletList(self.committee.cutoff, skin)
        self._described: DescribedStructure | None = None
        self._kinds = np.full(len(chemical_symbols), -1, np.int64)  # by atomic number
        self._kinds[[atomic_numbers[element] for element in self.committee.elements]] = np.arange(
            len(self.committee.elements)
        )

    def calculate(
        self,
        atoms: Any = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(ase_calculator.all_changes),
    ) -> None:
        """Compute what is asked for, and what comes with it; called by ASE.

        Raises:
            DataError: an element that the potential does not know, a structure without volume, atoms at one point, or
                in a crowd that no training structure came near to.
        """
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        asked = set(properties)
        with one_thread():
            # Forgotten before it is made anew: what fails in the middle must not be taken for the new structure.
            if system_changes or self._described is None:
                self._described = None
                self._described = self._describe()
                self.results = self._forces(self._described)
            if "forces_std" in asked or ("energy_std" in asked and "energy_std" not in self.results):
                self.results |= self._uncertainties(self._described, forces="forces_std" in asked)
        if "extrapolation" in asked and self.potential is not None:
            kinds, functions = self.described
            self.results["extrapolation"] = self.potential.ranges.worst(kinds, functions)

    def check_state(self, atoms: Any, tol: float = 0.0) -> list[str]:  # noqa: ARG002  (ASE's signature)
        """Return what changed, to the last bit; with ASE's tolerance it would take a quarter of a step of few atoms."""
        known = self.atoms
        if known is None:
            return list(ase_calculator.all_changes)
        changed = {
            "positions": not np.array_equal(known.positions, atoms.positions),
            "numbers": not np.array_equal(known.numbers, atoms.numbers),
            "cell": not np.array_equal(known.cell.array, atoms.cell.array),
            "pbc": not np.array_equal(known.pbc, atoms.pbc),
        }
        return [name for name, other in changed.items() if other]

    def get_property(self, name: str, atoms: Any = None, allow_calculation: bool = True) -> Any:
        """Return a result by its name, computed if it is not known yet."""
        return super().get_property(name, atoms, allow_calculation)  # type: ignore[no-untyped-call]

    def export_properties(self) -> Properties:
        """Return those results that have a name in ASE."""
        return Properties({name: value for name, value in self.results.items() if name in all_outputs})

    def farther(self, atoms: Any) -> str:
        """Return that a structure, or one of its atoms, is farther than any that was judged; "" where none is."""
        if self.potential is None:
            return ""
        self.get_property("energy", atoms)
        known = self.potential.certainty
        return known.farther(known.distances(*self.described))

    @property
    def described(self) -> tuple[NDArray[np.int64], Floats]:
        """The elements' numbers (A,) and symmetry functions (A, F) of the structure that was computed last."""
        if self._described is None:
            raise AmaltheaError("No structure was computed yet. Ask for an energy first.")
        return self._described.surroundings.kinds, self._described.values

    def _describe(self) -> DescribedStructure:
        atoms: Any = self.atoms
        kinds = self._kinds[atoms.numbers]
        if (kinds < 0).any():
            unknown = sorted(set(atoms.symbols[kinds < 0]))
            raise DataError(
                f"the potential does not know {', '.join(unknown)}; it knows {', '.join(self.committee.elements)}. "
                "Train it with structures that hold them."
            )
        pairs = self.neighbours.of(atoms.positions, atoms.cell.array, atoms.pbc)
        volume = atoms.get_volume() if atoms.pbc.all() else np.nan
        described = DescribedStructure.of(self.committee, Surroundings(kinds, pairs), volume, self.threads)
        ranges = None if self.potential is None or self.outside == "warn" else self.potential.ranges
        if ranges is not None and (reason := ranges.refusal(kinds, described.values)):
            raise DataError(reason)
        return described

    def _forces(self, described: DescribedStructure) -> dict[str, Any]:
        # The mean's forces need one pass back through the symmetry functions, with the members' mean gradient.
        energies, gradient = described.energies_and_gradients(self.driving)
        forces, stress = described.forces_and_stress(self.driving, gradient.mean(axis=0))
        mean = energies.mean(axis=0)
        results: dict[str, Any] = {"energy": float(mean.sum()), "energies": mean, "forces": forces}
        results["free_energy"] = results["energy"]
        if np.isfinite(described.volume):
            results["stress"] = stress
        return results

    def _uncertainties(self, described: DescribedStructure, forces: bool) -> dict[str, Any]:
        """Return the calibrated uncertainties; nothing from a committee of one, which cannot doubt."""
        if self.committee.members == 1:
            return {}
        kinds = described.surroundings.kinds
        # The energy's uncertainty alone needs no pass back, which is most of the work.
        if forces:
            answer = described.answer(self.committee)
        else:
            energies, _ = described.energies_and_gradients(self.committee)
            nothing = np.zeros((len(energies), 0, 3))
            answer = Answer(energies, nothing, np.zeros((len(energies), 6)), described.values, kinds)
        if self.potential is None:
            means, known = committee_mean(answer, np.zeros(self.committee.members, np.int64)), UNKNOWN
        else:
            means, known = self.potential.together(answer), self.potential.certainty
        results: dict[str, Any] = {"energy_std": known.energy_std(means.energy_spread, len(kinds), means.distances)}
        if forces:
            results["forces_std"] = known.forces_std(means.forces_spread, means.distances)
        return results


def as_potential(model: Any) -> Potential:
    """Return a model, or that in a file, which is a potential.

    Raises:
        AmaltheaError: it is none.
        ModelFileError: the file cannot be opened.
    """
    opened = load_model(model) if isinstance(model, str | os.PathLike) else model
    potential = opened.ready if isinstance(opened, Predictor) else opened
    if not isinstance(potential, Potential):
        known = getattr(opened, "domain", type(opened).__name__)
        raise AmaltheaError(f"This model is no potential: it knows {known}. Train one from structures.")
    return potential


def _opened(potential: Any) -> tuple[Potential | None, Committee]:
    """Return a potential and its committee; a bare committee is only that."""
    if isinstance(potential, Committee):
        return None, potential
    opened = as_potential(potential)
    return opened, opened.committee


def _chosen(committee: Committee, members: int | Sequence[int] | None) -> Committee:
    if members is None:
        return committee
    chosen = [members] if isinstance(members, int) else list(members)
    if not chosen or not all(0 <= member < committee.members for member in chosen):
        raise AmaltheaError(
            f"The potential has {committee.members} members, counted from 0. Received: members={members}"
        )
    return committee.take(chosen)
