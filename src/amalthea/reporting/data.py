"""Section 7: distributions, refused rows, copies that contradict each other, and labels that are likely wrong."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.messages import shortened
from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot, Section, Table, Text
from amalthea.reporting.captions import with_unit
from amalthea.reporting.context import MOST_TARGETS, Context
from amalthea.reporting.examples import as_text
from amalthea.reporting.out_of_fold import MILLIELECTRONVOLTS, Judged
from amalthea.reporting.translate import noun, target_name

MOST_REFUSED = 30
MOST_COLUMNS = 40
OUTLIERS = 10
SURE = 0.9
FAR_OFF = 3.0
UNSURE = 1.5


def data(context: Context) -> Section:
    """Return what the training set looks like, and which of its rows deserve a second look."""
    words = context.words
    count = min(len(context.predictor.targets), MOST_TARGETS)
    labelled = [index for index in range(count) if _values(context, index).notna().any()]
    blocks: list[Block] = [*context.left_out, *(_distribution(context, index) for index in labelled)]
    if context.elsewhere:
        told = words(
            "It came without its training set: the ranges of the symmetry functions tell all that is known of it."
        )
        blocks.append(Paragraph(told))
    else:
        blocks += [*_columns(context), *_structures(context), *_refused(context), *_copies(context)]
    for judged in context.judged:
        blocks += _outliers(context, judged)
    if context.predictor.provenance.notes:
        notes = "\n".join(str(note) for note in context.predictor.provenance.notes)
        title = words("Notes (in English)") if context.elsewhere else words("Said while training (in English)")
        blocks.append(Text(title, notes))
    return Section(
        "data",
        words("The data"),
        words("What the networks were given, what was left out, and where the data seem to contradict themselves."),
        blocks,
    )


def _values(context: Context, index: int) -> pd.Series[Any]:
    """Return the labels of a target."""
    predictor = context.predictor
    name = "target" if len(predictor.targets) == 1 else f"{predictor.targets[index].name}_target"
    known = predictor.out_of_fold[name]
    sized = predictor.domain != "structures" or "atoms" in predictor.out_of_fold
    return known if sized else known.iloc[:0]  # energies mean nothing beside each other, unless by atom


def _distribution(context: Context, index: int) -> Plot:
    words, predictor = context.words, context.predictor
    target = predictor.targets[index]
    column = _values(context, index).dropna()
    what, unit = target.name, target.unit
    if predictor.domain == "structures":
        column = column / predictor.out_of_fold["atoms"].loc[column.index]
        what, unit = words("energy per atom"), words("eV/atom")
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
        values = column.to_numpy(np.float64)
        bins, edges = np.histogram(values, bins=min(40, max(8, round(len(values) ** 0.5))))
        counts, x = bins.tolist(), plots.numbers((edges[1:] + edges[:-1]) / 2)
        reading = words("How many examples have which value.")
        axis = plots.axis(with_unit(what, unit))
        low, middle, high = (words.number(float(v), 3) for v in np.quantile(values, [0, 0.5, 1]))
        alt = words("From {low} to {high}, half of them below {middle}.", low=low, middle=middle, high=high)
        table = {"from": plots.numbers(edges[:-1]), "to": plots.numbers(edges[1:]), "count": counts}
    bars = {"type": "bar", "x": x, "y": counts, "marker": {"color": "@blue"}, "hoverinfo": "x+y"}
    return Plot(name, title, reading, [bars], plots.layout(axis, count_axis, bargap=0.08), alt, table, height=300)


def _columns(context: Context) -> list[Block]:
    """Return the ranges of a table's columns."""
    words, examples = context.words, context.predictor.examples
    if context.predictor.domain != "tables" or not len(examples):
        return []
    names = [name for name in examples.columns if not str(name).startswith("#")]
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


def _structures(context: Context) -> list[Block]:
    """Return which elements the structures hold, and which labels they have."""
    words, examples = context.words, context.predictor.examples
    if context.predictor.domain != "structures" or not len(examples):
        return []
    counts = [Counter(atoms.get_chemical_symbols()) for atoms in examples["atoms"]]
    sizes = np.array([sum(own.values()) for own in counts])
    rows = []
    for element in sorted(set().union(*counts)):
        own = np.array([each[element] for each in counts])
        rows.append([element, words.count(int((own > 0).sum())), words.count(int(own.sum()))])
    labels = {words("energies"): examples["energy"].notna()}
    labels |= {words("forces"): examples["forces"].notna(), words("stresses"): examples["stress"].notna()}
    told = ", ".join(f"{name} {words.count(int(known.sum()))}" for name, known in labels.items())
    said = words(
        "A structure has {low} to {high} atoms, half of them at most {middle}. Labels: {labels}.",
        low=words.count(int(sizes.min())),
        high=words.count(int(sizes.max())),
        middle=words.count(int(np.median(sizes))),
        labels=told,
    )
    return [Paragraph(said), Table([words("element"), words("structures"), words("atoms")], rows)]


def _refused(context: Context) -> list[Block]:
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


def _copies(context: Context) -> list[Block]:
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
                "{n} example stands more than once ({rows} rows); copies share a fold.",
                "{n} examples stand more than once ({rows} rows); copies share a fold.",
                several,
                rows=words.count(int(groups.duplicated(keep=False).sum())),
            )
        )
    ]
    for judged in context.judged:
        found = contradictions(judged)
        if found:
            blocks.append(_contradictions(context, judged, found))
    return blocks


def _contradictions(context: Context, judged: Judged, found: list[NDArray[np.int64]]) -> Table:
    words, predictor = context.words, context.predictor
    places = {int(place): index for index, place in enumerate(judged.places)}
    rows = []
    scale = 1 / MILLIELECTRONVOLTS if judged.potential else 1.0
    for group in found[:OUTLIERS]:
        own = [places[int(place)] for place in group]
        values = [
            judged.label(judged.truth[i]) if judged.classes else words.number(scale * float(judged.truth[i]), 5)
            for i in own
        ]
        example = as_text(predictor.examples.iloc[int(group[0])])
        rows.append([", ".join(str(judged.rows[i]) for i in own[:8]), "; ".join(values[:8]), shortened(example)])
    caption = words.plural(
        "{n} group of copies contradicts itself in {target}.",
        "{n} groups of copies contradict themselves in {target}.",
        len(found),
        target=target_name(words, judged.summary),
    )
    return Table([words("rows"), words("values"), words("example")], rows, caption)


def suspicious(judged: Judged) -> NDArray[np.int64]:
    """Return the examples that are likely to have a wrong label, the likeliest first, ten at most.

    Numbers: the error is more than three of the predicted standard deviations, where that deviation is at
    most half again as large as its median. Classes: another class has a probability of at least 0.9.
    """
    if judged.classes:
        badness = judged.probabilities.max(axis=1)
        found = np.flatnonzero((judged.error > 0) & (badness >= SURE))
    else:
        badness = np.divide(judged.error, judged.std, out=np.zeros(len(judged)), where=judged.std > 0)
        found = np.flatnonzero((badness > FAR_OFF) & (judged.std <= UNSURE * np.median(judged.std)))
    return found[np.argsort(-badness[found], kind="stable")][:OUTLIERS].astype(np.int64)


def _outliers(context: Context, judged: Judged) -> list[Block]:
    words = context.words
    found = suspicious(judged)
    title = Paragraph(words("Worth a look in {target}", target=target_name(words, judged.summary)), "head")
    if not len(found):
        text = words("No held-out value is far from a sure answer: no label looks wrong.")
        return [title, Paragraph(text)]
    reading = words(
        "Here the networks were sure and far from the value in the file: a wrong label is likely, or something that "
        "{examples} cannot tell.",
        examples=noun(words, context.predictor.domain, context.predictor.validation.examples),
    )
    unit = words("eV/atom") if judged.potential else judged.target.unit
    titles = [with_unit(name, unit) for name in (words("true"), words("predicted"))]
    header = [words("row"), *([words("example")] if _in_words(context) else []), *titles, words("why")]
    return [title, Paragraph(reading), Table(header, [_suspect(context, judged, int(index)) for index in found])]


def _in_words(context: Context) -> bool:
    """Say whether an example can be told in a few words: a row of numbers and a picture cannot."""
    return context.gallery.has_examples and context.predictor.domain in ("molecules", "structures")


def _suspect(context: Context, judged: Judged, index: int) -> list[str]:
    words, place = context.words, int(judged.places[index])
    row = [str(judged.rows[index])]
    if _in_words(context):
        row.append(shortened(as_text(context.predictor.examples.iloc[place]), 80))
    if judged.classes:
        code = judged.named[index]
        why = words(
            "sure to {share} %", share=words.number(min(99.99, 100 * float(judged.probabilities[index, code])), 4)
        )
        return [*row, judged.label(judged.truth[index]), judged.label(code), why]
    error = float(judged.std[index])
    off = words.number(float(judged.error[index] / error), 2)
    why = words("off by {off} standard deviations", off=off)
    scale = 1 / MILLIELECTRONVOLTS if judged.potential else 1.0
    said = [words.rounded(scale * values[index], scale * error) for values in (judged.truth, judged.mean)]
    return [*row, *said, why]
