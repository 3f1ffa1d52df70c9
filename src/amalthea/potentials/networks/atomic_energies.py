"""The energies of atoms alone, as far as the energies of structures tell them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amalthea.potentials.reading.frames import Frames


def reference_energies(frames: Frames, elements: Sequence[str]) -> dict[str, float]:
    """Return the energy of an atom of each element, in eV, by least squares over all compositions.

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
    found = np.linalg.lstsq(counts / sizes[:, None], frames.energy[known] / sizes, rcond=1e-8)[0]
    return {element: round(float(energy), 6) for element, energy in zip(elements, found, strict=True)}
