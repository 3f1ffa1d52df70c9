"""One target's out-of-fold answers beside the truth, as the figures were computed from them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.datasets.splits import random_folds
from amalthea.predictor.predictor import Predictor
from amalthea.validation.calibration import IntervalCalibration
from amalthea.validation.metrics import Figure, score
from amalthea.validation.summary import TargetSummary
from amalthea.validation.temperature import Temperature, calibrated_probabilities, toward

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

FIFTHS = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Judged:
    """The n examples that have both a value of a target and an answer by members that never saw them.

    Args:
        target: what was predicted.
        summary: the figures that were saved.
        places: shape (n,): where the examples stand in `Predictor.out_of_fold` and `Predictor.examples`.
        rows: shape (n,): their lines in the file.
        folds: shape (n,): who held them out.
        parts: shape (n,): between which parts calibrations are cross-fitted: the folds, or fifths of the future.
        groups: shape (n,): copies of one example share one.
        truth: shape (n,): numbers, or codes of classes.
        mean: shape (n,): answers of a regression; for classes the probability of the true one.
        std: shape (n,): the calibrated standard deviation; for classes that of the named class's probability.
        distance: shape (n,): to what the answering members learned from, in its own median; NaN where not known.
        excess: shape (n,): how far a column lies outside of what they learned from, in its standard deviations.
        spread: shape (n,): the raw standard deviation of the members (regressions).
        lower: shape (n,): the interval's lower end, NaN where there is none.
        upper: shape (n,): its upper end.
        probabilities: shape (n, classes): each fold calibrated by the others; (n, 0) for a regression.
        applicability: shape (n,): percentile of the distance to the training set.
        aside: True where one fold's networks answer for the examples that they set aside.
        askable: shape (members, n): who set each example aside, and may be asked of it; None where folds say it.
        listed_unit: of values that are listed, where it is not the unit of the errors.
        listed_scale: what values are multiplied by to have it.
    """

    target: Target
    summary: TargetSummary
    places: Numbers
    rows: Numbers
    folds: Numbers
    parts: Numbers
    groups: Numbers
    truth: Array
    mean: Array
    std: Array
    distance: Array
    excess: Array
    spread: Array
    lower: Array
    upper: Array
    probabilities: Array
    applicability: Array
    aside: bool = False
    askable: NDArray[np.bool_] | None = None
    listed_unit: str = ""
    listed_scale: float = 1.0

    def __len__(self) -> int:
        return len(self.places)

    @property
    def classes(self) -> bool:
        """True for a classification."""
        return self.target.task == "classification"

    @property
    def answer(self) -> Array:
        """What metrics are computed from: shape (n,) or (n, classes)."""
        return self.probabilities if self.classes else self.mean

    @property
    def named(self) -> Numbers:
        """The code of the likeliest class, shape (n,)."""
        best: Numbers = self.probabilities.argmax(axis=1)
        return best

    @property
    def error(self) -> Array:
        """How wrong each answer is: the absolute error, or 1 for a wrong class and 0 for the right one."""
        return (self.named != self.truth).astype(np.float64) if self.classes else np.abs(self.mean - self.truth)

    def label(self, code: float) -> str:
        """Return the label of a class."""
        return self.target.classes[int(code)]


def held_out(predictor: Predictor) -> tuple[Judged, ...]:
    """Return each target's out-of-fold answers; none where nothing was held out."""
    table, several = predictor.out_of_fold, len(predictor.targets) > 1
    answered = []
    for target, summary, calibration in zip(
        predictor.targets, predictor.validation.targets, predictor.calibrations, strict=True
    ):
        prefix = f"{target.name}_" if several else ""
        if f"{prefix}prediction" in table.columns and len(table):
            answered.append(_judged(predictor, target, summary, calibration, prefix))
    return tuple(each for each in answered if len(each))


def _judged(
    predictor: Predictor,
    target: Target,
    summary: TargetSummary,
    calibration: IntervalCalibration | Temperature | None,
    prefix: str,
) -> Judged:
    table = predictor.out_of_fold
    wanted = table[f"{prefix}target"]
    known = (wanted.notna() & table[f"{prefix}prediction"].notna() & (table["fold"] >= 0)).to_numpy(bool)
    places = np.flatnonzero(known)

    def column(name: str) -> Array:
        values = table[name] if name in table else pd.Series(np.nan, table.index)
        return np.asarray(values.to_numpy(np.float64, na_value=np.nan), np.float64)[places]

    folds = table["fold"].to_numpy(np.int64)[places]
    copies = (
        predictor.examples["#group"].to_numpy(np.int64) if "#group" in predictor.examples else np.arange(known.size)
    )
    groups = copies[places]
    seed = int(predictor.provenance.chosen.get("seed", 0))
    parts = _parts(folds, groups, seed)
    distance = column("raw_distance")
    std, probabilities, spread = column(f"{prefix}std"), np.empty((len(places), 0)), np.zeros(len(places))
    if target.task == "classification":
        codes = {label: code for code, label in enumerate(target.classes)}
        truth = np.array([codes[str(label)] for label in wanted.to_numpy(object)[places]], np.float64)
        stored, raw = (
            np.stack([column(f"{prefix}{kind}probability_{label}") for label in target.classes], axis=1)
            for kind in ("", "raw_")
        )
        probabilities = _honest(stored, raw, truth, parts, calibration, distance, column(f"{prefix}raw_base_share"))
        mean = probabilities[np.arange(len(truth)), truth.astype(np.int64)]
    else:
        truth, mean = column(f"{prefix}target"), column(f"{prefix}prediction")
        spread = column(f"{prefix}raw_std")
    return Judged(
        target=target,
        summary=_scored(summary, target, truth, mean, probabilities),
        places=places,
        rows=table["row"].to_numpy(np.int64)[places],
        folds=folds,
        parts=parts,
        groups=groups,
        truth=truth,
        mean=mean,
        std=std,
        distance=distance,
        excess=np.nan_to_num(column("raw_excess")),
        spread=spread,
        lower=column(f"{prefix}lower"),
        upper=column(f"{prefix}upper"),
        probabilities=probabilities,
        applicability=column("applicability"),
    )


def _scored(summary: TargetSummary, target: Target, truth: Array, mean: Array, probabilities: Array) -> TargetSummary:
    """Return the figures; of a model that kept none the metrics alone, whose errors are not known."""
    if summary.metrics or not len(truth):
        return summary
    values = score(target.task, truth, probabilities if target.task == "classification" else mean)
    return dataclasses.replace(summary, metrics={name: Figure(value, math.nan) for name, value in values.items()})


def _parts(folds: Numbers, groups: Numbers, seed: int) -> Numbers:
    if len(np.unique(folds)) > 1 or len(np.unique(groups)) < FIFTHS:
        return folds
    return random_folds(len(folds), FIFTHS, seed, groups=groups)


def _honest(
    stored: Array,
    raw: Array,
    truth: Array,
    parts: Numbers,
    calibration: IntervalCalibration | Temperature | None,
    distance: Array,
    share: Array,
) -> Array:
    """Return probabilities calibrated by the other folds; stored are those that all folds calibrated."""
    if not isinstance(calibration, Temperature) or not len(stored) or not np.isfinite(raw).all():
        return stored
    codes = truth.astype(np.int64)
    fitted = calibrated_probabilities(raw, codes, parts, distance)
    if fitted is None:
        return stored
    return toward(fitted, np.bincount(codes, minlength=raw.shape[1]) / len(codes), np.nan_to_num(share))


def mean_of(values: Array, groups: Numbers) -> Figure:
    """Return a mean with its standard error over groups.

    Args:
        values: shape (n,).
        groups: shape (n,): values that belong together share one.

    Example:
        >>> mean_of(np.array([1.0, 3.0]), np.array([0, 1]))
        Figure(value=2.0, error=1.0)

    Source: Liang and Zeger, Biometrika 73, 13 (1986).
    """
    if not len(values):
        return Figure(math.nan, math.nan)
    value = float(values.mean())
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], values - value)
    error = math.sqrt(sums @ sums * len(sums) / (len(sums) - 1)) / len(values) if len(sums) > 1 else math.nan
    return Figure(value, error)


def share_of(values: Array, groups: Numbers) -> Figure:
    """Return a share with its standard error over groups, which is not 0 where none or all of a few are counted.

    Args:
        values: shape (n,), each 0 or 1.
        groups: shape (n,): values that belong together share one.

    Example:
        >>> share_of(np.zeros(8), np.arange(8))
        Figure(value=0.0, error=0.09...)

    Source of the least error: Agresti and Coull, Am. Stat. 52, 119 (1998), with one success and one failure added.
    """
    share = mean_of(values, groups)
    moved = (values.sum() + 1) / (len(values) + 2)
    return Figure(share.value, float(np.fmax(share.error, math.sqrt(moved * (1 - moved) / (len(values) + 2)))))


def root_mean_square(values: Array, groups: Numbers) -> Figure:
    """Return the root of the mean square with its standard error over groups (to first order)."""
    square = mean_of(values**2, groups)
    root = math.sqrt(square.value)
    return Figure(root, square.error / (2 * root) if root > 0 else math.nan)


def bins_of(x: Array, most: int = 10, fewest: int = 20) -> list[Numbers]:
    """Return the rows of bins of equal size along x, from low to high; fewer bins where there are few rows.

    Args:
        x: shape (n,), finite.
        most: how many bins at most.
        fewest: rows that a bin should have.
    """
    count = max(1, min(most, len(x) // fewest))
    return [np.asarray(rows, np.int64) for rows in np.array_split(np.argsort(x, kind="stable"), count)]
