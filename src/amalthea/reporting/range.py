"""Where a model may be asked: the training set as a map, and on it what was asked."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Inputs
from amalthea.datasets.messages import shortened
from amalthea.domains import domain
from amalthea.predictor.outside import Counts
from amalthea.predictor.predictor import Predictor
from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot, Table
from amalthea.reporting.context import Context
from amalthea.tasks import task
from amalthea.training.prediction import Prediction
from amalthea.validation.applicability_domain import references
from amalthea.validation.multidimensional_scaling import plane

MOST_KNOWN, MOST_ASKED, LISTED = 1_000, 2_000, 10
"""Training examples and asked ones that are drawn, and the farthest of these that are listed."""

AT_ONCE = 5_000


@dataclasses.dataclass(frozen=True, eq=False)
class _Asked:
    """The first examples of a file, and counts of all.

    Args:
        counts: of all.
        names: of those that were answered among the first, shape (n,).
        features: where they lie, shape (n, d).
        outside: shape (n,).
        applicability: shape (n,).
    """

    counts: Counts
    names: list[str]
    features: NDArray[np.float32]
    outside: NDArray[np.bool_]
    applicability: NDArray[np.float64]


def range_blocks(context: Context) -> list[Block]:
    """Return a map of the training set with the asked examples, the share inside, and the nearest known examples."""
    words, predictor = context.words, context.predictor
    if not len(predictor.examples):
        return [Paragraph(words("The model was saved without its examples: there is no map of them."))]
    asked = None if context.asked is None else _ask(predictor, context.asked)
    rows = np.random.default_rng(context.seed).permutation(len(predictor.examples))[:MOST_KNOWN]
    examples = predictor.examples.iloc[rows]
    known = task(predictor.task).positions(predictor, _inputs(examples))
    blocks: list[Block] = []
    if asked is not None:
        blocks += [*_sentences(context, asked)]
    good = np.isfinite(known).any(axis=1)
    if good.sum() > 2:
        blocks.append(_map(context, examples.iloc[np.flatnonzero(good)], known[good], asked))
    if asked is not None and asked.names:
        blocks.append(_farthest(context, asked))
    return blocks


def _inputs(examples: pd.DataFrame) -> Inputs:
    nothing = np.full(len(examples), "", object)
    return Inputs(examples, examples, nothing, nothing)


def _ask(predictor: Predictor, path: Path) -> _Asked:
    """Answer all examples of a file; keep where the first lie."""
    kind, answers = domain(predictor.domain), task(predictor.task)
    counts, names = Counts(), list[str]()
    features, outside, applicability = [], [], []
    for inputs in kind.read_inputs(path, dict(predictor.input_state), AT_ONCE):
        prediction = predictor.answer(inputs)
        counts.add(answers.columns(predictor, prediction, inputs.table.index))
        rows = np.flatnonzero(np.asarray(prediction.problems) == "")[: MOST_ASKED - len(names)]
        if not len(rows):
            continue
        examples = inputs.examples.iloc[rows]
        names += kind.describe(examples)
        features.append(answers.positions(predictor, _inputs(examples)))
        outside.append(_flags(prediction)[rows])
        applicability.append(np.asarray(prediction.applicability)[rows])
    if not names:
        return _Asked(counts, [], np.empty((0, 0), np.float32), np.empty(0, bool), np.empty(0))
    return _Asked(counts, names, np.concatenate(features), np.concatenate(outside), np.concatenate(applicability))


def _flags(prediction: Prediction) -> NDArray[np.bool_]:
    return np.zeros(len(prediction), bool) if prediction.outside is None else prediction.outside


def _sentences(context: Context, asked: _Asked) -> list[Block]:
    words, counts = context.words, asked.counts
    share = words.number(100 * (1 - counts.outside / max(1, counts.predicted)), 3)
    text = words(
        "Of {count} asked examples {share} % lie inside of what was learned; {outside} lie outside.",
        count=words.count(counts.predicted),
        share=share,
        outside=words.count(counts.outside),
    )
    blocks: list[Block] = [Paragraph(text, "care" if counts.outside else "good")]
    if counts.problems:
        blocks.append(Paragraph(words("{count} could not be answered.", count=words.count(counts.problems)), "care"))
    return blocks


def _map(context: Context, examples: pd.DataFrame, known: NDArray[np.float32], asked: _Asked | None) -> Plot:
    words, predictor = context.words, context.predictor
    place = plane(known, predictor.applicability.metric)
    groups = [(words("training examples"), place(known), domain(predictor.domain).describe(examples))]
    if asked is not None and asked.names:
        places = place(asked.features)
        for name, rows in ((words("inside"), ~asked.outside), (words("outside"), asked.outside)):
            chosen = np.flatnonzero(rows)
            groups.append((name, places[chosen], [asked.names[row] for row in chosen]))
    # What lies farther than one width of the training set is drawn at the rim.
    low, high = groups[0][1].min(axis=0), groups[0][1].max(axis=0)
    width = np.maximum(high - low, 1e-9)
    traces: list[Any] = []
    table: dict[str, list[Any]] = {"set": [], "example": [], "x": [], "y": []}
    for style, (name, places, texts) in enumerate(groups):
        if not len(texts):
            continue
        inside = np.clip(places, low - width, high + width)
        hover = [plots.label(shortened(text, 120)) for text in texts]
        marker = {"size": 6 if style == 0 else 9, "opacity": 0.5 if style == 0 else 0.9}
        shown = {"text": hover, "hovertemplate": "%{text}<extra></extra>", "marker": marker}
        traces.append(plots.points(inside[:, 0], inside[:, 1], name, style, **shown))
        table["set"] += [name] * len(texts)
        table["example"] += texts
        table["x"] += plots.numbers(places[:, 0])
        table["y"] += plots.numbers(places[:, 1])
    hidden: dict[str, Any] = {"showticklabels": False, "zeroline": False}
    axes = [plots.axis(title, **hidden) for title in (words("first direction"), words("second direction"))]
    return Plot(
        "range-map",
        words("A map of what was learned"),
        words("Near points are alike to the features; the axes have no unit, and two dimensions cannot show all."),
        traces,
        plots.layout(*axes),
        words("{count} training examples on a plane.", count=words.count(len(examples))),
        table,
    )


def _farthest(context: Context, asked: _Asked) -> Table:
    """Return the asked examples that lie farthest, each with the training example that is nearest to it."""
    words, predictor = context.words, context.predictor
    order = np.lexsort((-asked.applicability, ~asked.outside))[:LISTED]
    nearest, _ = predictor.applicability.nearest(asked.features[order], 1)
    rows = references(len(predictor.examples), context.seed)[nearest[:, 0]]
    texts = domain(predictor.domain).describe(predictor.examples.iloc[rows])
    cells = [
        (
            shortened(asked.names[row], 80),
            words("outside") if asked.outside[row] else words("inside"),
            words.number(float(asked.applicability[row]), 3),
            shortened(text, 80),
        )
        for row, text in zip(order.tolist(), texts, strict=True)
    ]
    header = (words("example"), "", words("farther than % of the training examples"), words("nearest known example"))
    return Table(header, cells, words("The asked examples that lie farthest from the training set."))
