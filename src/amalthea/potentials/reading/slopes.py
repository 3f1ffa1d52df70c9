"""Whether forces are the slope of the energies where frames are near one another, and stresses those of matter."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from amalthea.potentials.reading.frames import Floats
from amalthea.potentials.reading.geometry import has_ordinary_distances

NEAR = 0.5
"""In Å: the farthest that an atom may move between two frames that are compared."""

STRAIN = 0.03
"""The largest strain between them."""

FEWEST = 6
"""Fewer pairs of frames than this are not judged."""

MOST = 200
"""Frames of one composition that are compared."""

AHEAD = 4
"""With how many of those behind it each frame is compared."""

HARTREE, BOHR = 27.211386, 0.529177

FORCES = {
    -1.0: "they have the opposite sign, as gradients have",
    HARTREE / BOHR: "they are in hartree/bohr, or the energies are not",
    HARTREE: "they are in hartree/Å",
    1 / BOHR: "they are in eV/bohr",
    HARTREE / BOHR / 2: "they are in rydberg/bohr",
    BOHR / HARTREE: "they were converted from hartree/bohr twice",
    1 / HARTREE: "the energies are in hartree",
    23.060548: "the energies are in kcal/mol",
    96.485332: "the energies are in kJ/mol",
    1 / 23.060548: "they are in kcal/mol/Å",
    1 / 96.485332: "they are in kJ/mol/Å",
}
"""What the energy's slope is, in parts of the forces as they stand, after a known mistake."""

STIFFEST = 6.0
"""In eV/Å³, twice the bulk modulus of diamond: stresses that grow faster with the volume are in another unit."""

STIFFEST_BOND, STIFFEST_LIGHT_BOND, NEON = 120.0, 400.0, 10
"""In eV/Å²: how fast forces grow where atoms move, at most, without and with elements up to neon (N2: 290)."""

CERTAIN = 4.0
"""How many times its standard error a slope must be to be believed."""

STRONGEST = 1.5
"""In eV/Å³: the median stress of frames with ordinary distances is never beyond it."""


def force_mismatch(frames: Sequence[Any], energy: Floats, forces: Sequence[Floats | None]) -> str:
    """Say whether forces cannot be the derivatives of the energies, and which mistake would explain it; "" if they can.

    Between two frames that are near one another the energy changes by the work of their mean forces (trapezoidal rule,
    exact for springs): dE = -(F1 + F2)/2 · dx.

    Args:
        frames: n `ase.Atoms`.
        energy: shape (n,), eV, NaN where missing.
        forces: n arrays of shape (A, 3), eV/Å, None where missing.
    """
    rise, work, growth, stiffness = _pairs(frames, energy, forces)
    if len(rise) < FEWEST:
        return ""
    # A volume that changes costs energy, too: what follows it is taken away from both sides.
    volume = np.stack([growth, growth**2], axis=1)
    slope, agreement = _line(_without(volume, work), _without(volume, rise))
    why = _explanation(slope) if agreement > 0.9 else ""
    stiffest = STIFFEST_BOND if all((atoms.numbers > NEON).all() for atoms in frames) else STIFFEST_LIGHT_BOND
    if not why and agreement > 0.9 and float(np.median(stiffness)) > stiffest:
        return (
            f"Forces grow by {np.median(stiffness):.3g} eV/Å² where atoms move, more than by any bond. "
            "Energies and forces fit one another, so perhaps both are in kcal/mol or kJ/mol. Convert them to eV and Å."
        )
    if not why:
        return ""
    return (
        f"Forces do not fit the energies: between {len(rise):,} pairs of frames that are near one another the energy "
        f"changes by {slope:.3g} times what they say. Perhaps {why}. Mend the file, or name others with --forces-key."
    )


def stress_mismatch(frames: Sequence[Any], energy: Floats, stress: Sequence[Floats | None]) -> str:
    """Say whether stresses have the wrong sign or unit; "" if they may be right.

    Matter that is stretched pulls: among frames of one composition the mean stress grows with the logarithm of the
    volume, by the bulk modulus. What heat adds goes with the energy, and is fitted beside it.

    Args:
        frames: n `ase.Atoms`.
        energy: shape (n,), eV, NaN where missing.
        stress: n arrays of shape (6,), eV/Å³ in ASE's sign, None where missing.
    """
    alike: dict[bytes, list[tuple[float, float, float]]] = defaultdict(list)
    sizes = []
    for atoms, total, components in zip(frames, energy, stress, strict=True):
        if components is not None and atoms.pbc.all() and np.isfinite(total) and has_ordinary_distances(atoms):
            mean = float(components[:3].mean())
            alike[atoms.numbers.tobytes()].append((np.log(atoms.get_volume()), total / len(atoms), mean))
            sizes.append(float(np.abs(components).max()))
    modulus, certainty = _bulk_modulus([np.array(rows) for rows in alike.values()])
    if sizes and (float(np.median(sizes)) > STRONGEST or (certainty > CERTAIN and abs(modulus) > STIFFEST)):
        return (
            f"Stresses reach {max(sizes):.3g} eV/Å³, more than matter at these distances bears. Perhaps they are in "
            "GPa or kbar. Convert them to eV/Å³, or leave them out with --stress-key none."
        )
    if certainty > CERTAIN and modulus < 0:
        return (
            "Stresses seem to have the wrong sign: they should grow (pull) where the volume grows, and they fall. In "
            "ASE's sign the stress is -virial/volume. Mend the file, or leave them out with --stress-key none."
        )
    return ""


def _bulk_modulus(groups: Sequence[Floats]) -> tuple[float, float]:
    """Return the slope of the mean stress over the logarithm of the volume in eV/Å³, and |slope| over its error.

    Args:
        groups: for each composition, shape (n, 3): logarithms of the volume, energies an atom, mean stresses.
    """
    centred = [rows - rows.mean(axis=0) for rows in groups if len(rows) > 2]
    free = sum(len(rows) - 1 for rows in centred) - 2
    if free < FEWEST - 3:
        return 0.0, 0.0
    rows = np.concatenate(centred)
    inputs, stress = rows[:, :2], rows[:, 2]
    if np.std(inputs[:, 0]) < 1e-3 or np.linalg.matrix_rank(inputs) < 2:
        return 0.0, 0.0
    slopes = np.linalg.lstsq(inputs, stress, rcond=None)[0]
    variance = float(np.sum((stress - inputs @ slopes) ** 2)) / free
    error = float(np.sqrt(variance * np.linalg.inv(inputs.T @ inputs)[0, 0]))
    return float(slopes[0]), abs(float(slopes[0])) / max(error, 1e-12)


def _explanation(slope: float) -> str:
    """Return the one or two mistakes that come with such a slope; "" where none does or the slope is about 1."""
    misses = {factor: abs(np.log(slope / factor)) for factor in (1.0, *FORCES) if factor * slope > 0}
    likely = sorted((factor for factor, miss in misses.items() if miss < 0.25), key=misses.__getitem__)[:2]
    return "" if 1.0 in likely else ", or ".join(FORCES[factor] for factor in likely)


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Return the slope of y over x, by least squares, and how well it explains y: the absolute correlation."""
    size = float(np.linalg.norm(x) * np.linalg.norm(y))
    return (0.0, 0.0) if size == 0 else (float(x @ y / (x @ x)), abs(float(x @ y)) / size)


def _without(others: Floats, values: Floats) -> Floats:
    """Return what is left of values when their best fit by others, shape (pairs, k), is taken away."""
    return np.asarray(values - others @ np.linalg.lstsq(others, values, rcond=1e-10)[0], np.float64)


def _pairs(frames: Sequence[Any], energy: Floats, forces: Sequence[Floats | None]) -> Floats:
    """Return of near frames, shape (4, pairs): the rise of the energy and what it should be, the growth of the volume,
    and by how much forces grow where atoms move, in eV/Å².
    """
    alike: dict[bytes, list[int]] = defaultdict(list)
    for row, atoms in enumerate(frames):
        if forces[row] is not None and np.isfinite(energy[row]):
            alike[atoms.numbers.tobytes()].append(row)
    compared: list[tuple[float, float, float, float]] = []
    for rows in alike.values():
        for first, second in itertools.combinations(range(len(rows[:MOST])), 2):
            one, other = rows[first], rows[second]
            if second - first <= AHEAD and (moved := _movement(frames[one], frames[other])) is not None:
                before, after = np.asarray(forces[one]), np.asarray(forces[other])
                work = -float(np.sum((before + after) / 2 * moved[0]))
                stiffness = -float(np.sum((after - before) * moved[0]) / np.sum(moved[0] ** 2))
                compared.append((energy[other] - energy[one], work, moved[1], stiffness))
    return np.array(compared, np.float64).reshape(-1, 4).T


def _movement(first: Any, second: Any) -> tuple[Floats, float] | None:
    """Return how atoms moved, shape (A, 3), and by which part the volume grew; None where the frames are not near."""
    if (first.pbc != second.pbc).any():
        return None
    if not first.pbc.any():
        moved, growth = second.positions - first.positions, 0.0
    else:
        cells = [atoms.cell.complete().array for atoms in (first, second)]
        strain = np.linalg.solve(cells[0], cells[1]) - np.eye(3)
        if np.abs(strain).max() > STRAIN:
            return None
        # Atoms that ride with the cell did not move: the difference is that of their places within it.
        places = [np.linalg.solve(c.T, atoms.positions.T).T for c, atoms in zip(cells, (first, second), strict=True)]
        shift = places[1] - places[0]
        moved = (shift - np.where(first.pbc, np.round(shift), 0)) @ (cells[0] + cells[1]) / 2
        growth = float(np.trace(strain))
    farthest = float(np.abs(moved).max())
    return (moved, growth) if 1e-6 < farthest <= NEAR else None
