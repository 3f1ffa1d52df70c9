"""Section 6: what the networks look at."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.potentials.report.error_breakdown import group_blocks
from amalthea.potentials.report.symmetry_functions import function_blocks
from amalthea.reporting import plots
from amalthea.reporting.atoms import atom_blocks
from amalthea.reporting.blocks import Block, Paragraph, Plot, Section
from amalthea.reporting.captions import with_unit
from amalthea.reporting.context import Context
from amalthea.reporting.occlusion import occlusion_blocks
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.out_of_fold_predict import answers, features_of, keeps_held_out
from amalthea.reporting.translate import metric
from amalthea.validation.metrics import HIGHER_IS_BETTER, Figure, score

MOST_ROWS = 1000
MOST_COLUMNS = 60
MOST_SHOWN = 20
REPEATS = 5
ROWS_AT_ONCE = 16_384


def importance(context: Context) -> Section:
    """Return what the answers hang on, in the way that belongs to the kind of data."""
    words = context.words
    blocks: list[Block]
    reading = words("What changes when a part of an example is taken away, as answered by networks that never saw it.")
    if context.predictor.domain == "structures":
        reading = words("Where the errors are, and which parts of an atom's surroundings the energies hang on.")
        blocks = [*group_blocks(context), *function_blocks(context)]
    elif not context.judged or not (keeps_held_out(context.predictor) or _set_aside(context)):
        blocks = [Paragraph(words("This needs the examples in the model, and members that never saw them."))]
    else:
        match context.predictor.domain:
            case "molecules":
                blocks = [block for each in context.judged for block in atom_blocks(context, each)]
            case "images":
                blocks = [block for each in context.judged for block in occlusion_blocks(context, each)]
            case "tables":
                blocks = _permutations(context)
            case _:
                blocks = [Paragraph(words("There is no such figure for this kind of data yet."))]
        blocks = [*context.left_out, *blocks]
    return Section("importance", words("What it looks at"), reading, blocks)


def _set_aside(context: Context) -> bool:
    """Say whether pictures can be asked of the single networks that set them aside."""
    return context.predictor.domain == "images" and all(each.askable is not None for each in context.judged)


def _permutations(context: Context) -> list[Block]:
    words, predictor = context.words, context.predictor
    columns = [str(name) for name in predictor.examples.columns if not str(name).startswith("#")]
    blocks: list[Block] = []
    if len(columns) > MOST_COLUMNS:
        blocks.append(
            Paragraph(words("Of {count} columns the first {most} were tried.", count=len(columns), most=MOST_COLUMNS))
        )
    for judged in context.judged:
        found = permutation_importance(context, judged, columns[:MOST_COLUMNS])
        blocks.append(_chart(context, judged, found))
    return blocks


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

    names = [name for name in columns for _ in range(repeats)]
    tables = [examples, *(examples.assign(**{n: examples[n].to_numpy()[rng.permutation(len(rows))]}) for n in names)]
    said = _answers(context, judged, tables, folds)

    def by_fold(answer: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array(
            [score(judged.target.task, truth[folds == fold], answer[folds == fold])[main] for fold in np.unique(folds)]
        )

    losses = sign * (by_fold(said[0]) - np.array([by_fold(answer) for answer in said[1:]]))
    changes = losses.reshape(len(columns), repeats, -1).mean(axis=1)
    return {name: _over_folds(change[np.isfinite(change)]) for name, change in zip(columns, changes, strict=True)}


def _over_folds(change: NDArray[np.float64]) -> Figure:
    """Return the mean over the folds with its standard error."""
    if len(change) < 2:
        return Figure(float("nan"), float("nan"))
    return Figure(float(change.mean()), float(change.std(ddof=1) / np.sqrt(len(change))))


def _answers(
    context: Context, judged: Judged, tables: list[pd.DataFrame], folds: NDArray[np.int64]
) -> list[NDArray[np.float64]]:
    """Return a target's held-out answers for several versions of the same examples."""
    at_once = max(1, ROWS_AT_ONCE // len(folds))
    found: list[NDArray[np.float64]] = []
    for start in range(0, len(tables), at_once):
        some = tables[start : start + at_once]
        features = features_of(context.predictor, pd.concat(some, ignore_index=True))
        said = _own(context, judged, answers(context.predictor, features, np.tile(folds, len(some))))
        found += np.split(said, len(some))
    return found


def _own(context: Context, judged: Judged, said: NDArray[np.float64]) -> NDArray[np.float64]:
    targets = context.predictor.targets
    start = sum(target.width for target in targets[: targets.index(judged.target)])
    own = said[:, start : start + judged.target.width]
    return own if judged.classes else own[:, 0]


def _chart(context: Context, judged: Judged, found: dict[str, Figure]) -> Plot:
    words, main = context.words, judged.summary.main
    order = sorted(found, key=lambda name: -np.nan_to_num(found[name].value, nan=-np.inf))
    shown = order[:MOST_SHOWN][::-1]
    ticks = {"tickmode": "array", "tickvals": list(range(len(shown))), "ticktext": [plots.label(n, 22) for n in shown]}
    unit, called = judged.target.unit if main == "rmse" else "", metric(words, main, judged.summary.units)
    return Plot(
        context.name("importance", judged),
        words("{target}: importance of the columns", target=judged.target.name),
        words(
            "How much worse the answers become when a column's values are shuffled among the examples; columns that "
            "say the same share their importance, and a bar across zero means none."
        ),
        [
            plots.points(
                [found[name].value for name in shown],
                range(len(shown)),
                marker={"size": 9},
                hovertemplate="%{x:.3g}<extra></extra>",
                **plots.error_bars([found[name].error for name in shown], "x"),
            )
        ],
        plots.layout(
            {
                **plots.axis(with_unit(words("loss in {metric}", metric=called), unit)),
                "zeroline": True,
                "zerolinecolor": "@muted",
            },
            {"automargin": True, "zeroline": False, **ticks},
            margin={"l": 10},
        ),
        words("Most important: {columns}.", columns=", ".join(order[:3])),
        {
            "column": order,
            "importance": plots.numbers([found[name].value for name in order]),
            "error": plots.numbers([found[name].error for name in order]),
        },
        height=110 + 28 * len(shown),
    )
