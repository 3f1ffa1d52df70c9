"""Agreement: predicted against true, out of fold, example by example."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot
from amalthea.reporting.captions import with_unit
from amalthea.reporting.classes import class_blocks
from amalthea.reporting.context import Context
from amalthea.reporting.examples import MOST_POINTS
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.translate import metric

WORST = 6


def agreement_blocks(context: Context, drawn: Callable[[Context, Judged], list[Block]] | None = None) -> list[Block]:
    """Return the figures in which every example can be looked at.

    Args:
        context: the model.
        drawn: returns the figures of one target; None: those of numbers or of classes.
    """
    words, drawn = context.words, drawn or answer_blocks
    blocks: list[Block] = []
    if not context.judged and not any(each.metrics for each in context.predictor.validation.targets):
        blocks.append(Paragraph(words("Nothing was held out, so there is nothing to compare.")))
    if context.gallery.sampled and context.judged:
        text = words(
            "There are many examples: a random sample of {count} and the worst ones are drawn as points. All "
            "figures count every example.",
            count=words.count(MOST_POINTS),
        )
        blocks.append(Paragraph(text))
    if not context.gallery.has_examples:
        blocks.append(Paragraph(words("The model was saved without its examples, so they cannot be drawn.")))
    if any(judged.aside for judged in context.judged):
        blocks.append(Paragraph(_aside(context)))
    blocks += context.left_out
    for judged in context.judged:
        blocks += [*context.heading(judged), *drawn(context, judged)]
    return blocks


def answer_blocks(context: Context, judged: Judged) -> list[Block]:
    """Return the figures of one target that is a class or a number."""
    return class_blocks(context, judged) if judged.classes else _regression(context, judged)


def _aside(context: Context) -> str:
    """Return what the examples are that stand for held-out ones where there is one fold."""
    words, (judged, *_) = context.words, context.judged
    return words(
        "With one fold nothing was held out from all networks. Shown are the {count} examples that single networks set "
        "aside while learning, each answered by these networks alone, as a rule one of {members}: {metric} {figure}. "
        "The examples of a test set are not kept in the model, so its mistakes cannot be shown.",
        count=words.count(len(judged)),
        members=context.predictor.validation.members,
        metric=metric(words, judged.summary.main, judged.summary.units),
        figure=words.figure(judged.summary.metrics[judged.summary.main]),
    )


def _regression(context: Context, judged: Judged) -> list[Block]:
    words = context.words
    shown = context.gallery.shown(judged)
    truth, mean = judged.truth[shown], judged.mean[shown]
    name, unit = judged.target.name, judged.target.unit
    figure = words.figure(judged.summary.metrics["rmse"], unit)
    plot = Plot(
        context.name("agreement", judged),
        words("{target}: predicted against true", target=name),
        words("On the dashed line predicted and true are equal; the vertical distance from it is the error."),
        plots.diagonal(truth, mean, marker={"size": 6, "opacity": 0.65}, hoverinfo="none"),
        plots.layout(
            plots.axis(with_unit(words("true {target}", target=name), unit)),
            plots.axis(with_unit(words("predicted {target}", target=name), unit)),
        ),
        words(
            "{count} points around the line where predicted equals true; root mean square error {figure}.",
            count=words.count(len(shown)),
            figure=figure,
        ),
        {
            "row": judged.rows[shown].tolist(),
            "fold": (judged.folds[shown] + 1).tolist(),
            "true": plots.numbers(truth),
            "predicted": plots.numbers(mean),
            "lower": plots.numbers(judged.lower[shown]),
            "upper": plots.numbers(judged.upper[shown]),
        },
        examples=[context.points(judged, shown)],
        height=460,
    )
    worst = np.argsort(-judged.error)[:WORST]
    return [
        plot,
        Paragraph(words("The largest errors of {target}", target=name), "head"),
        context.drawings(judged, worst),
    ]
