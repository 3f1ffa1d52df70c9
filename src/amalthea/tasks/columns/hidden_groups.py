"""Columns whose equal values share the target (batches, patients, plates), and so flatter random folds."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.columns import MISSING_TEXT, is_date, is_identifier, is_missing, is_numeric, numbers
from amalthea.datasets.dataset import Dataset
from amalthea.datasets.splits import codes, group_folds, together

TELLING = re.compile(
    r"batch|lot|plate|patient|subject|donor|animal|participant|person|site|lab|run|session|experiment|assay|date|day"
    r"|file|image|clip|slide|series|sample|specimen|source|document|operator|instrument|cell.?line",
    re.I,
)
"""Names of columns that group examples, of which fewer values are needed to believe it."""

FEWEST_GROUPS, FEWEST_TELLING = 10, 5
SHARED, FLATTERED = 0.2, 0.15
"""A column is looked at where the rest of a group tells this share of the target's variance, and told of where a quick
model explains so much more of it when groups are parted by chance."""

MOST_MEASURED, MOST_ROWS, FOLDS = 3, 2_000, 3


def note_on_hidden_groups(dataset: Dataset, features: NDArray[np.float32], seed: int) -> str:
    """Return in a sentence which column flatters random folds most, "" where none does.

    The first target that each column is measured with decides. A quick model (extremely randomized trees; Geurts, Ernst
    and Wehenkel 2006, Mach. Learn. 63, 3) is judged on folds dealt at random and on folds that keep groups whole; the
    folds of the figures, and what is trained, know nothing of it.

    Args:
        dataset: n examples.
        features: shape (n, d), NaN where unknown.
        seed: of the quick model and its folds.
    """
    truth = _truth(dataset)
    known = np.asarray(np.isfinite(truth).all(axis=1), bool)
    shared = []
    for name, groups in _groupings(dataset).items():
        share = _shared(groups[known], truth[known])
        if share > SHARED:
            shared.append((share, name, groups))
    flattering = []
    for _, name, groups in sorted(shared, key=lambda each: -each[0])[:MOST_MEASURED]:
        rows = _sample(groups, known, seed)
        random, grouped = (
            [_explained(features[rows], truth[rows], of[rows], seed + again) for again in range(2)]
            for of in (dataset.groups, groups)
        )
        if min(random) - max(grouped) > FLATTERED:
            flattering.append((np.mean(random) - np.mean(grouped), name, np.mean(random), np.mean(grouped)))
    if not flattering:
        return ""
    _, name, by_chance, whole = max(flattering)
    return (
        f"ATTENTION: rows with the same '{name}' share much of '{dataset.targets[0].name}'. A quick model has R² "
        f"{by_chance:.2f} with random folds and {whole:.2f} where every '{name}' is held out whole: unless new "
        f"examples come from the same ones, the figures flatter. Ask for --split group --group {shlex.quote(name)}."
    )


def _truth(dataset: Dataset) -> NDArray[np.float64]:
    """Return the first target as numbers, shape (n, outputs): classes are one column each."""
    values, target = dataset.values[:, 0], dataset.targets[0]
    if target.task == "regression":
        return values[:, None]
    one_hot: NDArray[np.float64] = (values[:, None] == np.arange(target.width)).astype(np.float64)
    one_hot[~np.isfinite(values)] = np.nan
    return one_hot


def _groupings(dataset: Dataset) -> dict[str, NDArray[np.int64]]:
    """Return for each column that may group examples the group of each, shape (n,), copies in one."""
    targets = {target.name for target in dataset.targets}
    made = {}
    copies = len(np.unique(dataset.groups))
    for name in map(str, dataset.columns.columns):
        if name in targets:
            continue
        labels = _labels(dataset.columns[name])
        fewest = FEWEST_TELLING if TELLING.search(name) else FEWEST_GROUPS
        if labels is None or not fewest <= labels.nunique() <= len(labels) / 2:
            continue
        groups = together(dataset.groups, codes(labels))
        if fewest <= len(np.unique(groups)) < copies:
            made[name] = groups
    return made


def _labels(column: pd.Series) -> pd.Series | None:
    """Return what groups the rows of a column: its values, days without hours, names without their last number."""
    missing = is_missing(column, MISSING_TEXT)
    if missing.mean() > 0.1:
        return None
    text = column.where(~missing).astype("str")
    if is_date(column):
        return text.str.split("[T ]", regex=True).str[0]
    if is_numeric(column):
        values = numbers(column)
        return text if np.array_equal(values[~missing], np.rint(values[~missing])) else None
    if is_identifier(column):  # plate7_A01.png, plate7_A02.png
        return text.str.replace(r"\.\w{1,4}$", "", regex=True).str.replace(r"[-_ .]*[A-Za-z]?\d+$", "", regex=True)
    return text


def _shared(groups: NDArray[np.int64], truth: NDArray[np.float64]) -> float:
    """Return how much of the targets' variance the mean of a row's group without the row explains."""
    frame = pd.DataFrame(truth).groupby(groups)
    sizes = frame[0].transform("size").to_numpy(np.float64)
    several = sizes > 1
    if several.mean() < 0.5:
        return 0.0
    total = frame.transform("sum").to_numpy(np.float64)[several]
    truths, count = truth[several], sizes[several][:, None]
    return _r2(truths, (total - truths) / (count - 1))


def _r2(truth: NDArray[np.float64], answers: NDArray[np.float64]) -> float:
    spread = float(np.sum((truth - truth.mean(axis=0)) ** 2))
    return 1 - float(np.sum((truth - answers) ** 2)) / spread if spread > 0 else 0.0


def _sample(groups: NDArray[np.int64], known: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """Return rows with a known target, of groups drawn by chance until there are enough."""
    order = np.random.default_rng(seed).permutation(int(groups.max()) + 1)[groups]
    rows = np.flatnonzero(known)
    return np.sort(rows[np.argsort(order[rows], kind="stable")][:MOST_ROWS])


def _explained(
    features: NDArray[np.float32], truth: NDArray[np.float64], groups: NDArray[np.int64], seed: int
) -> float:
    """Return R² of a quick model on folds that keep groups whole."""
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from threadpoolctl import threadpool_limits

    fold_ids = group_folds(groups, FOLDS, seed)
    answers = np.zeros_like(truth)
    for fold in range(FOLDS):
        learned = fold_ids != fold
        trees = ExtraTreesRegressor(40, max_features=min(1.0, 60 / features.shape[1]), random_state=seed)
        model = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), trees)
        with threadpool_limits(1, user_api="openmp"):
            model.fit(features[learned], truth[learned].squeeze())
        answers[~learned] = model.predict(features[~learned]).reshape(-1, truth.shape[1])
    return _r2(truth, answers)
