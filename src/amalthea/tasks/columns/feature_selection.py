"""Which features serve the task, found out inside each fold's training part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset
from amalthea.domains.protocol import Featurizer, Featurizing
from amalthea.tasks.columns.networks import propose
from amalthea.workflow.settings import Settings
from amalthea.workflow.splitting import Split

LEAST_SHARE = 0.25
"""Features that would count less than this in a fold are not used there."""

MOST_PARTS = 10
"""Folds that are chosen for one by one; more, down to one example each, are chosen for together."""


def choose_features(
    dataset: Dataset,
    kind: Featurizing,
    featurizers: Sequence[Featurizer],
    arrays: Sequence[NDArray[Any]],
    split: Split,
    settings: Settings,
) -> NDArray[np.float64]:
    """Return how much the networks of each set of features count in each fold.

    Inside every fold's training part, networks are tried on each set of features and judged on rows that they did
    not see; the fold's own rows take no part in it. A set that is `simplest` gives way only where others are clearly
    better. With one set, or fewer than three folds, there is no choice to make
    or no room for it: the first set is used.

    Args:
        dataset: n examples.
        kind: proposes the networks.
        featurizers: the sets of features.
        arrays: their values, shape (n, d) each.
        split: the folds.
        settings: how the networks are trained.

    Returns:
        Shape (sets, folds, sum of the targets' widths); over the sets they are 1 together.
    """
    from amalthea.training.nested_cross_validation import nested_cv_predictions
    from amalthea.validation.stacking import shares_by_fold

    if len(featurizers) == 1 or split.folds < 3:
        shares = np.zeros((len(featurizers), split.folds, sum(target.width for target in dataset.targets)))
        shares[0] = 1.0
        return shares
    # A choice without several folds' rows serves each of them: pairs of many folds would be too many.
    count = min(split.folds, MOST_PARTS)
    parts = split.fold_ids % count
    rows = len(dataset) * (count - 2) // count
    predictions = [
        nested_cv_predictions(
            propose(kind, featurizer, dataset.targets, settings.defaults, settings.steps(rows)),
            values,
            dataset.values,
            parts,
            members=1,
            epochs=settings.defaults.epochs,
            batch_size=settings.defaults.batch_size,
            seed=settings.seed,
            verbose=settings.verbose,
        )
        for featurizer, values in zip(featurizers, arrays, strict=True)
    ]
    simplest = next((i for i, each in enumerate(featurizers) if getattr(each, "simplest", False)), None)
    by_part = shares_by_fold(dataset.targets, dataset.values, predictions, simplest)
    shares = by_part[:, np.arange(split.folds) % count]
    shares = np.where((shares < LEAST_SHARE) & (shares < shares.max(axis=0)), 0.0, shares)
    shares /= shares.sum(axis=0)
    listed = ", ".join(f"{f.name} {share.mean():.0%}" for f, share in zip(featurizers, shares, strict=True))
    settings.say(f"Features, chosen inside each fold's training part: {listed}.")
    return shares


def different(arrays: Sequence[NDArray[Any]]) -> list[int]:
    """Return the numbers of the sets of features, shape (n, ...) each, that repeat no earlier one's values."""
    kept: list[int] = []
    for number, values in enumerate(arrays):
        if not any(values.shape == arrays[i].shape and np.array_equal(values, arrays[i], True) for i in kept):
            kept.append(number)
    return kept


def side_by_side(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return different sets of features, shape (n, ...) each, as one, shape (n, d).

    Example:
        >>> side_by_side([np.ones((2, 1)), np.ones((2, 1)), np.zeros((2, 2))])
        array([[1., 0., 0.],
               [1., 0., 0.]])
    """
    return np.concatenate([arrays[i].reshape(len(arrays[i]), -1) for i in different(arrays)], axis=1)
