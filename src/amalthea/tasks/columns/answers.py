"""What the networks of columns answer for new examples."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Inputs
from amalthea.domains import domain
from amalthea.domains.protocol import Featurizer
from amalthea.predictor.predictions import answer_all, mixed, pooled
from amalthea.predictor.predictor import FAR, NO_ANSWER
from amalthea.tasks.columns.bounds import bounds
from amalthea.tasks.columns.class_range import mixed_with_base_rate, unpacked
from amalthea.tasks.columns.refit import known_values
from amalthea.tasks.columns.simple import FoldModels
from amalthea.tasks.protocol import Part
from amalthea.training.assignment import MemberLayout
from amalthea.training.prediction import Prediction
from amalthea.validation.calibration import IntervalCalibration
from amalthea.validation.class_density import ClassDensity
from amalthea.validation.cross_fitting import Apart

if TYPE_CHECKING:
    from amalthea.predictor.predictor import Predictor


@dataclasses.dataclass(frozen=True, eq=False)
class Ready:
    """What a model of columns keeps ready for its answers.

    Args:
        featurizers: make the features.
        layout: how the members are numbered.
        ask: returns from these features of n examples the members' answers, shape (members, n, sum of the targets'
            widths).
        densities: what is usual for classes, by target, with the numbers of the networks that are looked into.
        low: the least answers of each fold's members, shape (K, sum of the targets' widths).
        high: the largest.
    """

    featurizers: tuple[Featurizer, ...]
    layout: MemberLayout
    ask: Callable[[Sequence[NDArray[Any]]], NDArray[np.float32]]
    densities: Mapping[str, tuple[ClassDensity, int]]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(cls, predictor: Predictor) -> Ready:
        """Return what a model needs."""
        parts, table = predictor.parts, predictor.out_of_fold
        featurizers = tuple(part.featurizer for part in parts)
        layout = parts[0].ensemble.layout if parts else MemberLayout(predictor.state.folds, 1)
        if not parts:
            featurizers = tuple(map(domain(predictor.domain).restore, predictor.state.featurizers))
        ask = functools.partial(_mixture, parts) if parts else FoldModels(predictor, featurizers)
        values = known_values(predictor, np.arange(len(table)))
        low, high = bounds(values, table["fold"].to_numpy(np.int64), layout.folds, predictor.targets)
        return cls(featurizers, layout, ask, unpacked(predictor.arrays, predictor.targets), low, high)


def answer(predictor: Predictor, inputs: Inputs) -> Prediction:
    """Predict for inputs that the domain has read; see `Task.answer`."""
    problems, readable = inputs.problems.copy(), np.flatnonzero(inputs.problems == "")
    ready: Ready = predictor.ready
    features, problems[readable] = _features(ready.featurizers, inputs.examples.iloc[readable])
    good = readable[problems[readable] == ""]
    widths = [target.width for target in predictor.targets]
    members = np.full((len(ready.layout), len(inputs), sum(widths)), np.nan, np.float32)
    applicability = np.full(len(inputs), np.nan)
    apart = Apart(np.full(len(inputs), np.nan), np.zeros(len(inputs)))
    if len(good):
        kept = [values[np.isin(readable, good)] for values in features]
        fold_of = ready.layout.fold_of(np.arange(len(ready.layout)))
        members[:, good] = np.clip(ready.ask(kept), ready.low[fold_of][:, None], ready.high[fold_of][:, None])
        distant = predictor.applicability
        applicability[good] = distant.percentile(kept[0])
        apart.distance[good], apart.excess[good] = distant.relative_distance(kept[0]), distant.excess(kept[0])
    warnings = inputs.warnings.copy()
    for row in np.flatnonzero(applicability > FAR):
        warnings[row] = "; ".join(filter(None, [warnings[row], "far from the training set"]))
    powers = [c.power if isinstance(c, IntervalCalibration) else 1.0 for c in predictor.calibrations]
    mean, std = pooled(members, ready.layout.folds, np.repeat(powers, widths))
    problems[(problems == "") & ~np.isfinite(mean).all(axis=1)] = NO_ANSWER
    answered = answer_all(predictor.targets, predictor.calibrations, mean, std, members, apart)
    outside = np.zeros(len(inputs), bool)
    if len(good) and ready.densities:
        answered, outside = mixed_with_base_rate(answered, ready.densities, predictor.parts[0], kept[0], good)
    outside |= answered.outside & (problems == "")
    for row in np.flatnonzero(outside):
        warnings[row] = "; ".join(filter(None, ["outside what was learned", warnings[row]]))
    return dataclasses.replace(
        answered,
        outside=outside,
        applicability=applicability,
        problems=problems,
        warnings=warnings,
    )


def _mixture(parts: Sequence[Part], features: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Return what networks say: each fold's members count as much as their features did in that fold."""
    layout = parts[0].ensemble.layout
    return mixed(
        [part.ensemble.predict(x).members for part, x in zip(parts, features, strict=True)],
        [part.shares[layout.fold_of(np.arange(len(layout)))][:, None] for part in parts],
    )


def _features(
    featurizers: Sequence[Featurizer], examples: pd.DataFrame
) -> tuple[list[NDArray[Any]], NDArray[np.object_]]:
    """Return the features of each part, and what is wrong with each example."""
    made = [featurizer.transform(examples) for featurizer in featurizers]
    problems = np.full(len(examples), "", object)
    for _, reasons in made:
        problems = np.where(problems == "", reasons, problems)
    return [values for values, _ in made], problems
