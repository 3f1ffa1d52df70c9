"""From the members' raw answers to calibrated ones, and to the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from amalthea.datasets.dataset import Target
from amalthea.tasks.protocol import Calibration
from amalthea.training.assignment import MemberLayout
from amalthea.training.prediction import Prediction
from amalthea.validation.calibration import IntervalCalibration
from amalthea.validation.cross_fitting import Apart
from amalthea.validation.temperature import Temperature


def mixed(members: Sequence[NDArray[Any]], shares: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Return the mixture of what several ensembles say, member by member.

    Args:
        members: for each ensemble, shape (m, n, width); NaN for members left out.
        shares: for each ensemble how much it counts, of a shape that fits.

    Example:
        >>> said = [np.full((1, 1, 1), 2.0), np.full((1, 1, 1), np.nan)]
        >>> mixed(said, [np.ones((1, 1, 1)), np.zeros((1, 1, 1))]).tolist()
        [[[2.0]]]
    """
    parts = [np.where(share > 0, share * answers, 0.0) for answers, share in zip(members, shares, strict=True)]
    mixture: NDArray[np.float32] = np.sum(parts, axis=0).astype(np.float32)
    return mixture


def pooled(
    members: NDArray[np.float32], folds: int, powers: ArrayLike = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean over all members, and the spread within a fold's members, pooled over the folds.

    So the spread is built as it was out of fold, where only one fold's members answer for a row; and its calibrated
    variance is the mean of the folds'.

    Args:
        members: shape (folds * M, n, width); NaN for members left out.
        folds: the number of folds.
        powers: those of the calibrations (`IntervalCalibration`), shape (width,) or one for all.
    """
    used = np.flatnonzero(np.isfinite(members).any(axis=(1, 2))) if members.shape[1] else np.arange(len(members))
    layout = MemberLayout(folds, len(members) // folds)
    variances = []
    for fold in range(folds):
        of_fold = members[used[layout.fold_of(used) == fold]].astype(np.float64)
        if len(of_fold) > 1:
            variances.append(of_fold.var(axis=0, ddof=1))
    mean = members[used].mean(axis=0, dtype=np.float64) if len(used) else np.full(members.shape[1:], np.nan)
    spread = power_mean(variances, powers) if variances else np.zeros_like(mean)
    return mean, np.where(np.isnan(mean), np.nan, spread)


def power_mean(variances: Sequence[NDArray[np.float64]], powers: ArrayLike = 1.0) -> NDArray[np.float64]:
    """Return the spread whose power-th power has the mean square of the given ones: shape (...), of shape (k, ...).

    Example:
        >>> power_mean([np.array([1.0]), np.array([9.0])], 0.5)
        array([2.])
    """
    powers = np.asarray(powers, np.float64)
    spread: NDArray[np.float64] = np.mean(np.asarray(variances) ** powers, axis=0) ** (0.5 / powers)
    return spread


def answer_all(
    targets: Sequence[Target],
    calibrations: Sequence[Calibration],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
    members: Any,
    apart: Apart | None = None,
) -> Prediction:
    """Return calibrated answers from means and spreads of shape (n, sum of the targets' widths).

    One target: arrays; several: dicts of arrays by target. What lies outside for one target is outside.

    Args:
        targets: T.
        calibrations: one a target.
        mean: shape (n, sum of the targets' widths).
        std: likewise.
        members: what is handed through.
        apart: how far the examples lie from what was learned; None: not known.
    """
    ends = np.cumsum([target.width for target in targets])
    answers = {}
    for target, calibration, end in zip(targets, calibrations, ends.tolist(), strict=True):
        columns_of = slice(end - target.width, end)
        answers[target.name] = _answer(target, calibration, mean[:, columns_of], std[:, columns_of], apart)
    outside = np.any([answer.pop("outside") for answer in answers.values()], axis=0)
    if len(targets) == 1:
        only = answers[targets[0].name]
        values = members[..., 0] if targets[0].task == "regression" else members
        return Prediction(**only, members=values, classes=targets[0].classes, outside=outside)
    means, stds, lowers, uppers = (
        {name: answer[field] for name, answer in answers.items()} for field in ("mean", "std", "lower", "upper")
    )
    return Prediction(mean=means, std=stds, members=members, lower=lowers, upper=uppers, outside=outside)


def _answer(
    target: Target,
    calibration: Calibration,
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
    apart: Apart | None,
) -> dict[str, Any]:
    outside = np.zeros(len(mean), bool)
    if isinstance(calibration, Temperature):
        known = np.isfinite(mean).all(axis=1)
        mean = mean.copy()
        mean[known] = calibration.apply(mean[known], None if apart is None else apart.distance[known])
        outside = outside if apart is None else calibration.outside(apart.distance)
    if target.task == "classification":
        return {"mean": mean, "std": std, "lower": None, "upper": None, "outside": outside}
    mean, std = mean[:, 0], std[:, 0]
    if not isinstance(calibration, IntervalCalibration):
        return {"mean": mean, "std": std, "lower": None, "upper": None, "outside": outside}
    place = (std,) if apart is None else (std, apart.distance, apart.excess)
    lower, upper = calibration.interval(mean, *place)
    outside = outside if apart is None else calibration.outside(*place)
    return {"mean": mean, "std": calibration.sigma(*place), "lower": lower, "upper": upper, "outside": outside}


def raw_answers(
    targets: Sequence[Target], mean: NDArray[np.float64], std: NDArray[np.float64], index: pd.Index[Any], apart: Apart
) -> pd.DataFrame:
    """Return what was answered before any calibration: `raw_std` of numbers, `raw_probability_CLASS` of classes;
    and how far the examples lie from what was learned by the members that judge them.

    Args:
        targets: T; of several, each name begins with its target's.
        mean: shape (n, sum of the targets' widths).
        std: likewise.
        index: of the table.
        apart: these distances.
    """
    ends = np.cumsum([target.width for target in targets]).tolist()
    raw: dict[str, Any] = {"raw_distance": apart.distance, "raw_excess": apart.excess}
    for target, end in zip(targets, ends, strict=True):
        prefix = "" if len(targets) == 1 else f"{target.name}_"
        if target.task == "classification":
            names = [f"{prefix}raw_probability_{label}" for label in target.classes]
            raw |= dict(zip(names, mean[:, end - target.width : end].T, strict=True))
        else:
            raw[f"{prefix}raw_std"] = std[:, end - 1]
    return pd.DataFrame(raw, index=index)


def beside(table: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Return the input's own columns and, behind them, the columns of `amalthea predict`.

    The names of the answers are fixed: a column of the input that is called like one of them becomes `input_NAME`.

    Example:
        >>> beside(pd.DataFrame({"x": [1], "std": [2]}), pd.DataFrame({"prediction": [3], "std": [4]}))
           x  input_std  prediction  std
        0  1          2           3    4
    """
    taken = {*answers.columns, *(name for name in table.columns if name not in answers.columns)}
    names = []
    for name in table.columns:
        new = name
        while name in answers.columns and new in taken:
            new = f"input_{new}"
        taken.add(new)
        names.append(new)
    return pd.concat([table.set_axis(names, axis=1), answers], axis=1)


def columns(prediction: Prediction, targets: Sequence[Target], index: pd.Index[Any]) -> pd.DataFrame:
    """Return the columns of `amalthea predict` for predictions.

    They are, in this order, prediction, std, lower, upper, applicability, warning, problem; for classes `prediction`
    is the label, `std` that of its probability, and probability_CLASS follows for each label. Several targets:
    TARGET_prediction and so on.
    """
    answers: dict[str, Any] = {}
    shared: dict[str, Any] = {
        "applicability": prediction.applicability,
        "warning": prediction.warnings,
        "problem": prediction.problems,
    }
    single = len(targets) == 1
    probabilities: dict[str, Any] = {}
    for target in targets:
        prefix = "" if single else f"{target.name}_"
        mean, std, lower, upper = (
            values if single or values is None else values[target.name]
            for values in (prediction.mean, prediction.std, prediction.lower, prediction.upper)
        )
        if target.task == "classification":
            known = np.isfinite(mean).all(axis=1)
            best = np.where(known[:, None], mean, 0).argmax(axis=1)
            labels = np.array(target.classes, object)[best]
            answers[f"{prefix}prediction"] = np.where(known, labels, None)
            answers[f"{prefix}std"] = std[np.arange(len(std)), best]
            probabilities |= {
                f"{prefix}probability_{label}": mean[:, code] for code, label in enumerate(target.classes)
            }
        else:
            answers[f"{prefix}prediction"], answers[f"{prefix}std"] = mean, std
        empty = np.full(len(mean), np.nan)
        answers[f"{prefix}lower"] = empty if lower is None else lower
        answers[f"{prefix}upper"] = empty if upper is None else upper
    return pd.DataFrame({**answers, **shared, **probabilities}, index=index)
