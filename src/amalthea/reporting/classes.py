"""What a classification's answers look like beside the truth: confusion, ROC, precision and recall, mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.validation.metrics import score

Array = NDArray[np.float64]

MOST_CURVES = 4
MOST_CLASSES = 30
MISTAKES = 8
GRID = np.linspace(0, 1, 101)


def class_blocks(context: Context, judged: Judged) -> list[Block]:
    """Return the figures of a classification."""
    words = context.words
    blocks: list[Block] = [_probabilities(context, judged)]
    if len(judged.target.classes) <= MOST_CLASSES:
        blocks.append(_confusion(context, judged))
    else:
        blocks.append(Paragraph(words("There are too many classes to draw a confusion matrix.")))
    curves = _curve_classes(judged)
    if curves:
        blocks += [_roc(context, judged, curves), _precision_recall(context, judged, curves)]
    else:
        blocks.append(Paragraph(words("ROC and precision-recall curves need at least 5 examples of two classes.")))
    return [*blocks, *_mistakes(context, judged)]


def _probabilities(context: Context, judged: Judged) -> Plot:
    words = context.words
    shown = context.gallery.shown(judged)
    right = judged.named[shown] == judged.truth[shown]
    height = judged.truth[shown] + np.random.default_rng(context.seed).uniform(-0.32, 0.32, len(shown))
    traces, examples = [], []
    for style, (rows, name) in enumerate(((right, words("right")), (~right, words("wrong")))):
        marker = {"size": 6, "opacity": 0.65, "symbol": "circle" if style == 0 else "x"}
        traces.append(
            plots.points(judged.mean[shown][rows], height[rows], name, style, marker=marker, hoverinfo="none")
        )
        examples.append(
            [
                (context.gallery.number(judged.places[i]), "\n".join(context.caption(judged, int(i))))
                for i in shown[rows]
            ]
        )
    return Plot(
        context.name("agreement", judged),
        words("{target}: the probability given to the true class", target=judged.target.name),
        words("Each point is an example in the line of its true class; points on the right were recognised surely."),
        traces,
        plots.layout(
            plots.axis(words("probability of the true class"), range=[-0.03, 1.03]),
            plots.axis(words("true class"), **plots.names_axis(judged.target.classes, 16)),
        ),
        words(
            "{right} of {count} drawn examples are named rightly.",
            right=words.count(int(right.sum())),
            count=words.count(len(shown)),
        ),
        {
            "row": judged.rows[shown].tolist(),
            "fold": (judged.folds[shown] + 1).tolist(),
            "true": [judged.label(code) for code in judged.truth[shown]],
            "predicted": [judged.label(code) for code in judged.named[shown]],
            "probability_of_true": plots.numbers(judged.mean[shown]),
        },
        examples=examples,
        height=max(320, 120 + 60 * min(len(judged.target.classes), 10)),
    )


def confusion(judged: Judged) -> NDArray[np.int64]:
    """Return how many examples of each true class (row) were named as each class (column)."""
    width = len(judged.target.classes)
    places = judged.truth.astype(np.int64) * width + judged.named
    return np.bincount(places, minlength=width**2).reshape(width, width)


def _confusion(context: Context, judged: Judged) -> Plot:
    words = context.words
    counts = confusion(judged)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ticks = plots.names_axis(judged.target.classes, 16)
    labels = list(judged.target.classes)
    order = np.argwhere(np.ones_like(counts, bool))
    heat = {
        "type": "heatmap",
        "z": [plots.numbers(row) for row in shares],
        "zmin": 0,
        "zmax": 1,
        "colorscale": "heat",
        "text": [[words.count(int(count)) for count in row] for row in counts],
        "texttemplate": "%{text}" if len(labels) <= 15 else "",
        "hoverinfo": "text",
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"title": {"text": words("share of the true class"), "side": "right"}, "thickness": 12},
    }
    missed = counts.copy()
    np.fill_diagonal(missed, 0)
    true, named = np.unravel_index(int(missed.argmax()), missed.shape)
    return Plot(
        context.name("confusion", judged),
        words("{target}: confusion matrix", target=judged.target.name),
        words("A row is a true class, a column what the networks called it; the number counts examples."),
        [heat],
        plots.layout(
            plots.axis(words("predicted class"), **ticks),
            plots.axis(words("true class"), **ticks, autorange="reversed"),
        ),
        words(
            "{right} of {count} examples lie on the diagonal; the commonest mistake: “{true}” called “{named}” "
            "({times}).",
            right=words.count(int(np.trace(counts))),
            count=words.count(len(judged)),
            true=labels[true],
            named=labels[named],
            times=words.count(int(missed.max())),
        ),
        {
            "true": [labels[i] for i, _ in order],
            "predicted": [labels[j] for _, j in order],
            "count": [int(counts[i, j]) for i, j in order],
        },
        height=max(360, min(160 + 34 * len(labels), 760)),
    )


def _curve_classes(judged: Judged) -> list[int]:
    """Return the classes whose curves are drawn: the second of two, else the four that are hardest to tell."""
    counts = np.bincount(judged.truth.astype(np.int64), minlength=len(judged.target.classes))
    known = [code for code, count in enumerate(counts) if 5 <= count <= len(judged) - 5]
    if len(judged.target.classes) == 2:
        return known[-1:]
    areas = {code: _area(judged.truth == code, judged.probabilities[:, code]) for code in known}
    return sorted(sorted(known, key=lambda code: areas[code])[:MOST_CURVES])


def _area(positive: NDArray[np.bool_], scores: Array) -> float:
    both = np.stack([1 - scores, scores], axis=1)
    return score("classification", positive.astype(np.float64), both)["roc_auc"]


def rates(positive: NDArray[np.bool_], scores: Array) -> tuple[Array, Array, Array]:
    """Return the false and true positive rates and the precision at every threshold, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    true = np.cumsum(positive[order])[last]
    reached = last + 1
    negatives, positives = max(1, int((~positive).sum())), max(1, int(positive.sum()))
    return (
        np.concatenate([[0.0], (reached - true) / negatives]),
        np.concatenate([[0.0], true / positives]),
        np.concatenate([[1.0], true / reached]),
    )


def _thinned(x: Array, y: Array, most: int = 400) -> tuple[Array, Array]:
    """Return a curve with at most so many points: a page must stay small."""
    if len(x) <= most:
        return x, y
    kept = np.unique(np.linspace(0, len(x) - 1, most).astype(np.int64))
    return x[kept], y[kept]


def _band(judged: Judged, code: int, precision: bool) -> tuple[Array, Array] | None:
    """Return mean ± standard deviation over the folds' curves at each point of the grid; None with one fold."""
    curves = []
    for fold in np.unique(judged.folds):
        rows = judged.folds == fold
        positive = judged.truth[rows] == code
        if positive.any() and not positive.all():
            false, true, exact = rates(positive, judged.probabilities[rows, code])
            curves.append(_reached(true, exact) if precision else np.interp(GRID, false, true))
    if len(curves) < 2:
        return None
    mean, std = np.mean(curves, axis=0), np.std(curves, axis=0, ddof=1)
    return np.clip(mean - std, 0, 1), np.clip(mean + std, 0, 1)


def _reached(true: Array, exact: Array) -> Array:
    """Return the precision at the first threshold that reaches each recall of the grid."""
    reached: Array = exact[np.searchsorted(true, GRID - 1e-12).clip(max=len(true) - 1)]
    return reached


def _curves(judged: Judged, codes: Sequence[int], names: Sequence[str], axes: Sequence[str]) -> tuple[Any, Any]:
    """Return the traces of classes' curves with their bands, and their numbers by column.

    Args:
        judged: the target.
        codes: the classes.
        names: of the curves.
        axes: the columns' names along and up; "recall" along: precision is drawn.
    """
    precision = axes[0] == "recall"
    traces: list[dict[str, Any]] = []
    table: dict[str, list[Any]] = {"class": [], axes[0]: [], axes[1]: []}
    for style, (code, name) in enumerate(zip(codes, names, strict=True)):
        false, true, exact = rates(judged.truth == code, judged.probabilities[:, code])
        whole = int(np.argmax(true >= 1.0)) + 1  # once all are found, a lower threshold only adds mistakes
        x, y = _thinned(true[:whole], exact[:whole]) if precision else _thinned(false, true)
        edges = _band(judged, code, precision)
        if edges is not None:
            traces.append(plots.band(GRID, *edges, style=style))
        traces.append(plots.line(x, y, name, style, hoverinfo="x+y"))
        table["class"] += [judged.label(code)] * len(x)
        table[axes[0]] += plots.numbers(x)
        table[axes[1]] += plots.numbers(y)
    return traces, table


def _roc(context: Context, judged: Judged, codes: Sequence[int]) -> Plot:
    words = context.words
    known = [words.number(_area(judged.truth == code, judged.probabilities[:, code]), 5) for code in codes]
    areas = dict(zip(map(judged.label, codes), known, strict=True))
    names = [words("{label} (area {area})", label=label, area=area) for label, area in areas.items()]
    traces, table = _curves(judged, codes, names, ("false_positive_rate", "true_positive_rate"))
    return Plot(
        context.name("roc", judged),
        words("{target}: ROC curve", target=judged.target.name),
        words("The nearer to the upper left corner, the better; a band is ± one standard deviation of the folds."),
        [*traces, plots.guide([0, 1], [0, 1], words("guessing"))],
        plots.layout(
            plots.axis(words("false positive rate"), range=[-0.01, 1.01]),
            plots.axis(words("true positive rate"), range=[-0.01, 1.03]),
        ),
        words("Areas under the curves: {areas}.", areas=", ".join(f"{label}: {area}" for label, area in areas.items())),
        table,
        half=True,
    )


def _precision_recall(context: Context, judged: Judged, codes: Sequence[int]) -> Plot:
    words = context.words
    shares = [f"{judged.label(code)}: {words.percent(float((judged.truth == code).mean()), 1)}" for code in codes]
    traces, table = _curves(judged, codes, [judged.label(code) for code in codes], ("recall", "precision"))
    return Plot(
        context.name("precision-recall", judged),
        words("{target}: precision and recall", target=judged.target.name),
        words(
            "Precision: the share of those called this class that are; recall: the share of the class that is found; "
            "a band is ± one standard deviation of the folds."
        ),
        traces,
        plots.layout(
            plots.axis(words("recall"), range=[-0.01, 1.01]), plots.axis(words("precision"), range=[-0.01, 1.03])
        ),
        words("Guessing would have a precision of the class's share: {shares}.", shares=", ".join(shares)),
        table,
        half=True,
    )


def _mistakes(context: Context, judged: Judged) -> list[Block]:
    words = context.words
    wrong = np.flatnonzero(judged.error)
    if not len(wrong):
        return [Paragraph(words("No held-out example of {target} was named wrongly.", target=judged.target.name))]
    sure = wrong[np.argsort(-judged.probabilities[wrong].max(axis=1), kind="stable")][:MISTAKES]
    return [
        Paragraph(words("The most confident mistakes in {target}", target=judged.target.name), "head"),
        context.drawings(judged, sure),
    ]
