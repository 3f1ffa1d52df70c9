"""What potentials answer: for many structures, for one, and by a committee before any calibration."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.symmetry_functions.environments import root_mean_square
from amalthea.predictor.predictions import power_mean
from amalthea.training.prediction import Prediction

if TYPE_CHECKING:
    from amalthea.potentials.networks.committee import Answer
    from amalthea.potentials.symmetry_functions.extrapolation import Extrapolation

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PotentialPrediction(Prediction):
    """Energies of n structures, and what goes with them; lists have one entry a structure, None where there is none.

    `mean`, `std`, `lower` and `upper` are total energies, shape (n,), in eV.

    Args:
        forces: of shape (A, 3), in eV/Å.
        forces_std: the calibrated uncertainty of each atom's force, a component, shape (A,), in eV/Å.
        forces_half_width: half of the 90 % interval of each atom's force, a component, shape (A,), in eV/Å.
        stress: of shape (6,), in eV/Å³, in Voigt's order and ASE's sign; NaN where the structure is not periodic
            throughout.
        extrapolation: the atom and symmetry function farthest outside of the training range.
    """

    forces: Sequence[Floats | None] = ()
    forces_std: Sequence[Floats | None] = ()
    forces_half_width: Sequence[Floats | None] = ()
    stress: Sequence[Floats | None] = ()
    extrapolation: Sequence[Extrapolation | None] = ()

    answers: ClassVar[tuple[str, ...]] = (*Prediction.answers, "forces", "forces_std", "forces_half_width", "stress")


@dataclasses.dataclass(frozen=True, eq=False)
class Means:
    """What a committee says of one structure, its members' answers brought together.

    Args:
        energy: the total energy, in eV.
        energy_spread: within a fold's members, pooled over the folds, in eV.
        forces: shape (A, 3).
        forces_spread: a component, shape (A,).
        stress: shape (6,).
        distances: of the atoms from those in training, shape (A,), where it is known; see `Environments`.
    """

    energy: float
    energy_spread: float
    forces: Floats
    forces_spread: Floats
    stress: Floats
    distances: Floats | None = None

    @property
    def distance(self) -> float:
        """The structure's distance; NaN where it is not known."""
        return float("nan") if self.distances is None else root_mean_square(self.distances)


def committee_mean(
    answer: Answer, folds: NDArray[np.int64], energy_power: float = 1.0, force_power: float = 1.0
) -> Means:
    """Return the mean over all members, and the spread within a fold's members, pooled over the folds.

    Args:
        answer: of M members.
        folds: the fold of each, shape (M,).
        energy_power: of the calibration of energies, ...
        force_power: ... and of that of forces; see `pooled`.
    """
    energy, forces = answer.energy, answer.forces
    several = [of_fold for fold in np.unique(folds) if (of_fold := folds == fold).sum() > 1]
    energy_spread, forces_spread = 0.0, np.zeros(forces.shape[1])
    if several:
        energy_spread = float(power_mean([energy[of_fold].var(ddof=1) for of_fold in several], energy_power))
        by_atom = [forces[of_fold].var(axis=0, ddof=1).mean(axis=-1) for of_fold in several]
        forces_spread = power_mean(by_atom, force_power)
    return Means(float(energy.mean()), energy_spread, forces.mean(axis=0), forces_spread, answer.stress.mean(axis=0))


@dataclasses.dataclass(frozen=True, eq=False)
class StructureAnswer:
    """What is predicted for one structure; see `PotentialPrediction`.

    Args:
        energy: the total energy, in eV.
        std: its uncertainty, in eV.
        members: what each member says of it, shape (members in use,), in eV.
        features: by which its distance to the training set is measured.
        outside: why it lies outside of what was learned; "" where it does not.
        forces: shape (A, 3).
        forces_std: shape (A,), if known.
        forces_half_width: shape (A,), if known.
        stress: shape (6,).
        extrapolation: the atom and symmetry function farthest outside of the training range.
    """

    energy: float
    std: float
    members: Floats
    features: NDArray[Any]
    outside: str
    forces: Floats
    forces_std: Floats | None
    forces_half_width: Floats | None
    stress: Floats
    extrapolation: Extrapolation | None
