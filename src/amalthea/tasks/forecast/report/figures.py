"""Forecasts beside what came: along time, by step, by hour and weekday, and where they were worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from amalthea.errors import AmaltheaError
from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot, Table
from amalthea.reporting.context import MOST_TARGETS
from amalthea.tasks.forecast.judge import thirds
from amalthea.tasks.forecast.report.context import ForecastContext

MOST_STEPS = 600
"""Steps of a series that are drawn at most, the last ones."""

WORST = 8
"""Windows that are listed because they were foretold worst."""


def along_time(context: ForecastContext) -> list[Block]:
    """Return the last held-out forecasts of each target's first series with their bands, and what follows."""
    words, ahead = context.words, _ahead(context)
    blocks: list[Block] = []
    for number, target in enumerate(context.predictor.targets[:MOST_TARGETS]):
        rows = context.errors[context.errors["target"] == target.name]
        rows = rows[rows["series"] == rows["series"].iloc[0]].tail(MOST_STEPS) if len(rows) else rows
        if not len(rows):
            continue
        traces = _traces(rows, (words("what came"), words("foretold"), words("90 % interval")))
        follows = ahead.get((target.name, rows["series"].iloc[0]))
        if follows is not None:
            traces += _traces(follows, ("", words("foretold now"), ""), style=2)
        series = f" ({rows['series'].iloc[0]})" if rows["series"].iloc[0] else ""
        known = rows[np.isfinite(rows["lower"]) & np.isfinite(rows["truth"])]  # the first origins have no width yet
        covered = float(known["truth"].between(known["lower"], known["upper"]).mean()) if len(known) else float("nan")
        blocks.append(
            Plot(
                f"series-{number + 1}",
                words("{target}: foretold and what came", target=target.name + series),
                words("Each stretch was foretold at its beginning by what had learned from the time before it alone."),
                traces,
                plots.layout(plots.axis(context.how.time), plots.axis(target.name)),
                words("Of these steps {share} lie within the 90 % interval.", share=words.percent(covered)),
                {name: rows[name].tolist() for name in ("time", "origin", "step")}
                | {name: plots.numbers(rows[name]) for name in ("truth", "mean", "lower", "upper")},
            )
        )
    return blocks


def _ahead(context: ForecastContext) -> dict[tuple[str, str], pd.DataFrame]:
    """Return what the model foretells now, by target and series; nothing where it kept no examples."""
    try:
        table = context.predictor.forecast()
    except AmaltheaError:
        return {}
    several, found = len(context.predictor.targets) > 1, {}
    for target in context.predictor.targets[:MOST_TARGETS]:
        prefix = f"{target.name}_" if several else ""
        named = {name: table[prefix + name] for name in ("mean", "lower", "upper")}
        rows = pd.DataFrame({"time": table[context.how.time].astype(str), **named})
        for series, mine in rows.groupby(table["series"].fillna("").astype(str)):
            found[target.name, str(series)] = mine
    return found


def _traces(rows: pd.DataFrame, names: Sequence[str], style: int = 1) -> list[dict[str, Any]]:
    """Return the band, the forecast, and what came where that is known, along times as text."""
    truth, mean, band = names
    places, times = np.arange(len(rows)), rows["time"].to_numpy(object)
    filled = plots.band(places, rows["lower"], rows["upper"], band, style)
    filled["x"] = [times[int(place)] for place in filled["x"]]
    traces = [filled, {**plots.line(places, rows["mean"], mean, style, hoverinfo="x+y"), "x": times.tolist()}]
    if "truth" in rows:
        traces.append({**plots.line(places, rows["truth"], truth, 0, hoverinfo="x+y"), "x": times.tolist()})
    return traces


def by_step(context: ForecastContext) -> list[Block]:
    """Return how errors grow with the step."""
    words = context.words
    means = context.errors.assign(size=context.errors["scaled"].abs()).groupby(["target", "step"])["size"].mean()
    traces = []
    table: dict[str, list[Any]] = {}
    for style, target in enumerate(context.predictor.targets[:MOST_TARGETS]):
        if target.name in means.index.get_level_values(0):
            mine = means[target.name]
            traces.append(plots.line(mine.index, mine, target.name, style, hoverinfo="x+y"))
            table |= {"step": mine.index.tolist(), target.name: plots.numbers(mine)}
    first, last = (float(means.groupby("step").mean().iloc[place]) for place in (0, -1))
    return [
        Plot(
            "errors-by-step",
            words("Errors by step"),
            words("The mean absolute error of each step, in the mean seasonal difference of its series (MASE)."),
            traces,
            plots.layout(plots.axis(words("step")), plots.axis(words("scaled error"), rangemode="tozero")),
            words(
                "From {first} at the first step to {last} at the last.", first=_n(words, first), last=_n(words, last)
            ),
            table,
            half=True,
        )
    ]


def by_calendar(context: ForecastContext) -> list[Block]:
    """Return errors by hour, weekday or month, as far as the steps tell them apart."""
    words, stamps, calendar = context.words, context.stamps, context.how.calendar
    if stamps is None:
        return []
    size = context.errors["scaled"].abs()
    kinds: dict[str, tuple[str, Any]] = {}
    if calendar.unit == "second" and calendar.step < 86_400:
        kinds["hour"] = (words("hour"), stamps.dt.hour)
    if calendar.unit == "second" and calendar.step < 604_800:
        kinds["weekday"] = (words("weekday (1: Monday)"), stamps.dt.day_of_week + 1)
    if (calendar.unit == "month" and calendar.step < 12) or not kinds:
        kinds["month"] = (words("month"), stamps.dt.month)
    blocks: list[Block] = []
    for kind, (title, key) in kinds.items():
        means = size.groupby(key).mean()
        blocks.append(
            Plot(
                f"errors-by-{kind}",
                words("Errors by {what}", what=title),
                words("The mean absolute error of all steps that fall there, scaled as above."),
                [plots.points(means.index, means, hovertemplate="%{x}: %{y:.3g}<extra></extra>")],
                plots.layout(plots.axis(title), plots.axis(words("scaled error"), rangemode="tozero")),
                words("The largest is at {place}.", place=str(means.idxmax())),
                {kind: means.index.tolist(), "scaled_error": plots.numbers(means)},
                half=True,
            )
        )
    return blocks


def worst(context: ForecastContext) -> list[Block]:
    """Return the windows that were foretold worst: a table, and the worst of all as a figure."""
    words, errors = context.words, context.errors
    keys = ["target", "series", "origin"]
    means = errors.assign(size=errors["scaled"].abs()).groupby(keys, sort=False)["size"].mean()
    largest = means.sort_values(ascending=False, kind="stable").head(WORST)
    if not len(largest):
        return []
    target, series, origin = largest.index[0]
    chosen = (errors["target"] == target) & (errors["series"] == series) & (errors["origin"] == origin)
    rows = errors[chosen]
    cells = [[str(each[2]), str(each[1]), str(each[0]), _n(words, float(size))] for each, size in largest.items()]  # type: ignore[index]
    header = [words("foretold from"), words("series"), words("target"), words("scaled error")]
    return [
        Table(header, cells, words("The windows whose mean scaled error is largest.")),
        Plot(
            "worst-window",
            words("The worst window: {target}, from {origin}", target=target, origin=origin),
            words("Was it an event that nobody could foresee, or something that the model should have been told?"),
            _traces(rows, (words("what came"), words("foretold"), words("90 % interval"))),
            plots.layout(plots.axis(context.how.time), plots.axis(str(target))),
            words("Its scaled error is {size}.", size=_n(words, float(largest.iloc[0]))),
            {"time": rows["time"].tolist(), "truth": plots.numbers(rows["truth"]), "mean": plots.numbers(rows["mean"])},
        ),
    ]


def coverage(context: ForecastContext) -> list[Block]:
    """Return what the 90 % intervals hold of each target in each third of the steps."""
    words, errors = context.words, context.errors
    known = errors[np.isfinite(errors["lower"])]
    if not len(known):
        return [Paragraph(words("Too few errors are known for an interval."), "care")]
    inside = known.assign(inside=(known["truth"] >= known["lower"]) & (known["truth"] <= known["upper"]))
    parts = thirds(int(errors["step"].max()))
    rows = []
    for target in context.predictor.targets:
        mine = inside[inside["target"] == target.name]
        shares = [mine["inside"].mean(), *(mine["inside"][mine["step"].isin(part + 1)].mean() for part in parts)]
        rows.append([target.name, *(words.percent(float(share)) for share in shares)])
    header = ["", words("all steps"), *(f"{words('steps')} {part[0] + 1}–{part[-1] + 1}" for part in parts)]
    return [
        Table(header, rows, words("The share of what came within the 90 % interval, at origins that do not overlap."))
    ]


def channels(context: ForecastContext) -> list[Block]:
    """Return the figures of each target, where there are several."""
    words, targets = context.words, context.predictor.validation.targets
    if len(targets) < 2:
        return []
    names = ("scaled_mse", "scaled_mae", "mase", "rmse", "mae")
    rows = [[each.target, *(_of(words, each.metrics, name) for name in names)] for each in targets if each.target]
    return [Table(["", *(name.replace("_", " ").upper() for name in names)], rows, words("Each target by itself."))]


def explained(context: ForecastContext) -> list[Block]:
    """Return how much of the last value's error seasons, trends and the model take away."""
    words, summary = context.words, context.predictor.validation.compared[0]
    start = summary.baselines.get("last value", {}).get(summary.main)
    if start is None or not start.value > 0 or summary.main not in summary.metrics:
        return []
    others = {name: 1 - of[summary.main].value / start.value for name, of in summary.baselines.items()}
    best = max((name for name in others if name != "last value"), key=others.__getitem__)
    return [
        Paragraph(
            words(
                "Of the error of repeating the last value, the best simple model ({name}) takes away {simple}, and "
                "this model {share}.",
                name=best,
                simple=words.percent(others[best]),
                share=words.percent(1 - summary.metrics[summary.main].value / start.value),
            )
        )
    ]


def _of(words: Any, figures: Mapping[str, Any], name: str) -> str:
    return words.figure(figures[name]) if name in figures else ""


def _n(words: Any, value: float) -> str:
    return str(words.number(value, 3))
