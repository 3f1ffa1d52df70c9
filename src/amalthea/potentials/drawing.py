"""A structure drawn: its atoms as balls, the nearest in front, and its cell as lines."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 220, 160
MARGIN = 8.0
MOST_ATOMS = 250
"""Of larger structures the formula alone is told."""

VIEW = np.array([[0.94, 0.0, 0.34], [0.12, 0.94, -0.32], [-0.32, 0.34, 0.88]])
"""Right, up and towards the reader, in the structure's own coordinates (about orthonormal)."""


def structure(atoms: Any) -> str:
    """Return a structure as SVG; "" where it has too many atoms to be told apart.

    Args:
        atoms: an `ase.Atoms`.

    Example:
        >>> from ase.build import molecule
        >>> structure(molecule("H2O")).count("<circle")
        3
    """
    if not 0 < len(atoms) <= MOST_ATOMS:
        return ""
    from ase.data import covalent_radii
    from ase.data.colors import jmol_colors

    places, edges = atoms.positions @ VIEW.T, _edges(atoms) @ VIEW.T
    radii = 0.6 * covalent_radii[atoms.numbers]
    seen = np.concatenate([places[:, :2] - radii[:, None], places[:, :2] + radii[:, None], *edges[..., :2]])
    low, high = seen.min(axis=0), seen.max(axis=0)
    scale = float(min((np.array([WIDTH, HEIGHT]) - 2 * MARGIN) / np.maximum(high - low, 1e-6)))
    middle = (low + high) / 2

    def on_paper(points: NDArray[np.float64]) -> NDArray[np.float64]:
        flat: NDArray[np.float64] = (points[..., :2] - middle) * scale * [1, -1] + [WIDTH / 2, HEIGHT / 2]
        return flat

    lines = "".join(f"M{x:.0f} {y:.0f}L{u:.0f} {v:.0f}" for (x, y), (u, v) in on_paper(edges))
    depth = places[:, 2]
    balls = "".join(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{max(radius * scale, 1.5):.1f}" fill="{_hex(jmol_colors[number])}"/>'
        for (x, y), radius, number in (
            (on_paper(places[i]), radii[i], atoms.numbers[i]) for i in np.argsort(depth, kind="stable")
        )
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<path d="{lines}" stroke="#7a8590" fill="none"/><g stroke="#30363d" stroke-width=".7">{balls}</g></svg>'
    )


def _edges(atoms: Any) -> NDArray[np.float64]:
    """Return the ends of the cell's edges, shape (12, 2, 3); none for a structure without a cell."""
    cell = np.asarray(atoms.cell.array, np.float64)
    if not atoms.pbc.any() or not cell.any():
        return np.empty((0, 2, 3))
    corners = np.array(list(itertools.product((0.0, 1.0), repeat=3)))
    edges = [ends for ends in itertools.combinations(corners, 2) if np.abs(ends[0] - ends[1]).sum() == 1]
    return np.array(edges) @ cell


def _hex(colour: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(255 * float(channel)):02x}" for channel in colour)


def summary(row: Mapping[Any, Any]) -> str:
    """Return a structure's formula, and where it stands."""
    formula = str(row["atoms"].get_chemical_formula())
    lines = [f"{name}: {row[name]}" for name in ("name", "file", "source", "frame") if name in row]
    return "\n".join([f"{formula} ({len(row['atoms'])})", *lines])
