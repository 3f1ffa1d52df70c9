"""Frames whose energy cannot belong to the others: another unit, another code."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from amalthea.potentials.reading.frames import Floats
from amalthea.potentials.reading.geometry import ORDINARY, has_ordinary_distances, nearest_distance

FEWEST = 5
"""Fewer energies than this are not judged."""

MOST = 0.2
"""If more than this part of the frames stood out, it would not be clear which of them are wrong: none is refused."""

DEEPEST = 25.0
"""In eV per atom: no chemical bond makes one structure so much more stable than another of the same elements."""

UNITS = {
    "hartree": 27.211386,
    "rydberg": 13.605693,
    "kcal/mol": 1 / 23.060548,
    "kJ/mol": 1 / 96.485332,
    "meV": 1e-3,
}
"""Units that energies come in, in eV."""


@dataclasses.dataclass(frozen=True)
class Outliers:
    """What stands out among n energies.

    Args:
        wrong: the frames whose energy cannot be right, and why, as a phrase.
        far: the frames that are far from the others for no reason that is known; they may well be right.
    """

    wrong: dict[int, str] = dataclasses.field(default_factory=dict)
    far: tuple[int, ...] = ()


def find_outliers(frames: Sequence[Any], energy: Floats) -> Outliers:
    """Compare each energy with what the other frames say of its composition.

    The energies of single atoms are fitted to all frames, by least absolute deviations so that few wrong frames do not
    matter; what is left is compared per atom. A frame counts as wrong only where that has an explanation: the energy
    times the factor of another unit (or of the number of atoms) is what was expected, or it is bound more strongly than
    any chemistry allows. Isolated atoms, stretched dimers, compressed cells and surfaces are far from bulk at
    equilibrium for good reasons, so distance alone makes nothing wrong, and too weak a bond is judged only where the
    atoms have ordinary distances.
    Assumed are: most frames are right, and all were calculated by one program with one set of pseudopotentials.

    Args:
        frames: n `ase.Atoms`.
        energy: shape (n,), eV, NaN where missing.

    Example:
        >>> from ase.build import bulk
        >>> find_outliers([bulk("Si", cubic=True)] * 10, np.array([-43.0] * 9 + [-43.0 / 27.2114])).wrong
        {9: 'its energy is -0.1975 eV per atom, where -5.375 is usual: perhaps it is in hartree'}
    """
    known = np.flatnonzero(np.isfinite(energy))
    if len(known) < FEWEST:
        return Outliers()
    # What the elements alone explain: energies an atom, as a sum over the composition.
    counts = _compositions([frames[row] for row in known.tolist()])
    sizes = counts.sum(axis=1)
    fractions, per_atom = counts / sizes[:, None], energy[known] / sizes
    left = per_atom - fractions @ _least_absolute(fractions, per_atom)
    left = left - np.median(left)
    # A robust spread (1.4826 times the median deviation is a normal distribution's sigma): outliers cannot hide in it.
    spread = 1.4826 * float(np.median(np.abs(left)))
    stands_out = np.abs(left) > max(10 * spread, 0.5)
    usual = per_atom - left
    # Far from the others is not wrong yet: only what a known mistake explains is refused.
    wrong, far = {}, []
    for row in np.flatnonzero(stands_out).tolist():
        tolerance = max(5 * spread, 0.02 * abs(usual[row]))
        explanation = ""
        # Where energies are counted from the elements' usual form they lie about zero, and any factor leads there.
        if abs(usual[row]) > 3 * tolerance:
            explanation = _explained(per_atom[row], usual[row], frames[int(known[row])], tolerance)
        # Atoms alone or far apart are bound more weakly for a good reason, whatever factor that may look like.
        if left[row] > 0 and nearest_distance(frames[int(known[row])]) > ORDINARY[1]:
            explanation = ""
        if not explanation and left[row] < -DEEPEST:
            explanation = "perhaps it comes from another program or with other pseudopotentials"
        if explanation:
            wrong[int(known[row])] = (
                f"its energy is {per_atom[row]:.4g} eV per atom, where {usual[row]:.4g} is usual: {explanation}"
            )
        elif has_ordinary_distances(frames[int(known[row])]):
            far.append(int(known[row]))
    if len(wrong) > MOST * len(known):
        return Outliers(far=tuple(sorted([*wrong, *far])))
    return Outliers(wrong, tuple(far))


def _explained(energy: float, usual: float, atoms: Any, tolerance: float) -> str:
    """Return the mistake that leads from the usual energy per atom to this one, "" if none is known."""
    mistakes = {}
    for unit, size in UNITS.items():
        mistakes[f"it is in {unit}"] = 1 / size
        mistakes[f"it was converted from {unit} twice"] = size
    if len(atoms) >= 8:  # a small molecule may well be bound by a half or a third of what the bulk is
        mistakes["it was divided by the number of atoms"] = 1 / len(atoms)
    ordinary = has_ordinary_distances(atoms)
    misses = {mistake: abs(energy / factor - usual) for mistake, factor in mistakes.items() if factor > 1 or ordinary}
    likely = sorted((mistake for mistake, miss in misses.items() if miss <= tolerance), key=misses.__getitem__)
    return f"perhaps {' or '.join(likely[:2])}" if likely else ""


def _compositions(frames: Sequence[Any]) -> Floats:
    """Return how many atoms of each element each frame has, shape (n, elements)."""
    elements = np.unique(np.concatenate([atoms.numbers for atoms in frames]))
    return np.array([np.sum(atoms.numbers[:, None] == elements, axis=0) for atoms in frames], np.float64)


def _least_absolute(inputs: Floats, targets: Floats, rounds: int = 50) -> Floats:
    """Return the coefficients with the least absolute deviations, by iteratively reweighted least squares.

    Args:
        inputs: shape (n, k).
        targets: shape (n,).
        rounds: how often the weights are renewed.
    """
    weights: Floats = np.ones(len(targets))
    coefficients: Floats = np.zeros(inputs.shape[1])
    # A weight of 1/|residual| turns the sum of squares into one of absolute values at the solution.
    for _ in range(rounds):
        root = np.sqrt(weights)
        coefficients = np.linalg.lstsq(inputs * root[:, None], targets * root, rcond=1e-10)[0].astype(np.float64)
        weights = 1 / np.maximum(np.abs(targets - inputs @ coefficients), 1e-4)
    return coefficients
