"""What was read from files of atomic structures: frames, their labels, and what was refused."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Refusal

Floats = NDArray[np.float64]


class Read(NamedTuple):
    """One frame as a file's reader gives it.

    Args:
        atoms: an `ase.Atoms` with its labels still on it; None where the frame could not be read.
        problem: why there are no atoms, "" where there are some or where only a note is given.
        note: what should be known about the file, as a sentence.
    """

    atoms: Any | None
    problem: str = ""
    note: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class Frames:
    """n atomic structures with what is known of each; frozen.

    Args:
        atoms: n plain `ase.Atoms` (no calculator, no constraints); positions and cells in Å.
        energy: shape (n,): total potential energies in eV, NaN where missing.
        forces: n arrays of shape (A, 3) in eV/Å, None where missing.
        stress: n arrays of shape (6,) in eV/Å³, in Voigt's order and ASE's sign (positive where the structure is
            stretched), None where missing.
        source: shape (n,): the file of each frame.
        frame: shape (n,): the position of each frame in its file, from 1.
        row: shape (n,): the position of each frame in all that was read, from 1, the refused ones counted.
        info: n rows of text: the entries of each frame (config_type, group, ...) and the column `file`.
        refused: the frames that could not be used, each by its `row`, and why.
        notes: what was found and decided, as sentences.
    """

    atoms: list[Any]
    energy: Floats
    forces: list[Floats | None]
    stress: list[Floats | None]
    source: NDArray[np.object_]
    frame: NDArray[np.int64]
    row: NDArray[np.int64]
    info: pd.DataFrame
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.atoms)

    def take(self, rows: NDArray[np.intp]) -> Frames:
        """Return these frames only, in this order; `refused` and `notes` stay."""
        return dataclasses.replace(
            self,
            atoms=[self.atoms[row] for row in rows],
            energy=self.energy[rows],
            forces=[self.forces[row] for row in rows],
            stress=[self.stress[row] for row in rows],
            source=self.source[rows],
            frame=self.frame[rows],
            row=self.row[rows],
            info=self.info.iloc[rows].reset_index(drop=True),
        )


def plain(atoms: Any) -> Any:
    """Return elements, positions, cell and periodicity of an `ase.Atoms` only."""
    from ase import Atoms

    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)


def frame_name(source: str, frame: int) -> str:
    """Return how a frame is called in a sentence.

    Example:
        >>> frame_name("water.xyz", 3)
        'water.xyz, frame 3'
    """
    return f"{source}, frame {frame}"
