"""Attribution: what the answers hang on, by what an example consists of."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains import domain
from amalthea.domains.protocol import Fields, Parted, Pieces
from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Drawing, Drawings, Paragraph, Plot
from amalthea.reporting.captions import with_unit
from amalthea.reporting.context import Context
from amalthea.reporting.drawings import image, proper
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.out_of_fold_predict import answers, answers_of, column_of, features_of, keeps_held_out
from amalthea.reporting.translate import metric
from amalthea.validation.metrics import HIGHER_IS_BETTER, Figure, score

Array = NDArray[np.float64]

MOST_ROWS = 1000
MOST_COLUMNS = 60
MOST_SHOWN = 20
REPEATS = 5
ROWS_AT_ONCE = 16_384


def parts_of(context: Context) -> Fields | Pieces | None:
    """Return what the model's examples consist of; None where its domain does not say."""
    kind = domain(context.predictor.domain)
    return kind.parts(proper(context.predictor.examples)) if isinstance(kind, Parted) else None


def attribution_blocks(context: Context) -> list[Block]:
    """Return what the answers hang on, in the way that belongs to the kind of data."""
    words = context.words
    alone = all(each.askable is not None for each in context.judged)
    parts = parts_of(context)
    if not context.judged or not (keeps_held_out(context.predictor) or (alone and isinstance(parts, Pieces))):
        return [Paragraph(words("This needs the examples in the model, and members that never saw them."))]
    match parts:
        case Fields():
            return [*context.left_out, *_permutations(context, list(parts.names))]
        case Pieces():
            blocks = [block for judged in context.judged for block in _pieces(context, judged, parts)]
            return [*context.left_out, *blocks]
        case _:
            return [*context.left_out, Paragraph(words("There is no such figure for this kind of data yet."))]


def _pieces(context: Context, judged: Judged, pieces: Pieces) -> list[Block]:
    """Return the worst, the typical and the best examples with the contributions of their parts."""
    words = context.words
    chosen = _chosen(context, judged)
    items = []
    for (title, index), values in zip(chosen, contributions(context, judged, pieces, chosen), strict=True):
        if len(values):
            example = context.predictor.examples.iloc[int(judged.places[index])]
            drawing = image(pieces.draw(example, values, words.point))
            text = context.gallery.text(int(judged.places[index]))
            items.append(Drawing(drawing, text, [title, *context.caption(judged, index)]))
    if not items:
        return [Paragraph(words("No example of {target} could be drawn.", target=judged.target.name))]
    what = words("the answer")
    if judged.classes:
        binary = len(judged.target.classes) == 2
        label = words("the probability of “{label}”", label=judged.target.classes[1]) if binary else ""
        what = label or words("the probability of the true class")
    return [Paragraph(words(pieces.reading, target=judged.target.name, what=what)), Drawings(items, large=True)]


def _chosen(context: Context, judged: Judged) -> list[tuple[str, int]]:
    """Return the worst two, the two in the middle and the best two; for classes by the true class's probability."""
    words = context.words
    badness = 1 - judged.mean if judged.classes else judged.error
    order = np.argsort(-badness, kind="stable")
    middle = len(order) // 2
    return [
        *((words("among the worst"), int(i)) for i in order[:2]),
        *((words("typical"), int(i)) for i in order[middle : middle + 2]),
        *((words("among the best"), int(i)) for i in order[-2:]),
    ]


def contributions(context: Context, judged: Judged, pieces: Pieces, chosen: list[tuple[str, int]]) -> list[Array]:
    """Return for each part of examples the answer minus the answer without it; none where there are too many.

    Args:
        context: the model.
        judged: the target.
        pieces: what the examples consist of.
        chosen: which of the judged examples, each under a title.
    """
    predictor = context.predictor
    rows = np.array([index for _, index in chosen], np.int64)
    examples = [predictor.examples.iloc[int(position)] for position in judged.places[rows]]
    variants = [[pieces.without(each, example) for example in examples] for each in predictor.ready.featurizers]
    sizes = [len(features) for features in variants[0]]
    if not any(sizes):
        return [np.empty(0)] * len(rows)
    # all examples in all their versions are asked for at once
    features = [np.concatenate([each for each in of_part if len(each)]) for of_part in variants]
    if judged.askable is None:
        answered = answers(predictor, features, np.repeat(judged.folds[rows], sizes))
    else:
        answered = answers_of(predictor, features, np.repeat(judged.askable[:, rows], sizes, axis=1))
    by_example = np.split(answered, np.cumsum(sizes)[:-1])
    columns = [column_of(predictor, judged.target, _explained(judged, pieces, int(index))) for index in rows]
    return [
        values[0, column] - values[1:, column] if len(values) else np.empty(0)
        for values, column in zip(by_example, columns, strict=True)
    ]


def _explained(judged: Judged, pieces: Pieces, index: int) -> int:
    """Return the code of the class whose probability is explained; 0 for a number."""
    if not judged.classes:
        return 0
    if pieces.named:
        return int(judged.named[index])
    return 1 if len(judged.target.classes) == 2 else int(judged.truth[index])


def _permutations(context: Context, columns: list[str]) -> list[Block]:
    words = context.words
    blocks: list[Block] = []
    if len(columns) > MOST_COLUMNS:
        blocks.append(
            Paragraph(words("Of {count} columns the first {most} were tried.", count=len(columns), most=MOST_COLUMNS))
        )
    columns = columns[:MOST_COLUMNS]
    return blocks + [
        _chart(context, judged, permutation_importance(context, judged, columns)) for judged in context.judged
    ]


def permutation_importance(context: Context, judged: Judged, columns: list[str]) -> dict[str, Figure]:
    """Return by how much the main metric worsens when a column's values are dealt anew among the examples.

    The value is the mean over the folds, and over five deals; its error is the standard error over the folds.

    Args:
        context: the model.
        judged: the target.
        columns: the columns to try; a category counts as one.

    Source: Fisher, Rudin and Dominici, J. Mach. Learn. Res. 20, 177 (2019), section 3, on held-out rows.
    """
    predictor, main = context.predictor, judged.summary.main
    rng = np.random.default_rng(context.seed)
    rows = np.sort(rng.choice(len(judged), min(MOST_ROWS, len(judged)), replace=False))
    examples = predictor.examples.iloc[judged.places[rows]].reset_index(drop=True)
    truth, folds = judged.truth[rows], judged.folds[rows]
    repeats = REPEATS if len(columns) <= 20 else 2
    sign = 1.0 if main in HIGHER_IS_BETTER else -1.0

    # one table for each deal of one column, so that all are asked for at once
    names = [name for name in columns for _ in range(repeats)]
    tables = [examples, *(examples.assign(**{n: examples[n].to_numpy()[rng.permutation(len(rows))]}) for n in names)]
    answered = _answers(context, judged, tables, folds)

    def by_fold(answer: Array) -> Array:
        return np.array(
            [score(judged.target.task, truth[folds == fold], answer[folds == fold])[main] for fold in np.unique(folds)]
        )

    # in each fold by itself: its networks differ from the others', and the folds' spread is the error
    losses = sign * (by_fold(answered[0]) - np.array([by_fold(answer) for answer in answered[1:]]))
    changes = losses.reshape(len(columns), repeats, -1).mean(axis=1)
    return {name: _over_folds(change[np.isfinite(change)]) for name, change in zip(columns, changes, strict=True)}


def _over_folds(change: Array) -> Figure:
    """Return the mean over the folds with its standard error."""
    if len(change) < 2:
        return Figure(float("nan"), float("nan"))
    return Figure(float(change.mean()), float(change.std(ddof=1) / np.sqrt(len(change))))


def _answers(context: Context, judged: Judged, tables: list[pd.DataFrame], folds: NDArray[np.int64]) -> list[Array]:
    """Return a target's held-out answers for several versions of the same examples."""
    start = column_of(context.predictor, judged.target)
    outputs = slice(start, start + judged.target.width) if judged.classes else start
    at_once = max(1, ROWS_AT_ONCE // len(folds))
    versions: list[Array] = []
    for first in range(0, len(tables), at_once):
        some = tables[first : first + at_once]
        features = features_of(context.predictor, pd.concat(some, ignore_index=True))
        answered = answers(context.predictor, features, np.tile(folds, len(some)))[:, outputs]
        versions += np.split(answered, len(some))
    return versions


def _chart(context: Context, judged: Judged, importance: dict[str, Figure]) -> Plot:
    words, main = context.words, judged.summary.main
    order = sorted(importance, key=lambda name: -np.nan_to_num(importance[name].value, nan=-np.inf))
    shown = order[:MOST_SHOWN][::-1]
    loss = words("loss in {metric}", metric=metric(words, main, judged.summary.units))
    return Plot(
        context.name("importance", judged),
        words("{target}: importance of the columns", target=judged.target.name),
        words(
            "How much worse the answers become when a column's values are shuffled among the examples; columns that "
            "say the same share their importance, and a bar across zero means none."
        ),
        [
            plots.points(
                [importance[name].value for name in shown],
                range(len(shown)),
                marker={"size": 9},
                hovertemplate="%{x:.3g}<extra></extra>",
                **plots.error_bars([importance[name].error for name in shown], "x"),
            )
        ],
        plots.layout(
            {
                **plots.axis(with_unit(loss, judged.target.unit if main == "rmse" else "")),
                "zeroline": True,
                "zerolinecolor": "@muted",
            },
            plots.names_axis(shown),
            margin={"l": 10},
        ),
        words("Most important: {columns}.", columns=", ".join(order[:3])),
        {
            "column": order,
            "importance": plots.numbers([importance[name].value for name in order]),
            "error": plots.numbers([importance[name].error for name in order]),
        },
        height=110 + 28 * len(shown),
    )
