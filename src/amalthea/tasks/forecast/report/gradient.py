"""Which past steps moved the forecast: the gradient of the networks' answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.domains.sequences.panel import panel
from amalthea.domains.sequences.reading import POSITION, SERIES
from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot
from amalthea.tasks.forecast.origins import Rows, windows
from amalthea.tasks.forecast.report.context import ForecastContext
from amalthea.tasks.protocol import Part

MOST_WINDOWS = 64
"""Windows over which gradients are averaged."""


def gradient_blocks(context: ForecastContext) -> list[Block]:
    """Return by how much each past step moves the mean of the forecast, for each network."""
    words, predictor = context.words, context.predictor
    if not predictor.parts:
        return [Paragraph(words("A simple model has no gradient: it says in its name what it looks at."))]
    if not len(predictor.examples):
        return [Paragraph(words("The model kept no examples, so no forecast can be explained."))]
    traces, told = [], []
    table: dict[str, list[Any]] = {}
    for style, part in enumerate(predictor.parts):
        moved = gradients(context, part)
        back = np.arange(len(moved), 0, -1)
        traces.append(plots.line(-back, moved, part.featurizer.name, style, hoverinfo="x+y"))
        table |= {"steps_before": back.tolist(), part.featurizer.name: plots.numbers(moved)}
        strongest = back[np.argsort(-moved)[:3]].tolist()
        told.append(f"{part.featurizer.name}: {', '.join(map(str, strongest))}")
    return [
        Plot(
            "moved-by",
            words("What the forecast hangs on"),
            words("How far the mean of the forecast moves when one past step moves by one, on average over windows."),
            traces,
            plots.layout(plots.axis(words("steps before the forecast")), plots.axis(words("mean absolute gradient"))),
            words("The strongest steps before the forecast: {steps}.", steps="; ".join(told)),
            table,
        )
    ]


def gradients(context: ForecastContext, part: Part) -> NDArray[np.float64]:
    """Return the mean absolute gradient of a forecast's mean by each past step, shape (context,), oldest first."""
    import jax

    predictor, window = context.predictor, context.predictor.state.window
    # 1. Windows spread over the time and the series that was learned from.
    rows = predictor.examples.drop(columns=[n for n in ("#row", "#fold", "#group") if n in predictor.examples])
    rows = rows.assign(**{SERIES: rows[SERIES].fillna("").astype(object)}).sort_values([SERIES, POSITION])
    tracks = panel(rows, context.how, window.context, window.horizon)
    chosen = np.linspace(0, len(tracks) - 1, MOST_WINDOWS).round().astype(int)
    first, last = tracks.first[chosen] + min(window.context, 16), tracks.last[chosen] + 1
    shares = np.random.default_rng(0).uniform(0.5, 1, len(chosen))
    origins = np.maximum(first, (tracks.first[chosen] + shares * (last - tracks.first[chosen])).astype(np.int64))
    seen = windows(tracks, Rows(chosen, np.minimum(origins, last)), window)[0][np.arange(len(chosen))]
    # 2. A member that learned from all: windows do not move each other, so that the sum tells each its own gradient.
    network = part.ensemble[int(part.ensemble.layout.of_fold(part.ensemble.folds - 1)[0])]
    trainable = [variable.value for variable in network.trainable_variables]
    fixed = [variable.value for variable in network.non_trainable_variables]
    moved = jax.grad(lambda x: network.stateless_call(trainable, fixed, x)[0].mean(axis=1).sum())(seen)
    return np.asarray(np.abs(np.nan_to_num(moved[:, : window.context, 0])).mean(axis=0), np.float64)
