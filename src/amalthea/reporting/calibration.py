"""Certainty: whether intervals and probabilities keep what they promise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot
from amalthea.reporting.captions import with_unit
from amalthea.reporting.context import Context
from amalthea.reporting.distance_bands import band_blocks
from amalthea.reporting.out_of_fold import Judged, bins_of, mean_of, root_mean_square, share_of
from amalthea.validation.calibration import fit_interval
from amalthea.validation.metrics import Figure

FEWEST = 40
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def certainty_blocks(context: Context) -> list[Block]:
    """Return the figures of calibration, of predicted uncertainty and of distance."""
    words = context.words
    if not context.judged:
        return [Paragraph(words("Nothing was held out, so nothing is known of how sure the networks may be."))]
    blocks: list[Block] = context.left_out
    for judged in context.judged:
        blocks += context.heading(judged)
        if len(judged) < FEWEST:
            count = words.count(len(judged))
            blocks.append(Paragraph(words("With {count} examples, calibration cannot be judged.", count=count)))
            continue
        covered = judged.summary.coverage
        blocks.append(_reliability(context, judged) if judged.classes else coverage_block(context, judged, covered))
        if judged.aside:
            blocks.append(Paragraph(words("One network alone has no spread, and is near to what it set aside.")))
            continue
        blocks += [uncertainty_plot(context, judged), *band_blocks(context, judged), *_by_distance(context, judged)]
    return blocks


def coverages(judged: Judged, levels: Sequence[float] = LEVELS) -> list[Figure]:
    """Return, for each level, the share of truths inside the interval that the other folds' errors give."""
    residuals = np.abs(judged.mean - judged.truth)
    inside = np.full((len(levels), len(judged)), np.nan)
    for part in np.unique(judged.parts):
        # the interval's constants and its quantile come from the other parts alone: no example judges itself
        held_out = judged.parts == part
        place = (judged.spread, judged.distance, judged.excess)
        others, mine = ([each[rows] for each in place] for rows in (~held_out, held_out))
        constants = fit_interval(residuals[~held_out], others[0], distance=others[1], truth=judged.truth[~held_out])
        scaled = np.sort(_scaled(residuals[~held_out], constants.sigma(*others[:2])))
        scores = _scaled(residuals[held_out], constants.sigma(*mine))
        for index, level in enumerate(levels):
            rank = math.ceil(level * (len(scaled) + 1) - 1e-9)
            if 0 < rank <= len(scaled):
                inside[index, held_out] = scores <= scaled[rank - 1]
    return [mean_of(row, judged.groups) for row in inside]


def _scaled(residuals: NDArray[np.float64], sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(residuals, sigma, out=np.zeros_like(residuals), where=sigma > 0)


def coverage_block(context: Context, judged: Judged, ninety: Figure | None = None) -> Block:
    """Return what intervals promise and what they hold.

    Args:
        context: the model.
        judged: the held-out answers.
        ninety: what those of 90 % held when the model was judged; None: as these answers have it.
    """
    words = context.words
    if len(np.unique(judged.parts)) < 2:
        return Paragraph(
            words("With one fold the intervals of {target} cannot be judged.", target=context.title(judged.target.name))
        )
    shares = coverages(judged)
    # Of the promise that is given, what was judged in training counts: cluster-held-out rows had their part in it.
    if ninety is not None:
        shares[LEVELS.index(0.9)] = ninety
    values, errors = [each.value for each in shares], [each.error for each in shares]
    nominal = [100 * level for level in LEVELS]
    held = shares[LEVELS.index(0.9)]
    return Plot(
        context.name("coverage", judged),
        words("{target}: what intervals promise and hold", target=context.title(judged.target.name)),
        words("Points on the dashed line: intervals hold what they promise; below it they are too narrow."),
        [
            plots.points(
                nominal,
                100 * np.array(values),
                words("held"),
                marker={"size": 9},
                hovertemplate="%{x:.0f} %: %{y:.1f} %<extra></extra>",
                **plots.error_bars(100 * np.array(errors)),
            ),
            plots.guide([0, 100], [0, 100], words("promised")),
        ],
        plots.layout(
            plots.axis(words("promised share of values inside (%)"), 34, range=[0, 101]),
            plots.axis(words("held-out values inside (%)"), range=[0, 103]),
        ),
        words("The 90 % intervals held {share} % of the held-out values.", share=_hundred(context, held)),
        {"nominal": list(LEVELS), "covered": plots.numbers(values), "error": plots.numbers(errors)},
        half=True,
    )


def _hundred(context: Context, share: Figure) -> str:
    return context.words.figure(Figure(100 * share.value, 100 * share.error))


def reliability(judged: Judged) -> list[tuple[Figure, Figure, int]]:
    """Return, in bins of equal size, the stated probability of the named class, how often it is right, the size."""
    top = judged.probabilities.max(axis=1)
    return [
        (mean_of(top[rows], judged.groups[rows]), share_of(1 - judged.error[rows], judged.groups[rows]), len(rows))
        for rows in bins_of(top)
    ]


def _reliability(context: Context, judged: Judged) -> Plot:
    words = context.words
    bins = reliability(judged)
    stated, right = [each[0].value for each in bins], [each[1].value for each in bins]
    errors = [each[1].error for each in bins]
    low = min(*stated, *right)
    return Plot(
        context.name("reliability", judged),
        words("{target}: reliability of the probabilities", target=judged.target.name),
        words("Points on the dashed line: of those called 80 % sure, 80 % are right; below it, it is too sure."),
        [
            plots.points(
                stated,
                right,
                words("observed"),
                marker={"size": 9},
                hovertemplate="%{x:.2f}: %{y:.2f}<extra></extra>",
                **plots.error_bars(errors),
            ),
            plots.guide([low, 1], [low, 1], words("honest")),
        ],
        plots.layout(
            plots.axis(words("stated probability of the named class"), 34), plots.axis(words("share that is right"))
        ),
        words(
            "{count} groups of examples; expected calibration error {figure}.",
            count=len(bins),
            figure=words.figure(judged.summary.metrics["ece"]),
        ),
        {
            "stated": plots.numbers(stated),
            "right": plots.numbers(right),
            "error": plots.numbers(errors),
            "examples": [each[2] for each in bins],
        },
        half=True,
    )


def _wrongness(context: Context, judged: Judged, bins: Sequence[NDArray[np.int64]]) -> tuple[str, list[Figure]]:
    """Return what is wrong with some rows, and how much in each bin: the typical error, or the share of mistakes."""
    words = context.words
    if not judged.classes:
        errors = [root_mean_square(judged.error[rows], judged.groups[rows]) for rows in bins]
        return with_unit(words("root mean square error"), judged.target.unit), errors
    shares = [share_of(judged.error[rows], judged.groups[rows]) for rows in bins]
    return words("mistakes (%)"), [Figure(100 * share.value, 100 * share.error) for share in shares]


def uncertainty_plot(context: Context, judged: Judged) -> Plot:
    """Return the error against the predicted standard deviation."""
    words = context.words
    bins = bins_of(judged.std)
    x = [float(np.sqrt(np.mean(judged.std[rows] ** 2))) for rows in bins]
    title, wrongness = _wrongness(context, judged, bins)
    y, errors = [each.value for each in wrongness], [each.error for each in wrongness]
    traces = [plots.points(x, y, marker={"size": 9}, hoverinfo="x+y", **plots.error_bars(errors))]
    if judged.classes:
        reading = words("If the networks know what they do not know, the points rise to the right.")
        along = words("standard deviation of the probability")
    else:
        traces.append(plots.guide([0, max(x)], [0, max(x)], words("as predicted")))
        reading = words("Points on the dashed line: the errors are as large as the model says, for sure and unsure.")
        along = with_unit(words("predicted standard deviation"), judged.target.unit)
    return Plot(
        context.name("uncertainty", judged),
        words("{target}: error against predicted uncertainty", target=context.title(judged.target.name)),
        reading,
        traces,
        plots.layout(plots.axis(along, 30, rangemode="tozero"), plots.axis(title, 30, rangemode="tozero")),
        words(
            "From the surest to the least sure tenth the error goes from {low} to {high}.",
            low=words.figure(wrongness[0]),
            high=words.figure(wrongness[-1]),
        ),
        {"predicted_std": plots.numbers(x), "observed": plots.numbers(y), "error": plots.numbers(errors)},
        half=True,
    )


def _by_distance(context: Context, judged: Judged) -> list[Block]:
    words = context.words
    known = np.flatnonzero(np.isfinite(judged.applicability))
    if len(known) < FEWEST:
        return [Paragraph(words("The distance to the training set is not known."))]
    bins = [known[rows] for rows in bins_of(judged.applicability[known])]
    x = [float(judged.applicability[rows].mean()) for rows in bins]
    title, wrongness = _wrongness(context, judged, bins)
    y, errors = [each.value for each in wrongness], [each.error for each in wrongness]
    return [
        Plot(
            context.name("distance", judged),
            words("{target}: error against distance from the training set", target=context.title(judged.target.name)),
            words("Where the points rise to the right, be careful with examples unlike those that were learned."),
            [plots.points(x, y, marker={"size": 9}, hoverinfo="x+y", **plots.error_bars(errors))],
            plots.layout(
                plots.axis(words("distance from the training set (percentile)"), range=[0, 101]),
                plots.axis(title, 30, rangemode="tozero"),
            ),
            words(
                "From the nearest to the farthest tenth the error goes from {low} to {high}.",
                low=words.figure(wrongness[0]),
                high=words.figure(wrongness[-1]),
            ),
            {"percentile": plots.numbers(x), "observed": plots.numbers(y), "error": plots.numbers(errors)},
        )
    ]
