"""The learning curve of a potential: potentials trained anew on parts of the structures."""

from __future__ import annotations

from amalthea.errors import AmaltheaError
from amalthea.potentials.refit import force_curve
from amalthea.reporting.blocks import Block, Paragraph
from amalthea.reporting.context import Context
from amalthea.reporting.learning_curve import curve_plot, not_asked


def curve_blocks(context: Context) -> list[Block]:
    """Return the learning curve of the forces, if it was asked for and the model kept what it needs."""
    words, predictor = context.words, context.predictor
    if not context.learning_curve:
        return [not_asked(context)]
    try:
        curve = force_curve(predictor.ready)
    except AmaltheaError:
        return [Paragraph(words("A learning curve needs the examples in the model, and folds."))]
    plot = curve_plot(
        context,
        "learning-curve-forces",
        words("Forces: error against the number of training structures"),
        (words("training structures"), words("mean absolute error of the forces (eV/Å)")),
        curve.sizes,
        curve.errors,
        curve.doubling,
        words(
            "Each point: one network a fold, at most three folds, in as many steps as with all structures; judged on "
            "all held-out structures."
        ),
    )
    return [plot]
