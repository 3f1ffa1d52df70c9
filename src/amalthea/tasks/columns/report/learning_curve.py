"""The learning curves of columns: networks trained anew on parts of the examples."""

from __future__ import annotations

from amalthea.reporting.blocks import Block, Paragraph, Plot
from amalthea.reporting.captions import with_unit
from amalthea.reporting.context import Context
from amalthea.reporting.learning_curve import curve_plot, not_asked
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.out_of_fold_predict import keeps_held_out
from amalthea.tasks.columns.learning_curve import FEWEST_ROWS, learning_curve
from amalthea.tasks.columns.refit import material
from amalthea.validation.learning_curve import LearningCurve
from amalthea.validation.metrics import Figure


def curve_blocks(context: Context) -> list[Block]:
    """Return the learning curves, if they were asked for and the model kept what they need."""
    words, predictor = context.words, context.predictor
    if not context.learning_curve:
        return [not_asked(context)]
    if not keeps_held_out(predictor) or not context.judged:
        return [Paragraph(words("A learning curve needs the examples in the model, and folds."))]
    blocks: list[Block] = []
    for judged in context.judged:
        if len(judged) < FEWEST_ROWS:
            text = words("{target}: too few examples for a learning curve.", target=judged.target.name)
            blocks.append(Paragraph(text))
        else:
            curve = learning_curve(material(predictor, places=judged.places), judged.target)
            blocks.append(_of_target(context, judged, curve))
    return blocks


def _of_target(context: Context, judged: Judged, curve: LearningCurve) -> Plot:
    words = context.words
    scale = 100 if judged.classes else 1
    title = words("mistakes (%)") if judged.classes else with_unit(words("root mean square error"), judged.target.unit)
    return curve_plot(
        context,
        context.name("learning-curve", judged),
        words("{target}: error against the number of training examples", target=judged.target.name),
        (words("training examples"), title),
        curve.sizes,
        [Figure(scale * each.value, scale * each.error) for each in curve.errors],
        curve.doubling,
        words("Each point: two networks a fold, judged on all held-out examples."),
    )
