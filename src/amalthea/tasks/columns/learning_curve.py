"""The learning curve: the error against the number of training examples, from networks trained on parts of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.predictor.predictor import Predictor
from amalthea.tasks.columns.refit import MEMBERS, Material
from amalthea.validation.learning_curve import LearningCurve

SHARES = (0.125, 0.25, 0.5, 1.0)
FEWEST_ROWS = 80


def learning_curve(material: Material, target: Target, progress: Callable[[], None] = lambda: None) -> LearningCurve:
    """Train networks on parts of the data, two a fold.

    A fold's networks learn from a random share of the other folds' groups, in as many steps as with all of them, and
    answer for the whole fold: all sizes are judged on the same examples.

    Args:
        material: examples in at least two folds; its targets are known for `target`.
        target: whose errors are returned: absolute ones, or 1 for a wrong class.
        progress: called after each training.
    """
    defaults, folds = material.defaults, material.folds
    count = int(folds.max()) + 1
    names, numbers = np.unique(material.groups, return_inverse=True)
    ranks = np.random.default_rng(material.seed).permutation(len(names))[numbers] / len(names)
    network = material.network(round(len(folds) * (1 - 1 / count)), defaults.epochs)
    sizes, errors = [], []
    for share in SHARES:
        kept = ranks < share
        epochs = round(defaults.epochs / share)
        ensemble = material.fit(network, folds=count, members=MEMBERS, epochs=epochs, rows=kept)
        answers = ensemble.layout.by_fold(ensemble.predict(material.x).members)
        unseen = np.nanmean(answers[folds, :, np.arange(len(folds))], axis=1)
        sizes.append(round(kept.sum() * (1 - 1 / count)))
        errors.append(_error(material, target, unseen))
        progress()
    classes = target.task == "classification"
    measure = "share of mistakes" if classes else "root mean square error"
    measure = f"{measure} ({target.unit})" if target.unit else measure
    return LearningCurve(target.name, measure, np.array(sizes), np.array(errors), material.groups, 1 if classes else 2)


def _error(material: Material, target: Target, answers: NDArray[np.float32]) -> NDArray[np.float64]:
    targets = material.predictor.targets
    index = targets.index(target)
    start = sum(each.width for each in targets[:index])
    columns = answers[:, start : start + target.width].astype(np.float64)
    truth = material.y[:, index]
    if target.task == "classification":
        wrong: NDArray[np.float64] = (columns.argmax(axis=1) != truth).astype(np.float64)
        return wrong
    error: NDArray[np.float64] = np.abs(columns[:, 0] - truth)
    return error


def judgeable(predictor: Predictor, target: Target) -> NDArray[np.int64]:
    """Return where the examples stand that have a value of a target and were held out by a fold."""
    table = predictor.out_of_fold
    wanted = table[f"{target.name}_target" if len(predictor.targets) > 1 else "target"]
    return np.flatnonzero((wanted.notna() & (table["fold"] >= 0)).to_numpy(bool))
