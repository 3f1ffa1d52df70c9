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
from amalthea.potentials.answers import Means
from amalthea.potentials.judging import Judge, Judged, as_prediction, environments_of, judge, outer_half
from amalthea.potentials.metrics import GPA
from amalthea.potentials.networks.bounds import MemberRanges
from amalthea.potentials.potential import PotentialState
from amalthea.predictor.predictions import columns
from amalthea.progress import Bar
from amalthea.tasks.protocol import Clock, Fitted, Part
from amalthea.validation.applicability_domain import Applicability
from amalthea.workflow.settings import Settings
from amalthea.workflow.splitting import PAST, Split, split_rows

Floats = NDArray[np.float64]

MOST_COMPONENTS = 50_000
"""Components of forces that a calibration is fitted to at most."""

MEMORY_SHARE = 0.4
"""The share of the free memory that derivatives may take before they are computed on the fly."""

GROUP_COLUMNS = ("group", "config_type")
"""Columns by which data sets of structures tell what kind of structure one is."""


@dataclasses.dataclass(frozen=True, eq=False)
class _Described:
    """Structures as networks see them.

    Args:
        functions: the symmetry functions, by element.
        alone: the energies of atoms alone, in eV, by element.
        examples: the structures, their functions and labels.
        split: who is held out by whom.
    """

    functions: Mapping[str, Any]
    alone: Mapping[str, float]
    examples: Any
    split: Split


@dataclasses.dataclass(frozen=True, eq=False)
class _Trained:
    """The networks of a training.

    Args:
        ensemble: those that answer.
        judges: those that judge: others in a split by time, which learned from the past alone.
        outer: shape (n,): the structures far from the middle of all; None where none are set apart.
        inner: networks that learned from the others; None likewise.
    """

    ensemble: Any
    judges: Any
    outer: NDArray[np.bool_] | None
    inner: Any


def learn_potential(dataset: Dataset, kind: Domain, settings: Settings, clock: Clock) -> Fitted:
    """Describe, split, train and validate structures that were read; see `Task.fit`.

    Raises:
        DataError: the structures or the settings cannot be used.
    """
    from amalthea.potentials.symmetry_functions.extrapolation import Ranges
    from amalthea.potentials.symmetry_functions.featurizer import SymmetryFunctions

    _check(dataset, settings)
    with clock("featurize"):
        described = _described(dataset, kind, settings)
    with clock("train"):
        trained = _trained(dataset, described, settings)
    examples, split, functions = described.examples, described.split, described.functions
    with clock("validate"), Bar("structures judged", len(dataset), settings.verbose) as bar:
        layout = trained.ensemble.layout.fold_of(np.arange(len(trained.ensemble)))
        learned = (split.fold_ids != layout[:, None]) | (split.folds == 1)
        _, member_ranges = _bounded(trained.ensemble, described, learned)
        means = _out_of_fold(described, trained, learned, bar)
        judged = judge(dataset, means, _beyond(described, trained), examples, split, settings)
        applicability, distances = _applicability(described, settings)
        ranges = Ranges.of(functions, [each.kinds for each in examples.surroundings], examples.values)
        known = environments_of(examples, np.full(len(dataset), True))
    return Fitted(
        dataset=dataset,
        split=split,
        parts=(Part(SymmetryFunctions(functions), trained.ensemble, np.ones((split.folds, 1))),),
        calibrations=(judged.energies,),
        applicability=applicability,
        validation=judged.validation,
        out_of_fold=_table(dataset, split, means, judged, distances, _group_column(dataset, settings)),
        state=PotentialState.of(functions, ranges, described.alone, judged.forces, member_ranges, known),
    )


def _described(dataset: Dataset, kind: Domain, settings: Settings) -> _Described:
    from ase.data import atomic_numbers

    from amalthea.potentials.networks.atomic_energies import reference_energies
    from amalthea.potentials.networks.training_arrays import Examples
    from amalthea.potentials.reading import examples as tables
    from amalthea.potentials.symmetry_functions.selection import choose_functions

    frames = tables.as_frames(dataset.examples, dataset.columns)
    unit = dataset.input_state.get("length_unit", "bohr")
    symbols = {symbol for atoms in frames.atoms for symbol in set(atoms.get_chemical_symbols())}
    elements = sorted(symbols, key=lambda symbol: int(atomic_numbers[symbol]))
    functions = choose_functions(elements, settings.features, settings.say, unit)
    alone = reference_energies(frames, tuple(functions))
    with Bar("symmetry functions", len(frames), settings.verbose) as bar:
        examples = Examples(frames, functions, alone, bar.reach)
    return _Described(functions, alone, examples, split_rows(dataset, kind, settings))


def _trained(dataset: Dataset, described: _Described, settings: Settings) -> _Trained:
    from amalthea.potentials.networks.training import shapes_of

    examples, split, members = described.examples, described.split, settings.defaults.members
    shapes = shapes_of(examples, MEMORY_SHARE, split.folds * members, settings.say, settings.verbose)
    ensemble = _train(examples, shapes, dataset, split, settings)
    past = np.flatnonzero(split.fold_ids == PAST)
    judges = _train(examples, shapes, dataset, split, settings, past) if split.in_time else ensemble
    outer = outer_half(examples, split) if not ensemble.history.interrupted else None
    if outer is None:
        return _Trained(ensemble, judges, None, None)
    settings.say(
        f"{members} more members learn from the inner half of the structures and are judged on the outer one, so that "
        "error bars know distance."
    )
    return _Trained(ensemble, judges, outer, _train(examples, shapes, dataset, split, settings, np.flatnonzero(~outer)))


def _out_of_fold(described: _Described, trained: _Trained, learned: NDArray[np.bool_], bar: Bar) -> list[Means | None]:
    """Return what members that never saw a structure say of it; None where there are none."""
    examples, split = described.examples, described.split
    learned = split.fold_ids == PAST if split.in_time else learned
    committee, _ = _bounded(trained.judges, described, learned)
    by_fold = {
        fold: Judge(committee.take(members), environments_of(examples, split.fold_ids != fold))
        for fold, members in _members_by_fold(trained.judges, split).items()
    }
    means: list[Means | None] = []
    for row, fold in enumerate(split.fold_ids.tolist()):
        means.append(by_fold[fold].answer(examples, row) if fold in by_fold else None)
        bar.reach(len(means), len(split.fold_ids))
    return means


def _beyond(described: _Described, trained: _Trained) -> list[Means | None]:
    """Return what members that learned from the inner half say of each structure of the outer one."""
    examples, outer = described.examples, trained.outer
    if outer is None:
        return [None] * len(examples.frames)
    committee, _ = _bounded(trained.inner, described, ~outer)
    judges = Judge(committee.take(trained.inner.used), environments_of(examples, ~outer))
    return [judges.answer(examples, row) if far else None for row, far in enumerate(outer)]


def _applicability(described: _Described, settings: Settings) -> tuple[Applicability, Floats]:
    """Return how far a structure is from the training set, and the percentiles of those in it."""
    from amalthea.potentials.symmetry_functions.descriptors import structure_features

    examples, units = described.examples, described.split.units
    structures = zip((each.kinds for each in examples.surroundings), examples.values, strict=True)
    features = np.stack([structure_features(*structure, len(described.functions)) for structure in structures])
    applicability = Applicability.fit(features, "euclidean", units, seed=settings.seed)
    return applicability, applicability.percentile(features, units)


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
    examples: Any, shapes: tuple[Any, Any], dataset: Dataset, split: Split, settings: Settings, rows: Any = None
) -> Any:
    """Return the trained ensemble: K folds of members, or, of some rows only, one fold that learned from all these."""
    from amalthea.potentials.networks.training import potential_network
    from amalthea.training.ensemble import Ensemble

    folds = split.folds if rows is None else 1
    learned = len(dataset) if rows is None else len(rows)
    network = potential_network(examples, settings.defaults, settings.steps(learned - (learned // folds) * (folds > 1)))
    network.derive = shapes[1]
    ensemble = Ensemble(network, folds=folds, members=settings.defaults.members, seed=settings.seed)
    with warnings.catch_warnings(action="ignore", category=TrainingWarning):  # said below
        history = ensemble.fit_shapes(
            shapes[0],
            epochs=settings.defaults.epochs,
            batch_size=settings.defaults.batch_size,
            fold_ids=np.maximum(split.fold_ids, 0) if rows is None else np.zeros(len(dataset), np.int64),
            groups=dataset.groups,
            rows=rows,
            verbose=settings.verbose,
        )
    for note in history.notes:
        settings.say(note)
    return ensemble


def _bounded(ensemble: Any, described: _Described, learned: Any) -> tuple[Any, MemberRanges]:
    """Return trained members, each bent beyond the ranges of what it learned from, (M, n) or (n,); and these ranges."""
    from amalthea.potentials.networks.committee import networks

    examples = described.examples
    learned = np.broadcast_to(learned, (len(ensemble), len(examples.frames)))
    trained = networks(ensemble.weights, examples.functions, ensemble.model.activation, described.alone)
    ranges = MemberRanges.of(trained.committee(), examples, learned)
    return trained.committee(ranges), ranges


def _members_by_fold(ensemble: Any, split: Split) -> dict[int, NDArray[np.int64]]:
    """Return for each fold the trained members that held it out; none where nothing was held out."""
    if split.folds == 1 and not split.in_time:
        return {}
    members = {fold: np.intersect1d(ensemble.layout.of_fold(fold), ensemble.used) for fold in range(split.folds)}
    return {fold: chosen for fold, chosen in members.items() if len(chosen)}


def _table(
    dataset: Dataset,
    split: Split,
    means: Sequence[Means | None],
    judged: Judged,
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
    prediction = as_prediction(means)
    nothing, spread = np.full(len(table), "", object), prediction.std
    if judged.energies is not None:
        sizes = np.array(places["atoms"])
        std = judged.energies.sigma(prediction.std / sizes, judged.distances) * sizes
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
    raw = {
        "raw_std": spread,
        "raw_distance": judged.distances,
        "raw_force_std": [np.nan if each is None else _rms(each.forces_spread) for each in means],
    }
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
