"""Forecasts beside what came: figures, baselines, and intervals that follow recent errors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.domains.sequences.calendar import Calendar
from amalthea.domains.sequences.panel import Panel
from amalthea.domains.sequences.windows import WindowShape
from amalthea.tasks.forecast.baselines import naive2
from amalthea.tasks.forecast.figures import MAIN, Judged, figures, mean_of_units, window_mean, window_scores
from amalthea.tasks.forecast.origins import Rows, apart, futures
from amalthea.tasks.forecast.scales import Scales
from amalthea.validation.adaptive_conformal import follow
from amalthea.validation.metrics import Figure
from amalthea.validation.summary import TargetSummary

Floats = NDArray[np.float64]

LEVEL = 0.9
"""What the interval is to cover that stands in every table."""

RESOLUTION = 1e-6
"""The share of a value that networks' arithmetic cannot resolve."""

NORMAL = 1.645
"""Half the width of a normal error's 90 % interval, in standard deviations."""

OVERALL = ""
"""The name of the figures over all channels, where there are several."""


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """What was foretold of n windows, in the order of their origins.

    Args:
        rows: the windows.
        fold: shape (n,): who judged them.
        mean: shape (n, horizon).
        truth: what came, likewise, NaN where unknown.
        apart: shape (n,): True for windows whose futures do not overlap.
        spread: shape (n,): see `Scales`.
        season: shape (n,): see `Scales`.
        simple: by baseline, shape (n, horizon).
        naive: shape (n, horizon): see `naive2`.
    """

    rows: Rows
    fold: NDArray[np.int64]
    mean: Floats
    truth: Floats
    apart: NDArray[np.bool_]
    spread: Floats
    season: Floats
    simple: Mapping[str, Floats]
    naive: Floats

    @classmethod
    def of(
        cls,
        panel: Panel,
        rows: Rows,
        mean: Floats,
        simple: Mapping[str, Floats],
        scales: Scales,
        window: WindowShape,
        fold: int = 0,
    ) -> Answers:
        """Return the answers of one fold.

        Args:
            panel: the series.
            rows: the windows.
            mean: what was foretold of them, shape (n, horizon).
            simple: by baseline, likewise.
            scales: of the fold's past.
            window: the sizes.
            fold: its number.
        """
        horizon = window.horizon
        season = window.periods[0] if window.periods else 1
        return cls(
            rows=rows,
            fold=np.full(len(rows), fold),
            mean=mean.astype(np.float64),
            truth=futures(panel, rows, horizon),
            apart=apart(rows, horizon),
            spread=scales.spread[rows.track],
            season=scales.season[rows.track],
            simple=simple,
            naive=naive2(panel, rows, horizon, season, scales.past),
        )

    @classmethod
    def together(cls, parts: Sequence[Answers]) -> Answers:
        """Return the answers of several folds, in the order of their origins."""
        order = np.argsort(np.concatenate([part.rows.origin for part in parts]), kind="stable")

        def joined(name: str) -> NDArray[np.float64]:
            values: NDArray[np.float64] = np.concatenate([getattr(part, name) for part in parts])[order]
            return values

        rows = Rows(*(np.concatenate([getattr(p.rows, name) for p in parts])[order] for name in ("track", "origin")))
        simple = {name: np.concatenate([part.simple[name] for part in parts])[order] for name in parts[0].simple}
        names = ("fold", "mean", "truth", "spread", "season")
        far = apart(rows, parts[0].mean.shape[1])
        return cls(rows, apart=far, simple=simple, naive=joined("naive"), **{name: joined(name) for name in names})  # type: ignore[arg-type]

    def take(self, rows: NDArray[np.bool_]) -> Answers:
        """Return some of them."""
        simple = {name: values[rows] for name, values in self.simple.items()}
        names = ("fold", "mean", "truth", "apart", "spread", "season", "naive")
        return Answers(
            self.rows.take(np.flatnonzero(rows)), simple=simple, **{n: getattr(self, n)[rows] for n in names}
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Verdict:
    """What is known of answers.

    Args:
        lower: shape (n, horizon): the 90 % interval's lower end.
        upper: its upper end.
        figures: by target, and over all where there are several.
        baselines: by target and baseline.
        differences: likewise: how much better the networks are.
        coverage: by target the share of what came within the interval, once it had errors to follow.
        thirds: the same for each third of the horizon.
    """

    lower: Floats
    upper: Floats
    figures: Mapping[str, Mapping[str, Figure]]
    baselines: Mapping[str, Mapping[str, Mapping[str, Figure]]]
    differences: Mapping[str, Mapping[str, Figure]]
    coverage: Mapping[str, Figure]
    thirds: Mapping[str, tuple[Figure, ...]]


def thirds(horizon: int) -> list[NDArray[np.int64]]:
    """Return the steps of each third of the horizon; each step by itself where there are fewer than three.

    Example:
        >>> [part.tolist() for part in thirds(5)]
        [[0, 1], [2, 3], [4]]
    """
    return [part for part in np.array_split(np.arange(horizon), 3) if len(part)]


def half_widths(
    errors: Floats,
    channel: NDArray[np.int64],
    origin: NDArray[np.int64],
    level: float,
    start: Mapping[int, Floats] | None = None,
) -> tuple[Floats, dict[int, Floats]]:
    """Return the half-widths that follow the errors of each channel and each third of the horizon.

    Args:
        errors: shape (n, horizon): absolute errors by the scale of their series, NaN where nothing came yet.
        channel: shape (n,).
        origin: shape (n,), ascending.
        level: the share to be covered.
        start: by channel, where the widths begin; None: from the first errors.

    Returns:
        Half-widths by the same scale, shape (n, horizon), and by channel where they end.
    """
    parts = thirds(errors.shape[1])
    reach = np.array([part[-1] + 1 for part in parts])
    scores = np.full((len(errors), len(parts), max(map(len, parts))), np.nan)
    for place, part in enumerate(parts):
        scores[:, place, : len(part)] = errors[:, part]
    widths, ends = np.full(errors.shape, np.nan), {}
    for number in np.unique(channel).tolist():
        rows = channel == number
        begun = None if start is None else start.get(number)
        by_third, ends[number] = follow(scores[rows], origin[rows], reach, level, begun)
        widths[rows] = np.concatenate(
            [by_third[:, [place]].repeat(len(part), 1) for place, part in enumerate(parts)], 1
        )
    return widths, ends


def judge_answers(
    answers: Answers, panel: Panel, targets: Sequence[Target], start: Mapping[int, Floats] | None = None
) -> Verdict:
    """Return the figures of answers.

    Args:
        answers: in the order of their origins.
        panel: the series.
        targets: the channels.
        start: by channel, the widths with which the intervals begin.
    """
    channel, origin = panel.channel[answers.rows.track], answers.rows.origin
    errors = np.abs(answers.mean - answers.truth)
    # What single precision cannot tell apart is no error: a constant stays within an interval of no width.
    errors = np.where(errors <= RESOLUTION * np.abs(answers.truth), 0.0, errors) / answers.season[:, None]
    widths, _ = half_widths(errors, channel, origin, LEVEL, start)
    half = widths * answers.season[:, None]
    lower, upper = answers.mean - half, answers.mean + half
    series = pd.factorize(panel.series[answers.rows.track])[0]
    unit = pd.MultiIndex.from_arrays([series, origin]).factorize()[0]
    judged = Judged(answers.truth, channel, unit, answers.apart, answers.spread, answers.season, answers.naive)
    scores = {name: window_scores(judged, forecast) for name, forecast in answers.simple.items()}
    network = window_scores(judged, answers.mean, lower, upper)
    inside = np.where(np.isfinite(errors) & np.isfinite(widths), (errors <= widths).astype(float), np.nan)
    found: dict[str, list[object]] = {}
    for name, rows in _groups(channel, targets):
        mine = figures(judged, network, rows)
        others = {other: figures(judged, values, rows) for other, values in scores.items()}
        better = {other: mean_of_units(values[MAIN] - network[MAIN], judged, rows) for other, values in scores.items()}
        covered = [mean_of_units(window_mean(inside[:, part]), judged, rows) for part in thirds(inside.shape[1])]
        found[name] = [mine, others, better, mean_of_units(window_mean(inside), judged, rows), tuple(covered)]
    by_kind = [{name: values[place] for name, values in found.items()} for place in range(5)]
    return Verdict(lower, upper, *by_kind)  # type: ignore[arg-type]


def summaries(verdict: Verdict, answering: str) -> tuple[TargetSummary, ...]:
    """Return what a model's card says of each target, and over all first where there are several.

    Args:
        verdict: the figures.
        answering: what answers: "network", or a simple model's name.
    """
    return tuple(
        TargetSummary(
            name,
            "forecast",
            "",
            MAIN,
            dict(verdict.figures[name]),
            dict(verdict.baselines[name]),
            dict(verdict.differences[name]),
            verdict.coverage[name] if np.isfinite(verdict.coverage[name].value) else None,
            answering=answering,
        )
        for name in verdict.figures
    )


def table(
    answers: Answers, verdict: Verdict, panel: Panel, targets: Sequence[Target], calendar: Calendar, time: str
) -> pd.DataFrame:
    """Return the forecasts of windows that do not overlap, one row a series, origin and step.

    Series, origin, step, the time column, fold, and of each target the true value, `prediction`, `std` (that of a
    normal error whose 90 % interval is `lower` to `upper`), these, and in `raw_std` what errors are scaled by.
    """
    chosen = answers.apart
    parts = []
    horizon = answers.mean.shape[1]
    for number, target in enumerate(targets):
        rows = np.flatnonzero(chosen & (panel.channel[answers.rows.track] == number))
        origin = np.repeat(answers.rows.origin[rows], horizon)
        step = np.tile(np.arange(1, horizon + 1), len(rows))
        prefix = "" if len(targets) == 1 else f"{target.name}_"
        std = (verdict.upper - verdict.lower) / (2 * NORMAL)
        values = {"target": answers.truth, "prediction": answers.mean, "std": std}
        values |= {"lower": verdict.lower, "upper": verdict.upper}
        parts.append(
            pd.DataFrame(
                {
                    "series": np.repeat(panel.series[answers.rows.track[rows]], horizon),
                    "origin": origin,
                    "step": step,
                    "fold": np.repeat(answers.fold[rows], horizon),
                    **{prefix + name: each[rows].ravel() for name, each in values.items()},
                    f"{prefix}raw_std": np.repeat(answers.season[rows], horizon),
                }
            ).set_index(["series", "origin", "step", "fold"])
        )
    joined = pd.concat(parts, axis=1).reset_index()
    places = joined["origin"].to_numpy(np.int64)
    joined["origin"] = calendar.text(places)
    joined.insert(3, time, calendar.text(places + joined["step"].to_numpy(np.int64) - 1))
    widths = [name for name in joined.columns if str(name).endswith("lower")]
    none = joined[widths].isna().any(axis=1).to_numpy(bool)
    return joined.assign(warning=np.where(none, "too few errors are known yet for an interval", ""), problem="")


def _groups(channel: NDArray[np.int64], targets: Sequence[Target]) -> list[tuple[str, NDArray[np.bool_]]]:
    one_by_one = [(target.name, channel == number) for number, target in enumerate(targets)]
    return one_by_one if len(targets) == 1 else [(OVERALL, np.ones(len(channel), bool)), *one_by_one]
