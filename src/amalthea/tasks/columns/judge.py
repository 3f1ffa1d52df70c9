"""Columns judged on labelled data that were not learned from, beside baselines that learned from the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Inputs, Refusal
from amalthea.domains import domain
from amalthea.errors import DataError
from amalthea.tasks.columns.feature_selection import side_by_side
from amalthea.tasks.protocol import TestFigures
from amalthea.validation import baselines
from amalthea.validation.metrics import bootstrap

if TYPE_CHECKING:
    from amalthea.predictor.predictor import Predictor

MOST_ROWS = 5_000
"""Training rows that the baselines learn from at most, as out of fold."""


def judge(predictor: Predictor, dataset: Dataset) -> TestFigures:
    """Judge a model on labelled data; see `Task.judge`.

    Raises:
        DataError: no example has both a value and a prediction.
    """
    nothing = np.full(len(dataset), "", object)
    prediction = predictor.answer(Inputs(dataset.examples, dataset.examples, nothing, nothing))
    several, answering = len(predictor.targets) > 1, predictor.validation.targets[0].answering
    features, values = _training(predictor) if len(predictor.examples) else (None, None)
    asked = None if features is None else _features(predictor, dataset.examples)
    figures, others, differences = {}, {}, {}
    notes: tuple[str, ...] = ()
    if features is None:
        notes = ("The model was saved without its examples, so no baselines can stand beside these figures.",)
    for index, target in enumerate(predictor.targets):
        mean = prediction.mean[target.name] if several else prediction.mean
        known = np.isfinite(dataset.values[:, index]) & np.isfinite(mean.reshape(len(dataset), -1)).all(axis=1)
        if not known.any():
            raise DataError(f"No example here has both a value of {target.name!r} and a prediction.")
        simple: dict[str, NDArray[np.float64]] = {}
        if features is not None and values is not None and asked is not None:
            rows = np.isfinite(values[:, index])
            names = [name for name in baselines.baseline_names(target.task) if name != answering]
            fitted = baselines.on_test(
                target.task, features[rows], values[rows, index], asked[known], classes=target.width, names=names
            )
            simple, notes = dict(fitted.predictions), (*notes, *fitted.notes)
        scores = bootstrap(
            target.task, dataset.values[known, index], {"network": mean[known], **simple}, dataset.groups[known]
        )
        figures[target.name] = dict(scores.figures["network"])
        others[target.name] = {name: scores.figures[name] for name in simple}
        differences[target.name] = {name: scores.difference("network", name) for name in simple}
    problems = np.asarray(prediction.problems, object)
    return TestFigures(figures, others, differences, _refusals(dataset, problems), tuple(dict.fromkeys(notes)))


def _refusals(dataset: Dataset, problems: NDArray[np.object_]) -> tuple[Refusal, ...]:
    """Return the examples that the model could not answer."""
    rows = np.flatnonzero(problems != "")
    texts = domain(dataset.domain).describe(dataset.examples.iloc[rows])
    return tuple(
        Refusal(int(dataset.rows[row]), text, str(problems[row]))
        for row, text in zip(rows.tolist(), texts, strict=True)
    )


def _training(predictor: Predictor) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return features and targets of training examples, a sample where there are very many."""
    from amalthea.tasks.columns.refit import known_values

    rows = np.arange(len(predictor.examples))
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(predictor.seed).permutation(len(rows))[:MOST_ROWS])
    return _features(predictor, predictor.examples.iloc[rows]), known_values(predictor, rows)


def _features(predictor: Predictor, examples: Any) -> NDArray[Any]:
    """Return all features of examples side by side, shape (n, d)."""
    return side_by_side([featurizer.transform(examples)[0] for featurizer in predictor.ready.featurizers])
