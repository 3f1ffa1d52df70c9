"""Series, learned from fold by fold: each part of the last half of the time is judged by members that know its past."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset
from amalthea.datasets.messages import counted, listed
from amalthea.domains.protocol import Domain, Featurizing
from amalthea.domains.sequences.panel import Panel, panel
from amalthea.domains.sequences.reading import POSITION, SeriesState
from amalthea.domains.sequences.windows import WindowShape
from amalthea.errors import TrainingWarning
from amalthea.predictor.predictions import mixed
from amalthea.tasks.forecast.judge import Answers, judge_answers, summaries, table
from amalthea.tasks.forecast.origins import (
    FEWEST_LEARNED,
    MOST_JUDGED,
    Fold,
    Rows,
    folds,
    futures,
    judgeable,
    learnable,
    windows,
)
from amalthea.tasks.forecast.scales import Scales, scales
from amalthea.tasks.forecast.state import ForecastState
from amalthea.tasks.protocol import Clock, Fitted, Part
from amalthea.training.assignment import Assignment
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.summary import Validation
from amalthea.workflow.settings import Settings
from amalthea.workflow.splitting import PAST, Split

NETWORKS = ("gru", "nlinear")
MOST_LEARNED = {"gru": 8_000, "nlinear": 24_000}
"""Windows of one epoch of a member, drawn from all of its past: a recurrent network takes its time."""

FEWEST_UPDATES = 200
"""Training steps at least, where there are few windows."""

MOST_VALIDATED = 1024
"""Windows of its own past on which a member is measured, at most."""

MOST_REFERENCES = 1000
"""Windows that tell how far from the training set another lies."""


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """Who learns from, is measured on and judges which windows.

    Args:
        panel: the series.
        window: what is seen.
        folds: the parts, and last the whole as a past.
        learned: for each fold the windows that its members may learn from.
        measured: for each fold those on which they are measured; none where there are few.
        judged: for each part those that its members judge; none for the last.
        stride: from one judged origin to the next.
    """

    panel: Panel
    window: WindowShape
    folds: tuple[Fold, ...]
    learned: tuple[Rows, ...]
    measured: tuple[Rows, ...]
    judged: tuple[Rows, ...]
    stride: int


def fit(dataset: Dataset, kind: Domain, settings: Settings, clock: Clock) -> Fitted:
    """Learn the future of series; see `Task.fit`.

    Raises:
        DataError: the series are too short.
    """
    assert isinstance(kind, Featurizing)
    with clock("featurize"):
        (window,) = kind.featurizers(dataset, settings.features)
        assert isinstance(window, WindowShape)
        state: SeriesState = kind.state(dataset)  # type: ignore[attr-defined]
        plan = make_plan(panel(dataset.examples, state, window.context, window.horizon), window, settings)
        measures = tuple(scales(plan.panel, fold, window) for fold in plan.folds)
    _say(plan, settings)
    names = NETWORKS if settings.defaults.network == "auto" else (settings.defaults.network,)
    with clock("train"):
        trained = [_train(plan, name, kind, dataset, settings) for name in names]
    with clock("validate"):
        shares = _shares(plan, [measured for _, measured, _ in trained], measures)
        parts = tuple(
            Part(
                dataclasses.replace(window, name=name), ensemble, np.repeat(shares[:, [index]], len(dataset.targets), 1)
            )
            for index, (name, (ensemble, _, _)) in enumerate(zip(names, trained, strict=True))
        )
        said = [
            Answers.of(
                plan.panel,
                rows,
                np.nanmean(
                    mixed([by_fold[fold] for *_, by_fold in trained], shares[fold][:, None, None, None]), axis=0
                ),
                measures[fold],
                window,
                plan.stride,
                fold,
            )
            for fold, rows in enumerate(plan.judged)
            if len(rows)
        ]
        answers = Answers.together(said)
        verdict = judge_answers(answers, plan.panel, dataset.targets)
        rows = _some(np.random.default_rng(settings.seed), plan.learned[-1], MOST_REFERENCES)
        applicability = Applicability.fit(normalized(plan.panel, rows, window), "euclidean", np.arange(len(rows)))
    split = Split(_fold_of(dataset, plan.folds), dataset.groups, in_time=True)
    return Fitted(
        dataset=dataset,
        split=split,
        parts=parts,
        calibrations=(None,) * len(dataset.targets),
        applicability=applicability,
        validation=Validation(summaries(verdict), len(plan.folds) - 1, settings.defaults.members, len(dataset)),
        out_of_fold=table(answers, verdict, plan.panel, dataset.targets, state.calendar, state.time),
        state=ForecastState.of(plan.panel, measures[-1]),
    )


def make_plan(tracks: Panel, window: WindowShape, settings: Settings) -> Plan:
    """Return who learns from what and judges what."""
    parts = folds(tracks, window.horizon, settings.defaults.folds)
    everything = -(2**62)
    learned = tuple(learnable(tracks, window, everything, fold.learned) for fold in parts)
    measured = tuple(learnable(tracks, window, fold.learned, fold.past) for fold in parts)
    if min(map(len, learned)) < FEWEST_LEARNED or min(map(len, measured)) == 0:
        # Too few to set some aside: all are learned from.
        learned = tuple(learnable(tracks, window, everything, fold.past) for fold in parts)
        measured = tuple(rows.take(np.arange(0)) for rows in learned)
    total = sum(len(judgeable(tracks, window, fold.start, fold.end, 1)) for fold in parts)
    stride = min(window.horizon, max(1, -(-total // MOST_JUDGED)))
    judged = tuple(judgeable(tracks, window, fold.start, fold.end, stride) for fold in parts)
    return Plan(tracks, window, parts, learned, measured, judged, stride)


def normalized(tracks: Panel, rows: Rows, window: WindowShape) -> NDArray[np.float32]:
    """Return windows as a distance between them is taken: each in its own spread, shape (n, steps, columns)."""
    seen = np.array(windows(tracks, rows, window)[0][np.arange(len(rows))])
    past = seen[:, : window.context, 0]
    known = np.isfinite(past)
    mean = np.where(known, past, 0).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    centred = np.where(known, past - mean, 0)
    spread = np.sqrt((centred**2).mean(axis=1, keepdims=True))
    seen[:, : window.context, 0] = centred / np.where(spread > 0, spread, 1)
    return np.asarray(np.nan_to_num(seen), np.float32)


def _say(plan: Plan, settings: Settings) -> None:
    window = plan.window
    periods = f", with periods of {listed(window.periods)} steps" if window.periods else ", without a period"
    settings.say(
        f"The next {counted(window.horizon, 'step')} are foretold from the last {window.context}{periods}; the last "
        f"half of the time is judged in {counted(len(plan.folds) - 1, 'part')}."
    )


def _train(plan: Plan, name: str, kind: Featurizing, dataset: Dataset, settings: Settings) -> tuple[Any, Any, Any]:
    """Return the trained ensemble, and by fold what its members answer for measured and for judged windows.

    Answers have the shape (members, windows, horizon).
    """
    from amalthea.training.ensemble import Ensemble

    members, count = settings.defaults.members, len(plan.folds)
    # 1. Each member draws windows of its own from the past of its fold; all of a fold are measured on the same.
    most = MOST_LEARNED.get(name, min(MOST_LEARNED.values()))
    measured = min(MOST_VALIDATED, *map(len, plan.measured))
    groups: list[Rows] = []
    for fold in range(count):
        for member in range(members):
            random = np.random.default_rng([settings.seed, fold, member])
            groups.append(_some(random, plan.learned[fold], most))
    groups += [rows.take(np.linspace(0, len(rows) - 1, measured).round().astype(int)) for rows in plan.measured]
    groups += plan.judged
    ends = np.cumsum([len(rows) for rows in groups])
    numbers = [np.arange(end - len(rows), end) for rows, end in zip(groups, ends, strict=True)]
    learned, of_measured, of_judged = numbers[: -2 * count], numbers[-2 * count : -count], numbers[-count:]
    everything = Rows(*(np.concatenate([getattr(rows, part) for rows in groups]) for part in ("track", "origin")))
    seen, wanted = windows(plan.panel, everything, plan.window)
    aside = tuple(of_measured[fold] for fold in range(count) for _ in range(members))
    assignment = Assignment(count, members, np.zeros(len(everything), np.int64), tuple(learned), aside)
    # 2. All of them learn in one program.
    # Small batches where there are few windows, so that there are steps enough.
    fewest = min(len(rows) for rows in learned)
    batch = min(settings.defaults.batch_size, max(min(fewest, 16), fewest // 8))
    steps = -(-max(len(rows) for rows in learned) // batch)
    epochs = max(settings.defaults.epochs, -(-FEWEST_UPDATES // steps))
    network = kind.network(
        dataclasses.replace(plan.window, name=name), dataset.targets, settings.defaults, steps * epochs
    )
    ensemble = Ensemble(network, folds=count, members=members, seed=settings.seed)
    patience = (settings.patience or epochs) if measured else None
    how = {"epochs": epochs, "batch_size": batch, "patience": patience, "verbose": settings.verbose}
    with warnings.catch_warnings(action="ignore", category=TrainingWarning):  # said below
        history = ensemble.fit_assigned(seen, wanted, assignment, **how)
    for note in history.notes:
        settings.say(note)
    # 3. What they say of the windows that they did not learn from.
    answers = []
    nothing = np.empty((members, 0, plan.window.horizon), np.float32)
    for of_fold in (of_measured, of_judged):
        there = [fold for fold in range(count) if len(of_fold[fold])]
        asked = {number: of_fold[fold] for fold in there for number in ensemble.layout.of_fold(fold).tolist()}
        said = ensemble.trained.answers_to(seen, asked) if asked else {}
        by_fold = {fold: np.stack([said[n] for n in ensemble.layout.of_fold(fold).tolist()]) for fold in there}
        answers.append([by_fold.get(fold, nothing) for fold in range(count)])
    return ensemble, answers[0], answers[1]


def _some(random: np.random.Generator, rows: Rows, most: int) -> Rows:
    """Return a sample of windows, in their order."""
    if len(rows) <= most:
        return rows
    return rows.take(np.sort(random.choice(len(rows), most, replace=False)))


def _shares(plan: Plan, measured: list[Any], measures: tuple[Scales, ...]) -> NDArray[np.float64]:
    """Return how much each network counts in each fold, shape (folds, networks): what erred least in its own past."""
    shares = np.full((len(plan.folds), len(measured)), 1 / len(measured))
    if len(measured) != 2 or not measured[0][0].shape[1]:
        return shares
    for fold, rows in enumerate(plan.measured):
        chosen = rows.take(np.linspace(0, len(rows) - 1, measured[0][fold].shape[1]).round().astype(int))
        truth = futures(plan.panel, chosen, plan.window.horizon)
        first, second = (np.nanmean(each[fold], axis=0) for each in measured)
        spread = measures[fold].spread[chosen.track][:, None]
        grid = np.linspace(0, 1, 11)
        errors = [np.nanmean(np.abs(share * first + (1 - share) * second - truth) / spread) for share in grid]
        best = grid[int(np.argmin(errors))]
        shares[fold] = best, 1 - best
    return shares


def _fold_of(dataset: Dataset, parts: tuple[Fold, ...]) -> NDArray[np.int64]:
    """Return the part of the time in which each row lies, -1 for the first half."""
    starts = [fold.start for fold in parts[:-1]]
    place = np.searchsorted(starts, dataset.examples[POSITION].to_numpy(np.int64), side="right") - 1
    return np.where(place < 0, PAST, place).astype(np.int64)
