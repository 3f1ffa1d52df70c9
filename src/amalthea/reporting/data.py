"""The data: distributions, refused rows, copies that contradict each other, and labels that are likely wrong."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.messages import shortened
from amalthea.domains import domain
from amalthea.domains.protocol import Fields
from amalthea.reporting import plots
from amalthea.reporting.attribution import parts_of
from amalthea.reporting.blocks import Block, Paragraph, Plot, Table, Text
from amalthea.reporting.captions import with_unit
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.translate import noun

MOST_REFUSED = 30
MOST_COLUMNS = 40
OUTLIERS = 10
SURE = 0.9
FAR_OFF = 3.0
UNSURE = 1.5


def labels(context: Context, index: int) -> pd.Series[Any]:
    """Return the values of a target by its number, NaN where there is none."""
    predictor = context.predictor
    name = "target" if len(predictor.targets) == 1 else f"{predictor.targets[index].name}_target"
    return predictor.out_of_fold[name]


def distribution(context: Context, index: int, values: pd.Series[Any], what: str = "", unit: str = "") -> Plot:
    """Return how the values of a target are distributed.

    Args:
        context: the model.
        index: the target's number.
        values: those that are known, as they are told.
        what: what they are called; "" for the target's name.
        unit: of theirs; "" for the target's.
    """
    words, target = context.words, context.predictor.targets[index]
    what, unit, column = what or target.name, unit or target.unit, values.dropna()
    name = f"distribution-{index + 1}"
    title = words("{target}: distribution", target=what)
    count_axis = plots.axis(words("examples"), rangemode="tozero")
    if target.task == "classification":
        counts = [int((column.astype(str) == label).sum()) for label in target.classes]
        reading = words("How many examples each class has.")
        x: list[Any] = list(range(len(counts)))
        names = [plots.label(label, 16) for label in target.classes]
        axis = {**plots.axis(target.name), "tickmode": "array", "tickvals": x, "ticktext": names}
        alt = ", ".join(
            f"{label}: {words.count(count)}" for label, count in zip(target.classes[:12], counts, strict=False)
        )
        table: dict[str, list[Any]] = {"class": list(target.classes), "count": counts}
    else:
        known = column.to_numpy(np.float64)
        bins, edges = np.histogram(known, bins=min(40, max(8, round(len(known) ** 0.5))))
        counts, x = bins.tolist(), plots.numbers((edges[1:] + edges[:-1]) / 2)
        reading = words("How many examples have which value.")
        axis = plots.axis(with_unit(what, unit))
        low, middle, high = (words.number(float(v), 3) for v in np.quantile(known, [0, 0.5, 1]))
        alt = words("From {low} to {high}, half of them below {middle}.", low=low, middle=middle, high=high)
        table = {"from": plots.numbers(edges[:-1]), "to": plots.numbers(edges[1:]), "count": counts}
    bars = {"type": "bar", "x": x, "y": counts, "marker": {"color": "@blue"}, "hoverinfo": "x+y"}
    return Plot(name, title, reading, [bars], plots.layout(axis, count_axis, bargap=0.08), alt, table, height=300)


def field_ranges(context: Context) -> list[Block]:
    """Return the ranges of the fields that all examples have."""
    words, examples = context.words, context.predictor.examples
    parts = parts_of(context)
    if not isinstance(parts, Fields) or not len(examples):
        return []
    names = parts.names
    rows = []
    for name in names[:MOST_COLUMNS]:
        column = examples[name]
        missing = words.count(int(column.isna().sum()))
        if pd.api.types.is_numeric_dtype(column) and column.notna().any():
            spread = [words.number(float(v), 4) for v in column.quantile([0, 0.5, 1])]
        else:
            common = ", ".join(f"{shortened(str(v), 20)} ({n})" for v, n in column.value_counts().head(3).items())
            spread = ["", common, ""]
        rows.append([str(name), *spread, missing])
    header = [words("column"), words("lowest"), words("median, or the commonest"), words("highest"), words("missing")]
    caption = words("The columns that are learned from ({count}).", count=len(names))
    return [Table(header, rows, caption)]


def refused_rows(context: Context) -> list[Block]:
    """Return the rows that could not be used, with the reasons."""
    words, refused = context.words, context.predictor.refused
    if not refused:
        return [Paragraph(words("No row was refused."))]
    reasons = Counter(refusal.reason for refusal in refused)
    caption = words.plural("{n} row was refused.", "{n} rows were refused.", len(refused))
    if len(refused) > MOST_REFUSED:
        common = "; ".join(f"{shortened(reason, 80)} ({n})" for reason, n in reasons.most_common(5))
        caption += " " + words(
            "The first {count} are listed; the commonest reasons: {common}.", count=MOST_REFUSED, common=common
        )
    rows = [[str(r.row), shortened(r.example, 60), shortened(r.reason, 160)] for r in refused[:MOST_REFUSED]]
    return [Table([words("row"), words("example"), words("reason (in English)")], rows, caption)]


def contradictions(judged: Judged) -> list[NDArray[np.int64]]:
    """Return the groups of copies whose values differ, the worst first, each as places in the training set.

    Classes contradict each other where they differ; numbers where they differ by more than the root mean square error.
    """
    order = np.argsort(judged.groups, kind="stable")
    limits = np.flatnonzero(np.diff(judged.groups[order])) + 1
    copies = [rows for rows in np.split(order, limits) if len(rows) > 1]
    least = 0.5 if judged.classes else float(np.sqrt(np.mean(judged.error**2)))
    wide = [(float(np.ptp(judged.truth[rows])), rows) for rows in copies]
    return [judged.places[rows] for width, rows in sorted(wide, key=lambda each: -each[0]) if width > least]


def copies(context: Context) -> list[Block]:
    """Return how many examples stand more than once, and where their values contradict each other."""
    words, predictor = context.words, context.predictor
    if "#group" not in predictor.examples:
        return [Paragraph(words("The examples were not saved, so copies cannot be looked for."))]
    groups = predictor.examples["#group"]
    several = int(groups[groups.duplicated()].nunique())
    if not several:
        return [Paragraph(words("No example stands more than once."))]
    blocks: list[Block] = [
        Paragraph(
            words.plural(
                "{n} example stands more than once ({rows} rows).",
                "{n} examples stand more than once ({rows} rows).",
                several,
                rows=words.count(int(groups.duplicated(keep=False).sum())),
            )
        )
    ]
    for judged in context.judged:
        groups_apart = contradictions(judged)
        if groups_apart:
            blocks.append(_contradictions(context, judged, groups_apart))
    return blocks


def _contradictions(context: Context, judged: Judged, groups: list[NDArray[np.int64]]) -> Table:
    words = context.words
    indices = {int(position): index for index, position in enumerate(judged.places)}
    rows = []
    for group in groups[:OUTLIERS]:
        members = [indices[int(position)] for position in group]
        values = [
            judged.label(judged.truth[i])
            if judged.classes
            else words.number(judged.listed_scale * float(judged.truth[i]), 5)
            for i in members
        ]
        example = context.gallery.text(int(group[0]))
        rows.append([", ".join(str(judged.rows[i]) for i in members[:8]), "; ".join(values[:8]), shortened(example)])
    caption = words.plural(
        "{n} group of copies contradicts itself in {target}.",
        "{n} groups of copies contradict themselves in {target}.",
        len(groups),
        target=context.called(judged.summary.target),
    )
    return Table([words("rows"), words("values"), words("example")], rows, caption)


def suspicious(judged: Judged) -> NDArray[np.int64]:
    """Return the examples that are likely to have a wrong label, the likeliest first, ten at most.

    Numbers: the error is more than three of the predicted standard deviations, where that deviation is at
    most half again as large as its median. Classes: another class has a probability of at least 0.9.
    """
    if judged.classes:
        badness = judged.probabilities.max(axis=1)
        wrong = np.flatnonzero((judged.error > 0) & (badness >= SURE))
    else:
        badness = np.divide(judged.error, judged.std, out=np.zeros(len(judged)), where=judged.std > 0)
        wrong = np.flatnonzero((badness > FAR_OFF) & (judged.std <= UNSURE * np.median(judged.std)))
    return wrong[np.argsort(-badness[wrong], kind="stable")][:OUTLIERS].astype(np.int64)


def outliers(context: Context, judged: Judged, described: bool) -> list[Block]:
    """Return the examples whose labels are likely wrong.

    Args:
        context: the model.
        judged: the target.
        described: an example can be told in a few words: a row of numbers and a picture cannot.
    """
    words = context.words
    suspects = suspicious(judged)
    title = Paragraph(words("Worth a look in {target}", target=context.called(judged.summary.target)), "head")
    if not len(suspects):
        text = words("No held-out value is far from a sure answer: no label looks wrong.")
        return [title, Paragraph(text)]
    nouns = domain(context.predictor.domain).nouns
    reading = words(
        "Here the networks were sure and far from the value in the file: a wrong label is likely, or something that "
        "{examples} cannot tell.",
        examples=noun(words, nouns, context.predictor.validation.examples),
    )
    unit = judged.listed_unit or judged.target.unit
    titles = [with_unit(name, unit) for name in (words("true"), words("predicted"))]
    header = [words("row"), *([words("example")] if described else []), *titles, words("why")]
    rows = [_suspect(context, judged, int(index), described) for index in suspects]
    return [title, Paragraph(reading), Table(header, rows)]


def _suspect(context: Context, judged: Judged, index: int, described: bool) -> list[str]:
    words = context.words
    row = [str(judged.rows[index])]
    if described:
        row.append(shortened(context.gallery.text(int(judged.places[index])), 80))
    if judged.classes:
        code = judged.named[index]
        why = words(
            "sure to {share} %", share=words.number(min(99.99, 100 * float(judged.probabilities[index, code])), 4)
        )
        return [*row, judged.label(judged.truth[index]), judged.label(code), why]
    error, scale = float(judged.std[index]), judged.listed_scale
    why = words("off by {off} standard deviations", off=words.number(float(judged.error[index] / error), 2))
    values = [words.rounded(scale * end[index], scale * error) for end in (judged.truth, judged.mean)]
    return [*row, *values, why]


def notes(context: Context, title: str) -> list[Block]:
    """Return what the training said."""
    kept = context.predictor.provenance.notes
    return [Text(title, "\n".join(str(note) for note in kept))] if kept else []
