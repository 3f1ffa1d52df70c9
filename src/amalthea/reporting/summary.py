"""Section 1: the model in plain words, and what to be careful about."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from amalthea.potentials.report.methods import imported
from amalthea.reporting.blocks import Paragraph, Section
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.translate import Words, baseline, feature, joined, metric, noun, target_name, unit
from amalthea.validation.metrics import Figure, beats
from amalthea.validation.summary import TargetSummary

FEW = 200
FEW_IN_A_CLASS = 10


def verdict(context: Context) -> Section:
    """Return what was trained on what, how good it is, and what to be careful about."""
    words = context.words
    blocks = imported(context) if context.elsewhere else [Paragraph(_trained(context))]
    for summary in context.predictor.validation.targets if not context.elsewhere else ():
        blocks += _quality(context, summary)
    cautions = [*_cautions(context), *(text for each in context.everything for text in _target_cautions(context, each))]
    if cautions:
        blocks.append(Paragraph(words("Be careful:"), "head"))
        blocks += [Paragraph(text, "care") for text in cautions]
    return Section(
        "verdict",
        words("Verdict"),
        words("The sentences below follow from the figures of this model alone; ± is one standard error."),
        blocks,
    )


def _trained(context: Context) -> str:
    predictor, words = context.predictor, context.words
    known = predictor.validation
    told = {
        "networks": known.folds * known.members,
        "targets": learned(context),
        "examples": noun(words, predictor.domain, known.examples),
        "data": predictor.provenance.data,
        "features": " + ".join(feature(words, part.featurizer.name) for part in predictor.parts),
    }
    if known.folds == 1:
        return words("{networks} networks learned {targets} from {examples} of “{data}”; features: {features}.", **told)
    return words(
        "{networks} networks ({folds} folds × {members} members) learned {targets} from {examples} of “{data}”; "
        "features: {features}.",
        folds=known.folds,
        members=known.members,
        **told,
    )


def learned(context: Context) -> str:
    """Return what was learned: the targets, or of a potential the kinds of its labels."""
    words, (first, *_) = context.words, context.predictor.validation.targets
    if first.task != "potential":
        return ", ".join(target.name for target in context.predictor.targets)
    kinds = {"energy": words("energies"), "force": words("forces"), "stress": words("stresses")}
    known = {**first.metrics, **(first.test or {})}
    if context.elsewhere:
        return joined(words, list(kinds.values()))
    return joined(words, [name for kind, name in kinds.items() if f"{kind}_mae" in known] or [kinds["energy"]])


def _quality(context: Context, summary: TargetSummary) -> list[Paragraph]:
    words = context.words
    blocks = []
    if summary.metrics:
        said = _potential_in_words if summary.task == "potential" else _in_words
        blocks.append(Paragraph(said(context, summary), "main"))
        blocks += _compared(context, summary)
    elif summary.test:
        blocks.append(Paragraph(_tested(context, summary), "main"))
        text = words(
            "{target}: nothing was held out in training (one fold), so this rests on the test set alone; there are no "
            "baselines to compare with. Choices made by looking at the test set would flatter the model.",
            target=target_name(words, summary),
        )
        return [*blocks, Paragraph(text, "care")]
    else:
        text = words(
            "{target}: nothing was held out, so no figure of this model can be trusted.",
            target=target_name(words, summary),
        )
        blocks.append(Paragraph(text, "care"))
    if summary.test:
        blocks.append(Paragraph(_tested(context, summary)))
    return blocks


def _tested(context: Context, summary: TargetSummary) -> str:
    """Return the main figures on the test set."""
    words, found = context.words, summary.test or {}
    names = ("energy_mae", "force_mae", "stress_mae") if summary.task == "potential" else (summary.main,)
    unit = summary.unit if summary.main == "rmse" else ""
    told = [
        f"{metric(words, name, summary.units)} {words.figure(found[name], unit)}" for name in names if name in found
    ]
    return words("On a test set of its own: {figures}.", figures="; ".join(told))


def _potential_in_words(context: Context, summary: TargetSummary) -> str:
    """Return how far off energies, forces and stresses are, and how large the forces are beside that."""
    words, own = context.words, summary.metrics
    told = {
        "energy_mae": words("{figure} in the energies", figure=_told(words, own, "energy_mae", words("meV/atom"))),
        "force_mae": words("{figure} in the force components", figure=_told(words, own, "force_mae", "eV/Å")),
        "stress_mae": words("{figure} in the stresses", figure=_told(words, own, "stress_mae", "GPa")),
    }
    said = words(
        "Mean absolute errors on structures that the answering networks had never seen: {errors}.",
        errors=joined(words, [text for name, text in told.items() if name in own]),
    )
    size = next((found["force_mae"].value for found in summary.baselines.values() if "force_mae" in found), math.nan)
    if "force_mae" not in own or not size > 0:
        return said
    share = words.percent(own["force_mae"].value / size)
    own_size = words.number(size, 2)
    return f"{said} " + words(
        "A force component is {size} eV/Å on average: its error is {share} of that.", size=own_size, share=share
    )


def _told(words: Words, own: Mapping[str, Figure], name: str, unit: str) -> str:
    return words.figure(own[name], unit) if name in own else ""


def _in_words(context: Context, summary: TargetSummary) -> str:
    words, own = context.words, summary.metrics
    main = own[summary.main]
    head = words(
        "{target}: {metric} {figure} on examples that the answering networks had never seen.",
        target=target_name(words, summary),
        metric=metric(words, summary.main, summary.units),
        figure=words.figure(main, summary.unit if summary.main == "rmse" else ""),
    )
    if summary.task == "regression" and "r2" in own:
        said = words(
            "That is the size of a typical error; {share} of the variance is explained (R²).",
            share=words.percent(max(own["r2"].value, 0.0)),
        )
    elif summary.main == "roc_auc":
        said = words(
            "Of two examples, one of each class, it ranks the right one first {count} times out of 100.",
            count=round(100 * main.value) if math.isfinite(main.value) else "?",
        )
    else:
        said = words("It names the right class for {count} of 100 examples.", count=round(100 * main.value))
    return f"{head} {said}"


def _compared(context: Context, summary: TargetSummary) -> list[Paragraph]:
    """Return which baselines are beaten, in one sentence, and a sentence for each that is not."""
    words = context.words
    beaten, blocks = [], []
    told = {"metric": metric(words, summary.main, summary.units), "target": target_name(words, summary)}
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
                **told,
            )
            blocks.append(Paragraph(sentence, "care"))
        else:
            sentence = words(
                "Not clearly better than the baseline “{baseline}”: the difference is {by} in {metric}.",
                baseline=baseline(words, name),
                by=words.figure(difference),
                **told,
            )
            blocks.append(Paragraph(sentence, "care"))
    if beaten:
        sentence = words("Better in {metric} than these baselines: {names}.", names=", ".join(beaten), **told)
        blocks.insert(0, Paragraph(sentence, "good"))
    return blocks


def _cautions(context: Context) -> list[str]:
    """Return what the whole training set gives reason to say."""
    predictor, words = context.predictor, context.words
    cautions = []
    count = predictor.validation.examples
    if 0 < count < FEW:
        cautions.append(
            words(
                "Only {examples}: every figure here may move when more are measured.",
                examples=noun(words, predictor.domain, count),
            )
        )
    refused = len(predictor.refused)
    if refused > 0.05 * (count + refused):
        cautions.append(
            words(
                "{share} of the rows could not be used: see “The data”.",
                share=words.percent(refused / (count + refused)),
            )
        )
    groups = predictor.examples.get("#group")
    if groups is not None and groups.nunique() < len(groups):
        copies = int(groups.duplicated(keep=False).sum())
        cautions.append(
            words.plural(
                "{n} example is a copy of another; copies were kept in one fold.",
                "{n} examples are copies of one another; copies were kept in one fold.",
                copies,
            )
        )
    left_out = sum(len(part.ensemble.history.left_out) for part in predictor.parts if part.ensemble.history)
    if left_out:
        cautions.append(
            words.plural(
                "{n} network diverged or had not begun, and takes no part.",
                "{n} networks diverged or had not begun, and take no part.",
                left_out,
            )
        )
    if any(part.ensemble.history and part.ensemble.history.interrupted for part in predictor.parts):
        cautions.append(words("The training was stopped before its end."))
    return cautions


def _target_cautions(context: Context, judged: Judged) -> list[str]:
    words, summary = context.words, judged.summary
    cautions: list[str] = []
    if judged.aside:
        return cautions
    if judged.classes:
        for code, label in enumerate(judged.target.classes):
            members = int((judged.truth == code).sum())
            if members < FEW_IN_A_CLASS:
                cautions.append(
                    words.plural(
                        "Class “{label}” of {target} has {n} example: what is said of it is a guess.",
                        "Class “{label}” of {target} has {n} examples: what is said of it is a guess.",
                        members,
                        label=label,
                        target=target_name(words, summary),
                    )
                )
        return cautions
    symbol = unit(words, judged.target.unit)
    width, whole = np.median(judged.upper - judged.lower), np.ptp(np.quantile(judged.truth, [0.05, 0.95]))
    if not np.isfinite(width):
        cautions.append(
            words("There are too few examples of {target} for an interval.", target=target_name(words, summary))
        )
    elif width > 0.5 * whole:
        cautions.append(
            words(
                "The 90 % intervals of {target} are wide: half of them exceed {width}, while 90 % of all values lie "
                "within {whole}.",
                target=target_name(words, summary),
                width=f"{words.number(float(width), 3)} {symbol}".strip(),
                whole=f"{words.number(float(whole), 3)} {symbol}".strip(),
            )
        )
    covered = summary.coverage
    if covered is not None and abs(covered.value - 0.9) > max(2 * covered.error, 0.02):
        cautions.append(
            words(
                "The 90 % intervals of {target} held {share} of the held-out values.",
                target=target_name(words, summary),
                share=words.percent(covered.value),
            )
        )
    return cautions
