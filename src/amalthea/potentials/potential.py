"""A trained potential at work: it answers with forces and stresses as well."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Inputs, Refusal
from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.answers import Means, PotentialPrediction, StructureAnswer, committee_mean
from amalthea.potentials.certainty import Certainty
from amalthea.potentials.metrics import Errors
from amalthea.potentials.networks.bounds import MemberRanges
from amalthea.potentials.symmetry_functions.environments import Environments
from amalthea.predictor.predictor import FAR, NO_ANSWER
from amalthea.validation.calibration import IntervalCalibration

if TYPE_CHECKING:
    from amalthea.potentials.networks.committee import Answer, Committee
    from amalthea.potentials.symmetry_functions.extrapolation import Extrapolation, Ranges
    from amalthea.predictor.predictor import Predictor
    from amalthea.tasks.protocol import Part
    from amalthea.validation.applicability_domain import Applicability

Floats = NDArray[np.float64]


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
        count, ensemble = len(asked), self.predictor.parts[0].ensemble
        problems, warnings = asked.problems.copy(), asked.warnings.copy()
        energy, std = np.full((2, count), np.nan)
        members = np.full((len(ensemble), count), np.nan)
        lists: dict[str, Any] = {
            name: [None] * count for name in ("forces", "forces_std", "forces_half_width", "stress", "extrapolation")
        }
        outside, distant = np.zeros(count, bool), self.predictor.applicability
        features = np.full((count, distant.features), np.nan, np.float32)
        for row, structure in enumerate(asked.examples["atoms"]):
            if problems[row]:
                continue
            one = self._one(structure)
            if isinstance(one, str):
                problems[row] = one
                continue
            energy[row], members[ensemble.used, row], std[row] = one.energy, one.members, one.std
            features[row], outside[row] = one.features, bool(one.outside)
            for name, values in lists.items():
                values[row] = getattr(one, name)
            said = [one.outside, asked.warnings[row], "" if one.outside else self._warning(one.extrapolation)]
            warnings[row] = "; ".join(filter(None, said))
        applicability, answered = np.full(count, np.nan), np.isfinite(energy)
        if answered.any():
            applicability[answered] = distant.percentile(features[answered])
        for row in np.flatnonzero(applicability > FAR).tolist():
            warnings[row] = "; ".join(filter(None, [warnings[row], "far from the training set"]))
        lower = upper = None
        if (energies := self.certainty.energies) is not None:
            lower, upper = energy - energies.factor * std, energy + energies.factor * std
        return PotentialPrediction(
            mean=energy,
            std=std,
            members=members,
            lower=lower,
            upper=upper,
            applicability=applicability,
            problems=problems,
            warnings=warnings,
            outside=None if self.certainty.environments is None else outside,
            **lists,
        )

    def _one(self, structure: Any) -> StructureAnswer | str:
        """Return what is predicted for a structure, or why there is no answer."""
        from amalthea.potentials.symmetry_functions.descriptors import structure_features

        try:
            answer = self.committee.answer(self._known(structure))
        except DataError as error:
            return str(error)
        means, kinds, known = self.together(answer), answer.kinds, self.certainty
        if not (np.isfinite(means.energy) and np.isfinite(means.forces).all()):
            return NO_ANSWER
        if refusal := self.ranges.refusal(kinds, answer.functions):
            return refusal
        size, far, worst = len(structure), means.distances, self.ranges.worst(kinds, answer.functions)
        several = len(self.predictor.parts[0].ensemble.used) > 1  # a member alone has no spread
        energies, forces = known.energies is not None or several, known.forces is not None or several
        sigma = known.forces_std(means.forces_spread, far) if forces else None
        return StructureAnswer(
            energy=means.energy,
            std=known.energy_std(means.energy_spread, size, far) if energies else np.nan,
            members=answer.energy,
            features=structure_features(kinds, answer.functions, len(self.committee.elements)),
            outside=known.outside(means.energy_spread, size, means.forces_spread, far, worst),
            forces=means.forces,
            forces_std=sigma,
            forces_half_width=None if known.forces is None or sigma is None else known.forces.factor * sigma,
            stress=means.stress,
            extrapolation=worst,
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
