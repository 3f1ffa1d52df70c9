"""Tables: the defaults beside the best of the field, on the same folds.

    python benchmarks/tables.py [NAME ...] [--members 10]

Gradient boosting of scikit-learn always runs; CatBoost and RealMLP (pytabkit) where they are installed. Printed is the
error of each, 1 - ROC AUC of classes or RMSE of numbers, and its ratio to the network's: above 1 the network is better.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import datasets, ensemble

import amalthea as am
from amalthea.validation.metrics import score

SETS: dict[str, Callable[..., Any]] = {
    "diabetes": datasets.load_diabetes,
    "wine": datasets.load_wine,
    "breast-cancer": datasets.load_breast_cancer,
}


def rivals(numbers: bool, seed: int = 0) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what is installed: a name and what makes the model."""
    kind = "Regressor" if numbers else "Classifier"
    yield "boosting", lambda: getattr(ensemble, f"HistGradientBoosting{kind}")(random_state=seed)
    if importlib.util.find_spec("catboost"):
        import catboost

        yield "catboost", lambda: getattr(catboost, f"CatBoost{kind}")(random_seed=seed, verbose=0)
    if importlib.util.find_spec("pytabkit"):
        import pytabkit

        yield "RealMLP", lambda: getattr(pytabkit, f"RealMLP_TD_{kind}")(random_state=seed, verbosity=0)


def out_of_fold(make: Callable[[], Any], x: NDArray[Any], y: NDArray[Any], folds: NDArray[Any]) -> NDArray[np.float64]:
    """Return what a model says of rows of folds that it did not learn from."""
    classes = not np.issubdtype(y.dtype, np.floating)
    answers = np.zeros((len(y), len(np.unique(y))) if classes else len(y))
    for fold in np.unique(folds):
        model = make().fit(x[folds != fold], y[folds != fold])
        answers[folds == fold] = (model.predict_proba if classes else model.predict)(x[folds == fold])
    return answers


def error(y: NDArray[Any], answers: NDArray[Any]) -> float:
    """Return RMSE of numbers, 1 - ROC AUC of classes."""
    if np.issubdtype(y.dtype, np.floating):
        return score("regression", y, answers)["rmse"]
    return 1 - score("classification", y, answers)["roc_auc"]


def main() -> None:
    """Print a line for each table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("names", nargs="*", default=list(SETS))
    asked.add_argument("--members", type=int, default=None)
    options = asked.parse_args()
    for name in options.names or SETS:
        x, y = SETS[name](return_X_y=True)
        numbers = np.issubdtype(y.dtype, np.floating)
        frame = pd.DataFrame(x, columns=[f"x{column}" for column in range(x.shape[1])]).assign(target=y)
        model = am.train(frame, "target", members=options.members, verbose=0)
        figure = model.validation.targets[0].metrics["rmse" if numbers else "roc_auc"].value
        network = figure if numbers else 1 - figure
        folds = model.out_of_fold["fold"].to_numpy()
        each = {rival: error(y, out_of_fold(make, x, y, folds)) for rival, make in rivals(numbers)}
        others = "  ".join(f"{rival} {value:.4g} (x {value / network:.2f})" for rival, value in each.items())
        print(f"{name:14s} network {network:.4g}  {others}", flush=True)


if __name__ == "__main__":
    main()
