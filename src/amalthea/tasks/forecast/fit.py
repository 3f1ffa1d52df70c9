"""Series, learned from fold by fold: each part of the last half of the time is judged by members that know its past."""

from __future__ import annotations

import dataclasses
import shlex
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset
from amalthea.datasets.messages import counted, listed
from amalthea.domains.protocol import Domain, Featurizing
from amalthea.domains.sequences.panel import Panel, panel
from amalthea.domains.sequences.reading import POSITION, SeriesState
from amalthea.domains.sequences.windows import CUSTOM, WindowShape
from amalthea.errors import DataError, TrainingWarning
from amalthea.tasks.forecast.baselines import SIMPLE, baselines, named
from amalthea.tasks.forecast.judge import Answers, Verdict, judge_answers, summaries, table
from amalthea.tasks.forecast.mixture import blended, select
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
from amalthea.validation.metrics import Figure, beats
from amalthea.validation.summary import Validation
from amalthea.workflow.settings import Settings
from amalthea.workflow.splitting import PAST, Split

Floats = NDArray[np.float64]

NETWORKS = ("gru", "nlinear")
"""Those that `auto` trains."""

MOST_LEARNED = {"gru": 8_000, "nlinear": 24_000}
"""Windows of one epoch of a member, drawn from all of its past: a recurrent network takes its time."""

FEWEST_UPDATES = 200
"""Training steps at least, where there are few windows."""

MOST_VALIDATED = 1024
"""Windows of its own past on which a member is measured, at most."""

LOWEST, HIGHEST = 0.85, 0.95
"""What a 90 % interval may hold in one channel and third without a word about it."""

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
    """

    panel: Panel
    window: WindowShape
    folds: tuple[Fold, ...]
    learned: tuple[Rows, ...]
    measured: tuple[Rows, ...]
    judged: tuple[Rows, ...]


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
    asked = settings.defaults.network
    simple_model = asked.replace("-", " ").startswith(SIMPLE)
    chosen = asked if asked in kind.network_choices else CUSTOM
    names = NETWORKS if asked == "auto" else () if simple_model else (chosen,)
    if names and min(map(len, plan.learned)) == 0:
        raise DataError(
            f"the first part of the time leaves no window of {counted(window.horizon, 'step')} from which a network "
            "could learn. Shorten --horizon, or save a simple model: --model theta."
        )
    with clock("train"):
        trained = {name: _train(plan, name, kind, dataset, settings) for name in names}
    with clock("validate"):
        simple = [baselines(plan.panel, rows, window.horizon, window.periods) for rows in plan.judged]
        competing = list(simple[0]) if asked == "auto" else [] if names else [named(asked, list(simple[0]))]
        shares = [_shares(plan, fold, trained, competing, measures[fold]) for fold in range(len(plan.folds))]
        said = []
        for fold, rows in enumerate(plan.judged):
            if len(rows):
                candidates = {name: of.judged[fold] for name, of in trained.items()} | simple[fold]
                others = {name: answer for name, answer in simple[fold].items() if names or name not in competing}
                mean = blended(candidates, shares[fold], rows.track)
                said.append(Answers.of(plan.panel, rows, mean, others, measures[fold], window, fold))
        answers = Answers.together(said)
        verdict = judge_answers(answers, plan.panel, dataset.targets)
        rows = _some(np.random.default_rng(settings.seed), plan.learned[-1], MOST_REFERENCES)
        applicability = Applicability.fit(normalized(plan.panel, rows, window), "euclidean", np.arange(len(rows)))
    _say_verdict(verdict, settings)
    split = Split(_fold_of(dataset, plan.folds), dataset.groups, in_time=True)
    answering = "network" if names else competing[0]
    return Fitted(
        dataset=dataset,
        split=split,
        parts=tuple(
            Part(dataclasses.replace(window, name=name), of.ensemble, _of_channels(name, shares, plan, dataset))
            for name, of in trained.items()
        ),
        calibrations=(None,) * len(dataset.targets),
        applicability=applicability,
        validation=Validation(
            summaries(verdict, answering), len(plan.folds) - 1, settings.defaults.members, len(dataset)
        ),
        out_of_fold=table(answers, verdict, plan.panel, dataset.targets, state.calendar, state.time),
        state=ForecastState.of(plan.panel, measures[-1], shares[-1], window),
    )


def make_plan(tracks: Panel, window: WindowShape, settings: Settings) -> Plan:
    """Return who learns from what and judges what."""
    parts = folds(tracks, window, settings.defaults.folds)
    everything = -(2**62)
    learned = tuple(learnable(tracks, window, everything, fold.learned(tracks)) for fold in parts)
    measured = tuple(learnable(tracks, window, fold.learned(tracks), fold.past) for fold in parts)
    if min(map(len, learned)) < FEWEST_LEARNED or min(map(len, measured)) == 0:
        # Too few to set some aside: all are learned from.
        learned = tuple(learnable(tracks, window, everything, fold.past) for fold in parts)
        measured = tuple(rows.take(np.arange(0)) for rows in learned)
    total = sum(len(judgeable(tracks, window, fold.start, fold.end, 1)) for fold in parts)
    stride = min(window.horizon, max(1, -(-total // MOST_JUDGED)))
    judged = tuple(judgeable(tracks, window, fold.start, fold.end, stride) for fold in parts)
    return Plan(tracks, window, parts, learned, measured, judged)


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


@dataclasses.dataclass(frozen=True, eq=False)
class Trained:
    """A trained network.

    Args:
        ensemble: its members.
        measured: by fold the mean of its members for the windows on which they were measured, shape (n, horizon).
        judged: likewise for those that the fold judges.
    """

    ensemble: Any
    measured: list[Floats]
    judged: list[Floats]


def _train(plan: Plan, name: str, kind: Featurizing, dataset: Dataset, settings: Settings) -> Trained:
    """Train the members of one network, and ask them."""
    from amalthea.training.ensemble import Ensemble

    members, count = settings.defaults.members, len(plan.folds)
    # 1. Each member draws windows of its own from the past of its fold; all of a fold are measured on the same.
    most = MOST_LEARNED.get(name, min(MOST_LEARNED.values()))
    aside_rows = [_measured(plan, fold) for fold in range(count)]
    groups: list[Rows] = []
    for fold in range(count):
        for member in range(members):
            random = np.random.default_rng([settings.seed, fold, member])
            groups.append(_some(random, plan.learned[fold], most))
    groups += [*aside_rows, *plan.judged]
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
    patience = (settings.patience or epochs) if len(aside_rows[0]) else None
    how = {"epochs": epochs, "batch_size": batch, "patience": patience, "verbose": settings.verbose}
    with warnings.catch_warnings(action="ignore", category=TrainingWarning):  # said below
        history = ensemble.fit_assigned(seen, wanted, assignment, **how)
    for note in history.notes:
        settings.say(note)
    # 3. What they say of the windows that they did not learn from.
    asked = [_means(ensemble, seen, of_fold, plan.window.horizon) for of_fold in (of_measured, of_judged)]
    return Trained(ensemble, *asked)


def _means(ensemble: Any, seen: Any, of_fold: Sequence[NDArray[np.int64]], horizon: int) -> list[Floats]:
    """Return by fold the mean of its members for some windows, shape (n, horizon)."""
    members = ensemble.layout.of_fold
    asked = {n: rows for fold, rows in enumerate(of_fold) if len(rows) for n in members(fold).tolist()}
    said = ensemble.trained.answers_to(seen, asked) if asked else {}
    return [
        np.asarray(np.nanmean([said[n] for n in members(fold).tolist()], axis=0, dtype=np.float64))
        if len(rows)
        else np.empty((0, horizon))
        for fold, rows in enumerate(of_fold)
    ]


def _measured(plan: Plan, fold: int) -> Rows:
    """Return the windows on which a fold's members are measured: equally many in each, some of every series."""
    rows = plan.measured[fold]
    most = min(max(MOST_VALIDATED, 8 * len(plan.panel)), 4 * MOST_VALIDATED)
    return rows.take(np.linspace(0, len(rows) - 1, min(most, *map(len, plan.measured))).round().astype(int))


def _some(random: np.random.Generator, rows: Rows, most: int) -> Rows:
    """Return a sample of windows, in their order."""
    if len(rows) <= most:
        return rows
    return rows.take(np.sort(random.choice(len(rows), most, replace=False)))


def _shares(
    plan: Plan, fold: int, trained: Mapping[str, Trained], competing: Sequence[str], measures: Scales
) -> dict[str, Floats]:
    """Return how much each network and simple model counts for each track in a fold: by errors in the fold's past."""
    tracks, window, past = plan.panel, plan.window, plan.folds[fold].past
    names = [*trained, *competing]
    if len(names) == 1:
        return {names[0]: np.ones(len(tracks))}
    rows = _measured(plan, fold)
    if not len(rows):
        # Nothing was set aside: simple models are measured in the last half of the past.
        rows = learnable(tracks, window, (tracks.first + np.minimum(tracks.last + 1, past)) // 2, past)
    truth = futures(tracks, rows, window.horizon)
    simple = baselines(tracks, rows, window.horizon, window.periods)
    answers = {name: of.measured[fold] for name, of in trained.items() if len(of.measured[fold])}
    answers |= {name: simple[name] for name in competing}
    chosen = np.ones((len(answers), len(tracks))) / max(1, len(answers))
    if answers and len(rows):
        chosen = select(answers, truth, measures.spread[rows.track], rows, len(tracks))
    shares = dict(zip(answers, chosen, strict=True))
    unknown = [name for name in trained if name not in shares]
    # Networks of whose past errors nothing is known have half a say.
    weight = 0.5 if unknown and shares else 1.0
    return {name: weight * of for name, of in shares.items()} | {
        name: np.full(len(tracks), (1 - weight if shares else 1.0) / len(unknown)) for name in unknown
    }


def _of_channels(name: str, shares: Sequence[Mapping[str, Floats]], plan: Plan, dataset: Dataset) -> Floats:
    """Return how much a network counts in each fold, shape (folds, targets): the mean over a target's series."""
    means = [[of[name][plan.panel.channel == c].mean() for c in range(len(dataset.targets))] for of in shares]
    return np.nan_to_num(np.array(means))


def _say_verdict(verdict: Verdict, settings: Settings) -> None:
    """Say what the intervals hold by step and channel, and which simple model is better than what was trained."""
    name, parts = next(iter(verdict.thirds.items()))
    if all(np.isfinite(part.value) for part in parts):
        shares = ", ".join(f"{100 * part.value:.0f}" for part in parts)
        settings.say(f"From the first third of the steps to the last, the 90 % intervals hold {shares} %.")
    astray = [
        f"{channel} {100 * part.value:.0f} % in third {place}"
        for channel, of_channel in verdict.thirds.items()
        for place, part in enumerate(of_channel, start=1)
        if channel != name and not LOWEST <= part.value <= HIGHEST
    ]
    if astray:
        settings.say(f"{counted(len(astray), 'third')} of a channel hold more or less: {listed(astray, most=3)}.")
    differences = next(iter(verdict.differences.values()))
    better = {name: of for name, of in differences.items() if beats(Figure(-of.value, of.error))}
    if better:
        best = min(better, key=lambda name: better[name].value)
        settings.say(
            f"Better than what was trained: {best}. The same command with --model {shlex.quote(best)} saves it."
        )


def _fold_of(dataset: Dataset, parts: tuple[Fold, ...]) -> NDArray[np.int64]:
    """Return the part of the time in which each row lies, -1 for the first half."""
    starts = [fold.start for fold in parts[:-1]]
    place = np.searchsorted(starts, dataset.examples[POSITION].to_numpy(np.int64), side="right") - 1
    return np.where(place < 0, PAST, place).astype(np.int64)
