"""The verdict: the model in plain words, and what to be careful about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from amalthea.domains import domain
from amalthea.reporting.blocks import Block, Paragraph
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.translate import baseline, feature, metric, noun
from amalthea.validation.metrics import Figure, beats
from amalthea.validation.summary import TargetSummary

FEW = 200
FEW_IN_A_CLASS = 10


def verdict_blocks(
    context: Context, in_words: Callable[[Context, TargetSummary], str], main: Sequence[str] = ()
) -> list[Block]:
    """Return what was trained on what, how good it is, and what to be careful about.

    Args:
        context: the model.
        in_words: says how good the held-out answers for a target are.
        main: the metrics on a test set that are told; none given: the one by which models are compared.
    """
    blocks: list[Block] = [Paragraph(_trained(context))]
    for summary in context.predictor.validation.targets:
        blocks += _quality(context, summary, in_words, main or (summary.main,))
    return [*blocks, *cautions(context)]


def cautions(context: Context) -> list[Block]:
    """Return what the training set and the held-out answers give reason to say."""
    words = context.words
    sentences = [
        *_of_training_set(context),
        *(sentence for judged in context.everything for sentence in _of_target(context, judged)),
    ]
    if not sentences:
        return []
    return [Paragraph(words("Be careful:"), "head"), *(Paragraph(sentence, "care") for sentence in sentences)]


def _trained(context: Context) -> str:
    predictor, words = context.predictor, context.words
    known = predictor.validation
    values = {
        "networks": known.folds * known.members,
        "targets": context.learned(),
        "examples": noun(words, domain(predictor.domain).nouns, known.examples),
        "data": predictor.provenance.data,
        "features": " + ".join(feature(words, part.featurizer) for part in predictor.parts),
    }
    if not predictor.parts:
        model = baseline(words, known.targets[0].answering)
        return words("A simple model, “{model}”, learned {targets} from {examples} of “{data}”.", model=model, **values)
    if known.folds == 1:
        return words(
            "{networks} networks learned {targets} from {examples} of “{data}”; features: {features}.", **values
        )
    return words(
        "{networks} networks ({folds} folds × {members} members) learned {targets} from {examples} of “{data}”; "
        "features: {features}.",
        folds=known.folds,
        members=known.members,
        **values,
    )


def _quality(
    context: Context,
    summary: TargetSummary,
    in_words: Callable[[Context, TargetSummary], str],
    main: Sequence[str],
) -> list[Paragraph]:
    words, name = context.words, context.called(summary.target)
    if summary.metrics:
        blocks = [Paragraph(in_words(context, summary), "main"), *_compared(context, summary)]
        return [*blocks, Paragraph(_tested(context, summary, main))] if summary.test else blocks
    if summary.test:
        text = words(
            "{target}: nothing was held out in training (one fold), so this rests on the test set alone; there are no "
            "baselines to compare with. Choices made by looking at the test set would flatter the model.",
            target=name,
        )
        return [Paragraph(_tested(context, summary, main), "main"), Paragraph(text, "care")]
    text = words("{target}: nothing was held out, so no figure of this model can be trusted.", target=name)
    return [Paragraph(text, "care")]


def _tested(context: Context, summary: TargetSummary, main: Sequence[str]) -> str:
    """Return the main figures on the test set."""
    words, figures = context.words, summary.test or {}
    unit = summary.unit if summary.main == "rmse" else ""
    known = [name for name in main if name in figures]
    sentences = [f"{metric(words, name, summary.units)} {words.figure(figures[name], unit)}" for name in known]
    return words("On a test set of its own: {figures}.", figures="; ".join(sentences))


def _compared(context: Context, summary: TargetSummary) -> list[Paragraph]:
    """Return which baselines are beaten, in one sentence, and a sentence for each that is not."""
    words = context.words
    beaten, blocks = [], []
    known = {"metric": metric(words, summary.main, summary.units), "target": context.called(summary.target)}
    for name, difference in summary.differences.items():
        behind = Figure(-difference.value, difference.error)
        if beats(difference):
            beaten.append(words("{name} (by {figure})", name=baseline(words, name), figure=words.figure(difference)))
        elif beats(behind):
            sentence = words(
                "The baseline “{baseline}” is better at {target}, by {by} in {metric}: use it, or give the network "
                "more data or better features.",
                baseline=baseline(words, name),
                by=words.figure(behind),
                **known,
            )
            blocks.append(Paragraph(sentence, "care"))
        else:
            sentence = words(
                "Not clearly better than the baseline “{baseline}”: the difference is {by} in {metric}.",
                baseline=baseline(words, name),
                by=words.figure(difference),
                **known,
            )
            blocks.append(Paragraph(sentence, "care"))
    if beaten:
        sentence = words("Better in {metric} than these baselines: {names}.", names=", ".join(beaten), **known)
        blocks.insert(0, Paragraph(sentence, "good"))
    return blocks


def _of_training_set(context: Context) -> list[str]:
    """Return what the whole training set gives reason to say."""
    predictor, words = context.predictor, context.words
    sentences = []
    count = predictor.validation.examples
    if 0 < count < FEW:
        sentences.append(
            words(
                "Only {examples}: every figure here may move when more are measured.",
                examples=noun(words, domain(predictor.domain).nouns, count),
            )
        )
    refused = len(predictor.refused)
    if refused > 0.05 * (count + refused):
        sentences.append(
            words(
                "{share} of the rows could not be used: see “The data”.",
                share=words.percent(refused / (count + refused)),
            )
        )
    groups = predictor.examples.get("#group")
    if groups is not None and groups.nunique() < len(groups):
        copies = int(groups.duplicated(keep=False).sum())
        sentences.append(
            words.plural(
                "{n} example is a copy of another; copies were kept in one fold.",
                "{n} examples are copies of one another; copies were kept in one fold.",
                copies,
            )
        )
    left_out = sum(len(part.ensemble.history.left_out) for part in predictor.parts if part.ensemble.history)
    if left_out:
        sentences.append(
            words.plural(
                "{n} network diverged or had not begun, and takes no part.",
                "{n} networks diverged or had not begun, and take no part.",
                left_out,
            )
        )
    if any(part.ensemble.history and part.ensemble.history.interrupted for part in predictor.parts):
        sentences.append(words("The training was stopped before its end."))
    return sentences


def _of_target(context: Context, judged: Judged) -> list[str]:
    words, summary = context.words, judged.summary
    name = context.called(summary.target)
    sentences: list[str] = []
    if judged.aside:
        return sentences
    if judged.classes:
        for code, label in enumerate(judged.target.classes):
            members = int((judged.truth == code).sum())
            if members < FEW_IN_A_CLASS:
                sentences.append(
                    words.plural(
                        "Class “{label}” of {target} has {n} example: what is said of it is a guess.",
                        "Class “{label}” of {target} has {n} examples: what is said of it is a guess.",
                        members,
                        label=label,
                        target=name,
                    )
                )
        return sentences
    unit = judged.target.unit
    width, whole = np.median(judged.upper - judged.lower), np.ptp(np.quantile(judged.truth, [0.05, 0.95]))
    if not np.isfinite(width):
        sentences.append(words("There are too few examples of {target} for an interval.", target=name))
    elif width > 0.5 * whole:
        sentences.append(
            words(
                "The 90 % intervals of {target} are wide: half of them exceed {width}, while 90 % of all values lie "
                "within {whole}.",
                target=name,
                width=f"{words.number(float(width), 3)} {unit}".strip(),
                whole=f"{words.number(float(whole), 3)} {unit}".strip(),
            )
        )
    covered = summary.coverage
    if covered is not None and abs(covered.value - 0.9) > max(2 * covered.error, 0.02):
        sentences.append(
            words(
                "The 90 % intervals of {target} held {share} of the held-out values.",
                target=name,
                share=words.percent(covered.value),
            )
        )
    return sentences
