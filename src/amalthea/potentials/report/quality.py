"""How good a potential is, in plain words."""

from __future__ import annotations

import math

from amalthea.reporting.context import Context
from amalthea.reporting.translate import joined
from amalthea.validation.summary import TargetSummary


def in_words(context: Context, summary: TargetSummary) -> str:
    """Return how far off energies, forces and stresses are, and how large the forces are beside that."""
    words, metrics = context.words, summary.metrics
    units = {"energy_mae": words("meV/atom"), "force_mae": "eV/Å", "stress_mae": "GPa"}
    figures = {name: words.figure(metrics[name], unit) if name in metrics else "" for name, unit in units.items()}
    errors = {
        "energy_mae": words("{figure} in the energies", figure=figures["energy_mae"]),
        "force_mae": words("{figure} in the force components", figure=figures["force_mae"]),
        "stress_mae": words("{figure} in the stresses", figure=figures["stress_mae"]),
    }
    sentence = words(
        "Mean absolute errors on structures that the answering networks had never seen: {errors}.",
        errors=joined(words, [text for name, text in errors.items() if name in metrics]),
    )
    sizes = (known["force_mae"].value for known in summary.baselines.values() if "force_mae" in known)
    size = next(sizes, math.nan)
    if "force_mae" not in metrics or not size > 0:
        return sentence
    size_text = words.number(size, 2)
    share = words.percent(metrics["force_mae"].value / size)
    return f"{sentence} " + words(
        "A force component is {size} eV/Å on average: its error is {share} of that.",
        size=size_text,
        share=share,
    )
