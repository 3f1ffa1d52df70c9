"""A potential, asked on the command line: files of structures in, extended XYZ out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Inputs
from amalthea.datasets.messages import counted
from amalthea.errors import DataError
from amalthea.potentials.answers import PotentialPrediction
from amalthea.predictor.outside import Counts, Outside, treated
from amalthea.predictor.predictor import Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.workflow.settings import Say, ignore

AT_ONCE = 16
"""Structures between two advances of the progress bar."""


def write_structures(
    potential: Predictor,
    paths: Sequence[Path],
    output: Path,
    outside: Outside = "warn",
    verbose: Verbosity = "auto",
    say: Say = ignore,
) -> Counts:
    """Write structures with their predicted energies, forces and stresses as extended XYZ; see `write_predictions`.

    Beside them stand `energy_std`, `energy_lower`, `energy_upper`, `applicability`, `extrapolation`, `warning` and
    `problem`, and for each atom `forces_std`. A structure that could be read and not be answered stays in its place
    without predictions; one that cannot be read is told by `say`.

    Args:
        potential: the model.
        paths: files and folders of structures.
        output: the file to be written, whole or not at all.
        outside: what becomes of structures outside of what was learned; see `Predictor.predict`.
        verbose: "auto" shows progress on a terminal.
        say: hears which structures could not be read.

    Raises:
        DataError: nothing can be read, or the file cannot be written.
    """
    from amalthea.potentials.domain import as_inputs, frames_of
    from amalthea.potentials.reading.writing import write_predictions

    frames = frames_of(paths, potential.input_state)
    if not len(frames):
        first = frames.refused[0]
        raise DataError(f"{first.example}: {first.reason}. No structure could be read.")
    asked = as_inputs(frames)
    predictions: list[PotentialPrediction] = []
    with Bar("structures predicted", len(asked), verbose) as bar:
        for start in range(0, len(asked), AT_ONCE):
            answered = potential.ready.answer(_part(asked, slice(start, start + AT_ONCE)))
            predictions.append(treated(answered, outside))
            bar.reach(min(start + AT_ONCE, len(asked)), len(asked))
    table = pd.concat([_table(part) for part in predictions], ignore_index=True)
    # The answers have a row for each refused frame as well.
    rows = np.searchsorted(asked.table.index, frames.row)
    forces, stress, spread = (
        [value for part in predictions for value in getattr(part, name)] for name in ("forces", "stress", "forces_std")
    )
    unknown = [np.full(len(atoms), np.nan) for atoms in frames.atoms]
    write_predictions(
        output,
        frames,
        table["energy"].to_numpy(np.float64)[rows],
        [forces[row] for row in rows],
        [_whole(stress[row]) for row in rows],
        info=table.drop(columns="energy").iloc[rows],
        arrays={"forces_std": [unknown[n] if spread[row] is None else spread[row] for n, row in enumerate(rows)]},
    )
    if frames.refused:
        say(f"{counted(len(frames.refused), 'frame')} cannot be used and are not in {output.name}:")
        for refusal in frames.refused:
            say(f"  {refusal.example}: {refusal.reason}")
    counts = Counts()
    counts.add(table.rename(columns=lambda name: name.removeprefix("energy_")))
    return counts


def _part(asked: Inputs, rows: slice) -> Inputs:
    return Inputs(asked.table[rows], asked.examples[rows], asked.problems[rows], asked.warnings[rows])


def _table(prediction: PotentialPrediction) -> pd.DataFrame:
    """Return what is predicted for each structure as a whole."""
    nothing = np.full(len(prediction), np.nan)
    return pd.DataFrame(
        {
            "energy": prediction.mean,
            "energy_std": prediction.std,
            "energy_lower": nothing if prediction.lower is None else prediction.lower,
            "energy_upper": nothing if prediction.upper is None else prediction.upper,
            "applicability": prediction.applicability,
            "extrapolation": [0.0 if each is None else each.excess for each in prediction.extrapolation],
            "warning": prediction.warnings,
            "problem": prediction.problems,
        }
    )


def _whole(stress: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return a stress where there is one: none without periodicity in all directions."""
    return stress if stress is not None and np.isfinite(stress).all() else None
