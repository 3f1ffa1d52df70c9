"""A trained potential at work: it answers with forces and stresses as well."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Inputs, Refusal
from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.certainty import Certainty
from amalthea.potentials.metrics import Errors
from amalthea.potentials.networks.bounds import MemberRanges
from amalthea.potentials.symmetry_functions.environments import Environments, root_mean_square
from amalthea.predictor.predictions import power_mean
from amalthea.predictor.predictor import FAR, NO_ANSWER
from amalthea.training.prediction import Prediction
from amalthea.validation.calibration import IntervalCalibration

if TYPE_CHECKING:
    from amalthea.potentials.networks.committee import Answer, Committee
    from amalthea.potentials.symmetry_functions.extrapolation import Extrapolation, Ranges
    from amalthea.predictor.predictor import Predictor
    from amalthea.tasks.protocol import Part
    from amalthea.validation.applicability_domain import Applicability

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


@dataclasses.dataclass(frozen=True)
class PotentialState:
    """What a potential remembers beside its networks.

    Args:
        functions: the symmetry functions of each element, as JSON.
        low: the smallest value of each function in training, shape (elements, F).
        high: the largest.
        energy_of_atoms: by element in eV: what is added to the networks' energies.
        force_calibration: what turns the spread of a force's components into their uncertainty; None where unknown.
        member_ranges: those beyond which each member's answers bend; None: they do not.
        environments: the atoms' surroundings in training, by element; None: no distance is known.
    """

    functions: dict[str, Any]
    low: list[list[float]]
    high: list[list[float]]
    energy_of_atoms: dict[str, float]
    force_calibration: IntervalCalibration | None = None
    member_ranges: MemberRanges | None = None
    environments: dict[str, Environments] | None = None

    @classmethod
    def of(
        cls,
        functions: Any,
        ranges: Ranges,
        energy_of_atoms: Mapping[str, float],
        force_calibration: IntervalCalibration | None,
        member_ranges: MemberRanges | None = None,
        environments: dict[str, Environments] | None = None,
    ) -> PotentialState:
        """Return the state of a potential with these symmetry functions and ranges."""
        from amalthea.potentials.symmetry_functions.serialization import as_json

        low, high = ranges.low.tolist(), ranges.high.tolist()
        described = as_json(functions), low, high, dict(energy_of_atoms)
        return cls(*described, force_calibration, member_ranges, environments)


@dataclasses.dataclass(frozen=True, eq=False)
class Potential:
    """A trained potential, ready to be asked for energies, forces and stresses.

    Args:
        predictor: the model.
        committee: its networks.
        ranges: those of the symmetry functions in training.
    """

    predictor: Predictor
    committee: Committee
    ranges: Ranges

    @classmethod
    def of(cls, predictor: Predictor) -> Potential:
        """Return a model's potential.

        Raises:
            AmaltheaError: its parts do not fit each other.
        """
        from amalthea.potentials.networks.committee import networks
        from amalthea.potentials.symmetry_functions.extrapolation import Ranges
        from amalthea.potentials.symmetry_functions.serialization import as_json, from_json

        state: PotentialState = predictor.state
        ensemble = predictor.parts[0].ensemble
        low, high = np.array(state.low, np.float64), np.array(state.high, np.float64)
        functions = from_json(state.functions)
        shape = (len(functions), max(map(len, functions.values())))
        fits = low.shape == high.shape == shape and bool(np.isfinite([low, high]).all())
        fits = fits and predictor.parts[0].featurizer.state()["functions"] == as_json(functions)
        if not fits:
            raise AmaltheaError("the potential's symmetry functions, their ranges and its networks do not fit.")
        trained = networks(ensemble.weights, functions, ensemble.model.activation, state.energy_of_atoms)
        if state.member_ranges is not None:
            fits = np.shape(state.member_ranges.low) == (len(ensemble), *shape)
            fits = fits and np.shape(state.member_ranges.energy_low) == (len(ensemble), len(functions))
        if not fits:
            raise AmaltheaError("the potential's symmetry functions, their ranges and its networks do not fit.")
        committee = trained.committee(state.member_ranges).take(ensemble.used)
        if not np.isfinite(committee.atoms).all():
            raise AmaltheaError("the potential's symmetry functions, their ranges and its networks do not fit.")
        if state.member_ranges is None:
            return cls(predictor, committee, Ranges(functions, low, high))
        least = np.zeros(shape)
        for number, (element, listed) in enumerate(functions.items()):
            least[number, : len(listed)] = trained.least_width(element)[ensemble.used].mean(axis=0)
        return cls(predictor, committee, Ranges(functions, low, high, least))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The networks, and the symmetry functions that they see."""
        return self.predictor.parts

    @property
    def examples(self) -> pd.DataFrame:
        """The structures that it learned from; empty if they were not saved."""
        return self.predictor.examples

    @property
    def out_of_fold(self) -> pd.DataFrame:
        """What was said of each training structure by networks that never saw it."""
        return self.predictor.out_of_fold

    @property
    def input_state(self) -> Mapping[str, Any]:
        """The units of files that do not say theirs."""
        return self.predictor.input_state

    @property
    def applicability(self) -> Applicability:
        """How far from the training set a structure lies."""
        return self.predictor.applicability

    @property
    def energy_of_atoms(self) -> dict[str, float]:
        """By element in eV: what is added to the networks' energies."""
        energies: dict[str, float] = self.predictor.state.energy_of_atoms
        return energies

    @property
    def force_calibration(self) -> IntervalCalibration | None:
        """What turns the spread of a force's components into their uncertainty."""
        calibration: IntervalCalibration | None = self.predictor.state.force_calibration
        return calibration

    @property
    def calibrations(self) -> tuple[Any, ...]:
        """What turns the spread of energies per atom into their uncertainty."""
        return self.predictor.calibrations

    @functools.cached_property
    def certainty(self) -> Certainty:
        """How sure it is of a structure."""
        (per_atom,), known = self.calibrations, self.predictor.state.environments
        energies = per_atom if isinstance(per_atom, IntervalCalibration) else None
        return Certainty(energies, self.force_calibration, known, self.committee.elements)

    @property
    def fold_of(self) -> NDArray[np.int64]:
        """The fold of each member of the committee, shape (M,)."""
        ensemble = self.predictor.parts[0].ensemble
        fold_of: NDArray[np.int64] = ensemble.layout.fold_of(ensemble.used)
        return fold_of

    def together(self, answer: Answer) -> Means:
        """Return what all members say of one structure, brought together, with their raw spreads."""
        known = self.certainty
        powers = [1.0 if each is None else each.power for each in (known.energies, known.forces)]
        means = committee_mean(answer, self.fold_of, *powers)
        return dataclasses.replace(means, distances=known.distances(answer.kinds, answer.functions))

    def answer(self, asked: Inputs) -> PotentialPrediction:
        """Predict for structures that the domain has read."""
        from amalthea.potentials.symmetry_functions.descriptors import structure_features

        count = len(asked)
        problems, warnings = asked.problems.copy(), asked.warnings.copy()
        energy, std = np.full((2, count), np.nan)
        used, known = self.predictor.parts[0].ensemble.used, self.certainty
        members = np.full((len(self.predictor.parts[0].ensemble), count), np.nan)
        lists: dict[str, list[Any]] = {
            name: [None] * count for name in ("forces", "forces_std", "forces_half_width", "stress", "extrapolation")
        }
        outside, distant = np.zeros(count, bool), self.predictor.applicability
        features = np.full((count, distant.features), np.nan, np.float32)
        for row, structure in enumerate(asked.examples["atoms"]):
            if problems[row]:
                continue
            try:
                answer = self.committee.answer(self._known(structure))
            except DataError as error:
                problems[row] = str(error)
                continue
            means, kinds = self.together(answer), answer.kinds
            problems[row] = self.ranges.refusal(kinds, answer.functions)
            if not (np.isfinite(means.energy) and np.isfinite(means.forces).all()):
                problems[row] = NO_ANSWER
            if problems[row]:
                continue
            size, far, worst = len(structure), means.distances, self.ranges.worst(kinds, answer.functions)
            energy[row], members[used, row] = means.energy, answer.energy
            lists["forces"][row], lists["stress"][row], lists["extrapolation"][row] = means.forces, means.stress, worst
            if len(used) > 1 or known.energies is not None:  # a member alone has no spread
                std[row] = known.energy_std(means.energy_spread, size, far)
            if len(used) > 1 or known.forces is not None:
                lists["forces_std"][row] = sigma = known.forces_std(means.forces_spread, far)
                lists["forces_half_width"][row] = None if known.forces is None else known.forces.factor * sigma
            features[row] = structure_features(kinds, answer.functions, len(self.committee.elements))
            reason = known.outside(means.energy_spread, size, means.forces_spread, far, worst)
            outside[row] = bool(reason)
            said = [reason, asked.warnings[row], "" if reason else self._warning(worst)]
            warnings[row] = "; ".join(filter(None, said))
        applicability = np.full(count, np.nan)
        answered = np.isfinite(energy)
        if answered.any():
            applicability[answered] = distant.percentile(features[answered])
        for row in np.flatnonzero(applicability > FAR).tolist():
            warnings[row] = "; ".join(filter(None, [warnings[row], "far from the training set"]))
        lower = upper = None
        if known.energies is not None:
            lower, upper = energy - known.energies.factor * std, energy + known.energies.factor * std
        return PotentialPrediction(
            mean=energy,
            std=std,
            members=members,
            lower=lower,
            upper=upper,
            applicability=applicability,
            problems=problems,
            warnings=warnings,
            outside=None if known.environments is None else outside,
            forces=lists["forces"],
            forces_std=lists["forces_std"],
            forces_half_width=lists["forces_half_width"],
            stress=lists["stress"],
            extrapolation=lists["extrapolation"],
        )

    def refusals(self, data: Dataset) -> tuple[Refusal, ...]:
        """Return the structures of a data set that the potential cannot judge, and why."""
        known = set(self.committee.elements)
        unknown = [sorted(set(atoms.get_chemical_symbols()) - known) for atoms in data.examples["atoms"]]
        places = zip(data.rows.tolist(), data.examples["source"], data.examples["frame"], unknown, strict=True)
        return tuple(
            Refusal(row, f"{source}, frame {frame}", f"the potential does not know {', '.join(elements)}")
            for row, source, frame, elements in places
            if elements
        )

    def _known(self, structure: Any) -> Any:
        unknown = sorted(set(structure.get_chemical_symbols()) - set(self.committee.elements))
        if unknown:
            raise DataError(
                f"the potential does not know {', '.join(unknown)}; it knows {', '.join(self.committee.elements)}"
            )
        return structure

    def _warning(self, outside: Extrapolation | None) -> str:
        from amalthea.potentials.symmetry_functions.extrapolation import TOLERANCE

        return f"extrapolates: {outside}" if outside is not None and outside.excess > TOLERANCE else ""


def errors_of(examples: pd.DataFrame, answered: PotentialPrediction) -> Errors:
    """Return prediction minus label for structures with labels.

    Args:
        examples: n rows with "atoms", "energy", "forces" and "stress".
        answered: what was predicted for them.
    """
    sizes = np.array([len(atoms) for atoms in examples["atoms"]])
    energy = (answered.mean - examples["energy"].to_numpy(np.float64)) / sizes
    return Errors(energy, _less(answered.forces, examples["forces"]), _less(answered.stress, examples["stress"]))


def _less(predicted: Sequence[Floats | None], labels: Any) -> list[Floats | None]:
    return [
        None if mine is None or label is None else mine - label for mine, label in zip(predicted, labels, strict=True)
    ]
