"""How sure a potential is of a structure: by its members' spread, and its atoms' distances from those in training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.symmetry_functions.environments import Environments, distances, root_mean_square
from amalthea.potentials.symmetry_functions.extrapolation import Extrapolation
from amalthea.predictor.outside import MARK
from amalthea.validation.calibration import IntervalCalibration

Floats = NDArray[np.float64]

MOST_EXCESS = 0.5
"""So many training ranges outside a function may lie before its structure counts as outside of what was learned."""


@dataclasses.dataclass(frozen=True, eq=False)
class Certainty:
    """What turns the members' spread, and the distance from the training set, into uncertainties.

    Args:
        energies: the calibration of energies an atom; None: their spread is given as it is.
        forces: that of a force's component.
        environments: those in training, by element; None: nothing is known of distances, and nothing lies outside.
        elements: the symbols, in the order of their numbers.
    """

    energies: IntervalCalibration | None
    forces: IntervalCalibration | None
    environments: Mapping[str, Environments] | None
    elements: Sequence[str]

    def distances(self, kinds: NDArray[np.int64], functions: Floats) -> Floats | None:
        """Return how far each atom is from those in training, shape (A,); None where this is not known.

        Args:
            kinds: the number of each atom's element, shape (A,).
            functions: the symmetry functions, shape (A, F).
        """
        return None if self.environments is None else distances(self.environments, self.elements, kinds, functions)

    def energy_std(self, spread: float, atoms: int, far: Floats | None) -> float:
        """Return the uncertainty of a total energy from the members' spread, both in eV; `far` as from `distances`."""
        if self.energies is None:
            return spread
        distance = None if far is None else [root_mean_square(far)]
        return float(self.energies.sigma([spread / atoms], distance)[0]) * atoms

    def forces_std(self, spread: Floats, far: Floats | None) -> Floats:
        """Return the uncertainty of each atom's force, a component, from its spread, both of shape (A,), in eV/Å."""
        return spread if self.forces is None else self.forces.sigma(spread, far)

    def outside(
        self, spread: float, atoms: int, forces_spread: Floats, far: Floats | None, worst: Extrapolation | None
    ) -> str:
        """Return why a structure lies outside of what was learned; "" where it lies inside, or nobody knows.

        Args:
            spread: of the energy, in eV.
            atoms: their number.
            forces_spread: of each atom's force, shape (A,).
            far: as from `distances`.
            worst: the atom and function farthest outside of the training range.
        """
        if far is None:
            return ""
        if worst is not None and worst.excess > MOST_EXCESS:
            return f"{MARK} what was learned: {worst}"
        if farther := self.farther(far):
            return f"{MARK} what was learned: {farther}"
        # Beyond the least certain that was ever judged, nothing is known of errors.
        for calibration, std, what in (
            (self.energies, spread / atoms, "energies by {:.2g} eV/atom"),
            (self.forces, float(forces_spread.max(initial=0.0)), "forces by {:.2g} eV/Å"),
        ):
            reach = None if calibration is None else calibration.reach
            if reach is not None and std > reach.largest_spread:
                judged = f"{what.format(std)}, where they were judged by {reach.largest_spread:.2g} at most"
                return f"{MARK} what was learned: the members differ in {judged}"
        return ""

    def farther(self, far: Floats | None) -> str:
        """Return that a structure, or one of its atoms, is farther than any that was judged; "" where none is."""
        if far is None or not len(far):
            return ""
        for calibration, distance, what in (
            (self.energies, root_mean_square(far), "its atoms are"),
            (self.forces, float(far.max()), f"atom {int(far.argmax()) + 1} is"),
        ):
            reach = None if calibration is None else calibration.reach
            if reach is not None and distance > reach.largest_distance:
                return f"{what} {distance:.1f} times as far as a typical one, judged were {reach.largest_distance:.1f}"
        return ""


UNKNOWN = Certainty(None, None, None, ())
"""Of a bare committee: its spread is given as it is."""
