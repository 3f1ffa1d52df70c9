"""The learning curve: the error against the number of training examples, from networks trained on parts of them."""

from __future__ import annotations

import math

from amalthea.predictor.predictor import Predictor
from amalthea.report import plots
from amalthea.report.blocks import Block, Paragraph, Plot
from amalthea.report.captions import with_unit
from amalthea.report.context import Context
from amalthea.report.held_out import keeps_held_out
from amalthea.report.judged import Judged, mean_of, root_mean_square
from amalthea.validation.metrics import Figure
from amalthea.workflow import curve
from amalthea.workflow.curve import FEWEST_ROWS, Curve, gain_of_doubling
from amalthea.workflow.retraining import material


def learning_curve(context: Context) -> list[Block]:
    """Return the learning curves, if they were asked for and the model kept what they need."""
    words, predictor = context.words, context.predictor
    if predictor.domain == "structures":
        return [Paragraph(words("There is no learning curve of a potential: its training takes too long."))]
    if not context.learning_curve:
        return [Paragraph(words("The learning curve needs new training: ask for it with --learning-curve."))]
    if not keeps_held_out(predictor) or not context.judged:
        return [Paragraph(words("A learning curve needs the examples in the model, and folds."))]
    blocks: list[Block] = []
    for judged in context.judged:
        if len(judged) < FEWEST_ROWS:
            blocks.append(
                Paragraph(words("{target}: too few examples for a learning curve.", target=judged.target.name))
            )
        else:
            blocks.append(_plot(context, judged, trained(predictor, judged)))
    return blocks


def trained(predictor: Predictor, judged: Judged) -> Curve:
    """Return the learning curve of one target."""
    return curve.learning_curve(material(predictor, places=judged.places), judged.target)


def _plot(context: Context, judged: Judged, found: Curve) -> Plot:
    words = context.words
    average = mean_of if judged.classes else root_mean_square
    scale = 100 if judged.classes else 1
    means = [average(row, judged.groups) for row in found.errors]
    y, errors = [scale * each.value for each in means], [scale * each.error for each in means]
    gain = gain_of_doubling(found, judged.groups, 1 if judged.classes else 2, context.seed)
    hundred = words.figure(Figure(100 * gain.value, 100 * gain.error))
    title = words("mistakes (%)") if judged.classes else with_unit(words("root mean square error"), judged.target.unit)
    return Plot(
        context.name("learning-curve", judged),
        words("{target}: error against the number of training examples", target=judged.target.name),
        words(
            "If the trend goes on, twice the examples would lower the error by {gain} %. Each point: two networks a "
            "fold, judged on all held-out examples.",
            gain=hundred,
        ),
        [
            plots.line(
                found.sizes,
                y,
                mode="lines+markers",
                marker={"size": 9, "color": "@blue"},
                hoverinfo="x+y",
                **plots.error_bars(errors),
            )
        ],
        plots.layout(
            plots.axis(words("training examples"), type="log", dtick=math.log10(2), tickvals=found.sizes.tolist()),
            plots.axis(title, rangemode="tozero"),
        ),
        words(
            "The error goes from {low} to {high} with all examples.",
            low=words.number(y[0], 3),
            high=words.number(y[-1], 3),
        ),
        {"examples": found.sizes.tolist(), "error": plots.numbers(y), "standard_error": plots.numbers(errors)},
    )
