"""What stands beside an example and beside an axis."""

from __future__ import annotations

import math

import numpy as np

from amalthea.reporting.context import Context
from amalthea.reporting.out_of_fold import Judged
from amalthea.validation.metrics import Figure

LEAST_ERROR = 0.05
"""In percent: a smaller error of a probability is not told."""


def told(context: Context, judged: Judged, index: int) -> list[str]:
    """Return what is said of one example: the truth, the answer with its interval, and where it stands."""
    words = context.words
    where = words("row {row}, fold {fold}", row=judged.rows[index], fold=judged.folds[index] + 1)
    if judged.aside:
        where = words("row {row}", row=judged.rows[index])
    if judged.classes:
        code = judged.named[index]
        error = 100 * judged.std[index]
        share = Figure(100 * judged.probabilities[index, code], error if error >= LEAST_ERROR else math.nan)
        return [
            words("true: {label}", label=judged.label(judged.truth[index])),
            words(
                "predicted: {label} ({share} %)",
                label=judged.label(code),
                share=words.figure(share),
            ),
            where,
        ]
    if judged.potential:
        return [*structure_lines(context, int(judged.places[index])), *_energy(context, judged, index), where]
    unit = f" {judged.target.unit}" if judged.target.unit else ""
    lines = [
        words("true: {value}{unit}", value=words.rounded(judged.truth[index], judged.std[index]), unit=unit),
        words("predicted: {value}{unit}", value=words.rounded(judged.mean[index], judged.std[index]), unit=unit),
    ]
    if np.isfinite(judged.lower[index]):
        lower, upper = (words.rounded(end[index], judged.std[index]) for end in (judged.lower, judged.upper))
        lines.append(words("90 % interval: {lower} to {upper}", lower=lower, upper=upper))
    return [*lines, where]


def structure_lines(context: Context, place: int) -> list[str]:
    """Return what a structure is, where it stands, and how far off its forces were."""
    words, row = context.words, context.predictor.out_of_fold.iloc[place]
    lines = []
    if context.gallery.has_examples:
        lines.append(str(context.predictor.examples["atoms"].iloc[place].get_chemical_formula()))
    lines.append(words("{file}, frame {frame}, {atoms} atoms", **{n: row[n] for n in ("file", "frame", "atoms")}))
    if "force_mae" in row and np.isfinite(row["force_mae"]):
        error = words.number(float(row["force_mae"]), 3)
        lines.append(words("forces: mean absolute error {error} eV/Å", error=error))
    return lines


def _energy(context: Context, judged: Judged, index: int) -> list[str]:
    """Return a structure's energies in eV an atom, and the error in meV an atom."""
    words, std = context.words, judged.std[index] / 1000
    truth, mean, lower, upper = (
        words.rounded(values[index] / 1000, std) for values in (judged.truth, judged.mean, judged.lower, judged.upper)
    )
    lines = [words("energy: true {truth}, predicted {mean} eV/atom", truth=truth, mean=mean)]
    if np.isfinite(judged.lower[index]):
        lines.append(words("90 % interval: {lower} to {upper}", lower=lower, upper=upper))
    error = words.number(float(judged.mean[index] - judged.truth[index]), 3)
    return [*lines, words("error: {error} meV/atom", error=error)]


def with_unit(text: str, unit: str) -> str:
    """Return an axis title with its unit.

    Example:
        >>> with_unit("error", "eV"), with_unit("error", "")
        ('error (eV)', 'error')
    """
    return f"{text} ({unit})" if unit else text
