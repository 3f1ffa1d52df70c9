"""Asking a model about changed training examples: each is answered only by the members that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.predictor.predictor import Predictor

Array = NDArray[np.float64]


def keeps_held_out(predictor: Predictor) -> bool:
    """Say whether the model kept its examples, and members for each of them that never saw it."""
    folds = predictor.out_of_fold["fold"]
    return len(predictor.examples) > 0 and predictor.validation.folds > 1 and bool((folds >= 0).all())


def features_of(predictor: Predictor, examples: pd.DataFrame) -> list[Any]:
    """Return the features of examples for each part of the model."""
    return [featurizer.transform(examples)[0] for featurizer in predictor.ready.featurizers]


def answers(predictor: Predictor, features: Sequence[Any], folds: NDArray[np.int64]) -> Array:
    """Return the mean answers of the members that held the given folds out, shape (n, sum of the targets' widths).

    Args:
        predictor: a model with at least two folds.
        features: for each part the features of n examples.
        folds: shape (n,): for each example the fold whose members answer.
    """
    # all members answer for all rows, and of each row those of its fold are kept: one call a part
    by_fold = predictor.ready.layout.by_fold(predictor.ready.ask(features))
    return np.asarray(np.nanmean(by_fold[folds, :, np.arange(len(folds))], axis=1), np.float64)


def answers_of(predictor: Predictor, features: Sequence[Any], askable: NDArray[np.bool_]) -> Array:
    """Return the mean answers of single members of a model of one part, shape (n, sum of the targets' widths).

    Args:
        predictor: the model.
        features: of its part, those of n examples.
        askable: shape (members, n): who answers for each example, one at least.
    """
    members = np.asarray(predictor.parts[0].ensemble.predict(features[0]).members, np.float64)
    return np.asarray(np.nanmean(np.where(askable[..., None], members, np.nan), axis=0), np.float64)


def column_of(predictor: Predictor, target: Target, code: int = 0) -> int:
    """Return the number of the output that is a regression's answer, or the probability of a class."""
    index = predictor.targets.index(target)
    return sum(each.width for each in predictor.targets[:index]) + code
