"""Section 6 for potentials: where the errors are, by element, by group of structures, and by the size of the force."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.messages import shortened
from amalthea.potentials.report.context import PotentialContext
from amalthea.potentials.report.forces import Forces
from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot, Table
from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged, bins_of, mean_of
from amalthea.validation.metrics import Figure

MOST_GROUPS = 30

AT_REST = 1e-3
"""In eV/Å: atoms under smaller forces are at rest, by symmetry, and say nothing of a potential."""


def group_blocks(context: PotentialContext) -> list[Block]:
    """Return the errors of a potential by element, by group and by the size of the force."""
    words = context.words
    blocks: list[Block] = []
    names = group_names(context)
    if names is not None:
        blocks.append(_by_group(context, names))
    if context.forces is None:
        blocks.append(
            Paragraph(words("Errors by element and by size of the force need the examples in the model, and folds."))
        )
        return blocks
    if context.forces.sampled:
        blocks.append(
            Paragraph(
                words(
                    "There are many atoms: the forces in {count} structures, drawn at random, were asked for anew.",
                    count=words.count(context.forces.structures),
                )
            )
        )
    return [*blocks, _by_element(context, context.forces), *_by_size(context, context.forces)]


def group_names(context: Context) -> NDArray[np.object_] | None:
    """Return the group of each structure, or else its file; None where all have the same."""
    table = context.predictor.out_of_fold
    for column in ("group", "file"):
        if column in table:
            names = table[column].astype(str).to_numpy(object)
            if 1 < len(np.unique(names)) <= MOST_GROUPS:
                return names
    return None


def _by_group(context: Context, names: NDArray[np.object_]) -> Table:
    words, table = context.words, context.predictor.out_of_fold
    judged = next(iter(context.judged), None)
    rows = []
    for name, positions in pd.Series(np.arange(len(names))).groupby(names):
        cells = [shortened(str(name), 40), words.count(len(positions)), "", ""]
        if judged is not None and (mine := np.flatnonzero(np.isin(judged.places, positions))).size:
            cells[2] = words.figure(mean_of(judged.error[mine], judged.groups[mine]))
        forces = table.iloc[positions].dropna(subset=["force_mae"]) if "force_mae" in table else table.iloc[:0]
        if len(forces):
            weights = forces["atoms"] / forces["atoms"].sum()
            cells[3] = words.number(float((weights * forces["force_mae"]).sum()), 3)
        rows.append(cells)
    header = [
        words("group"),
        words("structures"),
        words("energy MAE (meV/atom)"),
        words("force MAE (eV/Å)"),
    ]
    return Table(header, rows, words("Errors by group of structures."))


def by_element(forces: Forces) -> dict[str, tuple[int, Figure, float]]:
    """Return for each element its atoms, the mean absolute error of its force components, and their mean size."""
    judged, errors = forces.judged, {}
    for element in sorted(set(forces.elements.tolist())):
        rows = np.flatnonzero(forces.elements == element)
        error = mean_of(judged.error[rows], judged.groups[rows])
        errors[str(element)] = (len(rows) // 3, error, float(np.abs(judged.truth[rows]).mean()))
    return errors


def _by_element(context: Context, forces: Forces) -> Table:
    words = context.words
    rows = [
        [element, words.count(atoms), words.figure(error), words.number(size, 3), words.percent(error.value / size)]
        for element, (atoms, error, size) in by_element(forces).items()
        if size > 0
    ]
    header = [
        words("element"),
        words("atoms"),
        words("force MAE (eV/Å)"),
        words("mean size of a component (eV/Å)"),
        words("share"),
    ]
    return Table(header, rows, words("Errors of the forces by element."))


def by_size(judged: Judged, size: NDArray[np.float64]) -> list[tuple[float, Figure]]:
    """Return, in bins of equal numbers of components, the mean force on the atom and the mean absolute error."""
    moved = np.flatnonzero(size > AT_REST)
    bins = [moved[rows] for rows in bins_of(size[moved], fewest=60)]
    return [(float(size[rows].mean()), mean_of(judged.error[rows], judged.groups[rows])) for rows in bins if len(rows)]


def _by_size(context: Context, forces: Forces) -> list[Block]:
    words = context.words
    bins = by_size(forces.judged, forces.size)
    if not bins:
        return []
    x, y = [size for size, _ in bins], [error.value for _, error in bins]
    errors = [error.error for _, error in bins]
    plot = Plot(
        "force-size",
        words("Error of the forces by the size of the force"),
        words(
            "Each point is a tenth of the atoms, from those under the smallest forces to those under the largest; "
            "atoms at rest by symmetry are left out."
        ),
        [
            plots.line(
                x,
                y,
                mode="lines+markers",
                marker={"size": 9, "color": "@blue"},
                hovertemplate="%{x:.3g}: %{y:.3g}<extra></extra>",
                **plots.error_bars(errors),
            )
        ],
        plots.layout(
            plots.axis(words("force on the atom (eV/Å)"), rangemode="tozero"),
            plots.axis(words("mean absolute error of a component (eV/Å)"), 34, rangemode="tozero"),
        ),
        words(
            "From the smallest to the largest forces the error goes from {low} to {high} eV/Å.",
            low=words.figure(bins[0][1]),
            high=words.figure(bins[-1][1]),
        ),
        {"force": plots.numbers(x), "mean_absolute_error": plots.numbers(y), "error": plots.numbers(errors)},
    )
    return [plot]
