"""Section 2: every metric with its error, beside the baselines, and fold by fold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot, Section, Table
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.translate import baseline, capital, metric, target_name
from amalthea.validation.metrics import HIGHER_IS_BETTER, Figure, score
from amalthea.validation.summary import TargetSummary

STEEP = 10
"""From this ratio on between the largest and the smallest value, a chart's axis is logarithmic."""


def figures(context: Context) -> Section:
    """Return the tables and charts of the metrics."""
    words = context.words
    blocks: list[Block] = []
    by_name = {each.target.name: each for each in context.everything}
    for summary in context.predictor.validation.targets:
        if context.elsewhere:
            blocks.append(Paragraph(words("It was trained elsewhere, and came without figures of its errors.")))
            continue
        if not (summary.metrics or summary.test):
            blocks.append(Paragraph(words("{target}: no figures, for nothing was held out.", target=summary.target)))
            continue
        blocks.append(_table(context, summary))
        if summary.task == "potential":
            blocks.append(Paragraph(words("The baseline “mean” knows the composition alone, and predicts no forces.")))
        if not summary.metrics:
            blocks.append(Paragraph(words("Folds and baselines are missing, for nothing was held out in training.")))
        judged = by_name.get(summary.target)
        folds: dict[int, dict[str, float]] = {}
        sizes: dict[int, int] = {}
        if summary.metrics and summary.task == "potential":
            folds, sizes = potential_by_fold(context.predictor.out_of_fold)
        elif summary.metrics and judged is not None:
            folds, sizes = by_fold(judged), {int(fold): int((judged.folds == fold).sum()) for fold in judged.folds}
        blocks += [_chart(context, summary, name, folds) for name in _drawn(summary)]
        if folds:
            blocks += [_folds(context, summary, folds, sizes), *_beside(context, summary, folds)]
    return Section(
        "figures",
        words("Figures"),
        words(
            "Each metric with its standard error, from a bootstrap over the held-out examples; baselines are simple "
            "models judged on the same folds."
        ),
        blocks,
    )


def _names(summary: TargetSummary) -> list[str]:
    """Return the metrics that are known of any model: not every potential has stresses."""
    known = [summary.metrics, summary.test or {}, *summary.baselines.values()]
    return [name for name in summary.names if any(name in found for found in known)]


def _drawn(summary: TargetSummary) -> list[str]:
    """Return the metrics that have a chart: the main one, and of a potential energies as well as forces."""
    if summary.task != "potential":
        return [summary.main]
    return [name for name in ("energy_mae", "force_mae") if name in _names(summary)]


def _lines(context: Context, summary: TargetSummary) -> list[tuple[str, Mapping[str, Figure]]]:
    """Return the figures of every model, by its name."""
    words = context.words
    lines: list[tuple[str, Mapping[str, Figure]]] = []
    if summary.metrics:
        lines.append((words("network, out of fold"), summary.metrics))
    if summary.test:
        lines.append((words("network, test set"), summary.test))
    return lines + [
        (words("baseline: {name}", name=baseline(words, name)), found) for name, found in summary.baselines.items()
    ]


def _table(context: Context, summary: TargetSummary) -> Table:
    words, names = context.words, _names(summary)
    rows = [
        [what, *(words.figure(found[name]) if name in found else "" for name in names)]
        for what, found in _lines(context, summary)
    ]
    header = [
        "",
        *(f"{metric(words, name, summary.units)} {'↑' if name in HIGHER_IS_BETTER else '↓'}" for name in names),
    ]
    if summary.task == "potential":
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


def potential_by_fold(table: pd.DataFrame) -> tuple[dict[int, dict[str, float]], dict[int, int]]:
    """Return each fold's metrics of a potential, and its number of structures.

    Args:
        table: `Predictor.out_of_fold`: energies in eV, errors of forces in eV/Å and of stresses in GPa by structure.
    """
    found: dict[int, dict[str, float]] = {}
    sizes: dict[int, int] = {}
    if not {"prediction", "atoms"} <= set(table):
        return found, sizes
    for fold, own in table[table["prediction"].notna() & (table["fold"] >= 0)].groupby("fold"):
        off = 1000 * ((own["prediction"] - own["target"]) / own["atoms"]).dropna()
        values = {"energy_mae": off.abs().mean(), "energy_rmse": (off**2).mean() ** 0.5}
        forces = own.dropna(subset=["force_mae"]) if "force_mae" in own else own.iloc[:0]
        components = forces["atoms"] / max(1, forces["atoms"].sum())
        if len(forces):
            values["force_mae"] = (components * forces["force_mae"]).sum()
            values["force_rmse"] = (components * forces["force_rmse"] ** 2).sum() ** 0.5
        if "stress_mae" in own:
            values["stress_mae"] = own["stress_mae"].mean()
        found[int(str(fold))] = {name: float(value) for name, value in values.items()}
        sizes[int(str(fold))] = len(own)
    return found, sizes


def _folds(
    context: Context, summary: TargetSummary, folds: Mapping[int, Mapping[str, float]], sizes: Mapping[int, int]
) -> Table:
    words = context.words
    names = [name for name in _names(summary) if any(np.isfinite(found.get(name, np.nan)) for found in folds.values())]
    rows = [
        [
            words("fold {number}", number=fold + 1).replace(" ", "\u00a0"),
            words.count(sizes[fold]),
            *(words.number(found.get(name, np.nan), 3) for name in names),
        ]
        for fold, found in folds.items()
    ]
    header = ["", words("examples"), *(metric(words, name, summary.units) for name in names)]
    return Table(
        header,
        rows,
        words(
            "{target}: the network, fold by fold.",
            target=capital(target_name(words, summary)) if summary.task == "potential" else summary.target,
        ),
    )


def _beside(context: Context, summary: TargetSummary, each: Mapping[int, Mapping[str, float]]) -> list[Block]:
    """Return the main metric fold by fold, the baselines beside the network; none where these were not kept."""
    words, kept = context.words, summary.baselines_by_fold
    if not (each and kept):
        return []
    names = [words("network"), *(baseline(words, name) for name in kept)]
    rows = [
        [
            words("fold {number}", number=fold + 1).replace(" ", "\u00a0"),
            words.number(found.get(summary.main, np.nan), 3),
            *(words.number(values[fold], 3) if fold < len(values) else "" for values in kept.values()),
        ]
        for fold, found in each.items()
    ]
    told = {"metric": metric(words, summary.main, summary.units), "target": target_name(words, summary)}
    return [Table(["", *names], rows, words("{target}: {metric} fold by fold, beside the baselines.", **told))]


def _chart(context: Context, summary: TargetSummary, main: str, each: Mapping[int, Mapping[str, float]]) -> Plot:
    words = context.words
    named = {name: found for name, found in _lines(context, summary) if main in found}
    names = list(named)[::-1]
    values, errors = ([getattr(named[name][main], field) for name in names] for field in ("value", "error"))
    single = _singles(context, summary, main, each)
    known = [value for value in [*values, *(value for _, _, value in single)] if np.isfinite(value)]
    steep = bool(known) and main not in HIGHER_IS_BETTER and min(known) > 0 and max(known) > STEEP * min(known)
    ticks = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": [plots.label(n, 22) for n in names]}
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
        capital(written) if summary.task == "potential" else title,
        reading,
        traces,
        plots.layout(
            plots.axis(
                f"{metric(words, main, summary.units)} ({better}){unit}",
                30,
                **(plots.log_ticks(known) if steep else {}),
            ),
            {"automargin": True, "zeroline": False, "range": [-0.6, len(names) - 0.4], **ticks},
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


def _singles(
    context: Context, summary: TargetSummary, main: str, each: Mapping[int, Mapping[str, float]]
) -> list[tuple[str, int, float]]:
    """Return (model, fold, value) of one metric in each fold: the network's, and the baselines' as far as kept."""
    words = context.words
    own = [(words("network, out of fold"), fold, found.get(main, np.nan)) for fold, found in each.items()]
    kept = summary.baselines_by_fold if main == summary.main and each else {}
    others = [
        (words("baseline: {name}", name=baseline(words, name)), fold, value)
        for name, values in kept.items()
        for fold, value in enumerate(values)
    ]
    return [(name, fold, float(value)) for name, fold, value in [*own, *others] if np.isfinite(value)]


def _name(context: Context, summary: TargetSummary, main: str) -> str:
    """Return the chart's name, unique in the page."""
    if summary.task == "potential":
        return f"figures-{main.partition('_')[0]}"
    names = [target.name for target in context.predictor.targets]
    return f"figures-{names.index(summary.target) + 1}" if len(names) > 1 else "figures"
