"""Potentials, from structures to what is known of their errors: the same story, told with energies and forces."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset
from amalthea.domains.protocol import Domain
from amalthea.errors import DataError, TrainingWarning
from amalthea.potentials.metrics import GPA, UNITS, Errors, potential_figures
from amalthea.potentials.networks.bounds import MemberRanges
from amalthea.potentials.potential import Means, PotentialPrediction, PotentialState, committee_mean, errors_of
from amalthea.predictor.predictions import columns
from amalthea.progress import Bar
from amalthea.tasks.protocol import Clock, Fitted, Part
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.calibration import IntervalCalibration, coverage, fit_interval
from amalthea.validation.cross_validated import calibration_parts
from amalthea.validation.summary import TargetSummary, Validation
from amalthea.workflow.settings import Settings
from amalthea.workflow.splitting import PAST, Split, split_rows

Floats = NDArray[np.float64]

MOST_COMPONENTS = 50_000
"""Components of forces that a calibration is fitted to at most."""

MEMORY_SHARE = 0.4
"""The share of the free memory that derivatives may take before they are computed on the fly."""

GROUP_COLUMNS = ("group", "config_type")
"""Columns by which data sets of structures tell what kind of structure one is."""


def learn_potential(dataset: Dataset, kind: Domain, settings: Settings, clock: Clock) -> Fitted:
    """Describe, split, train and validate structures that were read; see `Task.fit`.

    Raises:
        DataError: the structures or the settings cannot be used.
    """
    from ase.data import atomic_numbers

    from amalthea.potentials.networks.atomic_energies import reference_energies
    from amalthea.potentials.networks.training import shapes_of
    from amalthea.potentials.networks.training_arrays import Examples
    from amalthea.potentials.reading import examples as tables
    from amalthea.potentials.symmetry_functions.descriptors import structure_features
    from amalthea.potentials.symmetry_functions.extrapolation import Ranges
    from amalthea.potentials.symmetry_functions.featurizer import SymmetryFunctions
    from amalthea.potentials.symmetry_functions.selection import choose_functions

    _check(dataset, settings)
    with clock("featurize"):
        frames = tables.as_frames(dataset.examples, dataset.columns)
        unit = dataset.input_state.get("length_unit", "bohr")
        symbols = {symbol for atoms in frames.atoms for symbol in set(atoms.get_chemical_symbols())}
        elements = sorted(symbols, key=lambda symbol: int(atomic_numbers[symbol]))
        functions = choose_functions(elements, settings.features, settings.say, unit)
        alone = reference_energies(frames, tuple(functions))
        with Bar("symmetry functions", len(frames), settings.verbose) as bar:
            examples = Examples(frames, functions, alone, bar.reach)
        split = split_rows(dataset, kind, settings)
    with clock("train"):
        shapes = shapes_of(
            examples, MEMORY_SHARE, split.folds * settings.defaults.members, settings.say, settings.verbose
        )
        ensemble = _train(examples, shapes, dataset, split, settings)
        judges = _train(examples, shapes, dataset, split, settings, past=True) if split.in_time else ensemble
        del shapes
    with clock("validate"), Bar("structures judged", len(frames), settings.verbose) as bar:
        committee, member_ranges = _bounded(ensemble, examples, alone, split)
        if split.in_time:
            committee, _ = _bounded(judges, examples, alone, split, past=True)
        by_fold = _by_fold(committee, judges, split)
        means = []
        for surroundings, atoms, fold in zip(examples.surroundings, frames.atoms, split.fold_ids.tolist(), strict=True):
            means.append(_held_out(by_fold.get(fold), surroundings, atoms))
            bar.reach(len(means), len(frames))
        kinds = [each.kinds for each in examples.surroundings]
        described = zip(kinds, examples.values, strict=True)
        features = np.stack([structure_features(*structure, len(functions)) for structure in described])
        applicability = Applicability.fit(features, "euclidean", split.units, seed=settings.seed)
        judged = _judge(dataset, means, examples, split, settings)
        ranges = Ranges.of(functions, kinds, examples.values)
    distances, groups = applicability.percentile(features, split.units), _group_column(dataset, settings)
    return Fitted(
        dataset=dataset,
        split=split,
        parts=(Part(SymmetryFunctions(functions), ensemble, np.ones((split.folds, 1))),),
        calibrations=(judged.energies,),
        applicability=applicability,
        validation=judged.validation,
        out_of_fold=_table(dataset, split, means, judged, distances, groups),
        state=PotentialState.of(functions, ranges, alone, judged.forces, member_ranges),
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _Judged:
    validation: Validation
    energies: IntervalCalibration | None
    forces: IntervalCalibration | None
    errors: Errors | None


def _check(dataset: Dataset, settings: Settings) -> None:
    """Refuse what potentials cannot be asked for, and say what the labels cannot teach.

    Raises:
        DataError: a setting has no meaning here.
    """
    if settings.patience is not None:
        raise DataError("potentials are trained for a fixed number of epochs: leave --patience out, and give --epochs.")
    if settings.defaults.network != "potential":
        raise DataError(f"structures have networks of their own kind: leave --network {settings.defaults.network} out.")
    if not np.isfinite(dataset.values).any():
        settings.say("No structure has an energy: predicted energies have no zero, and only their differences count.")
    if all(forces is None for forces in dataset.examples["forces"]):
        settings.say("No structure has forces: they are learned from energies alone, and their errors are not known.")


def _train(
    examples: Any, shapes: tuple[Any, Any], dataset: Dataset, split: Split, settings: Settings, past: bool = False
) -> Any:
    """Return the trained ensemble; in a split by time it learns from all structures, or from those of the past."""
    from amalthea.potentials.networks.training import potential_network
    from amalthea.training.ensemble import Ensemble

    folds = split.folds
    learned = int(np.sum(split.fold_ids == PAST)) if past else len(dataset)
    rows = learned - (learned // folds if folds > 1 else 0)
    network = potential_network(examples, settings.defaults, settings.steps(rows))
    network.derive = shapes[1]
    ensemble = Ensemble(network, folds=folds, members=settings.defaults.members, seed=settings.seed)
    with warnings.catch_warnings(action="ignore", category=TrainingWarning):  # said below
        history = ensemble.fit_shapes(
            shapes[0],
            epochs=settings.defaults.epochs,
            batch_size=settings.defaults.batch_size,
            fold_ids=np.maximum(split.fold_ids, 0),
            groups=dataset.groups,
            rows=np.flatnonzero(split.fold_ids == PAST) if past else None,
            verbose=settings.verbose,
        )
    for note in history.notes:
        settings.say(note)
    return ensemble


def _bounded(
    ensemble: Any, examples: Any, alone: Mapping[str, float], split: Split, past: bool = False
) -> tuple[Any, MemberRanges]:
    """Return the trained members, each bent beyond the ranges of what it learned from, and these ranges."""
    from amalthea.potentials.networks.committee import networks

    fold_of = ensemble.layout.fold_of(np.arange(len(ensemble)))[:, None]
    every = np.full((len(ensemble), len(split.fold_ids)), split.folds == 1)
    learned = every & (split.fold_ids == PAST) if past else every | (split.fold_ids != fold_of)
    trained = networks(ensemble.weights, examples.functions, ensemble.model.activation, alone)
    ranges = MemberRanges.of(trained.committee(), examples, learned)
    return trained.committee(ranges), ranges


def _by_fold(committee: Any, ensemble: Any, split: Split) -> dict[int, Any]:
    """Return for each fold the trained members that held it out; none where nothing was held out."""
    if split.folds == 1 and not split.in_time:
        return {}
    members = {fold: np.intersect1d(ensemble.layout.of_fold(fold), ensemble.used) for fold in range(split.folds)}
    return {fold: committee.take(chosen) for fold, chosen in members.items() if len(chosen)}


def _held_out(committee: Any, surroundings: Any, atoms: Any) -> Means | None:
    """Return what the members that never saw a structure say of it; None where there are none."""
    if committee is None:
        return None
    answer = committee.answer_for(surroundings, atoms.get_volume() if atoms.pbc.all() else np.nan)
    return committee_mean(answer, np.zeros(committee.members, np.int64))


def _judge(dataset: Dataset, means: Sequence[Means | None], examples: Any, split: Split, settings: Settings) -> _Judged:
    """Return the figures out of fold, beside a potential that knows compositions alone, and the calibrations."""
    name, members = dataset.targets[0].name, settings.defaults.members
    prediction = _as_prediction(means)
    errors = errors_of(dataset.examples, prediction)
    known = np.flatnonzero(np.isfinite(prediction.mean))
    constant = _constant(dataset, examples, split)
    models = {"network": errors.take(known), "mean": constant.take(known)}
    figures = potential_figures(models, split.units[known], settings.seed) if len(known) else None
    if figures is None or not figures.figures["network"]:
        nothing = TargetSummary(name, "potential", "", "force_mae", {}, {}, {}, None, units=UNITS)
        return _Judged(Validation((nothing,), split.folds, members, len(dataset)), None, None, None)
    sizes = np.array([len(atoms) for atoms in dataset.examples["atoms"]])
    spread = prediction.std / sizes
    labelled = np.isfinite(errors.energy)
    energies, covered = None, None
    if labelled.any():
        energies = fit_interval(errors.energy[labelled], spread[labelled])
        units = split.units[labelled]
        # In a split by time the future is one fold: its fifths judge each other's constants.
        parts = calibration_parts(split.fold_ids[labelled], units, settings.seed)
        covered = coverage(errors.energy[labelled], spread[labelled], parts, units)
    main = "force_mae" if "force_mae" in figures.figures["network"] else "energy_mae"
    summary = TargetSummary(
        name,
        "potential",
        "",
        main,
        figures.figures["network"],
        {"mean": figures.figures["mean"]},
        {"mean": figures.difference("network", "mean", main)},
        covered,
        baselines_by_fold={"mean": tuple(_in_fold(constant, split, known, k, main) for k in range(split.folds))},
        units=UNITS,
    )
    validation = Validation((summary,), split.folds, members, len(dataset))
    return _Judged(validation, energies, _force_calibration(errors, means, settings.seed), errors)


def _in_fold(errors: Errors, split: Split, known: NDArray[np.intp], fold: int, metric: str) -> float:
    rows = known[split.fold_ids[known] == fold]
    if not len(rows):
        return float("nan")
    figures = potential_figures({"": errors.take(rows)}, split.units[rows]).figures[""]
    return figures[metric].value if metric in figures else float("nan")


def _force_calibration(errors: Errors, means: Sequence[Means | None], seed: int) -> IntervalCalibration | None:
    both = zip(errors.forces, means, strict=True)
    pairs = [(e, m.forces_spread) for e, m in both if e is not None and m is not None]
    if not pairs:
        return None
    residuals = np.concatenate([e.ravel() for e, _ in pairs])
    spread = np.concatenate([np.repeat(atoms, 3) for _, atoms in pairs])
    chosen = np.random.default_rng(seed).permutation(len(residuals))[:MOST_COMPONENTS]
    return fit_interval(residuals[chosen], spread[chosen])


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


def _as_prediction(means: Sequence[Means | None]) -> PotentialPrediction:
    return PotentialPrediction(
        mean=np.array([np.nan if each is None else each.energy for each in means]),
        std=np.array([np.nan if each is None else each.energy_spread for each in means]),
        members=None,
        forces=[None if each is None else each.forces for each in means],
        stress=[None if each is None else each.stress for each in means],
    )


def _table(
    dataset: Dataset,
    split: Split,
    means: Sequence[Means | None],
    judged: _Judged,
    applicability: Floats,
    group: str | None = None,
) -> pd.DataFrame:
    """Return one row a structure: its energy, what was said of it out of fold, and how far off its forces were.

    Errors and sizes of forces are in eV/Å, over all components; those of stresses in GPa.
    """
    examples = dataset.examples
    table = pd.DataFrame({"row": dataset.rows, "fold": split.fold_ids, "target": dataset.values[:, 0]})
    places: dict[str, Any] = {"file": examples["source"], "frame": examples["frame"]}
    places["atoms"] = [len(atoms) for atoms in examples["atoms"]]
    if group is not None:
        places["group"] = dataset.columns[group].astype(str).to_numpy(object)
    if judged.errors is None:
        return table.assign(**places)
    prediction = _as_prediction(means)
    nothing, spread = np.full(len(table), "", object), prediction.std
    if judged.energies is not None:
        sizes = np.array(places["atoms"])
        std = judged.energies.sigma(prediction.std / sizes) * sizes
        half = judged.energies.factor * std
        prediction = dataclasses.replace(
            prediction, std=std, lower=prediction.mean - half, upper=prediction.mean + half
        )
    prediction = dataclasses.replace(prediction, applicability=applicability, problems=nothing, warnings=nothing)
    errors = judged.errors
    each = {
        "force_mae": _by_structure(errors.forces, lambda e: np.abs(e).mean()),
        "force_rmse": _by_structure(errors.forces, lambda e: np.sqrt((e**2).mean())),
        "force_size": _by_structure(examples["forces"], lambda forces: np.sqrt((forces**2).mean())),
        "stress_mae": _by_structure(errors.stress, lambda e: np.abs(e).mean() * GPA),
    }
    raw = {"raw_std": spread, "raw_force_std": [np.nan if each is None else _rms(each.forces_spread) for each in means]}
    return pd.concat([table, columns(prediction, dataset.targets, table.index)], axis=1).assign(**places, **each, **raw)


def _rms(values: Floats) -> float:
    """Return the root mean square of some numbers."""
    return float(np.sqrt(np.mean(values**2)))


def _by_structure(values: Iterable[Floats | None], measure: Callable[[Floats], Any]) -> Floats:
    """Return one number a structure, NaN where there is nothing to be measured."""
    return np.array([np.nan if each is None else float(measure(np.asarray(each))) for each in values])


def _group_column(dataset: Dataset, settings: Settings) -> str | None:
    """Return the column that says to which group a structure belongs, if there is one."""
    names = (settings.group, *GROUP_COLUMNS)
    return next((name for name in names if name is not None and name in dataset.columns), None)
