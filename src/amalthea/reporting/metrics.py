"""Figures: every metric with its error, beside the baselines, and fold by fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot, Table
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.translate import baseline, capital, metric
from amalthea.validation.metrics import HIGHER_IS_BETTER, Figure, score
from amalthea.validation.summary import TargetSummary

Folds = Mapping[int, Mapping[str, float]]

STEEP = 10
"""From this ratio on between the largest and the smallest value, a chart's axis is logarithmic."""


def figure_blocks(
    context: Context,
    summary: TargetSummary,
    folds: Folds,
    sizes: Mapping[int, int],
    drawn: Sequence[str] = (),
    note: str = "",
) -> list[Block]:
    """Return the tables and charts of a target's metrics.

    Args:
        context: the model.
        summary: the target's figures.
        folds: each fold's metrics; empty where they are not known.
        sizes: how many examples each fold has.
        drawn: the metrics that have a chart; none given: the one by which models are compared.
        note: what must be known of the table.
    """
    words = context.words
    if not (summary.metrics or summary.test):
        return [Paragraph(words("{target}: no figures, for nothing was held out.", target=summary.target))]
    blocks: list[Block] = [_table(context, summary)]
    if note:
        blocks.append(Paragraph(note))
    if not summary.metrics:
        blocks.append(Paragraph(words("Folds and baselines are missing, for nothing was held out in training.")))
    blocks += [_chart(context, summary, name, folds) for name in drawn or (summary.main,)]
    if folds:
        blocks += [_folds(context, summary, folds, sizes), *_beside(context, summary, folds)]
    return blocks


def known_metrics(summary: TargetSummary) -> list[str]:
    """Return the metrics that are known of any model."""
    figures = [summary.metrics, summary.test or {}, *summary.baselines.values()]
    return [name for name in summary.names if any(name in known for known in figures)]


def _lines(context: Context, summary: TargetSummary) -> list[tuple[str, Mapping[str, Figure]]]:
    """Return the figures of every model, by its name."""
    words = context.words
    lines: list[tuple[str, Mapping[str, Figure]]] = []
    if summary.metrics:
        lines.append((words("{model}, out of fold", model=_answering(context, summary)), summary.metrics))
    if summary.clusters is not None:
        title = words("{model}, clusters held out", model=_answering(context, summary))
        lines.append((title, summary.clusters.metrics))
    if summary.test:
        lines.append((words("{model}, test set", model=_answering(context, summary)), summary.test))
    return lines + [
        (words("baseline: {name}", name=baseline(words, name)), figures) for name, figures in summary.baselines.items()
    ]


def _answering(context: Context, summary: TargetSummary) -> str:
    return baseline(context.words, summary.answering) if summary.simple else context.words("network")


def _table(context: Context, summary: TargetSummary) -> Table:
    words, names = context.words, known_metrics(summary)
    rows = [
        [what, *(words.figure(figures[name]) if name in figures else "" for name in names)]
        for what, figures in _lines(context, summary)
    ]
    header = [
        "",
        *(f"{metric(words, name, summary.units)} {'↑' if name in HIGHER_IS_BETTER else '↓'}" for name in names),
    ]
    if summary.units:  # the metrics' names say what is judged
        caption = words("↑ higher is better, ↓ lower is better.")
    else:
        unit = f" ({summary.unit})" if summary.unit and summary.task == "regression" else ""
        caption = words("{target}{unit}; ↑ higher is better, ↓ lower is better.", target=summary.target, unit=unit)
    return Table(header, rows, caption)


def by_fold(judged: Judged) -> dict[int, dict[str, float]]:
    """Return each fold's metrics."""
    return {
        int(fold): score(judged.target.task, judged.truth[judged.folds == fold], judged.answer[judged.folds == fold])
        for fold in np.unique(judged.folds)
    }


def _folds(context: Context, summary: TargetSummary, folds: Folds, sizes: Mapping[int, int]) -> Table:
    words = context.words
    names = [
        name
        for name in known_metrics(summary)
        if any(np.isfinite(values.get(name, np.nan)) for values in folds.values())
    ]
    rows = [
        [
            words("fold {number}", number=fold + 1).replace(" ", "\u00a0"),
            words.count(sizes[fold]),
            *(words.number(values.get(name, np.nan), 3) for name in names),
        ]
        for fold, values in folds.items()
    ]
    header = ["", words("examples"), *(metric(words, name, summary.units) for name in names)]
    return Table(header, rows, words("{target}: the network, fold by fold.", target=context.title(summary.target)))


def _beside(context: Context, summary: TargetSummary, each: Folds) -> list[Block]:
    """Return the main metric fold by fold, the baselines beside the network; none where these were not kept."""
    words, kept = context.words, summary.baselines_by_fold
    if not (each and kept):
        return []
    names = [words("network"), *(baseline(words, name) for name in kept)]
    rows = [
        [
            words("fold {number}", number=fold + 1).replace(" ", "\u00a0"),
            words.number(values.get(summary.main, np.nan), 3),
            *(words.number(others[fold], 3) if fold < len(others) else "" for others in kept.values()),
        ]
        for fold, values in each.items()
    ]
    caption = words(
        "{target}: {metric} fold by fold, beside the baselines.",
        metric=metric(words, summary.main, summary.units),
        target=context.called(summary.target),
    )
    return [Table(["", *names], rows, caption)]


def _chart(context: Context, summary: TargetSummary, main: str, each: Folds) -> Plot:
    words = context.words
    named = {name: figures for name, figures in _lines(context, summary) if main in figures}
    names = list(named)[::-1]
    values, errors = ([getattr(named[name][main], field) for name in names] for field in ("value", "error"))
    single = _singles(context, summary, main, each)
    known = [value for value in [*values, *(value for _, _, value in single)] if np.isfinite(value)]
    steep = bool(known) and main not in HIGHER_IS_BETTER and min(known) > 0 and max(known) > STEEP * min(known)
    better = words("higher is better") if main in HIGHER_IS_BETTER else words("lower is better")
    unit = f", {summary.unit}" if summary.unit and main == "rmse" else ""
    written = metric(words, main, summary.units)
    title = words("{metric} of {target}", metric=written, target=summary.target)
    shown = {"marker": {"size": 10}, "hovertemplate": "%{x:.4g}<extra></extra>", **plots.error_bars(errors, "x")}
    traces = [plots.points(values, range(len(names)), words("all folds") if single else "", **shown)]
    reading = words("Dots with bars: value ± one standard error.")
    if single:
        reading = words("Dots with bars: value ± one standard error. Diamonds: one fold each.")
        hollow = {"marker": {"symbol": "diamond-open", "size": 9}, "hovertemplate": "%{x:.4g}<extra></extra>"}
        heights = [names.index(name) - 0.25 for name, _, _ in single]
        traces.append(plots.points([value for _, _, value in single], heights, words("one fold"), 1, **hollow))
    return Plot(
        _name(context, summary, main),
        capital(written) if summary.units else title,
        reading,
        traces,
        plots.layout(
            plots.axis(
                f"{metric(words, main, summary.units)} ({better}){unit}",
                30,
                **(plots.log_ticks(known) if steep else {}),
            ),
            plots.names_axis(names, range=[-0.6, len(names) - 0.4]),
            margin={"l": 10},
        ),
        "; ".join(f"{n}: {words.figure(named[n][main])}" for n in named),
        {
            "model": [*names[::-1], *(name for name, _, _ in single)],
            "fold": [*[None] * len(names), *(fold + 1 for _, fold, _ in single)],
            main: [*values[::-1], *(value for _, _, value in single)],
            "error": [*errors[::-1], *[None] * len(single)],
        },
        height=(140 if single else 110) + 48 * len(names),
    )


def _singles(context: Context, summary: TargetSummary, main: str, each: Folds) -> list[tuple[str, int, float]]:
    """Return (model, fold, value) of one metric in each fold: the network's, and the baselines' as far as kept."""
    words = context.words
    title = words("{model}, out of fold", model=_answering(context, summary))
    network = [(title, fold, values.get(main, np.nan)) for fold, values in each.items()]
    kept = summary.baselines_by_fold if main == summary.main and each else {}
    others = [
        (words("baseline: {name}", name=baseline(words, name)), fold, value)
        for name, values in kept.items()
        for fold, value in enumerate(values)
    ]
    return [(name, fold, float(value)) for name, fold, value in [*network, *others] if np.isfinite(value)]


def _name(context: Context, summary: TargetSummary, main: str) -> str:
    """Return the chart's name, unique in the page."""
    if summary.units:
        return f"figures-{main.partition('_')[0]}"
    names = [target.name for target in context.predictor.targets]
    return f"figures-{names.index(summary.target) + 1}" if len(names) > 1 and summary.target else "figures"
