"""What a trajectory tells: where atoms stand around each other, and how far they wander; with error bars from blocks.

A trajectory is cut into blocks of time; the error of a mean over it is the spread of the blocks' means, divided by
the root of their number (Flyvbjerg, Petersen, J. Chem. Phys. 91, 461 (1989)): frames that follow each other are alike,
long blocks are not.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.files import existing_file
from amalthea.errors import DataError
from amalthea.potentials.reading.read_errors import need_ase
from amalthea.potentials.symmetry_functions.neighbours import neighbours

Floats = NDArray[np.float64]

LEAST_BLOCKS = 2


@dataclasses.dataclass(frozen=True)
class Diffusion:
    """How fast atoms wander.

    Args:
        coefficient: D, in cm²/s.
        error: its standard error.
    """

    coefficient: float
    error: float

    def __str__(self) -> str:
        return f"({self.coefficient:.2e} ± {self.error:.1e}) cm²/s"


def read_trajectory(path: str | os.PathLike[str], start: float = 0.0) -> list[Any]:
    """Return the frames of a trajectory.

    Args:
        path: any file of frames that ASE reads.
        start: the share of the frames, from the beginning, that is left out: the time before equilibrium.

    Raises:
        DataError: no such file, or fewer than two frames are left.
    """
    need_ase()
    from ase.io import read

    frames: list[Any] = list(read(existing_file(path), ":"))
    kept = frames[int(start * len(frames)) :]
    if len(kept) < LEAST_BLOCKS:
        raise DataError(f"{path} has {len(frames)} frames, of which {len(kept)} are used; at least two are needed.")
    return kept


def radial_distribution(
    frames: Sequence[Any],
    *,
    pair: tuple[str, str] | None = None,
    reach: float | None = None,
    bins: int = 200,
    blocks: int = 5,
) -> pd.DataFrame:
    """Return the radial distribution function g(r): the density at a distance from an atom, over the mean density.

    Args:
        frames: `ase.Atoms`, periodic in all directions.
        pair: the elements of the atom in the middle and of those around it; None: all.
        reach: the largest distance in Å; None: half the smallest height of the smallest cell, within which no atom is
            seen twice.
        bins: intervals of r.
        blocks: blocks of time.

    Returns:
        Columns `r` (the middle of each interval, in Å), `g`, `error`.

    Raises:
        DataError: a frame that is not periodic, or without such a pair.
    """
    if not all(atoms.pbc.all() for atoms in frames):
        raise DataError(
            "a radial distribution function needs a density, so frames that are periodic in all directions."
        )
    if reach is None:
        reach = min(0.5 / np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0).max() for atoms in frames)
    edges = np.linspace(0.0, reach, bins + 1)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    of_frames = np.stack([_around(atoms, pair, reach, edges) / shells for atoms in frames])
    mean, error = _by_blocks(of_frames, blocks)
    return pd.DataFrame({"r": (edges[1:] + edges[:-1]) / 2, "g": mean, "error": error})


def mean_square_displacement(
    frames: Sequence[Any], spacing: float, *, element: str | None = None, blocks: int = 5
) -> tuple[pd.DataFrame, Diffusion]:
    """Return how far atoms move in a time, and the diffusion coefficient, D = MSD / 6t (Einstein 1905).

    In each block, the mean goes over all atoms and all beginnings; D is the slope in the second half of the times.

    Args:
        frames: `ase.Atoms` at equal spacing in time, whose positions were not put back into the cell.
        spacing: in fs.
        element: the atoms that count; None: all.
        blocks: blocks of time; the longest time is half a block.

    Returns:
        A table with columns `time_ps`, `msd_A2`, `error`; and the diffusion coefficient.

    Raises:
        DataError: no such atoms, or too few frames for so many blocks.
    """
    chosen = np.array([element is None or symbol == element for symbol in frames[0].get_chemical_symbols()])
    if not chosen.any():
        raise DataError(f"there is no {element} in the frames.")
    masses = frames[0].get_masses()
    positions = np.stack([atoms.positions for atoms in frames])
    # A thermostat may let the whole drift, which is no diffusion: only motion against the centre of mass counts.
    positions -= (masses[:, None] * positions).sum(axis=1, keepdims=True) / masses.sum()
    size = len(frames) // blocks
    if size < 4:
        raise DataError(f"{len(frames)} frames cannot be cut into {blocks} blocks of at least 4. Simulate longer.")
    # Each block is a simulation of its own, as if the others were not there.
    parts = [positions[block * size : (block + 1) * size, chosen] for block in range(blocks)]
    lags = np.arange(1, size // 2 + 1)
    squares = np.array([_squared_displacements(part, lags) for part in parts])
    times = lags * spacing / 1000
    # The slope late: at short times atoms fly and rattle in their cages, and do not diffuse yet.
    late = lags >= max(1, lags[-1] // 2)
    slopes = np.polyfit(times[late], squares[:, late].T, 1)[0] if late.sum() > 1 else squares[:, -1] / times[-1]
    mean, error = _by_blocks(squares, blocks)
    per_block = np.atleast_1d(slopes) / 6 * 1e-4  # 1 Å²/ps = 1e-4 cm²/s
    diffusion = Diffusion(float(per_block.mean()), float(per_block.std(ddof=1) / np.sqrt(blocks)))
    return pd.DataFrame({"time_ps": times, "msd_A2": mean, "error": error}), diffusion


def _squared_displacements(positions: Floats, lags: NDArray[np.int64]) -> list[float]:
    """Return the mean over atoms and beginnings of the squared way in each number of frames, from (frames, A, 3)."""
    ways = (positions[lag:] - positions[:-lag] for lag in lags)
    return [float((way**2).sum(axis=2).mean()) for way in ways]


def _around(atoms: Any, pair: tuple[str, str] | None, reach: float, edges: Floats) -> Floats:
    """Return the number of atoms in each shell around an atom, over the mean density."""
    symbols = np.array(atoms.get_chemical_symbols())
    centre, other = (np.ones(len(atoms), bool) if pair is None else symbols == name for name in pair or ("", ""))
    if not centre.any() or not other.any():
        raise DataError(f"a frame holds no {' and no '.join(pair or ())}.")
    pairs = neighbours(atoms.positions, atoms.cell.array, True, reach)
    counted = centre[pairs.centre] & other[pairs.neighbour]
    lengths = np.linalg.norm(pairs.vector[counted], axis=1)
    density = other.sum() / atoms.get_volume()
    number: Floats = np.histogram(lengths, edges)[0] / (centre.sum() * density)
    return number


def _by_blocks(values: Floats, blocks: int) -> tuple[Floats, Floats]:
    """Return the mean of values in time, shape (n, k), and its standard error from blocks."""
    blocks = max(LEAST_BLOCKS, min(blocks, len(values)))
    # Frames that follow each other are alike; means of long blocks are independent, and their spread is honest.
    means = np.stack([part.mean(axis=0) for part in np.array_split(values, blocks)])
    return values.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(blocks)
