"""The sections of a report on a model of series."""

from __future__ import annotations

import dataclasses
import shlex

from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Block, Paragraph, Section
from amalthea.reporting.citations import bibtex, works
from amalthea.reporting.context import Context
from amalthea.reporting.data import notes, refused_rows
from amalthea.reporting.learning import loss_blocks
from amalthea.reporting.methods import command, method_blocks, text
from amalthea.reporting.metrics import figure_blocks
from amalthea.reporting.sections import section
from amalthea.reporting.summary import verdict_blocks
from amalthea.reporting.translate import Words
from amalthea.tasks.forecast.report import figures
from amalthea.tasks.forecast.report.citations import CONFORMAL, NORMALIZATION, SELECTION, THETA
from amalthea.tasks.forecast.report.context import ForecastContext
from amalthea.tasks.forecast.report.gradient import gradient_blocks
from amalthea.validation.summary import TargetSummary

USUAL = {"features": "auto", "network": "auto", "split": "random"}
"""Settings that the command need not say."""


def context(predictor: Predictor, words: Words, learning_curve: bool) -> ForecastContext:
    """Return the held-out forecasts of a model."""
    return ForecastContext(predictor, words, (), learning_curve)


def sections(context: Context) -> list[Section]:
    """Return the sections, in the order in which they are read."""
    assert isinstance(context, ForecastContext)
    words = context.words
    validation = context.predictor.validation
    over_all = dataclasses.replace(validation, targets=validation.compared)
    brief = dataclasses.replace(context, predictor=dataclasses.replace(context.predictor, validation=over_all))
    unvalidated = words("There were too few windows to set some aside for a validation loss.")
    future = words("Each part of the time was foretold by what had learned from the time before it alone.")
    return [
        section(context, "verdict", verdict_blocks(brief, in_words)),
        section(context, "figures", _figures(context), future),
        section(context, "agreement", [*figures.along_time(context), *figures.worst(context)], future),
        section(
            context,
            "certainty",
            [*figures.coverage(context), *figures.by_step(context), *figures.by_calendar(context)],
            words(
                "Intervals follow recent errors: their width moves with time, for each target and third of the steps."
            ),
        ),
        section(context, "learning", loss_blocks(context, unvalidated)),
        section(
            context,
            "importance",
            gradient_blocks(context),
            words("The gradient of what is foretold by what came before."),
        ),
        section(
            context,
            "data",
            [*refused_rows(context), *notes(context, words("Said while training (in English)"))],
        ),
        section(context, "methods", _methods(context)),
    ]


def in_words(context: Context, summary: TargetSummary) -> str:
    """Return how good the forecasts are, in a sentence."""
    words = context.words
    mase = summary.metrics.get("mase")
    if mase is None:
        return words("No error could be scaled: the series hardly move.")
    return words(
        "Forecasts of {target} are off by {mase} mean seasonal differences of the past (below 1 is better than "
        "repeating the last season one step ahead).",
        target=context.called(summary.target),
        mase=words.figure(mase),
    )


def _figures(context: ForecastContext) -> list[Block]:
    (summary,) = context.predictor.validation.compared
    note = context.words(
        "Standard errors are from forecasts whose futures do not overlap; scaled figures are in the spread of the part "
        "that was learned from."
    )
    return [
        *figure_blocks(context, summary, {}, {}, note=note),
        *figures.channels(context),
        *figures.explained(context),
    ]


def _methods(context: ForecastContext) -> list[Block]:
    predictor, words = context.predictor, context.words
    window = predictor.state.window
    sentence = words(
        "From the last {context} steps the next {horizon} are foretold; periods: {periods}. Networks and simple models "
        "are mixed, for each series, by what erred least in its past.",
        context=window.context,
        horizon=window.horizon,
        periods=", ".join(map(str, window.periods)) or words("none"),
    )
    again = _command(context)
    known = bibtex(predictor, [*works(predictor), CONFORMAL, SELECTION, NORMALIZATION, THETA])
    if not predictor.parts:
        return [Paragraph(sentence), *method_blocks(context, sentence, [], again, known)]
    judged = [
        words(
            "Forecasts were judged in {folds} parts of the last half of the time, each by what had learned from the "
            "time before it alone, less a gap of one horizon.",
            folds=predictor.validation.folds,
        ),
        words(
            "Standard errors are from forecasts whose futures do not overlap; scaled figures are in the spread of the "
            "part that was learned from."
        ),
        words("Intervals follow recent errors: their width moves with time, for each target and third of the steps."),
    ]
    methods = text(context, context.learned(), [words("windows of series")], [sentence], judged)
    return method_blocks(context, methods, [], again, known)


def _command(context: ForecastContext) -> str:
    """Return what trains the model again, with the options by which its file was read."""
    how, predictor = context.how, context.predictor
    words = [
        command(predictor, USUAL, predictor.targets),
        "--time",
        shlex.quote(how.time),
        "--horizon",
        str(how.horizon),
    ]
    for option, names in (("series", [how.series]), ("known", how.known), ("fixed", how.fixed)):
        for name in filter(None, names):
            words += [f"--{option}", shlex.quote(name)]
    return " ".join(words)
