"""The learning curve: the error against the number of training examples, from networks trained on parts of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError
from amalthea.potentials.potential import PotentialState
from amalthea.potentials.refit import force_curve
from amalthea.predictor.predictor import Predictor
from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot
from amalthea.reporting.captions import with_unit
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged, mean_of, root_mean_square
from amalthea.reporting.out_of_fold_predict import keeps_held_out
from amalthea.tasks.columns import learning_curve as curve
from amalthea.tasks.columns.learning_curve import FEWEST_ROWS, Curve, gain_of_doubling
from amalthea.tasks.columns.refit import material
from amalthea.validation.metrics import Figure


def learning_curve(context: Context) -> list[Block]:
    """Return the learning curves, if they were asked for and the model kept what they need."""
    words, predictor = context.words, context.predictor
    if not context.learning_curve:
        return [Paragraph(words("The learning curve needs new training: ask for it with --learning-curve."))]
    if isinstance(predictor.state, PotentialState):
        return [_of_forces(context, predictor)]
    if not keeps_held_out(predictor) or not context.judged:
        return [Paragraph(words("A learning curve needs the examples in the model, and folds."))]
    blocks: list[Block] = []
    for judged in context.judged:
        if len(judged) < FEWEST_ROWS:
            blocks.append(
                Paragraph(words("{target}: too few examples for a learning curve.", target=judged.target.name))
            )
        else:
            blocks.append(_of_target(context, judged, trained(predictor, judged)))
    return blocks


def trained(predictor: Predictor, judged: Judged) -> Curve:
    """Return the learning curve of one target."""
    return curve.learning_curve(material(predictor, places=judged.places), judged.target)


def _of_forces(context: Context, predictor: Predictor) -> Block:
    words = context.words
    try:
        found, groups = force_curve(predictor.ready)
    except AmaltheaError:
        return Paragraph(words("A learning curve needs the examples in the model, and folds."))
    return _plot(
        context,
        "learning-curve-forces",
        words("Forces: error against the number of training structures"),
        (words("training structures"), words("mean absolute error of the forces (eV/Å)")),
        found.sizes,
        [mean_of(row, groups) for row in found.errors],
        gain_of_doubling(found, groups, 1, context.seed),
        words(
            "Each point: one network a fold, at most three folds, in as many steps as with all structures; judged on "
            "all held-out structures."
        ),
    )


def _of_target(context: Context, judged: Judged, found: Curve) -> Plot:
    words = context.words
    average = mean_of if judged.classes else root_mean_square
    scale = 100 if judged.classes else 1
    means = [average(row, judged.groups) for row in found.errors]
    title = words("mistakes (%)") if judged.classes else with_unit(words("root mean square error"), judged.target.unit)
    return _plot(
        context,
        context.name("learning-curve", judged),
        words("{target}: error against the number of training examples", target=judged.target.name),
        (words("training examples"), title),
        found.sizes,
        [Figure(scale * each.value, scale * each.error) for each in means],
        gain_of_doubling(found, judged.groups, 1 if judged.classes else 2, context.seed),
        words("Each point: two networks a fold, judged on all held-out examples."),
    )


def _plot(
    context: Context,
    name: str,
    title: str,
    labels: tuple[str, str],
    sizes: NDArray[np.int64],
    errors: Sequence[Figure],
    gain: Figure,
    how: str,
) -> Plot:
    words = context.words
    y, bars = [each.value for each in errors], [each.error for each in errors]
    doubled = words(
        "If the trend goes on, twice the examples would lower the error by {gain} %.",
        gain=words.figure(Figure(100 * gain.value, 100 * gain.error)),
    )
    return Plot(
        name,
        title,
        f"{doubled} {how}",
        [
            plots.line(
                sizes,
                y,
                mode="lines+markers",
                marker={"size": 9, "color": "@blue"},
                hoverinfo="x+y",
                **plots.error_bars(bars),
            )
        ],
        plots.layout(
            plots.axis(labels[0], type="log", dtick=math.log10(2), tickvals=sizes.tolist()),
            plots.axis(labels[1], rangemode="tozero"),
        ),
        words(
            "The error goes from {low} to {high} with all examples.",
            low=words.number(y[0], 3),
            high=words.number(y[-1], 3),
        ),
        {"examples": sizes.tolist(), "error": plots.numbers(y), "standard_error": plots.numbers(bars)},
    )
