"""A trained potential at work: a predictor that answers with forces and stresses as well."""

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
from amalthea.potentials.metrics import Errors, potential_figures
from amalthea.predictor.predictions import columns, power_mean
from amalthea.predictor.predictor import FAR, NO_ANSWER, Predictor
from amalthea.training.prediction import Prediction
from amalthea.validation.calibration import IntervalCalibration
from amalthea.validation.metrics import Figure

if TYPE_CHECKING:
    from amalthea.potentials.networks.committee import Answer, Committee
    from amalthea.potentials.symmetry_functions.extrapolation import Extrapolation, Ranges

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PotentialPrediction(Prediction):
    """Energies of n structures, and what goes with them; lists have one entry a structure, None where there is none.

    `mean`, `std`, `lower` and `upper` are total energies, shape (n,), in eV.

    Args:
        forces: of shape (A, 3), in eV/Å.
        forces_std: the calibrated uncertainty of each atom's force, a component, shape (A,), in eV/Å.
        stress: of shape (6,), in eV/Å³, in ASE's order and sign; NaN where the structure is not periodic throughout.
        extrapolation: the atom and symmetry function farthest outside of the training range.
    """

    forces: Sequence[Floats | None] = ()
    forces_std: Sequence[Floats | None] = ()
    stress: Sequence[Floats | None] = ()
    extrapolation: Sequence[Extrapolation | None] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class Means:
    """What a committee says of one structure, its members' answers brought together.

    Args:
        energy: the total energy, in eV.
        energy_spread: within a fold's members, pooled over the folds, in eV.
        forces: shape (A, 3).
        forces_spread: a component, shape (A,).
        stress: shape (6,).
    """

    energy: float
    energy_spread: float
    forces: Floats
    forces_spread: Floats
    stress: Floats


def bring_together(
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
    several = [own for fold in np.unique(folds) if (own := folds == fold).sum() > 1]
    energy_spread, forces_spread = 0.0, np.zeros(forces.shape[1])
    if several:
        energy_spread = float(power_mean([energy[own].var(ddof=1) for own in several], energy_power))
        by_atom = [forces[own].var(axis=0, ddof=1).mean(axis=-1) for own in several]
        forces_spread = power_mean(by_atom, force_power)
    return Means(float(energy.mean()), energy_spread, forces.mean(axis=0), forces_spread, answer.stress.mean(axis=0))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Potential(Predictor):
    """A trained potential: asked for energies, forces and stresses, judged, saved and opened like any predictor."""

    @functools.cached_property
    def committee(self) -> Committee:
        """The networks, ready for any structure."""
        from amalthea.potentials.networks.committee import from_weights

        ensemble = self.parts[0].ensemble
        alone = self.input_state["energy_of_atoms"]
        every = from_weights(ensemble.weights, self.ranges.functions, ensemble.model.activation, alone)
        return every.take(ensemble.used)

    @functools.cached_property
    def ranges(self) -> Ranges:
        """The ranges of the symmetry functions in training."""
        from amalthea.potentials.symmetry_functions.extrapolation import Ranges
        from amalthea.potentials.symmetry_functions.serialization import from_json

        low, high = (np.array(self.input_state["ranges"][name], np.float64) for name in ("low", "high"))
        return Ranges(from_json(self.input_state["functions"]), low, high)

    @property
    def force_calibration(self) -> IntervalCalibration | None:
        """What turns the spread of a force's components into their uncertainty."""
        stored = self.input_state["force_calibration"]
        return None if stored is None else IntervalCalibration.from_state(stored)

    @property
    def fold_of(self) -> NDArray[np.int64]:
        """The fold of each member of the committee, shape (M,)."""
        ensemble = self.parts[0].ensemble
        return ensemble.used // ensemble.members

    def together(self, answer: Answer) -> Means:
        """Return what all members say of one structure, brought together, with their raw spreads."""
        (per_atom,), per_component = self.calibrations, self.force_calibration
        return bring_together(
            answer,
            self.fold_of,
            per_atom.power if isinstance(per_atom, IntervalCalibration) else 1.0,
            1.0 if per_component is None else per_component.power,
        )

    def check(self) -> None:
        """Raise where the parts do not fit each other.

        Raises:
            AmaltheaError: they do not.
        """
        from amalthea.potentials.symmetry_functions.serialization import as_json

        described, ranges, committee = self.parts[0].featurizer.state(), self.ranges, self.committee
        shape = (len(ranges.functions), max(map(len, ranges.functions.values())))
        fits = ranges.low.shape == ranges.high.shape == shape
        fits = fits and described["functions"] == as_json(ranges.functions)
        if not fits or not np.isfinite([ranges.low, ranges.high]).all() or not np.isfinite(committee.atoms).all():
            raise AmaltheaError("the potential's symmetry functions, their ranges and its networks do not fit.")
        _ = self.force_calibration

    def answer(self, asked: Inputs) -> PotentialPrediction:
        """Predict for structures that the domain has read."""
        from amalthea.potentials.symmetry_functions.descriptors import structure_features

        count = len(asked)
        problems, warnings = asked.problems.copy(), asked.warnings.copy()
        energy, spread, atoms = (np.full(count, np.nan) for _ in range(3))
        used = self.parts[0].ensemble.used
        members = np.full((len(self.parts[0].ensemble), count), np.nan)
        forces: list[Floats | None] = [None] * count
        forces_std, stress = list(forces), list(forces)
        outside: list[Extrapolation | None] = [None] * count
        features = np.full((count, self.applicability.features), np.nan, np.float32)
        calibration, distant = self.force_calibration, self.applicability
        for row, structure in enumerate(asked.examples["atoms"]):
            if problems[row]:
                continue
            try:
                said = self.committee.answer(self._known(structure))
            except DataError as error:
                problems[row] = str(error)
                continue
            means = self.together(said)
            if not (np.isfinite(means.energy) and np.isfinite(means.forces).all()):
                problems[row] = NO_ANSWER
                continue
            energy[row], spread[row], atoms[row] = means.energy, means.energy_spread, len(structure)
            members[used, row] = said.energy
            forces[row], stress[row] = means.forces, means.stress
            if calibration is not None:
                forces_std[row] = calibration.sigma(means.forces_spread)
            elif len(used) > 1:  # a member alone has no spread
                forces_std[row] = means.forces_spread
            outside[row] = self.ranges.worst(said.kinds, said.functions)
            features[row] = structure_features(said.kinds, said.functions, len(self.committee.elements))
            warnings[row] = "; ".join(filter(None, [warnings[row], self._warning(outside[row])]))
        applicability = np.full(count, np.nan)
        known = np.isfinite(energy)
        if known.any():
            applicability[known] = distant.percentile(features[known])
        for row in np.flatnonzero(applicability > FAR).tolist():
            warnings[row] = "; ".join(filter(None, [warnings[row], "far from the training set"]))
        (per_atom,) = self.calibrations
        std, lower, upper = spread if len(used) > 1 else np.full(count, np.nan), None, None
        if isinstance(per_atom, IntervalCalibration):
            std = per_atom.sigma(spread / atoms) * atoms
            lower, upper = energy - per_atom.factor * std, energy + per_atom.factor * std
        return PotentialPrediction(
            mean=energy,
            std=std,
            members=members,
            lower=lower,
            upper=upper,
            applicability=applicability,
            problems=problems,
            warnings=warnings,
            forces=forces,
            forces_std=forces_std,
            stress=stress,
            extrapolation=outside,
        )

    def table(self, asked: Inputs) -> pd.DataFrame:
        """Return the input's columns and, behind them, the columns of `amalthea predict`."""
        return pd.concat([asked.table, columns(self.answer(asked), self.targets, asked.table.index)], axis=1)

    def evaluate(self, data: Dataset) -> dict[str, dict[str, Figure]]:
        """Return the figures on new labelled structures: energies in meV an atom, forces in eV/Å, stresses in GPa.

        Raises:
            AmaltheaError: the data are no structures, or none has both a label and a prediction.
        """
        if data.domain != self.domain:
            raise AmaltheaError(f"This model knows {self.domain}, and these data are {data.domain}.")
        nothing = np.full(len(data), "", object)
        answered = self.answer(Inputs(data.examples, data.examples, nothing, nothing))
        figures = potential_figures({"network": errors_of(data.examples, answered)}, data.groups).figures["network"]
        if not figures:
            problems = () if answered.problems is None else answered.problems
            told = next(filter(None, problems), "no labels")
            raise DataError(f"No structure here has both a label and a prediction ({told}).")
        return {self.targets[0].name: dict(figures)}

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


def state_of(functions: Any, ranges: Ranges, energy_of_atoms: Mapping[str, float], forces: Any) -> dict[str, Any]:
    """Return what a potential remembers beside its networks, as JSON."""
    from amalthea.potentials.symmetry_functions.serialization import as_json

    return {
        "functions": as_json(functions),
        "ranges": ranges.state(),
        "energy_of_atoms": dict(energy_of_atoms),
        "force_calibration": None if forces is None else forces.state(),
    }
