"""How answers hold with distance: rows held out at random beside rows whose whole cluster was held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Plot
from amalthea.reporting.captions import with_unit
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.validation.distance_bands import Band


def band_blocks(context: Context, judged: Judged) -> list[Block]:
    """Return what is held and what is promised by tenths of the distance; none where that was not kept."""
    words, summary = context.words, judged.summary
    series = {words("held out at random"): summary.bands}
    if summary.clusters is not None:
        series[words("held out with their cluster")] = summary.clusters.bands
    series = {name: bands for name, bands in series.items() if len(bands) > 1}
    if not series:
        return []
    return [_held(context, judged, series), _promised(context, judged, series)]


def _held(context: Context, judged: Judged, series: Mapping[str, Sequence[Band]]) -> Plot:
    words = context.words
    traces: list[dict[str, Any]] = [
        plots.points(
            [band.distance for band in bands],
            [100 * band.held.value for band in bands],
            name,
            style,
            hoverinfo="x+y",
            **plots.error_bars([100 * band.held.error for band in bands]),
        )
        for style, (name, bands) in enumerate(series.items())
    ]
    if judged.classes:
        title = words("{target}: right answers by distance", target=judged.target.name)
        reading = words("Where the points fall to the right, classes far from the training set are named less surely.")
        along = words("named rightly (%)")
    else:
        title = words("{target}: what intervals hold by distance", target=context.title(judged.target.name))
        reading = words("Points at 90 %: the intervals hold near and far; below it they are too narrow there.")
        along = words("values inside the 90 % intervals (%)")
        ends = [band.distance for bands in series.values() for band in bands]
        traces.append(plots.guide([min(ends), max(ends)], [90, 90], words("promised")))
    return Plot(
        context.name("held-by-distance", judged),
        title,
        reading,
        traces,
        plots.layout(plots.axis(_distance(context), 34), plots.axis(along, 30)),
        _in_words(context, judged),
        _numbers(series),
        half=True,
    )


def _promised(context: Context, judged: Judged, series: Mapping[str, Sequence[Band]]) -> Plot:
    words = context.words
    if judged.classes:
        title = words("{target}: stated probability by distance", target=judged.target.name)
        along = words("stated probability of the named class")
        reading = words("An honest model is less sure of what is far from what it learned.")
    else:
        title = words("{target}: width of the intervals by distance", target=context.title(judged.target.name))
        along = with_unit(words("mean width of the 90 % intervals"), judged.target.unit)
        reading = words("An honest model has wider intervals far from what it learned.")
    traces = [
        plots.points([band.distance for band in bands], [band.promised for band in bands], name, style, hoverinfo="x+y")
        for style, (name, bands) in enumerate(series.items())
    ]
    first, *_, last = next(iter(series.values()))
    return Plot(
        context.name("promised-by-distance", judged),
        title,
        reading,
        traces,
        plots.layout(plots.axis(_distance(context), 34), plots.axis(along, 30, rangemode="tozero")),
        words(
            "From the nearest to the farthest it goes from {low} to {high}.",
            low=words.number(first.promised, 3),
            high=words.number(last.promised, 3),
        ),
        _numbers(series),
        half=True,
    )


def _in_words(context: Context, judged: Judged) -> str:
    words, covered, clusters = context.words, judged.summary.coverage, judged.summary.clusters
    if judged.classes or covered is None:
        return words("Ten groups of examples, from the nearest to the farthest from the training set.")
    if clusters is None or clusters.coverage is None:
        return words("The 90 % intervals held {share} of the held-out values.", share=words.percent(covered.value))
    return words(
        "The 90 % intervals held {share} of the values held out at random, and {clusters} of those whose whole cluster "
        "was held out.",
        share=words.percent(covered.value),
        clusters=words.percent(clusters.coverage.value),
    )


def _distance(context: Context) -> str:
    return context.words("distance from the training set (1: usual)")


def _numbers(series: Mapping[str, Sequence[Band]]) -> dict[str, list[Any]]:
    rows = [(name, band) for name, bands in series.items() for band in bands]
    return {
        "rows": [name for name, _ in rows],
        "distance": plots.numbers([band.distance for _, band in rows]),
        "held": plots.numbers([band.held.value for _, band in rows]),
        "error": plots.numbers([band.held.error for _, band in rows]),
        "promised": plots.numbers([band.promised for _, band in rows]),
    }
