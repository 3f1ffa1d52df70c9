"""What the sections of a report on a potential are told: energies by atom, forces, and what they are called."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pandas as pd

from amalthea.potentials.report.forces import Forces, held_out_forces
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.captions import interval_line, where
from amalthea.reporting.context import Context
from amalthea.reporting.examples import NO_ERRORS, Gallery
from amalthea.reporting.out_of_fold import Judged, held_out
from amalthea.reporting.translate import Words, capital, joined
from amalthea.validation.metrics import Figure

MILLIELECTRONVOLTS = 1000.0


class PotentialContext(Context):
    """A potential, its held-out energies in meV an atom, and the language."""

    @functools.cached_property
    def gallery(self) -> Gallery:
        """The structures that are drawn, those with the largest errors of forces among them."""
        table = self.predictor.out_of_fold
        errors = table["force_mae"].to_numpy(np.float64) if "force_mae" in table else NO_ERRORS
        return Gallery(self.predictor, self.judged, self.seed, self.words.point, errors, _formula)

    @functools.cached_property
    def forces(self) -> Forces | None:
        """The forces in structures, answered by networks that never saw them; None where there are none."""
        return held_out_forces(self.predictor, self.seed)

    def learned(self) -> str:
        """Return the kinds of labels that were learned from."""
        words, (summary, *_) = self.words, self.predictor.validation.targets
        kinds = {"energy": words("energies"), "force": words("forces"), "stress": words("stresses")}
        known = {**summary.metrics, **(summary.test or {})}
        if not self.predictor.validation.examples:  # trained elsewhere
            return joined(words, list(kinds.values()))
        return joined(words, [name for kind, name in kinds.items() if f"{kind}_mae" in known] or [kinds["energy"]])

    def called(self, target: str) -> str:
        """Return what energies and forces are called in a sentence."""
        return self.words("forces") if target == "force" else self.words("energies")

    def title(self, target: str) -> str:
        """Return what energies and forces are called where they begin a title."""
        return capital(self.called(target))

    def caption(self, judged: Judged, index: int) -> list[str]:
        """Return a structure's energies in eV an atom, the error in meV an atom, and where it stands."""
        words, scale = self.words, judged.listed_scale
        truth, mean = (
            words.rounded(scale * values[index], scale * judged.std[index]) for values in (judged.truth, judged.mean)
        )
        error = words.number(float(judged.mean[index] - judged.truth[index]), 3)
        return [
            *self.structure_lines(int(judged.places[index])),
            words("energy: true {truth}, predicted {mean} eV/atom", truth=truth, mean=mean),
            *interval_line(words, judged, index, scale),
            words("error: {error} meV/atom", error=error),
            where(words, judged, index),
        ]

    def structure_lines(self, position: int) -> list[str]:
        """Return what a structure is, where it stands, and how far off its forces were."""
        words, row = self.words, self.predictor.out_of_fold.iloc[position]
        lines = []
        if self.gallery.has_examples:
            lines.append(str(self.predictor.examples["atoms"].iloc[position].get_chemical_formula()))
        lines.append(words("{file}, frame {frame}, {atoms} atoms", **{n: row[n] for n in ("file", "frame", "atoms")}))
        if "force_mae" in row and np.isfinite(row["force_mae"]):
            error = words.number(float(row["force_mae"]), 3)
            lines.append(words("forces: mean absolute error {error} eV/Å", error=error))
        return lines


def held_out_energies(predictor: Predictor, words: Words) -> tuple[Judged, ...]:
    """Return the out-of-fold energies in meV an atom, as their errors are told; values are listed in eV an atom."""
    return tuple(_per_atom(predictor, words, judged) for judged in held_out(predictor))


def _per_atom(predictor: Predictor, words: Words, judged: Judged) -> Judged:
    atoms = predictor.out_of_fold["atoms"].to_numpy(np.float64)[judged.places]
    names = ("truth", "mean", "std", "spread", "lower", "upper")
    energies: dict[str, Any] = {name: getattr(judged, name) * MILLIELECTRONVOLTS / atoms for name in names}
    target = dataclasses.replace(judged.target, unit=words("meV/atom"))
    scale = 1 / MILLIELECTRONVOLTS
    changed = dataclasses.replace(judged, target=target, listed_unit=words("eV/atom"), listed_scale=scale, **energies)
    if predictor.validation.targets[0].metrics:
        return changed
    error = Figure(float(changed.error.mean()), float("nan"))
    return dataclasses.replace(changed, summary=dataclasses.replace(judged.summary, metrics={"energy_mae": error}))


def _formula(example: pd.Series[Any]) -> str:
    """Return a structure's formula, and where it stands."""
    return f"{example['atoms'].get_chemical_formula()} ({example['source']}, {example['frame']})"
