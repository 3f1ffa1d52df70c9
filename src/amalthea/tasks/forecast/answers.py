"""What a trained model says of the future, and how well it did since."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.archive import checked
from amalthea.datasets.dataset import Dataset, Inputs
from amalthea.datasets.messages import counted
from amalthea.domains.sequences.calendar import parse
from amalthea.domains.sequences.panel import Panel, panel
from amalthea.domains.sequences.reading import POSITION, SERIES, SeriesState
from amalthea.domains.sequences.windows import WindowShape
from amalthea.errors import DataError
from amalthea.tasks.forecast.baselines import baselines
from amalthea.tasks.forecast.fit import normalized
from amalthea.tasks.forecast.judge import LEVEL, Answers, half_widths, judge_answers
from amalthea.tasks.forecast.mixture import blended
from amalthea.tasks.forecast.origins import MOST_JUDGED, Fold, Rows, between, windows
from amalthea.tasks.forecast.scales import Scales, scales
from amalthea.tasks.forecast.state import ForecastState
from amalthea.tasks.forecast.strangers import UNKNOWN, strangers
from amalthea.tasks.protocol import TestFigures

if TYPE_CHECKING:
    from amalthea.predictor.predictor import Predictor

Floats = NDArray[np.float64]

FAR = 95.0
"""The percentile of the distance to the training set above which a forecast is warned of."""


@dataclasses.dataclass(frozen=True, eq=False)
class Setting:
    """Series that a model is asked about: what it learned from and what came since.

    Args:
        window: what is seen.
        state: how the series are read.
        panel: all that is known.
        scales: of each track, as they were learned.
        end: shape (N,): the position of the last step that was learned from; before the first where a series is new.
        new: shape (N,): True for series that were not learned from.
        shares: by network and simple model how much it counts for each track, shape (N,).
    """

    window: WindowShape
    state: SeriesState
    panel: Panel
    scales: Scales
    end: NDArray[np.int64]
    new: NDArray[np.bool_]
    shares: Mapping[str, Floats]


def judge(predictor: Predictor, dataset: Dataset) -> TestFigures:
    """Judge a model on rows later than those that it learned from, at rolling origins; see `Task.judge`.

    Raises:
        DataError: nothing later is known for as long as a forecast reaches.
    """
    setting = setting_of(predictor, dataset.examples)
    horizon, tracks = setting.window.horizon, setting.panel
    first, last = setting.end + 1, tracks.last + 1 - horizon
    # New series are judged once half a window of them is known.
    first = np.where(setting.new, tracks.first + max(1, setting.window.context // 2), first)
    stride = max(1, -(-len(between(first, last, 1)) // MOST_JUDGED))
    rows = between(first, last, stride)
    if not len(rows):
        raise DataError(f"these data do not reach {counted(horizon, 'step')} beyond what the model learned from.")
    rows = rows.take(np.argsort(rows.origin, kind="stable"))
    mean, simple = asked(predictor, setting, rows)
    answers = Answers.of(tracks, rows, mean, simple, setting.scales, setting.window)
    verdict = judge_answers(answers, tracks, predictor.targets, widths(predictor, LEVEL))
    coverage = {name: {"coverage_90": figure} for name, figure in verdict.coverage.items()}
    notes = [f"{counted(len(np.unique(rows.origin)), 'origin')}, each {counted(horizon, 'step')} foretold."]
    if setting.new[rows.track].any():
        notes.append("Some of these series were not learned from.")
    figures = {name: {**row, **coverage[name]} for name, row in verdict.figures.items()}
    return TestFigures(figures, verdict.baselines, verdict.differences, (), tuple(notes), apart=True)


def forecast(predictor: Predictor, newer: Inputs | None, levels: Sequence[float]) -> pd.DataFrame:
    """Return what follows the last known step of each series, one row a step.

    Args:
        predictor: the model.
        newer: rows later than those that it learned from, and what is known of the future in advance; None for none.
        levels: of further intervals beside that of 90 %.

    Raises:
        DataError: nothing is known of the past: the model was saved without its examples.
    """
    setting = setting_of(predictor, None if newer is None else newer.examples[newer.problems == ""])
    tracks, horizon, targets = setting.panel, setting.window.horizon, predictor.targets
    rows = Rows(np.arange(len(tracks)), tracks.last + 1)
    mean, _ = asked(predictor, setting, rows)
    # 1. Intervals go on from the errors since the training, where some are known.
    first = np.where(setting.new, tracks.last + 1, setting.end + 1)
    since = between(first, tracks.last, max(1, horizon // 8))
    since = since.take(np.argsort(since.origin, kind="stable"))
    ends = {level: widths(predictor, level) for level in (LEVEL, *levels)}
    if len(since):
        past = Answers.of(tracks, since, *asked(predictor, setting, since), setting.scales, setting.window)
        errors = np.abs(past.mean - past.truth) / past.season[:, None]
        for level in ends:
            ends[level] = half_widths(errors, tracks.channel[since.track], since.origin, level, ends[level])[1]
    ahead = np.full((len(rows), horizon), np.nan)
    scale = setting.scales.season[:, None] * np.where(setting.new, UNKNOWN, 1.0)[:, None]
    # A later step is not foretold more surely, whatever recent errors say of the thirds of the horizon.
    half = {
        level: np.maximum.accumulate(half_widths(ahead, tracks.channel, rows.origin * 0, level, end)[0] * scale, axis=1)
        for level, end in ends.items()
    }
    # 2. What should be known of a forecast, and why there is none.
    warnings = _warnings(predictor, setting, rows)
    problems = np.where(np.isfinite(mean).all(axis=1), "", "the network's answer is no finite number").astype(object)
    tables = []
    for number, target in enumerate(targets):
        mine = np.flatnonzero(tracks.channel == number)
        prefix = "" if len(targets) == 1 else f"{target.name}_"
        named = {"mean": mean, "lower": mean - half[LEVEL], "upper": mean + half[LEVEL]}
        for level in levels:
            text = f"{100 * level:g}".replace(".", "_")
            named |= {f"lower_{text}": mean - half[level], f"upper_{text}": mean + half[level]}
        step = np.tile(np.arange(1, horizon + 1), len(mine))
        position = np.repeat(rows.origin[mine], horizon) + step - 1
        table = {
            setting.state.time: setting.state.calendar.text(position),
            "series": np.repeat(tracks.series[mine], horizon),
            "step": step,
            **{prefix + name: values[mine].ravel() for name, values in named.items()},
            f"{prefix}warning": np.repeat(warnings[mine], horizon),
            f"{prefix}problem": np.repeat(problems[mine], horizon),
        }
        tables.append(pd.DataFrame(table).set_index([setting.state.time, "series", "step"]))
    joined = pd.concat(tables, axis=1, sort=False)
    if len(targets) > 1:
        for name in ("warning", "problem"):
            of_targets = joined[[f"{target.name}_{name}" for target in targets]].fillna("")
            joined = joined.drop(columns=list(of_targets)).assign(
                **{name: ["; ".join(dict.fromkeys(filter(None, row))) for row in of_targets.to_numpy().tolist()]}
            )
    answered: pd.DataFrame = joined.reset_index()
    if newer is None:
        return answered
    # 3. Series without a value, and rows that could not be used.
    usable, names = newer.examples[newer.problems == ""], [target.name for target in targets]
    others = strangers(answered, predictor.examples, usable, setting.state, names)
    answered = pd.concat([answered, others], ignore_index=True)
    bad = newer.problems != ""
    for series, rows in newer.examples[bad].assign(problem=newer.problems[bad]).groupby(SERIES, sort=False):
        sentence = f"{counted(len(rows), 'new row')} of no use, such as row {rows.index[0]}: {rows['problem'].iloc[0]}"
        mine = answered["series"] == series
        warned = [f"{before}; {sentence}" if before else sentence for before in answered.loc[mine, "warning"]]
        answered.loc[mine, "warning"] = warned
    return answered


def setting_of(predictor: Predictor, newer: pd.DataFrame | None) -> Setting:
    """Return what is known of the series now."""
    state: SeriesState = checked(SeriesState, dict(predictor.input_state), "model.json, input_state")
    window = predictor.state.window
    parts = [frame for frame in (predictor.examples, newer) if frame is not None and len(frame)]
    if not parts:
        raise DataError("the model was saved without its examples: give the last rows of the series.")
    rows = pd.concat([part.drop(columns=[n for n in ("#row", "#fold", "#group") if n in part]) for part in parts])
    rows[SERIES] = rows[SERIES].fillna("").astype(object)
    # What was learned from stands; of rows that came twice, the first counts.
    rows = rows.drop_duplicates([SERIES, POSITION]).sort_values([SERIES, POSITION], kind="stable")
    tracks = panel(rows, state, window.context, window.horizon)
    if not len(tracks):
        raise DataError("no series has a known value.")
    return _known(predictor.state, tracks, window, state)


def _known(state: ForecastState, tracks: Panel, window: WindowShape, how: SeriesState) -> Setting:
    """Return the series with the scales that were learned; new ones have those of their own past."""
    places = {key: place for place, key in enumerate(zip(state.series, state.channel, strict=True))}
    of = [
        places.get((str(name), int(channel)), -1) for name, channel in zip(tracks.series, tracks.channel, strict=True)
    ]
    place = np.array(of, np.int64)
    far = int(tracks.last.max()) + 1
    mine = scales(tracks, Fold(far, far, far), window) if (place < 0).any() else None
    spread, season = np.array(state.spread)[place], np.array(state.season)[place]
    if mine is not None:
        spread, season = np.where(place < 0, mine.spread, spread), np.where(place < 0, mine.season, season)
    end = np.where(place < 0, tracks.first - 1, np.array(state.last, np.int64)[place])
    # Of a new series the first half window is its past.
    past = np.where(place < 0, tracks.first + max(1, window.context // 2), end + 1)
    # What counts for it is what counts for the others on average.
    shares = {name: np.where(place < 0, np.mean(of), np.array(of)[place]) for name, of in state.shares.items()}
    return Setting(window, how, tracks, Scales(spread, season, past), end, place < 0, shares)


def asked(predictor: Predictor, setting: Setting, rows: Rows) -> tuple[Floats, dict[str, Floats]]:
    """Return what is foretold of windows, shape (n, horizon), and what the baselines say.

    Of networks, the members answer that learned from all: the last fold's.
    """
    tracks, window = setting.panel, setting.window
    simple = baselines(tracks, rows, window.horizon, window.periods)
    seen, _ = windows(tracks, rows, window)
    answers = dict(simple)
    for part in predictor.parts:
        if part.featurizer.name in setting.shares:
            last = part.ensemble.layout.of_fold(part.ensemble.folds - 1)
            used = np.intersect1d(last, part.ensemble.used)
            said = part.ensemble.trained.answers_to(seen, {int(number): np.arange(len(rows)) for number in used})
            answers[part.featurizer.name] = np.mean(list(said.values()), axis=0, dtype=np.float64)
    others = {name: answer for name, answer in simple.items() if predictor.parts or name not in setting.shares}
    return blended(answers, setting.shares, rows.track), others


def widths(predictor: Predictor, level: float) -> dict[int, Floats]:
    """Return the widths of intervals after all errors of the training: replayed from what was held out."""
    table, several = predictor.out_of_fold, len(predictor.targets) > 1
    ends: dict[int, Floats] = {}
    horizon = int(table["step"].max())
    calendar = checked(SeriesState, dict(predictor.input_state), "model.json, input_state").calendar
    times = parse(table["origin"].astype("str"))[0]
    ordered = table.assign(origin=np.round(calendar.positions(times)).astype(np.int64))
    ordered = ordered.sort_values(["origin", "series", "step"], kind="stable")
    origin = ordered["origin"].to_numpy(np.int64).reshape(-1, horizon)[:, 0]
    for number, target in enumerate(predictor.targets):
        prefix = f"{target.name}_" if several else ""
        error = (ordered[f"{prefix}target"] - ordered[f"{prefix}prediction"]).abs() / ordered[f"{prefix}raw_std"]
        errors = error.to_numpy(np.float64).reshape(-1, horizon)
        rows = np.isfinite(errors).any(axis=1)
        if rows.any():
            channel = np.full(int(rows.sum()), number)
            ends |= half_widths(errors[rows], channel, origin[rows], level)[1]
    return ends


def _warnings(predictor: Predictor, setting: Setting, rows: Rows) -> NDArray[np.object_]:
    """Return what should be known of each track's forecast."""
    tracks, window = setting.panel, setting.window
    percentile = predictor.applicability.percentile(normalized(tracks, rows, window))
    sentences: list[list[str]] = [[] for _ in range(len(rows))]
    for number in range(len(rows)):
        past = tracks.track(number, int(tracks.last[number]) + 1 - window.context, int(tracks.last[number]) + 1)
        if setting.new[number]:
            sentences[number].append("this series was not learned from")
        if np.isfinite(past).sum() < window.context / 2:
            sentences[number].append(
                f"only {int(np.isfinite(past).sum())} of the last {window.context} steps are known"
            )
        elif percentile[number] > FAR:
            sentences[number].append("unlike what was learned from")
        if window.known and not _advance(setting, number):
            sentences[number].append("what should be known in advance is missing for some of these steps")
    return np.array(["; ".join(each) for each in sentences], object)


def _advance(setting: Setting, number: int) -> bool:
    start = int(setting.panel.offset[number] + setting.panel.last[number]) + 1
    ahead = setting.panel.values[start : start + setting.window.horizon, 1 : 1 + setting.window.known]
    return bool(np.isfinite(ahead).all())
