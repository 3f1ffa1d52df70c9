"""The energies of atoms alone, as far as the energies of structures tell them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amalthea.potentials.reading.frames import Frames

ROUNDS, SMALL = 30, 1e-3
"""Rounds of reweighting, and the residual, in eV an atom, below which all count alike."""


def reference_energies(frames: Frames, elements: Sequence[str]) -> dict[str, float]:
    """Return the energy of an atom of each element, in eV, by least absolute deviations over all compositions.

    They only keep energies small enough for single precision: each network refits them to its own structures. A few
    wild labels do not move them, so that those of a held-out fold reach nobody.

    Args:
        frames: structures, some of them with energies.
        elements: the symbols.

    Example:
        >>> from ase import Atoms
        >>> from amalthea.potentials.reading.examples import as_frames
        >>> import pandas as pd
        >>> images = [Atoms("H2", [[0, 0, 0], [0, 0, 1]]), Atoms("H", [[0, 0, 0]])]
        >>> rows = {"atoms": images, "energy": [-6.0, -3.0], "forces": None, "stress": None, "source": "a", "frame": 1}
        >>> reference_energies(as_frames(pd.DataFrame(rows)), ["H"])
        {'H': -3.0}
    """
    known = np.flatnonzero(np.isfinite(frames.energy))
    if not len(known):
        return dict.fromkeys(elements, 0.0)
    counts = np.array([[frames.atoms[row].symbols.count(e) for e in elements] for row in known.tolist()], float)
    sizes = counts.sum(axis=1)
    shares, per_atom = counts / sizes[:, None], frames.energy[known] / sizes
    weights = np.ones(len(known))
    for _ in range(ROUNDS):
        energies = np.linalg.lstsq(weights[:, None] * shares, weights * per_atom, rcond=1e-8)[0]
        # A residual weighed by the inverse of its size counts by its size, not by its square.
        weights = 1 / np.sqrt(np.maximum(np.abs(shares @ energies - per_atom), SMALL))
    return {element: round(float(energy), 6) for element, energy in zip(elements, energies, strict=True)}
