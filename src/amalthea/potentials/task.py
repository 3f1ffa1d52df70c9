"""Potentials as a kind of answer: energies, forces and stresses of atomic structures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Inputs
from amalthea.domains.protocol import Defaults, Domain
from amalthea.errors import DataError
from amalthea.potentials.answers import PotentialPrediction
from amalthea.potentials.metrics import UNITS
from amalthea.potentials.potential import Potential, PotentialState, errors_of
from amalthea.predictor.predictions import columns
from amalthea.tasks.protocol import Clock, Fitted, TestFigures
from amalthea.training.prediction import Prediction

if TYPE_CHECKING:
    from amalthea.predictor.outside import Counts
    from amalthea.predictor.predictor import Predictor
    from amalthea.reporting.blocks import Section
    from amalthea.reporting.context import Context
    from amalthea.reporting.translate import Words
    from amalthea.tasks.lessons import Lessons
    from amalthea.workflow.settings import Settings


class PotentialTask:
    """Energies of structures, with the forces and stresses that are their derivatives."""

    name: str = "potential"
    state_type: Any = PotentialState
    keras_modules: Sequence[str] = ("amalthea.potentials.networks.potential_network", "amalthea.training.soap")
    suffixes: frozenset[str] = frozenset({".xyz", ".extxyz"})

    def defaults(self, dataset: Dataset, domain: Domain, network: str, augment: bool | None) -> Defaults:
        """Return how a potential is trained: about 4,500 steps a member, within limits.

        Raises:
            DataError: another network was asked for, or augmentation.
        """
        if network not in ("auto", self.name):
            raise DataError(f"{domain.nouns.many} have networks of their own kind: leave --network {network} out.")
        if augment:
            raise DataError("--augment is for pictures: a potential knows all turns and shifts of a structure already.")
        steps = max(1.0, 0.8 * len(dataset) / 4)
        return Defaults(5, 2, round(min(max(4_300 / steps, 10), 400)), 4, "soap", 0.01, self.name)

    def fit(self, dataset: Dataset, domain: Domain, settings: Settings, clock: Clock) -> Fitted:
        """Describe, split, train and judge structures that were read."""
        from amalthea.potentials.fit import learn_potential

        return learn_potential(dataset, domain, settings, clock)

    def restore(self, predictor: Predictor) -> Potential:
        """Return the potential, ready to be asked.

        Raises:
            AmaltheaError: its parts do not fit each other.
        """
        return Potential.of(predictor)

    def upgrade(self, card: dict[str, Any]) -> dict[str, Any]:
        """Return a description of format 1, whose `input_state` held what is the task's state now, as of today.

        It did not carry the units of its metrics either.
        """
        validation = card["validation"]
        summaries = [{**summary, "units": UNITS} for summary in validation["targets"]]
        old = dict(card["input_state"])
        ranges = old.pop("ranges")
        names = ("functions", "energy_of_atoms", "force_calibration")
        state = {"low": ranges["low"], "high": ranges["high"]} | {name: old.pop(name) for name in names}
        return {**card, "input_state": old, "state": state, "validation": {**validation, "targets": summaries}}

    def answer(self, predictor: Predictor, inputs: Inputs) -> Prediction:
        """Predict for structures that the domain has read."""
        potential: Potential = predictor.ready
        return potential.answer(inputs)

    def positions(self, predictor: Predictor, inputs: Inputs) -> NDArray[np.float32]:
        """Return what describes structures of known elements as wholes, shape (n, d)."""
        from amalthea.potentials.networks.training_arrays import surroundings
        from amalthea.potentials.symmetry_functions import kernels
        from amalthea.potentials.symmetry_functions.descriptors import structure_features

        committee, described = predictor.ready.committee, []
        for atoms in inputs.examples["atoms"]:
            structure = surroundings(atoms, committee.elements, committee.cutoff)
            kinds, pairs = structure.kinds, structure.neighbours
            values = kernels.values(committee.plan, kinds, pairs.first, pairs.neighbour, pairs.vector)
            described.append(structure_features(kinds, values, len(committee.elements)))
        return np.stack(described)

    def columns(self, predictor: Predictor, prediction: Prediction, index: pd.Index[Any]) -> pd.DataFrame:
        """Return the columns of `amalthea predict`: those of the energies."""
        return columns(prediction, predictor.targets, index)

    def write(self, predictor: Predictor, paths: Sequence[Path], output: Path, **options: Any) -> Counts:
        """Write structures with their predictions as extended XYZ."""
        from amalthea.potentials.prediction_files import write_structures

        return write_structures(predictor, paths, output, **options)

    def judge(self, predictor: Predictor, dataset: Dataset) -> TestFigures:
        """Judge a potential on labelled structures; energies in meV an atom, forces in eV/Å, stresses in GPa.

        Raises:
            DataError: no structure has both a label and a prediction.
        """
        from amalthea.potentials.metrics import potential_figures

        unknown = predictor.ready.refusals(dataset)
        rows = {refusal.row for refusal in unknown}
        known = dataset.take(np.flatnonzero([row not in rows for row in dataset.rows.tolist()]))
        if not len(known):
            raise DataError(f"{dataset.name}: no structure can be judged ({unknown[0].example}: {unknown[0].reason}).")
        nothing = np.full(len(known), "", object)
        answered = predictor.answer(Inputs(known.examples, known.examples, nothing, nothing))
        assert isinstance(answered, PotentialPrediction)
        errors = errors_of(known.examples, answered)
        compositions = _compositions(predictor, known)
        models = {"network": errors} | ({} if compositions is None else {"mean": compositions})
        scores = potential_figures(models, known.groups)
        if not scores.figures["network"]:
            reason = next(filter(None, () if answered.problems is None else answered.problems), "no labels")
            raise DataError(f"No structure here has both a label and a prediction ({reason}).")
        target, main = predictor.targets[0].name, predictor.validation.targets[0].main
        simple = {name: scores.figures[name] for name in models if name != "network"}
        paired = main in scores.figures["network"]
        differences = {name: scores.difference("network", name, main) for name in simple if paired}
        return TestFigures({target: dict(scores.figures["network"])}, {target: simple}, {target: differences}, unknown)

    def context(self, predictor: Predictor, words: Words, learning_curve: bool) -> Context:
        """Return what the sections of a model's report are told."""
        from amalthea.potentials.report.sections import context

        return context(predictor, words, learning_curve)

    def sections(self, context: Context) -> list[Section]:
        """Return the sections of the report."""
        from amalthea.potentials.report.sections import sections

        return sections(context)

    def lessons(self, predictor: Predictor) -> Lessons:
        """Return what the figures of how a model learned are made from."""
        from amalthea.potentials.lessons import PotentialLessons

        return PotentialLessons(predictor)


def _compositions(predictor: Predictor, dataset: Dataset) -> Any:
    """Return the errors of a potential that knows compositions alone, fitted to the training set; None without one."""
    if "energy" not in predictor.examples or not np.isfinite(predictor.examples["energy"].to_numpy(np.float64)).any():
        return None
    elements = predictor.ready.committee.elements

    def shares(examples: pd.DataFrame) -> Any:
        symbols = [np.array(atoms.get_chemical_symbols()) for atoms in examples["atoms"]]
        return np.array([[(each == element).mean() for element in elements] for each in symbols])

    energies, sizes = (
        [frame["energy"].to_numpy(np.float64) for frame in (predictor.examples, dataset.examples)],
        [np.array([len(atoms) for atoms in frame["atoms"]]) for frame in (predictor.examples, dataset.examples)],
    )
    labelled = np.isfinite(energies[0])
    atoms = np.linalg.lstsq(shares(predictor.examples)[labelled], (energies[0] / sizes[0])[labelled], rcond=1e-8)[0]
    answered = PotentialPrediction(
        mean=shares(dataset.examples) @ atoms * sizes[1],
        std=np.zeros(len(dataset)),
        members=None,
        forces=[None if forces is None else np.zeros_like(forces) for forces in dataset.examples["forces"]],
        stress=[None if stress is None else np.zeros_like(stress) for stress in dataset.examples["stress"]],
    )
    return errors_of(dataset.examples, answered)


TASK = PotentialTask()
