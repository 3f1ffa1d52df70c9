"""How a potential is judged: by structures that its members never saw, at random and far from all they saw."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset
from amalthea.potentials.answers import Means, PotentialPrediction, committee_mean
from amalthea.potentials.metrics import UNITS, Errors, potential_figures
from amalthea.potentials.potential import errors_of
from amalthea.potentials.symmetry_functions.environments import (
    Environments,
    distances,
    environments,
    root_mean_square,
)
from amalthea.validation.calibration import IntervalCalibration, fit_interval
from amalthea.validation.cross_fitting import Residuals, cross_fitted
from amalthea.validation.cross_validated import calibration_parts
from amalthea.validation.distance_bands import Band, worth
from amalthea.validation.metrics import Figure
from amalthea.validation.summary import ClusterFigures, TargetSummary, Validation
from amalthea.workflow.settings import Settings
from amalthea.workflow.splitting import Split

Floats = NDArray[np.float64]

MOST_COMPONENTS = 50_000
"""Components of forces that a calibration is fitted to at most."""

FEWEST_STRUCTURES = 100
"""Fewer structures are not held out by their distance: the inner half would teach too little."""


@dataclasses.dataclass(frozen=True, eq=False)
class Judged:
    """What is known of a potential's errors.

    Args:
        validation: the figures.
        energies: the calibration of energies an atom.
        forces: that of a force's component.
        errors: of each structure, out of fold.
        distances: of each structure from what those learned from that judged it, shape (n,).
    """

    validation: Validation
    energies: IntervalCalibration | None
    forces: IntervalCalibration | None
    errors: Errors | None
    distances: Floats


@dataclasses.dataclass(frozen=True, eq=False)
class Judge:
    """Members that never saw a structure, and the environments in what they learned from.

    Args:
        committee: the members.
        known: by element.
    """

    committee: Any
    known: Mapping[str, Environments]

    def answer(self, examples: Any, row: int) -> Means:
        """Return what they say of a structure, and how far its atoms are."""
        surroundings, atoms = examples.surroundings[row], examples.frames.atoms[row]
        answer = self.committee.answer_for(surroundings, atoms.get_volume() if atoms.pbc.all() else np.nan)
        means = committee_mean(answer, np.zeros(self.committee.members, np.int64))
        far = distances(self.known, examples.elements, answer.kinds, answer.functions)
        return dataclasses.replace(means, distances=far)


def environments_of(examples: Any, learned: NDArray[np.bool_]) -> dict[str, Environments]:
    """Return the environments in some of the structures, a mask of shape (n,)."""
    rows = np.flatnonzero(learned)
    kinds, values = [examples.surroundings[row].kinds for row in rows], [examples.values[row] for row in rows]
    return environments(examples.functions, kinds, values, examples.typical_spread)


def outer_half(examples: Any, split: Split) -> NDArray[np.bool_] | None:
    """Return which structures, copies together, lie farther from the middle of all than half of them, shape (n,).

    Returns:
        None where there are too few structures, or all are learned from, or the future is judged.
    """
    if len(examples.frames) < FEWEST_STRUCTURES or split.folds == 1:
        return None
    known = environments_of(examples, np.full(len(examples.frames), True))
    structures = zip(examples.surroundings, examples.values, strict=True)
    far = np.array(
        [root_mean_square(distances(known, examples.elements, each.kinds, values)) for each, values in structures]
    )
    units = np.unique(split.units, return_inverse=True)[1]
    by_unit = (np.bincount(units, far) / np.bincount(units))[units]
    outer: NDArray[np.bool_] = by_unit > np.median(by_unit)
    return outer if outer.any() else None


@dataclasses.dataclass(frozen=True, eq=False)
class _Rows:
    """Predictions of one quantity for what their members never saw, shape (n,) each.

    Args:
        residuals: prediction minus label.
        spread: of the members.
        distance: from what they learned from.
        labels: up to a constant.
    """

    residuals: Floats
    spread: Floats
    distance: Floats
    labels: Floats

    def __len__(self) -> int:
        return len(self.residuals)

    @classmethod
    def of_energies(cls, dataset: Dataset, means: Sequence[Means | None], constant: Errors) -> _Rows:
        """Return energies an atom; their labels are what the composition does not tell."""
        off = errors_of(dataset.examples, as_prediction(means)).energy
        sizes = np.array([len(atoms) for atoms in dataset.examples["atoms"]])
        known = [
            (off[row], each.energy_spread / sizes[row], each.distance, -constant.energy[row])
            for row, each in enumerate(means)
            if each is not None and np.isfinite(off[row])
        ]
        return cls(*np.array(known, np.float64).reshape(-1, 4).T)

    def residuals_of(
        self, fold_ids: NDArray[np.int64], units: NDArray[np.int64], places: NDArray[np.intp], count: int
    ) -> Residuals:
        """Return the rows in their places among `count`, NaN elsewhere, as calibrations are judged on them."""
        columns = np.full((4, count), np.nan)
        columns[:, places] = [np.abs(self.residuals), self.spread, self.distance, self.labels]
        errors, spreads, distance, labels = columns
        return Residuals(errors, spreads, fold_ids, units, distance, np.zeros(count), labels)

    @classmethod
    def of_forces(cls, dataset: Dataset, means: Sequence[Means | None], seed: int) -> _Rows:
        """Return components of forces, at most so many, drawn by chance."""
        parts = [
            np.stack(
                [
                    (each.forces - labels).ravel(),
                    *np.repeat([each.forces_spread, each.distances], 3, axis=1),
                    labels.ravel(),
                ]
            )
            for each, labels in zip(means, dataset.examples["forces"], strict=True)
            if each is not None and labels is not None
        ]
        every = np.concatenate([np.empty((4, 0)), *parts], axis=1)
        chosen = np.random.default_rng(seed).permutation(every.shape[1])[:MOST_COMPONENTS]
        return cls(*every[:, chosen])

    def calibration(self, distant: _Rows) -> IntervalCalibration:
        """Return the constants for these rows and distant ones, each kind with half of the weight."""
        names = [field.name for field in dataclasses.fields(self)]
        both = [np.concatenate([getattr(rows, name) for rows in (self, distant)]) for name in names]
        weights = np.repeat([1 / max(1, len(self)), 1 / max(1, len(distant))], [len(self), len(distant)])
        residuals, spread, distance, labels = both
        return fit_interval(residuals, spread, distance=distance, truth=labels, weights=weights)


def judge(
    dataset: Dataset,
    means: Sequence[Means | None],
    distant: Sequence[Means | None],
    examples: Any,
    split: Split,
    settings: Settings,
) -> Judged:
    """Return the figures out of fold, beside a potential that knows compositions alone, and the calibrations.

    Args:
        dataset: n structures.
        means: what was said of each out of fold; None where nothing was.
        distant: what members said that learned from the inner half, of the outer one.
        examples: the structures as the networks see them.
        split: who was held out by whom.
        settings: of the training.
    """
    name, members = dataset.targets[0].name, settings.defaults.members
    prediction = as_prediction(means)
    far = np.array([np.nan if each is None else each.distance for each in means])
    errors = errors_of(dataset.examples, prediction)
    known = np.flatnonzero(np.isfinite(prediction.mean))
    constant = _constant(dataset, examples, split)
    models = {"network": errors.take(known), "mean": constant.take(known)}
    figures = potential_figures(models, split.units[known], settings.seed) if len(known) else None
    if figures is None or not figures.figures["network"]:
        nothing = TargetSummary(name, "potential", "", "force_mae", {}, {}, {}, None, units=UNITS)
        return Judged(Validation((nothing,), split.folds, members, len(dataset)), None, None, None, far)
    energies = _energies(dataset, means, distant, constant, split, settings.seed)
    main = "force_mae" if "force_mae" in figures.figures["network"] else "energy_mae"
    summary = TargetSummary(
        name,
        "potential",
        "",
        main,
        figures.figures["network"],
        {"mean": figures.figures["mean"]},
        {"mean": figures.difference("network", "mean", main)},
        energies.coverage,
        baselines_by_fold={"mean": tuple(_in_fold(constant, split, known, k, main) for k in range(split.folds))},
        units=UNITS,
        bands=energies.bands,
        clusters=energies.outer,
    )
    validation = Validation((summary,), split.folds, members, len(dataset))
    forces = _Rows.of_forces(dataset, means, settings.seed)
    of_forces = forces.calibration(_Rows.of_forces(dataset, distant, settings.seed)) if len(forces) else None
    return Judged(validation, energies.calibration, of_forces, errors, far)


@dataclasses.dataclass(frozen=True, eq=False)
class _Energies:
    """The calibration of energies and what it is worth, at random and in the outer half of the structures."""

    calibration: IntervalCalibration | None = None
    coverage: Figure | None = None
    bands: tuple[Band, ...] = ()
    outer: ClusterFigures | None = None


def _energies(
    dataset: Dataset,
    means: Sequence[Means | None],
    distant: Sequence[Means | None],
    constant: Errors,
    split: Split,
    seed: int,
) -> _Energies:
    """Return the calibration of energies an atom, and its worth by constants from other folds."""
    random, outer = (_Rows.of_energies(dataset, each, constant) for each in (means, distant))
    if not len(random):
        return _Energies()
    off = [errors_of(dataset.examples, as_prediction(each)) for each in (means, distant)]
    rows, far = (np.flatnonzero(np.isfinite(each.energy)) for each in off)
    # In a split by time the future is one fold: its fifths judge each other's constants.
    parts = calibration_parts(split.fold_ids[rows], split.units[rows], seed)
    held = random.residuals_of(parts, split.units[rows], np.arange(len(rows)), len(rows))
    beyond = None
    if len(far):
        beyond = outer.residuals_of(parts, split.units[rows], np.searchsorted(rows, far), len(rows))
    widths, far_widths = cross_fitted(held, beyond, weight=len(random) / max(1, len(outer)))
    covered, bands = worth(held, widths)
    figures = None
    if beyond is not None:
        metrics = potential_figures({"": off[1].take(far)}, split.units[far], seed).figures[""]
        figures = ClusterFigures(metrics, *worth(beyond, far_widths))
    return _Energies(random.calibration(outer), covered, bands, figures)


def _in_fold(errors: Errors, split: Split, known: NDArray[np.intp], fold: int, metric: str) -> float:
    rows = known[split.fold_ids[known] == fold]
    if not len(rows):
        return float("nan")
    figures = potential_figures({"": errors.take(rows)}, split.units[rows]).figures[""]
    return figures[metric].value if metric in figures else float("nan")


def _constant(dataset: Dataset, examples: Any, split: Split) -> Errors:
    """Return the errors of a potential that knows the composition alone, fitted to the other folds; no forces."""
    counts = np.stack([np.bincount(each.kinds, minlength=len(examples.elements)) for each in examples.surroundings])
    energy = dataset.examples["energy"].to_numpy(np.float64)
    sizes, predicted = counts.sum(axis=1), np.full(len(energy), np.nan)
    for fold in range(split.folds):
        others = (split.fold_ids != fold) & np.isfinite(energy)
        if others.any():
            fitted = np.linalg.lstsq(counts[others] / sizes[others, None], energy[others] / sizes[others], rcond=1e-8)[
                0
            ]
            mine = split.fold_ids == fold
            predicted[mine] = counts[mine] @ fitted
    nothing = [
        [None if labels is None else -labels for labels in dataset.examples[label]] for label in ("forces", "stress")
    ]
    return Errors((predicted - energy) / sizes, *nothing)


def as_prediction(means: Sequence[Means | None]) -> PotentialPrediction:
    """Return what was said of n structures, NaN and None where nothing was."""
    return PotentialPrediction(
        mean=np.array([np.nan if each is None else each.energy for each in means]),
        std=np.array([np.nan if each is None else each.energy_spread for each in means]),
        members=None,
        forces=[None if each is None else each.forces for each in means],
        stress=[None if each is None else each.stress for each in means],
    )
