"""The verb `select`: which structures to compute next, those that the committee is least sure of, and no two alike."""

from __future__ import annotations

import dataclasses
import os
import shlex
from pathlib import Path
from typing import Any

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from amalthea.datasets.files import write_whole
from amalthea.datasets.output_path import check_output
from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.potential import Potential
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.reading.sources import frames_from, output_path, paths_of
from amalthea.potentials.reading.writing import as_extended_xyz
from amalthea.potentials.simulation.calculator import Calculator, as_potential
from amalthea.potentials.symmetry_functions.descriptors import structure_features
from amalthea.progress import Bar, Verbosity

Floats = NDArray[np.float64]

POOL = 5
"""So many times as many structures as are asked for, the least certain ones, are chosen from."""


@dataclasses.dataclass(frozen=True, eq=False)
class Selection:
    """Structures that are worth computing.

    Args:
        frames: the n structures that were looked at; those that cannot be used are among its `refused`.
        rows: shape (k,): the numbers of the chosen ones among the frames, the least certain first.
        uncertainty: shape (n,): of the least certain atom's force, in eV/Å; NaN where there is none.
        problems: shape (n,): why a structure could not be looked at; "" where it could.
        output: the file that holds the chosen ones; None: none was asked for.
    """

    frames: Frames
    rows: NDArray[np.int64]
    uncertainty: Floats
    problems: NDArray[np.object_]
    output: Path | None = None

    @property
    def atoms(self) -> list[Any]:
        """The chosen structures, without predictions, so that none is taken for a label; with where they come from."""
        chosen = []
        for row in self.rows:
            atoms = self.frames.atoms[row].copy()
            atoms.info = {"file": str(self.frames.source[row]), "frame": int(self.frames.frame[row])}
            atoms.info["forces_std_max"] = float(self.uncertainty[row])
            chosen.append(atoms)
        return chosen

    def as_json(self) -> dict[str, Any]:
        """Return what `amalthea select --json` prints."""
        return {
            "output": None if self.output is None else str(self.output),
            "looked_at": len(self.frames),
            "chosen": len(self.rows),
            "refused": len(self.frames.refused) + int((self.problems != "").sum()),
            "frames": [int(self.frames.frame[row]) for row in self.rows],
            "forces_std_max": [float(self.uncertainty[row]) for row in self.rows],
        }

    def __str__(self) -> str:
        uncertain, refused = self.uncertainty[self.rows], self.as_json()["refused"]
        text = (
            f"{len(self.rows)} of {len(self.frames)} structures chosen, uncertain by {uncertain.min():.3g} to "
            f"{uncertain.max():.3g} eV/Å in their least certain force; {refused} refused."
        )
        if self.output is None:
            return text
        name = shlex.quote(str(self.output))
        return f"{text} Written to {self.output}.\nWorth trying next:\n  amalthea label {name} --calculator NAME"


def select(
    model: str | os.PathLike[str] | Potential,
    trajectory: Any,
    *,
    number: int = 20,
    output: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    verbose: Verbosity = "auto",
) -> Selection:
    """Choose structures for the next reference calculations.

    Of the least certain ones, the most uncertain is taken first, then again and again the one that is farthest from
    all taken (farthest-point sampling: Gonzalez, Theor. Comput. Sci. 38, 293 (1985)), by the mean and the spread of
    their atoms' symmetry functions, each in units of its spread among the structures. Copies are not taken.

    Args:
        model: a trained potential with at least two members, or its file.
        trajectory: files of structures, or `ase.Atoms`; one or several.
        number: how many to choose; fewer are chosen where fewer differ.
        output: the extended XYZ file to write; None: beside the first file, with "-selected"; none for `ase.Atoms`.
        threads: that share the work; None: all cores.
        verbose: "auto" shows progress on a terminal.

    Raises:
        AmaltheaError: the committee is one network and cannot doubt; nothing is asked for.
        DataError: no structure could be looked at, or the output cannot be written.
    """
    files = paths_of(trajectory)
    path = output_path(output, trajectory, "-selected.extxyz") if files or output is not None else None
    check_output(path, *([model] if isinstance(model, str | os.PathLike) else []), *files)  # type: ignore[arg-type]
    potential = as_potential(model)
    if potential.committee.members < 2:
        raise AmaltheaError("This potential is one network, which cannot say how sure it is. Train several members.")
    if number < 1:
        raise AmaltheaError(f"At least one structure must be asked for. Received: {number}")
    frames = frames_from(trajectory)
    uncertainty, features, problems = _look(potential, frames, cpu_count() if threads is None else threads, verbose)
    known = np.flatnonzero(np.isfinite(uncertainty))
    if not len(known):
        reasons = [*problems, *(refusal.reason for refusal in frames.refused)]
        count = len(frames) + len(frames.refused)
        raise DataError(f"none of {count} structures can be used ({reasons[0] if reasons else ''}).")
    # Farthest points alone would be the oddest structures; among the least certain ones, both count.
    pool = known[np.argsort(-uncertainty[known], kind="stable")][: POOL * number]
    # A function that hardly varies counts as much as one that does: each in units of its spread.
    spread = features[known].std(axis=0)
    scaled = features[pool] / np.where(spread > 0, spread, 1.0)
    chosen = Selection(frames, pool[farthest(scaled, number)], uncertainty, problems, path)
    if path is not None:
        content = b"".join(as_extended_xyz(atoms) for atoms in chosen.atoms)
        write_whole(path, lambda temporary: temporary.write_bytes(content))
    return chosen


def _look(
    potential: Potential, frames: Frames, threads: int, verbose: Verbosity
) -> tuple[Floats, Floats, NDArray[np.object_]]:
    """Return each structure's uncertainty, features, and why it could not be looked at."""
    calculator, elements = Calculator(potential, threads=threads, skin=0.0), len(potential.committee.elements)
    uncertainty, problems = np.full(len(frames), np.nan), np.full(len(frames), "", object)
    features = np.zeros((len(frames), potential.applicability.features))
    with Bar("structures", len(frames), verbose) as bar:
        for row, atoms in enumerate(frames.atoms):
            try:
                uncertainty[row] = calculator.get_property("forces_std", atoms).max()
                features[row] = structure_features(*calculator.described, elements)
            except DataError as error:
                problems[row] = str(error)
            bar.advance()
    return uncertainty, features, problems


def farthest(points: Floats, count: int) -> NDArray[np.int64]:
    """Return the first point, and then always the one that is farthest from all taken; no point twice.

    Args:
        points: shape (n, k).
        count: how many at most.

    Example:
        >>> farthest(np.array([[0.0], [0.1], [1.0], [0.4], [0.0]]), 9)
        array([0, 2, 3, 1])
    """
    taken, distance = [0], np.linalg.norm(points - points[0], axis=1)
    smallest = 1e-6 * max(1.0, float(np.abs(points).max(initial=0.0)))  # features are in single precision
    while len(taken) < count and distance.max() > smallest:
        taken.append(int(distance.argmax()))
        # A point's distance to the nearest of those taken can only have become smaller by the newest one.
        distance = np.minimum(distance, np.linalg.norm(points - points[taken[-1]], axis=1))
    return np.array(taken, np.int64)
