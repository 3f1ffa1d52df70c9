"""The learning curve: the error against the number of training examples, from networks trained on parts of them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.predictor.predictor import Predictor
from amalthea.tasks.columns.refit import MEMBERS, Material
from amalthea.validation.metrics import Figure

SHARES = (0.125, 0.25, 0.5, 1.0)
FEWEST_ROWS = 80
RESAMPLES = 200


@dataclasses.dataclass(frozen=True, eq=False)
class Curve:
    """Errors of all held-out examples by the number of training examples.

    Args:
        sizes: shape (sizes,): how many examples a network learned from.
        errors: shape (sizes, n): each example's error by networks that never saw it.
    """

    sizes: NDArray[np.int64]
    errors: NDArray[np.float64]


def learning_curve(material: Material, target: Target) -> Curve:
    """Train networks on parts of the data, two a fold.

    A fold's networks learn from a random share of the other folds' groups, in as many steps as with all of them, and
    answer for the whole fold: all sizes are judged on the same examples.

    Args:
        material: examples in at least two folds; its targets are known for `target`.
        target: whose errors are returned: absolute ones, or 1 for a wrong class.
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
    return Curve(np.array(sizes), np.array(errors))


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


def mean_errors(curve: Curve, groups: NDArray[np.int64], power: float, seed: int = 0) -> NDArray[np.float64]:
    """Return the mean error of each size, and of resamples of the groups, shape (1 + resamples, sizes).

    Args:
        curve: the errors.
        groups: shape (n,): examples that are drawn together.
        power: 2 for the root mean square of the errors, 1 for their mean.
        seed: of the resamples.
    """
    units = np.unique(groups, return_inverse=True)[1]
    count = int(units.max()) + 1
    rng = np.random.default_rng(seed)
    weights = np.array([np.bincount(rng.integers(0, count, count), minlength=count)[units] for _ in range(RESAMPLES)])
    weights = np.concatenate([np.ones((1, len(units))), weights])
    means: NDArray[np.float64] = (weights @ (curve.errors**power).T / weights.sum(axis=1, keepdims=True)) ** (1 / power)
    return means


def gain_of_doubling(curve: Curve, groups: NDArray[np.int64], power: float, seed: int = 0) -> Figure:
    """Return by which share the error would fall with twice the examples, if the trend goes on.

    The trend is error = c * size^(-b), fitted to the logarithms; its error comes from resampling the groups.

    Args:
        curve: the errors.
        groups: shape (n,): examples that are drawn together.
        power: 2 for the root mean square of the errors, 1 for their mean.
        seed: of the resamples.
    """
    means = mean_errors(curve, groups, power, seed)
    if not (means[0] > 0).all():
        return Figure(math.nan, math.nan)
    logs = np.log(np.maximum(means, 1e-12))
    slopes = np.polyfit(np.log(curve.sizes), logs.T, 1)[0]
    gains = 1 - 2.0**slopes
    return Figure(float(gains[0]), float(gains[1:].std(ddof=1)))
