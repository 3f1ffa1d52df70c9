"""How good predictions are: metrics, their standard errors, and whether one model beats another.

Every metric is written once, for a whole matrix of row weights: a row of ones gives the value, a bootstrap resample is
a row of counts, so that hundreds of resamples cost a few matrix products.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.datasets.archive import Number
from amalthea.datasets.dataset import Task

Array = NDArray[np.float64]

METRICS: Mapping[str, tuple[str, ...]] = {
    "regression": ("rmse", "mae", "r2"),
    "classification": ("accuracy", "balanced_accuracy", "roc_auc", "pr_auc", "brier", "ece"),
}
"""The names of the metrics of numbers and of classes; balanced accuracy only where a class is rare."""

RARE = 0.2
"""The share of the rows below which a class makes accuracy look good by itself."""

HIGHER_IS_BETTER = frozenset({"r2", "accuracy", "balanced_accuracy", "roc_auc", "pr_auc"})
"""The metrics that are good where they are high; all others are errors."""

ECE_BINS = 15
_ROWS_RESAMPLED = 2**22  # rows x replicates that a bootstrap draws at most ...
_FEWEST_REPLICATES = 50  # ... but never fewer replicates than these
_ROUNDING = 1e-13  # an error below this share of its figure is the arithmetic's
_BLOCK = 2**22  # elements of the resampling weights held at once (32 MiB)


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number with its standard error (NaN where one of them is unknown).

    Example:
        >>> str(Figure(0.5523, 0.0213)), str(Figure(0.5523, 0.0149)), str(Figure(0.5523, float("nan")))
        ('0.55 ± 0.02', '0.552 ± 0.015', '0.552')
        >>> str(Figure(0.5523, 1e-16))  # rounding, as of two examples
        '0.552'
    """

    value: Number
    error: Number

    def __str__(self) -> str:
        if not (math.isfinite(self.error) and self.error > _ROUNDING * abs(self.value)):
            return f"{self.value:.3g}"
        decimals = max(0, -math.floor(math.log10(self.error / 2)))  # two digits for an error that begins with 1
        if self.error < 1e-4 * abs(self.value):
            return f"{self.value:.4g}"  # an error beyond the fourth digit is none that anybody reads
        return f"{self.value:.{decimals}f} ± {self.error:.{decimals}f}"


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """The metrics of several models on the same rows, from `bootstrap`.

    Args:
        main: the metric by which models are compared, from `main_metric`.
        figures: for each model, each metric's value and standard error.
        resampled: for each model, the main metric in each resample, shape (replicates,); the same resamples for all.
    """

    main: str
    figures: Mapping[str, Mapping[str, Figure]]
    resampled: Mapping[str, Array]

    def difference(self, name: str, other: str) -> Figure:
        """Return by how much `name` is better than `other` in the main metric, positive where it is better.

        The standard error is that of the paired differences over the same resamples.
        """
        sign = 1.0 if self.main in HIGHER_IS_BETTER else -1.0
        value = self.figures[name][self.main].value - self.figures[other][self.main].value
        return Figure(sign * value, _standard_error(self.resampled[name] - self.resampled[other]))


def beats(difference: Figure) -> bool:
    """Say whether a `Scores.difference` is more than two standard errors above zero.

    Example:
        >>> beats(Figure(0.05, 0.02)), beats(Figure(0.03, 0.02)), beats(Figure(-0.05, 0.02))
        (True, False, False)
    """
    return difference.value > 2 * difference.error


def main_metric(task: Task, classes: int = 0) -> str:
    """Return the name of the metric by which models are compared.

    Example:
        >>> main_metric("regression"), main_metric("classification", 2), main_metric("classification", 10)
        ('rmse', 'roc_auc', 'accuracy')
    """
    if task == "regression":
        return "rmse"
    return "roc_auc" if classes == 2 else "accuracy"


def score(task: Task, truth: ArrayLike, prediction: ArrayLike) -> dict[str, float]:
    """Return all metrics of one model's predictions.

    For two classes, ROC AUC and PR AUC (average precision) are those of class 1 and the Brier score is the mean of
    (p1 - y)². For more, both areas are the plain mean over the classes that are in the sample, each against the rest,
    and the Brier score is the sum over classes of (p_c - y_c)². A metric that is undefined (an area with one class in
    the sample, R² of a constant truth) is NaN; so are all where a prediction is not finite.

    Args:
        task: "regression" or "classification".
        truth: shape (n,), numbers, or codes of classes.
        prediction: shape (n,), numbers; or shape (n, classes), probabilities.

    Returns:
        The value of each of `METRICS[task]`; balanced accuracy, the mean share of each class that is right, only where
        a class has less than 20 % of the rows.

    Raises:
        ValueError: the shapes do not match, there are no rows, or a truth is not finite.

    Example:
        >>> score("regression", [1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
        {'rmse': 1.73..., 'mae': 1.0, 'r2': -3.5}

    Sources: Brier, Mon. Weather Rev. 78, 1 (1950), halved for two classes; expected calibration error of the top label
    in 15 bins of equal width: Guo et al., ICML 2017 (arXiv 1706.04599), equation 3.
    """
    labels, predicted = _checked(task, truth, prediction)
    metrics = _metrics(task, labels, predicted, np.ones((1, len(labels))))
    return {name: float(values[0]) for name, values in metrics.items()}


def bootstrap(
    task: Task,
    truth: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    groups: ArrayLike,
    replicates: int = 200,
    seed: int = 0,
) -> Scores:
    """Return the metrics of several models with standard errors, by resampling whole groups with replacement.

    All models see the same resamples, so that their differences are paired. Above about 20,000 rows fewer replicates
    are drawn, 50 at least. With a single group, the errors are NaN.

    Args:
        task: "regression" or "classification".
        truth: shape (n,), as for `score`.
        predictions: by the model's name, each as for `score`.
        groups: shape (n,), integers: rows that belong together (copies, scaffolds) share one.
        replicates: how many resamples.
        seed: of the random numbers.

    Raises:
        ValueError: as for `score`.

    Example:
        >>> scores = bootstrap("regression", [1, 2, 3, 4], {"net": [1, 2, 3, 5], "mean": [2.5] * 4}, [0, 1, 2, 3])
        >>> scores.figures["net"]["mae"]
        Figure(value=0.25, error=0.2...)
        >>> scores.difference("net", "mean").value
        0.61...

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), algorithm 6.1; clusters are resampled whole.
    """
    checked = {name: _checked(task, truth, prediction) for name, prediction in predictions.items()}
    index = np.unique(np.asarray(groups), return_inverse=True)[1]
    for name, (labels, _) in checked.items():
        if len(labels) != len(index):
            raise ValueError(f"one group a row is needed. Received: {len(index)} groups, {len(labels)} rows ({name})")
    replicates = min(replicates, max(_FEWEST_REPLICATES, _ROWS_RESAMPLED // len(index)))
    if not index.any():
        replicates = 0  # one group: nothing is known about how another would differ
    block = max(1, _BLOCK // len(index))
    rng = np.random.default_rng(seed)
    parts: dict[str, list[dict[str, Array]]] = {name: [] for name in checked}
    for start in range(0, replicates, block):
        weights = _resample(index, min(block, replicates - start), rng)
        for name, (labels, predicted) in checked.items():
            parts[name].append(_metrics(task, labels, predicted, weights))
    figures = {}
    resampled = {}
    classes = 0
    for name, (labels, predicted) in checked.items():
        values = score(task, labels, predicted)
        samples = {metric: np.concatenate([np.empty(0), *(part[metric] for part in parts[name])]) for metric in values}
        figures[name] = {metric: Figure(values[metric], _standard_error(samples[metric])) for metric in values}
        classes = predicted.shape[-1] if task == "classification" else 0
        resampled[name] = samples[main_metric(task, classes)]
    return Scores(main_metric(task, classes), figures, resampled)


def _checked(task: Task, truth: ArrayLike, prediction: ArrayLike) -> tuple[Array, Array]:
    labels, predicted = np.asarray(truth, np.float64), np.asarray(prediction, np.float64)
    dimensions = 1 if task == "regression" else 2
    if labels.ndim != 1 or predicted.ndim != dimensions or len(labels) != len(predicted):
        expected = "(n,)" if task == "regression" else "(n, classes)"
        raise ValueError(
            f"truth must have shape (n,) and prediction {expected}. Received: {labels.shape}, {predicted.shape}"
        )
    if not len(labels) or not np.isfinite(labels).all():
        raise ValueError(f"truth must be finite and not empty: leave out rows without a label. Received: {labels}")
    return labels, predicted


def _resample(index: NDArray[np.intp], replicates: int, rng: np.random.Generator) -> Array:
    """Return how often each row is drawn in each resample, shape (replicates, n)."""
    count = int(index.max()) + 1
    weights = np.empty((replicates, len(index)))
    for row in weights:
        row[:] = np.bincount(rng.integers(0, count, count), minlength=count)[index]
    return weights


def _standard_error(samples: Array) -> float:
    finite = samples[np.isfinite(samples)]
    return float(np.std(finite, ddof=1)) if len(finite) > 1 else math.nan


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Divide, NaN where the denominator is not positive."""
    quotient = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def _metrics(task: Task, truth: Array, prediction: Array, weights: Array) -> dict[str, Array]:
    """Return each metric, shape (replicates,), for row weights of shape (replicates, n)."""
    if not np.isfinite(prediction).all():
        names = (name for name in METRICS[task] if name != "balanced_accuracy" or _has_rare_class(truth))
        return {name: np.full(len(weights), np.nan) for name in names}
    if task == "regression":
        return _regression(truth, prediction, weights)
    return _classification(truth.astype(np.int64), prediction, weights)


def _regression(truth: Array, prediction: Array, weights: Array) -> dict[str, Array]:
    residuals = prediction - truth
    centred = truth - np.median(truth)  # the median of equal numbers is exactly that number
    total = weights.sum(axis=1)
    squares = weights @ centred**2
    variation = squares - _ratio((weights @ centred) ** 2, total)
    variation[~(variation > 1e-12 * squares)] = 0.0  # what rounding leaves of a constant truth
    error = weights @ residuals**2
    return {
        "rmse": np.sqrt(_ratio(error, total)),
        "mae": _ratio(weights @ np.abs(residuals), total),
        "r2": 1.0 - _ratio(error, variation),
    }


def _classification(truth: NDArray[np.int64], probabilities: Array, weights: Array) -> dict[str, Array]:
    classes = probabilities.shape[1]
    total = weights.sum(axis=1)
    correct = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    top = probabilities.max(axis=1)
    bins = np.clip(np.ceil(top * ECE_BINS) - 1, 0, ECE_BINS - 1).astype(np.int64)
    gaps = np.where(bins[:, None] == np.arange(ECE_BINS), (correct - top)[:, None], 0.0)
    squares = ((probabilities - (truth[:, None] == np.arange(classes))) ** 2).sum(axis=1)
    judged = [1] if classes == 2 else range(classes)
    areas = np.array([_areas(truth == label, probabilities[:, label], weights) for label in judged])
    roc_auc, pr_auc = _ratio(np.nansum(areas, axis=0), np.isfinite(areas).sum(axis=0).astype(np.float64))
    accuracies = {"accuracy": _ratio(weights @ correct, total)}
    if _has_rare_class(truth):
        of = [truth == label for label in np.unique(truth)]
        rights = np.array([_ratio(weights[:, rows] @ correct[rows], weights[:, rows].sum(axis=1)) for rows in of])
        accuracies["balanced_accuracy"] = _ratio(
            np.nansum(rights, axis=0), np.isfinite(rights).sum(axis=0).astype(np.float64)
        )
    return {
        **accuracies,
        "roc_auc": roc_auc,
        "pr_auc": pr_auc,
        "brier": _ratio(weights @ squares, total) / (2.0 if classes == 2 else 1.0),
        "ece": _ratio(np.abs(weights @ gaps).sum(axis=1), total),
    }


def _has_rare_class(truth: ArrayLike) -> bool:
    counts = np.unique(np.asarray(truth), return_counts=True)[1]
    return len(counts) > 1 and bool(
        counts.min() < RARE * counts.sum() and counts.min() < counts.sum() / len(counts) / 2
    )


def _areas(positive: NDArray[np.bool_], scores: Array, weights: Array) -> Array:
    """Return the area under the ROC curve (trapezoids) and the average precision, shape (2, replicates)."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))  # ties pass a threshold together
    positive = positive[order]
    areas = np.full((2, len(weights)), np.nan)
    for index, row in enumerate(weights):  # one resample at a time stays in the processor's cache
        new = row[order]
        new_true = new * positive
        if len(starts) < len(order):
            new, new_true = np.add.reduceat(new, starts), np.add.reduceat(new_true, starts)
        reached, true = np.cumsum(new), np.cumsum(new_true)
        positives, negatives = true[-1], reached[-1] - true[-1]
        if positives > 0 and negatives > 0:
            areas[0, index] = (new - new_true) @ (true - new_true / 2) / (positives * negatives)
            areas[1, index] = (new_true / np.maximum(reached, 1e-300)) @ true / positives
    return areas
