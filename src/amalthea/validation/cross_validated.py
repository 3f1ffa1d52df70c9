"""From out-of-fold predictions to calibrations, figures and baselines."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Target, Task
from amalthea.datasets.splits import random_folds
from amalthea.validation import baselines
from amalthea.validation.calibration import IntervalCalibration
from amalthea.validation.cross_fitting import Apart, HeldOut
from amalthea.validation.metrics import bootstrap, main_metric, score
from amalthea.validation.summary import TargetSummary, Validation
from amalthea.validation.target_calibration import calibrate
from amalthea.validation.temperature import Temperature, fit_temperature

Array = NDArray[np.float64]

FIFTHS = 5


class OutOfFold(Protocol):
    """Means and raw spreads of shape (n, sum of the targets' widths)."""

    @property
    def mean(self) -> Any:
        """The means."""

    @property
    def std(self) -> Any:
        """The raw spreads."""


class Range(Protocol):
    """What is usual for the classes of a target."""

    def apply(self, probabilities: Array, rows: NDArray[np.bool_]) -> Array:
        """Return what probabilities of rows (a mask) become."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class Judgement:
    """The figures, and one calibration a target (None with one fold)."""

    validation: Validation
    calibrations: tuple[IntervalCalibration | Temperature | None, ...]
    notes: tuple[str, ...] = ()


def judge(
    dataset: Dataset,
    out_of_fold: OutOfFold | None,
    features: NDArray[np.float32],
    fold_ids: NDArray[np.int64],
    units: NDArray[np.int64],
    members: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    ranges: Mapping[str, Range] | None = None,
    apart: Apart | None = None,
    clusters: HeldOut | None = None,
    answering: str = "network",
) -> Judgement:
    """Calibrate out-of-fold predictions, and compare them with baselines on the same folds.

    Args:
        dataset: examples and targets.
        out_of_fold: raw predictions; None with one fold.
        features: shape (n, d): what the baselines learn from.
        fold_ids: shape (n,); -1 for rows that are learned from and never judged.
        units: shape (n,): rows that the bootstrap draws together.
        members: M, the members a fold.
        seed: of baselines and bootstrap.
        progress: called as progress(done, total).
        ranges: of targets of classes, by name: what their probabilities become outside of what was learned.
        apart: how far each row lies from what was learned by the members that judge it; None: not known.
        clusters: what members say of the rows that never saw anything of their cluster; None: there are none.
        answering: what predicted: "network", or the name of a baseline, which then does not stand beside itself.
    """
    folds = int(fold_ids.max()) + 1
    if out_of_fold is None:
        nothing = [
            TargetSummary(t.name, t.task, t.unit, _main(t), {}, {}, {}, None, answering=answering)
            for t in dataset.targets
        ]
        return Judgement(Validation(tuple(nothing), 1, members, len(dataset)), (None,) * len(nothing))
    ends = np.cumsum([target.width for target in dataset.targets]).tolist()
    summaries, calibrations = [], []
    notes: list[str] = []
    for index, (target, end) in enumerate(zip(dataset.targets, ends, strict=True)):
        mean, std = (np.asarray(values)[:, end - target.width : end] for values in (out_of_fold.mean, out_of_fold.std))
        labelled = np.isfinite(dataset.values[:, index])
        simple = baselines.out_of_fold(
            target.task,
            features[labelled],
            dataset.values[labelled, index],
            fold_ids[labelled],
            classes=target.width,
            names=[name for name in baselines.baseline_names(target.task) if name != answering],
            seed=seed,
            progress=progress,
        )
        notes += simple.notes
        known = labelled & np.isfinite(mean).all(axis=1)
        truth, known_units = dataset.values[known, index], units[known]
        nowhere = Apart(np.full(len(truth), np.nan), np.zeros(len(truth)))
        parts = calibration_parts(fold_ids[known], known_units, seed)
        held = HeldOut(mean[known], std[known], parts, known_units, nowhere if apart is None else apart.take(known))
        apart_too = None if clusters is None else clusters.take(known, slice(end - target.width, end))
        made = calibrate(target, truth, held, apart_too)
        calibration, answers = made.calibration, made.answers
        if ranges is not None and target.name in ranges:
            answers = ranges[target.name].apply(answers, known)
        given = {name: v[known] for name, v in dataset.references.items() if target.task == "regression"}
        others = {name: values[known[labelled]] for name, values in simple.predictions.items()} | given
        figures = bootstrap(target.task, truth, {"network": answers, **others}, known_units, seed=seed)
        summaries.append(
            TargetSummary(
                target.name,
                target.task,
                target.unit,
                figures.main,
                figures.figures["network"],
                {name: figures.figures[name] for name in others},
                {name: figures.difference("network", name) for name in others},
                made.coverage,
                bands=made.bands,
                clusters=made.clusters,
                answering=answering,
                baselines_by_fold=_by_fold(target.task, figures.main, truth, others, fold_ids[known], folds),
            )
        )
        calibrations.append(calibration)
    validation = Validation(tuple(summaries), folds, members, len(dataset))
    return Judgement(validation, tuple(calibrations), tuple(dict.fromkeys(notes)))


def calibrations_aside(dataset: Dataset, aside: Any) -> tuple[IntervalCalibration | Temperature | None, ...]:
    """Return what calibrates the networks of one fold: temperatures from each member's own validation rows.

    Nothing is held out from all members, so intervals cannot be earned: regressions stay without.

    Args:
        dataset: examples and targets.
        aside: `Ensemble.aside`: rows, shape (members, v), and answers, shape (members, v, sum of the targets' widths);
            None where no rows were set aside.
    """
    calibrations: list[IntervalCalibration | Temperature | None] = []
    ends = np.cumsum([target.width for target in dataset.targets]).tolist()
    for index, (target, end) in enumerate(zip(dataset.targets, ends, strict=True)):
        if aside is None or target.task == "regression":
            calibrations.append(None)
            continue
        answers = np.asarray(aside.answers, np.float64)[..., end - target.width : end].reshape(-1, target.width)
        truth = dataset.values[aside.rows.ravel(), index]
        known = np.isfinite(truth) & np.isfinite(answers).all(axis=1)
        calibrations.append(fit_temperature(answers[known], truth[known].astype(np.int64)) if known.any() else None)
    return tuple(calibrations)


def calibration_parts(fold_ids: NDArray[np.int64], units: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return between which parts calibrations are cross-fitted: the folds, or fifths of the only one (the future)."""
    if len(np.unique(fold_ids)) > 1 or len(np.unique(units)) < FIFTHS:
        return fold_ids
    return random_folds(len(fold_ids), FIFTHS, seed, groups=units)


def _by_fold(
    task: Task, main: str, truth: Array, models: Mapping[str, Array], fold_ids: NDArray[np.int64], folds: int
) -> dict[str, tuple[float, ...]]:
    """Return the main metric of each model in each fold; NaN where a fold has no examples."""
    parts = [fold_ids == fold for fold in range(folds)]
    return {
        name: tuple(score(task, truth[part], answers[part])[main] if part.any() else math.nan for part in parts)
        for name, answers in models.items()
    }


def _main(target: Target) -> str:
    return main_metric(target.task, len(target.classes))
