"""What simple models reach on the same folds: a network that loses to one of them says so."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.datasets.dataset import Task

Array = NDArray[np.float64]
Answer = Callable[[ArrayLike], Array]
Progress = Callable[[int, int], None]

MOST_ROWS = 5_000
"""Training rows that a baseline sees at most."""

_LARGEST_FEATURE = 1e30  # sums of such numbers, and what stands for a missing one, stay finite in float32
_CLIP = 6.0  # standard deviations
_LANDMARKS = 500
_STEPS = 1000
_LEAF = 20  # training rows in a leaf of a tree, fewer where there are fewer than 400 rows
_CONSTANT = ("mean", "majority")
_PREDICTED_AT_ONCE = 10_000


@dataclasses.dataclass(frozen=True, eq=False)
class Baselines:
    """The predictions of simple models.

    Args:
        predictions: by the model's name, shape (n,), or (n, classes) probabilities; NaN where nothing was predicted.
        notes: what a reader of the figures should know, as sentences.
    """

    predictions: dict[str, Array]
    notes: tuple[str, ...]


def baseline_names(task: Task) -> tuple[str, ...]:
    """Return the names of a task's baselines.

    Example:
        >>> baseline_names("classification")
        ('majority', 'linear', 'kernel', 'boosting')
    """
    return ("mean" if task == "regression" else "majority", "linear", "kernel", "boosting")


def out_of_fold(
    task: Task,
    features: ArrayLike,
    truth: ArrayLike,
    fold_ids: ArrayLike,
    classes: int = 0,
    names: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Baselines:
    """Predict each fold with models that were fitted on the other folds.

    "mean" or "majority" is the mean or the class frequencies of the training rows; "linear" a ridge or logistic
    regression; "kernel" kernel ridge regression, or logistic regression on Nyström features, with an RBF kernel of
    gamma 1 / d; "boosting" gradient-boosted trees on histograms. Medians, scales and all else are learned from the
    training rows.

    Args:
        task: "regression" or "classification".
        features: shape (n, d); NaN and infinity are missing values.
        truth: shape (n,), numbers, or codes of classes.
        fold_ids: shape (n,), integers: the fold that holds each row out; a row below 0 is in every training part.
        classes: for a classification, their number.
        names: which of `baseline_names`; None: all.
        seed: of the sample of rows and of the models.
        progress: called as progress(done, total) after each fit.

    Raises:
        ValueError: the shapes do not match, a name is unknown, or no fold has rows to be trained on.

    Example:
        >>> x, y = np.arange(8.0)[:, None], np.array([0.0, 0, 0, 0, 1, 1, 1, 1])
        >>> out_of_fold("regression", x, y, [0, 0, 0, 0, 1, 1, 1, 1], names=["mean"]).predictions["mean"]
        array([1., 1., 1., 1., 0., 0., 0., 0.])
    """
    table, labels, folds = _finite(features), np.asarray(truth, np.float64), np.asarray(fold_ids)
    if table.ndim != 2 or labels.shape != folds.shape or labels.shape != table.shape[:1]:
        raise ValueError(
            "features (n, d), truth (n,) and fold_ids (n,) are needed. "
            f"Received: {table.shape}, {labels.shape}, {folds.shape}"
        )
    held_out = [folds == fold for fold in np.unique(folds[folds >= 0])]
    if not held_out or any(rows.all() for rows in held_out):
        raise ValueError("baselines out of fold need rows outside of each fold: two folds at least")
    chosen = baseline_names(task) if names is None else tuple(names)
    if unknown := set(chosen) - set(baseline_names(task)):
        raise ValueError(f"names must be among {baseline_names(task)}. Received: {sorted(unknown)}")
    shape = (len(table),) if task == "regression" else (len(table), classes)
    predictions = {name: np.full(shape, np.nan) for name in chosen}
    most = 0
    for number, rows in enumerate(held_out):
        most = max(most, int((~rows).sum()))
        for position, name in enumerate(chosen):
            predictions[name][rows] = _fit_fold(_Model(name, task, classes, seed), table, labels, rows, number)(
                table[rows]
            )
            if progress is not None:
                progress(number * len(chosen) + position + 1, len(held_out) * len(chosen))
    notes = (f"The baselines saw {MOST_ROWS:,} of up to {most:,} training rows.",) if most > MOST_ROWS else ()
    return Baselines(predictions, notes)


def fit_folds(
    task: Task,
    name: str,
    features: ArrayLike,
    truth: ArrayLike,
    held_out: Sequence[NDArray[np.bool_]],
    classes: int = 0,
    seed: int = 0,
) -> list[Answer]:
    """Return the models of `out_of_fold` themselves, one a fold: functions of features of shape (m, d).

    Args:
        task: "regression" or "classification".
        name: one of `baseline_names`.
        features: shape (n, d).
        truth: shape (n,).
        held_out: by fold the rows, a mask of shape (n,), that its model does not learn from.
        classes: for a classification, their number.
        seed: of the sample of rows and of the models.

    Example:
        >>> x, first = [[0.0], [1.0], [2.0]], np.array([True, False, False])
        >>> (mean,) = fit_folds("regression", "mean", x, [5.0, 7.0, 9.0], [first])
        >>> mean([[3.0]])
        array([8.])
    """
    model, table, labels = _Model(name, task, classes, seed), _finite(features), np.asarray(truth, np.float64)
    return [_fit_fold(model, table, labels, rows, number) for number, rows in enumerate(held_out)]


def on_test(
    task: Task,
    features: ArrayLike,
    truth: ArrayLike,
    test_features: ArrayLike,
    classes: int = 0,
    names: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Baselines:
    """Predict a test set with the models of `out_of_fold`, fitted on all rows.

    Args:
        task: "regression" or "classification".
        features: shape (n, d), of the training set.
        truth: shape (n,), of the training set.
        test_features: shape (t, d).
        classes: for a classification, their number.
        names: which of `baseline_names`; None: all.
        seed: of the sample of rows and of the models.
        progress: called as progress(done, total) after each fit.

    Returns:
        Predictions of shape (t,), or (t, classes).

    Raises:
        ValueError: the shapes do not match, or a name is unknown.

    Example:
        >>> on_test("classification", [[0.0], [1.0]], [1, 1], [[5.0]], classes=2, names=["linear"]).predictions
        {'linear': array([[0., 1.]])}
    """
    table, test = _finite(features), _finite(test_features)
    # The test set is the only fold that is held out; the training rows are in every fit and in no fold.
    folds = np.concatenate([np.full(len(table), -1), np.zeros(len(test), np.int64)])
    unknown = np.zeros(len(test))  # never looked at: these rows are held out
    both = np.concatenate([table, test]), np.concatenate([np.asarray(truth, np.float64), unknown])
    predicted = out_of_fold(task, *both, folds, classes, names, seed, progress)
    return Baselines({name: values[len(table) :] for name, values in predicted.predictions.items()}, predicted.notes)


def _fit_fold(
    model: _Model, table: NDArray[np.float32], labels: Array, held_out: NDArray[np.bool_], number: int
) -> Answer:
    """Return what a model learns from the rows that a fold does not hold out."""
    training = np.flatnonzero(~held_out)
    if model.name not in _CONSTANT:  # each fold has a sample of its own
        training = np.sort(np.random.default_rng([model.seed, number]).permutation(training)[:MOST_ROWS])
    return model.fit(table[training], labels[training])


@dataclasses.dataclass(frozen=True)
class _Model:
    name: str
    task: Task
    classes: int
    seed: int

    def fit(self, features: NDArray[np.float32], truth: Array) -> Answer:
        """Return what predicts from training rows alone; of a single class, or of no use, their mean."""
        from threadpoolctl import threadpool_limits

        if self.name in _CONSTANT or np.ptp(truth) == 0:
            return lambda asked: self._constant(truth, len(np.asarray(asked)))
        # Small data sets get small leaves, or trees could not split at all.
        leaf = min(_LEAF, max(2, len(truth) // 20))
        # A tree cannot split off fewer rows than a leaf has: on fingerprints this leaves out most columns.
        used = _differing(features) >= (leaf if self.name == "boosting" else 1)
        if not used.any():
            return lambda asked: self._constant(truth, len(np.asarray(asked)))
        estimator = self._estimator(len(truth), leaf)
        # Trees on so few rows gain nothing from OpenMP's threads, and lose much where another program runs.
        with threadpool_limits(1, user_api="openmp"):
            self._fit(estimator, features[:, used].astype(np.float64), truth)

        def answer(asked: ArrayLike) -> Array:
            table = _finite(asked)[:, used]
            # In blocks: a kernel's matrix has a row for each example that is asked.
            blocks = [table[start : start + _PREDICTED_AT_ONCE] for start in range(0, len(table), _PREDICTED_AT_ONCE)]
            with threadpool_limits(1, user_api="openmp"):
                return np.concatenate([self._predict(estimator, block.astype(np.float64)) for block in blocks])

        return answer

    def _constant(self, truth: Array, count: int) -> Array:
        if self.task == "regression":
            return np.full(count, truth.mean())
        return np.tile(np.bincount(truth.astype(np.int64), minlength=self.classes) / len(truth), (count, 1))

    def _estimator(self, rows: int, leaf: int) -> Any:
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer, StandardScaler

        if self.name == "boosting":
            return self._boosting(leaf)
        clip = FunctionTransformer(np.clip, kw_args={"a_min": -_CLIP, "a_max": _CLIP})
        # As the networks see them: gaps filled, standardized, and no outlier beyond the clip.
        standardized = [SimpleImputer(strategy="median"), StandardScaler(), clip]
        return make_pipeline(*standardized, *(self._linear() if self.name == "linear" else self._kernel(rows)))

    def _linear(self) -> list[Any]:
        from sklearn.linear_model import LogisticRegression, RidgeCV

        if self.task == "regression":
            return [RidgeCV(alphas=np.logspace(-1, 5, 13))]  # by leave-one-out errors, which need no further fits
        return [LogisticRegression(C=0.1, max_iter=_STEPS)]

    def _kernel(self, rows: int) -> list[Any]:
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.kernel_approximation import Nystroem
        from sklearn.kernel_ridge import KernelRidge
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import GridSearchCV, KFold
        from sklearn.preprocessing import StandardScaler

        if self.task == "classification":
            landmarks = Nystroem(n_components=min(_LANDMARKS, rows), random_state=self.seed)
            return [landmarks, LogisticRegression(C=30.0, max_iter=_STEPS)]
        # The ridge's strength is chosen inside the training rows.
        parts = KFold(min(3, rows), shuffle=True, random_state=self.seed)
        ridge = GridSearchCV(
            KernelRidge(kernel="rbf"), {"alpha": [0.03, 0.3, 3.0]}, scoring="neg_mean_squared_error", cv=parts
        )
        return [TransformedTargetRegressor(ridge, transformer=StandardScaler())]

    def _boosting(self, leaf: int) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingRegressor if self.task == "regression" else HistGradientBoostingClassifier
        size: dict[str, Any] = {}
        if self.classes > 2:  # every class has trees of its own: fewer and smaller ones, or it takes minutes
            size = {"max_iter": 30, "max_leaf_nodes": 10, "learning_rate": 0.2}
        return kind(**size, min_samples_leaf=leaf, early_stopping=False, random_state=self.seed)

    def _fit(self, estimator: Any, features: Array, truth: Array) -> None:
        from sklearn.exceptions import ConvergenceWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # _STEPS are enough for a baseline
            estimator.fit(features, truth if self.task == "regression" else truth.astype(np.int64))

    def _predict(self, estimator: Any, features: Array) -> Array:
        if self.task == "regression":
            return np.asarray(estimator.predict(features), np.float64)
        probabilities = np.zeros((len(features), self.classes))
        probabilities[:, estimator.classes_] = estimator.predict_proba(features)
        return probabilities


def _finite(features: ArrayLike) -> NDArray[np.float32]:
    """Return features with infinity as NaN and no number above 1e30."""
    with np.errstate(over="ignore"):
        table = np.array(features, np.float32)
    table[np.isinf(table)] = np.nan
    return np.clip(table, -_LARGEST_FEATURE, _LARGEST_FEATURE, out=table)


def _differing(features: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return in how many rows each column, shape (d,), differs from its median; missing values count as one value."""
    filled = np.nan_to_num(features, nan=-2 * _LARGEST_FEATURE)
    differing: NDArray[np.int64] = (filled != np.median(filled, axis=0)).sum(axis=0)
    return differing
