"""Section 3 for potentials: energies per atom and forces, predicted against true, structure by structure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.report.context import PotentialContext
from amalthea.potentials.report.forces import Forces
from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Drawings, Paragraph, Plot
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.validation.metrics import Figure

MOST_COMPONENTS = 1500
WORST = 4


def energy_blocks(context: Context, judged: Judged) -> list[Block]:
    """Return the figures of a potential's energies, each structure once."""
    words = context.words
    shown = context.gallery.shown(judged)
    truth, mean = (judged.listed_scale * values[shown] for values in (judged.truth, judged.mean))  # in eV an atom
    errors = judged.mean[shown] - judged.truth[shown]
    ends = [float(min(truth.min(), mean.min())), float(max(truth.max(), mean.max()))]
    table = {
        "row": judged.rows[shown].tolist(),
        "fold": (judged.folds[shown] + 1).tolist(),
        **_positions(context, judged.places[shown]),
        "true_eV_per_atom": plots.numbers(truth, 9),
        "predicted_eV_per_atom": plots.numbers(mean, 9),
        "error_meV_per_atom": plots.numbers(errors),
    }
    examples = [context.points(judged, shown)]
    true_axis = plots.axis(words("true energy (eV/atom)"))
    return [
        Plot(
            "agreement",
            words("Energies: predicted against true"),
            words("On the dashed line predicted and true are equal; the vertical distance from it is the error."),
            plots.diagonal(truth, mean, marker={"size": 6, "opacity": 0.65}, hoverinfo="none"),
            plots.layout(true_axis, plots.axis(words("predicted energy (eV/atom)"))),
            words(
                "{count} structures around the line where predicted equals true; mean absolute error {figure}.",
                count=words.count(len(shown)),
                figure=words.figure(judged.summary.metrics["energy_mae"], words("meV/atom")),
            ),
            table,
            examples=examples,
            height=460,
        ),
        Plot(
            "energy-errors",
            words("Errors of the energies"),
            words("The same errors on their own scale: points above the dashed line are predicted too high."),
            [
                plots.points(truth, errors, marker={"size": 6, "opacity": 0.65}, hoverinfo="none"),
                plots.guide(ends, [0, 0]),
            ],
            plots.layout(true_axis, plots.axis(words("predicted minus true (meV/atom)"), 30)),
            words(
                "Half of the errors are below {middle} meV/atom, the largest is {largest} meV/atom.",
                middle=words.number(float(np.median(judged.error)), 3),
                largest=words.number(float(judged.error.max()), 3),
            ),
            table,
            examples=examples,
        ),
    ]


def force_blocks(context: PotentialContext) -> list[Block]:
    """Return the figures of a potential's forces: of whole structures, and of single components."""
    words, table = context.words, context.predictor.out_of_fold
    if "force_mae" not in table or not table["force_mae"].notna().any():
        return [Paragraph(words("No forces were held out, so their errors are not known."))]
    blocks: list[Block] = [_by_structure(context)]
    if context.forces is None:
        blocks.append(Paragraph(words("Single components of the forces need the examples in the model, and folds.")))
        return blocks
    return [*blocks, _components(context, context.forces)]


def worst_blocks(context: PotentialContext, judged: Judged | None) -> list[Block]:
    """Return the structures with the largest errors of energies and of forces, drawn."""
    words, table = context.words, context.predictor.out_of_fold
    blocks: list[Block] = []
    if judged is not None:
        worst = np.argsort(-judged.error, kind="stable")[:WORST]
        blocks += [Paragraph(words("The largest errors of energies"), "head"), context.drawings(judged, worst)]
    if "force_mae" in table and table["force_mae"].notna().any():
        error = table["force_mae"].to_numpy(np.float64)
        worst = np.argsort(-np.nan_to_num(error, nan=-1.0), kind="stable")[:WORST]
        blocks += [
            Paragraph(words("The largest errors of forces"), "head"),
            Drawings([context.gallery.drawing(int(p), _caption(context, judged, int(p))) for p in worst]),
        ]
    return blocks


def _caption(context: PotentialContext, judged: Judged | None, position: int) -> list[str]:
    if judged is not None and (indices := np.flatnonzero(judged.places == position)).size:
        return context.caption(judged, int(indices[0]))
    return context.structure_lines(position)


def _positions(context: Context, shown: NDArray[np.int64] | list[int]) -> dict[str, Sequence[object]]:
    """Return where structures stand, by column."""
    table = context.predictor.out_of_fold.iloc[shown]
    return {name: table[name].tolist() for name in ("row", "file", "frame", "atoms")}


def force_sizes(context: Context) -> NDArray[np.float64] | None:
    """Return the root mean square of each structure's labelled force components in eV/Å; None where not known."""
    table, examples = context.predictor.out_of_fold, context.predictor.examples
    if "force_size" in table:
        return table["force_size"].to_numpy(np.float64)
    if "forces" not in examples:
        return None
    known = [np.nan if forces is None else np.sqrt(np.mean(np.square(forces))) for forces in examples["forces"]]
    return np.array(known, np.float64)


def _by_structure(context: PotentialContext) -> Plot:
    words, table = context.words, context.predictor.out_of_fold
    error, sizes = table["force_mae"].to_numpy(np.float64), force_sizes(context)
    along = table["atoms"].to_numpy(np.float64) if sizes is None else sizes
    shown = [i for i in context.gallery.places if np.isfinite(error[i]) and np.isfinite(along[i])]
    x, y = along[shown], error[shown]
    baseline = float(np.nanmax(along[shown])) if len(shown) else 0.0
    traces = [plots.points(x, y, marker={"size": 6, "opacity": 0.65}, hoverinfo="none")]
    judged = context.judged[0] if context.judged else None
    if sizes is not None:
        traces.append(plots.guide([0, baseline], [0, 0.1 * baseline], words("a tenth of the forces")))
    return Plot(
        "force-errors",
        words("Errors of the forces, structure by structure"),
        words("Each point is a structure: the mean absolute error of its force components."),
        traces,
        plots.layout(
            plots.axis(
                words("number of atoms") if sizes is None else words("root mean square of the true components (eV/Å)"),
                rangemode="tozero",
            ),
            plots.axis(words("mean absolute error (eV/Å)"), rangemode="tozero"),
        ),
        words(
            "Half of the structures have an error below {middle} eV/Å, the largest is {largest} eV/Å.",
            middle=words.number(float(np.nanmedian(error)), 3),
            largest=words.number(float(np.nanmax(error)), 3),
        ),
        {
            **_positions(context, shown),
            "force_rms_true": plots.numbers([np.nan] * len(shown) if sizes is None else sizes[shown]),
            "force_mae": plots.numbers(y),
        },
        examples=[[(context.gallery.number(i), "\n".join(_caption(context, judged, int(i)))) for i in shown]],
    )


def _components(context: Context, forces: Forces) -> Plot:
    words, judged = context.words, forces.judged
    chosen = np.random.default_rng(context.seed).permutation(len(judged))[:MOST_COMPONENTS]
    truth, mean = judged.truth[chosen], judged.mean[chosen]
    mae = Figure(float(judged.error.mean()), float("nan"))
    return Plot(
        "forces",
        words("Forces: predicted against true, component by component"),
        words(
            "Each point is one component of the force on one atom: {shown} of {count}, drawn at random from "
            "{structures} structures.",
            shown=words.count(len(chosen)),
            count=words.count(len(judged)),
            structures=words.count(forces.structures),
        ),
        plots.diagonal(
            truth, mean, marker={"size": 4, "opacity": 0.5}, hovertemplate="%{x:.3f}: %{y:.3f}<extra></extra>"
        ),
        plots.layout(
            plots.axis(words("true component (eV/Å)")),
            plots.axis(words("predicted component (eV/Å)")),
        ),
        words("The mean absolute error of these components is {figure}.", figure=words.figure(mae, "eV/Å")),
        {
            "row": judged.rows[chosen].tolist(),
            "element": [str(element) for element in forces.elements[chosen]],
            "true": plots.numbers(truth),
            "predicted": plots.numbers(mean),
            "predicted_std": plots.numbers(judged.std[chosen]),
        },
        height=460,
    )
