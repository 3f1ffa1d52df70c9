"""The ensembles: one for each set of features in use, all on the same folds."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset
from amalthea.datasets.splits import group_folds
from amalthea.domains.protocol import Featurizer, Featurizing
from amalthea.errors import AmaltheaError, TrainingWarning
from amalthea.predictor.predictions import mixed
from amalthea.tasks.columns.bounds import bounds
from amalthea.tasks.columns.networks import propose
from amalthea.tasks.protocol import Part
from amalthea.training.prediction import Prediction
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.clusters import cluster
from amalthea.validation.cross_fitting import Apart, HeldOut
from amalthea.workflow.settings import Settings, ignore
from amalthea.workflow.splitting import PAST, Split

if TYPE_CHECKING:
    from amalthea.training.ensemble import Ensemble

Arrays = Sequence[NDArray[Any]]

CLUSTER_FOLDS = 3
CLUSTER_MEMBERS = 2
FEWEST = 150
"""Examples without which a third of the clusters leaves too little to learn from."""


def fit_parts(
    dataset: Dataset,
    kind: Featurizing,
    featurizers: Sequence[Featurizer],
    arrays: Arrays,
    shares: NDArray[np.float64],
    split: Split,
    settings: Settings,
) -> tuple[Part, ...]:
    """Train an ensemble on each set of features; in a split by time, on all rows, past and future.

    Raises:
        AmaltheaError: the user stopped before every set of features was learned.
    """
    parts: list[Part] = []
    for featurizer, x, share in zip(featurizers, arrays, shares, strict=True):
        fold_ids = np.zeros_like(split.fold_ids) if split.in_time else split.fold_ids
        ensemble = _fit(dataset, kind, featurizer, x, fold_ids, dataset.groups, settings)
        if ensemble.history is not None and ensemble.history.interrupted and len(parts) + 1 < len(featurizers):
            raise AmaltheaError("Stopped on request before all sets of features were learned: nothing to keep.")
        parts.append(Part(featurizer, ensemble, share))
    return tuple(parts)


def out_of_fold(
    dataset: Dataset, kind: Featurizing, arrays: Arrays, parts: Sequence[Part], split: Split, settings: Settings
) -> Prediction | None:
    """Return what members that never saw a row say of it, mixed over the parts, and their spread; None with one fold.

    In a split by time these are members of their own, which learned from the past alone.
    """
    if split.in_time:
        answers = [_foretold(dataset, kind, part, x, split, settings) for part, x in zip(parts, arrays, strict=True)]
    elif split.folds > 1:
        answers = [part.ensemble.out_of_fold.members for part in parts]
    else:
        return None
    folds = split.folds + int(split.in_time)  # the past, which is judged by none, stands last
    return bounded(dataset, mixed(answers, [part.shares[split.fold_ids] for part in parts]), split.fold_ids, folds)


def bounded(dataset: Dataset, members: NDArray[np.float32], fold_ids: NDArray[np.int64], folds: int) -> Prediction:
    """Return the mean and the spread of answers, each bounded by what the members that never saw it learned from."""
    low, high = (ends.astype(np.float32) for ends in bounds(dataset.values, fold_ids, folds, dataset.targets))
    members = np.clip(members, low[fold_ids], high[fold_ids])
    known = np.isfinite(members)
    count = known.sum(axis=0)
    total = np.where(known, members, 0).sum(axis=0, dtype=np.float64)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    squares = np.where(known, (members - mean) ** 2, 0).sum(axis=0)
    std = np.sqrt(np.divide(squares, count - 1, out=np.zeros_like(squares), where=count > 1))
    return Prediction(mean=mean, std=std, members=members)


def held_out_by_cluster(
    dataset: Dataset,
    x: NDArray[Any],
    ask: Callable[[Split], Prediction | None],
    split: Split,
    applicability: Applicability,
    seed: int,
) -> HeldOut | None:
    """Return what a few networks or models more say of clusters of examples that they never saw.

    Examples that people ask about are rarely drawn from where the training set was: random folds alone know no such
    distance.

    Args:
        dataset: n examples.
        x: their first set of features.
        ask: returns the answers in a split of whole clusters; None where there are to be none.
        split: the random folds.
        applicability: what "far" means.
        seed: of the clusters.

    Returns:
        None where examples are held out in groups already, or are too few.
    """
    if split.grouped or split.in_time or split.folds == 1 or len(dataset) < FEWEST:
        return None
    clusters = cluster(x, applicability.metric, dataset.groups, seed)
    if len(np.unique(clusters)) < CLUSTER_FOLDS:
        return None
    fold_ids = group_folds(clusters, CLUSTER_FOLDS, seed)
    judged = ask(Split(fold_ids, clusters, grouped=True))
    if judged is None:
        return None
    apart = Apart(*applicability.held_out(x, fold_ids, seed))
    return HeldOut(np.asarray(judged.mean), np.asarray(judged.std), fold_ids, clusters, apart)


def networks_apart(
    dataset: Dataset, kind: Featurizing, arrays: Arrays, parts: Sequence[Part], split: Split, settings: Settings
) -> Prediction | None:
    """Return what a few networks more say of other folds; the sets of features count as in the random ones on average.

    Returns:
        None where the user wishes to stop, or asked for so few networks that these would be more.
    """
    stopped = any(part.ensemble.history is None or part.ensemble.history.interrupted for part in parts)
    if stopped or len(parts[0].ensemble) <= CLUSTER_FOLDS * CLUSTER_MEMBERS:
        return None
    defaults = dataclasses.replace(settings.defaults, folds=CLUSTER_FOLDS, members=CLUSTER_MEMBERS)
    fewer = dataclasses.replace(settings, defaults=defaults, say=ignore)
    answers = []
    for part, x in zip(parts, arrays, strict=True):
        ensemble = _fit(dataset, kind, part.featurizer, x, split.fold_ids, dataset.groups, fewer)
        if ensemble.history is not None and ensemble.history.interrupted:
            return None
        answers.append(ensemble.out_of_fold.members)
    shares = [part.shares.mean(axis=0) for part in parts]
    return bounded(dataset, mixed(answers, shares), split.fold_ids, CLUSTER_FOLDS)


def _foretold(
    dataset: Dataset, kind: Featurizing, part: Part, x: NDArray[np.float32], split: Split, settings: Settings
) -> NDArray[np.float32]:
    past = np.flatnonzero(split.fold_ids == PAST)
    everyone = np.zeros(len(past), np.int64)
    ensemble = _fit(dataset.take(past), kind, part.featurizer, x[past], everyone, dataset.groups[past], settings)
    members: NDArray[np.float32] = ensemble.predict(x).members.copy()
    members[:, past] = np.nan
    return members


def _fit(
    dataset: Dataset,
    kind: Featurizing,
    featurizer: Featurizer,
    x: NDArray[Any],
    fold_ids: NDArray[np.int64],
    groups: NDArray[np.int64],
    settings: Settings,
) -> Ensemble:
    from amalthea.training.ensemble import Ensemble

    defaults, folds = settings.defaults, int(fold_ids.max()) + 1
    rows = len(dataset) - (len(dataset) // folds if folds > 1 else 0)
    rows -= int((defaults.validation_fraction or 0.0) * rows)
    model = propose(kind, featurizer, dataset.targets, defaults, settings.steps(rows))
    ensemble = Ensemble(model, folds=folds, members=defaults.members, seed=settings.seed)
    with warnings.catch_warnings(action="ignore", category=TrainingWarning):  # said below
        history = ensemble.fit(
            x,
            dataset.values,
            epochs=defaults.epochs,
            batch_size=defaults.batch_size,
            groups=groups,
            fold_ids=fold_ids,
            patience=settings.patience,
            validation_fraction=defaults.validation_fraction,
            verbose=settings.verbose,
        )
    for note in history.notes:
        settings.say(note)
    return ensemble
