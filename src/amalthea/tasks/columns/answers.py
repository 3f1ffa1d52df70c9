"""What the networks of columns answer for new examples."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Inputs
from amalthea.predictor.predictions import answer_all, mixed, pooled
from amalthea.predictor.predictor import FAR, NO_ANSWER
from amalthea.training.prediction import Prediction
from amalthea.validation.calibration import IntervalCalibration

if TYPE_CHECKING:
    from amalthea.predictor.predictor import Predictor


def answer(predictor: Predictor, inputs: Inputs) -> Prediction:
    """Predict for inputs that the domain has read; see `Task.answer`."""
    problems, readable = inputs.problems.copy(), np.flatnonzero(inputs.problems == "")
    features, problems[readable] = _features(predictor, inputs.examples.iloc[readable])
    good = readable[problems[readable] == ""]
    widths = [target.width for target in predictor.targets]
    ensemble = predictor.parts[0].ensemble
    members = np.full((len(ensemble), len(inputs), sum(widths)), np.nan, np.float32)
    applicability = np.full(len(inputs), np.nan)
    if len(good):
        kept = [values[np.isin(readable, good)] for values in features]
        # Each fold's members count as much as their features did in that fold.
        members[:, good] = mixed(
            [part.ensemble.predict(x).members for part, x in zip(predictor.parts, kept, strict=True)],
            [part.shares[ensemble.layout.fold_of(np.arange(len(ensemble)))][:, None] for part in predictor.parts],
        )
        applicability[good] = predictor.applicability.percentile(kept[0])
    warnings = inputs.warnings.copy()
    for row in np.flatnonzero(applicability > FAR):
        warnings[row] = "; ".join(filter(None, [warnings[row], "far from the training set"]))
    powers = [c.power if isinstance(c, IntervalCalibration) else 1.0 for c in predictor.calibrations]
    mean, std = pooled(members, ensemble.folds, np.repeat(powers, widths))
    problems[(problems == "") & ~np.isfinite(mean).all(axis=1)] = NO_ANSWER
    return dataclasses.replace(
        answer_all(predictor.targets, predictor.calibrations, mean, std, members),
        applicability=applicability,
        problems=problems,
        warnings=warnings,
    )


def _features(predictor: Predictor, examples: pd.DataFrame) -> tuple[list[NDArray[Any]], NDArray[np.object_]]:
    """Return the features of each part, and what is wrong with each example."""
    made = [part.featurizer.transform(examples) for part in predictor.parts]
    problems = np.full(len(examples), "", object)
    for _, reasons in made:
        problems = np.where(problems == "", reasons, problems)
    return [values for values, _ in made], problems
