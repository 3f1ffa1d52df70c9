"""The sections of a report on columns."""

from __future__ import annotations

from collections import Counter

from amalthea.domains import domain
from amalthea.domains.protocol import Cited
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.attribution import attribution_blocks
from amalthea.reporting.blocks import Block, Section
from amalthea.reporting.calibration import certainty_blocks
from amalthea.reporting.citations import bibtex, works
from amalthea.reporting.context import MOST_TARGETS, Context
from amalthea.reporting.data import copies, distribution, field_ranges, labels, notes, outliers, refused_rows
from amalthea.reporting.learning import loss_blocks
from amalthea.reporting.methods import command, features_in_words, method_blocks, text
from amalthea.reporting.metrics import by_fold, figure_blocks
from amalthea.reporting.out_of_fold import held_out
from amalthea.reporting.parity import agreement_blocks
from amalthea.reporting.range import range_blocks
from amalthea.reporting.sections import section
from amalthea.reporting.summary import verdict_blocks
from amalthea.reporting.translate import Words
from amalthea.tasks.columns.report.learning_curve import curve_blocks
from amalthea.tasks.columns.report.methods import USUAL, layers, simple_text, with_classes
from amalthea.tasks.columns.report.quality import in_words
from amalthea.tasks.columns.report.validation_split import set_aside


def context(predictor: Predictor, words: Words, learning_curve: bool) -> Context:
    """Return the held-out answers of a model; with one fold those to the examples that single networks set aside."""
    return Context(predictor, words, held_out(predictor) or set_aside(predictor), learning_curve)


def sections(context: Context) -> list[Section]:
    """Return the sections, in the order in which they are read."""
    words = context.words
    unvalidated = words(
        "There is no validation loss: no examples were set aside while learning, so it cannot be seen where "
        "overfitting began; training with --patience sets a tenth of each network's rows aside and shows it."
    )
    learning = [*loss_blocks(context, unvalidated), *curve_blocks(context)] if context.predictor.parts else []
    return [
        section(context, "verdict", verdict_blocks(context, in_words)),
        section(context, "figures", _figures(context)),
        section(context, "agreement", agreement_blocks(context)),
        section(context, "certainty", certainty_blocks(context)),
        section(context, "range", range_blocks(context)),
        *([section(context, "learning", learning)] if learning else []),
        section(context, "importance", attribution_blocks(context)),
        section(context, "data", _data(context)),
        section(context, "methods", _methods(context)),
    ]


def _figures(context: Context) -> list[Block]:
    """Return the metrics of all targets, also of those that are not shown in detail."""
    answers = {each.target.name: each for each in context.everything}
    blocks: list[Block] = []
    for summary in context.predictor.validation.targets:
        judged = answers.get(summary.target) if summary.metrics else None
        folds = {} if judged is None else by_fold(judged)
        sizes = {} if judged is None else Counter(judged.folds.tolist())
        blocks += figure_blocks(context, summary, folds, sizes)
    return blocks


def _data(context: Context) -> list[Block]:
    """Return what the training set looks like, and which of its rows deserve a second look."""
    predictor = context.predictor
    values = {index: labels(context, index) for index in range(min(len(predictor.targets), MOST_TARGETS))}
    blocks: list[Block] = [
        *context.left_out,
        *(distribution(context, index, column) for index, column in values.items() if column.notna().any()),
        *field_ranges(context),
        *refused_rows(context),
        *copies(context),
    ]
    described = context.gallery.has_examples and domain(predictor.domain).in_words
    for judged in context.judged:
        blocks += outliers(context, judged, described)
    return [*blocks, *notes(context, context.words("Said while training (in English)"))]


def _methods(context: Context) -> list[Block]:
    predictor, kind = context.predictor, domain(context.predictor.domain)
    entries = works(predictor, "sklearn")
    if isinstance(kind, Cited):
        entries += kind.works([featurizer.name for featurizer in predictor.ready.featurizers])
    features = [features_in_words(context, featurizer) for featurizer in predictor.ready.featurizers]
    targets = ", ".join(with_classes(context, target) for target in predictor.targets)
    return method_blocks(
        context,
        (text if predictor.parts else simple_text)(context, targets, features),
        layers(context),
        command(predictor, USUAL, predictor.targets),
        bibtex(predictor, entries),
    )
