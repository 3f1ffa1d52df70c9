"""A baseline as the model itself: one a fold, learned anew from the examples that its file keeps."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Target
from amalthea.domains.protocol import Featurizer
from amalthea.errors import AmaltheaError
from amalthea.tasks.columns.cross_validation import bounded
from amalthea.tasks.columns.feature_selection import side_by_side
from amalthea.tasks.columns.refit import known_values
from amalthea.training.prediction import Prediction
from amalthea.validation.baselines import Answer, baseline_names, fit_folds
from amalthea.workflow.splitting import Split

if TYPE_CHECKING:
    from amalthea.predictor.predictor import Predictor

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class SimpleModel:
    """What is remembered of a baseline that answers in place of networks.

    Args:
        name: among the baselines.
        folds: how many of it answer, each learned from all folds but one; 1: a single one learned from all examples.
        seed: everything random follows from it.
        featurizers: the states of those whose features it sees side by side.
    """

    name: str
    folds: int
    seed: int
    featurizers: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, name: str, featurizers: Sequence[Featurizer], split: Split, seed: int) -> SimpleModel:
        """Return what is remembered; in a split by time the model that answers learns from past and future."""
        states = tuple(featurizer.state() for featurizer in featurizers)
        return cls(name, 1 if split.in_time else split.folds, seed, states)


def is_simple(name: str, targets: Sequence[Target]) -> bool:
    """Say whether a name is that of a baseline of every target."""
    return all(name in baseline_names(target.task) for target in targets)


def out_of_fold(dataset: Dataset, features: NDArray[Any], split: Split, name: str, seed: int) -> Prediction | None:
    """Return what baselines that never saw a row say of it; None with one fold. A single one has no spread."""
    if split.folds < 2 and not split.in_time:
        return None
    held_out = [split.fold_ids == fold for fold in range(split.folds)]
    learned = _learned(name, features, dataset.values, held_out, dataset.targets, seed)
    answers = np.full((1, len(dataset), sum(target.width for target in dataset.targets)), np.nan, np.float32)
    for models, rows in zip(learned, held_out, strict=True):
        answers[0, rows] = _ask(models, features[rows])
    return bounded(dataset, answers, split.fold_ids, split.folds + int(split.in_time))


class FoldModels:
    """The baselines of a saved model, learned when they are first asked.

    Args:
        predictor: the model.
        featurizers: its.
    """

    def __init__(self, predictor: Predictor, featurizers: Sequence[Featurizer]) -> None:
        self.predictor, self.featurizers = predictor, featurizers

    @functools.cached_property
    def learned(self) -> list[list[Answer]]:
        """For each fold a model of each target.

        Raises:
            AmaltheaError: the examples were not saved.
        """
        predictor, state = self.predictor, self.predictor.state
        if not len(predictor.examples):
            raise AmaltheaError(
                f"The model was saved without its examples, from which the baseline {state.name!r} learns anew when it "
                "is asked: it answers nothing. Train it again, and keep the examples."
            )
        features = side_by_side([each.transform(predictor.examples)[0] for each in self.featurizers])
        folds = predictor.out_of_fold["fold"].to_numpy(np.int64)
        single = [np.zeros(len(folds), bool)]
        held_out = single if state.folds == 1 else [folds == fold for fold in range(state.folds)]
        values = known_values(predictor, np.arange(len(folds)))
        return _learned(state.name, features, values, held_out, predictor.targets, state.seed)

    def __call__(self, features: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Return what each fold's model says of n examples, shape (K, n, sum of the targets' widths)."""
        table = side_by_side(features)
        return np.stack([_ask(models, table) for models in self.learned]).astype(np.float32)


def _learned(
    name: str,
    features: NDArray[Any],
    values: Floats,
    held_out: Sequence[NDArray[np.bool_]],
    targets: Sequence[Target],
    seed: int,
) -> list[list[Answer]]:
    """Return for each fold a model of each target, from the rows where it is known."""
    of_targets = []
    for index, target in enumerate(targets):
        known = np.isfinite(values[:, index])
        rows = [each[known] for each in held_out]
        of_targets.append(fit_folds(target.task, name, features[known], values[known, index], rows, target.width, seed))
    return [list(models) for models in zip(*of_targets, strict=True)]


def _ask(models: Sequence[Answer], features: NDArray[Any]) -> Floats:
    return np.concatenate([model(features).reshape(len(features), -1) for model in models], axis=1)
