"""Labels that do not belong together: of two methods, in two units, of charged and neutral frames."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from amalthea.datasets.messages import counted, listed
from amalthea.potentials.reading.duplicates import structure_keys
from amalthea.potentials.reading.frames import Floats
from amalthea.potentials.reading.geometry import has_ordinary_distances
from amalthea.potentials.reading.label_names import LabelNames, candidates
from amalthea.potentials.reading.labels import Labels, entries_of, find_labels
from amalthea.potentials.reading.slopes import force_mismatch, stress_mismatch

Judged = tuple[str, Any, Labels]
"""What a frame is called, its `ase.Atoms`, its labels."""

FARTHEST_COPIES = 1e-3
"""In eV an atom: energies of one structure that differ by more are named."""

WIDEST_GAP = 1.0
"""In eV an atom: frames of one composition and ordinary distances with a larger gap among them are named."""

METHOD_GAP = 0.1
"""The same where an entry of `METHODS` differs on both sides of the gap."""

METHODS = {
    "functional",
    "xc",
    "method",
    "level",
    "level_of_theory",
    "theory",
    "code",
    "program",
    "calculator",
    "run_type",
}

STATES = ("charge", "total_charge", "charges_total", "spin", "total_spin", "multiplicity", "spin_multiplicity")
"""Entries that tell of another number of electrons, or another state of them, which no potential here sees."""


def notes_on_mismatches(judged: Sequence[Judged]) -> list[str]:
    """Say what in the labels of frames contradicts itself; the frames are kept."""
    frames = [atoms for _, atoms, _ in judged]
    energy = np.array([labels.energy for *_, labels in judged], np.float64)
    forces, stress = ([getattr(labels, label) for *_, labels in judged] for label in ("forces", "stress"))
    notes = [
        _two_energies(judged, energy),
        _two_methods(judged, energy),
        force_mismatch(frames, energy, forces),
        stress_mismatch(frames, energy, stress),
        _stress_and_virial(judged),
        _states(frames),
        _rare_elements(judged),
    ]
    return [note for note in notes if note]


def per_atom_energy(judged: Sequence[tuple[Any, Labels]]) -> str:
    """Return the entry that is the total energy where the one that was taken is it divided by the number of atoms.

    Returns:
        "" where this is not so.
    """
    others = Counter(name for _, labels in judged for name in labels.others.get("energy", ()))
    for name in others:
        pairs = [(atoms, labels.energy, entries_of(atoms).get(name)) for atoms, labels in judged]
        known = [(len(a), e, float(np.ravel(t)[0])) for a, e, t in pairs if t is not None and np.isfinite(e)]
        if len(known) > len(judged) / 2 and any(atoms > 1 for atoms, *_ in known):
            atoms, energy, total = np.array(known).T
            if np.allclose(energy * atoms, total, rtol=1e-4, atol=1e-3):
                return name
    return ""


def _two_energies(judged: Sequence[Judged], energy: Floats) -> str:
    """Say which structures stand with two different energies."""
    alike: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(structure_keys(atoms for _, atoms, _ in judged)):
        if np.isfinite(energy[row]):
            alike[key].append(row)
    spreads = {rows[0]: float(np.ptp(energy[rows])) / len(judged[rows[0]][1]) for rows in alike.values()}
    apart = [row for row, spread in spreads.items() if spread > FARTHEST_COPIES]
    if not apart:
        return ""
    largest = max(spreads.values())
    return (
        f"{counted(len(apart), 'structure')} stand with different energies, up to {largest:.3g} eV an atom apart "
        f"({_named(judged, apart)}). Were they calculated with two settings?"
    )


def _two_methods(judged: Sequence[Judged], energy: Floats) -> str:
    """Say which frames of one composition fall into two groups of energies that no change of structure explains."""
    alike: dict[bytes, list[int]] = defaultdict(list)
    for row, (_, atoms, _) in enumerate(judged):
        if np.isfinite(energy[row]) and has_ordinary_distances(atoms):
            alike[np.sort(atoms.numbers).tobytes()].append(row)
    for rows in alike.values():
        per_atom = energy[rows] / len(judged[rows[0]][1])
        order = np.argsort(per_atom)
        gaps = np.diff(per_atom[order])
        if len(rows) < 6 or not len(gaps):
            continue
        widest = int(np.argmax(gaps))
        sides = [np.array(rows)[order[: widest + 1]], np.array(rows)[order[widest + 1 :]]]
        inside = max(float(np.ptp(energy[side])) / len(judged[rows[0]][1]) for side in sides)
        # Two heaps far apart, each dense: a continuous change of the structure would fill the gap between them.
        telling = _telling(judged, sides)
        wide = gaps[widest] > (METHOD_GAP if telling else WIDEST_GAP)
        if wide and gaps[widest] > 2 * inside and min(map(len, sides)) >= 3:
            first, second = (_named(judged, side.tolist(), most=2) for side in sides)
            return (
                f"The energies of one composition fall into two groups {gaps[widest]:.3g} eV an atom apart "
                f"({counted(len(sides[0]), 'frame')} such as {first}; {len(sides[1]):,} such as {second}). Two "
                f"functionals or programs in one data set?{telling}"
            )
    return ""


def _telling(judged: Sequence[Judged], sides: Sequence[Any]) -> str:
    """Name the entry for a method that differs between two groups of frames and in neither; "" for none."""
    for name in (name for name in judged[sides[0][0]][1].info if name.lower() in METHODS):
        values = [{str(judged[row][1].info.get(name)) for row in side} for side in sides]
        if len(values[0]) == len(values[1]) == 1 and values[0] != values[1]:
            return f" '{name}' is {values[0].pop()} in one and {values[1].pop()} in the other."
    return ""


def _stress_and_virial(judged: Sequence[Judged]) -> str:
    """Say where a frame's stress and its virial are not the same."""
    apart, ratio = [], 0.0
    for row, (_, atoms, labels) in enumerate(judged):
        virials = [name for name in candidates("stress", entries_of(atoms)) if "virial" in name.lower()]
        if labels.stress is None or not virials or "virial" in labels.names["stress"].lower():
            continue
        other = find_labels(atoms, LabelNames(stress=virials[0])).stress
        if other is not None and not np.allclose(other, labels.stress, rtol=1e-2, atol=1e-4):
            apart.append(row)
            ratio = float(other @ labels.stress / max(float(labels.stress @ labels.stress), 1e-12))
    if not apart:
        return ""
    return (
        f"Stress and virial of {counted(len(apart), 'frame')} do not agree ({_named(judged, apart)}): -virial/volume "
        f"is {ratio:.3g} times the stress. The stress was taken; --stress-key takes the virial, or none."
    )


def _states(frames: Sequence[Any]) -> str:
    """Say whether frames have different charges or spins."""
    for name in STATES:
        values = Counter(f"{float(atoms.info[name]):g}" for atoms in frames if _is_number(atoms.info.get(name)))
        if len(values) > 1:
            counts = listed((f"{value} in {counted(number, 'frame')}" for value, number in values.most_common()), 4)
            return (
                f"Frames differ in '{name}' ({counts}). A potential sees elements and places only: structures that are "
                "alike then have two energies. Train on one of them."
            )
    return ""


def _rare_elements(judged: Sequence[Judged]) -> str:
    """Say which elements stand in one frame only, where there are many."""
    frames: dict[str, list[int]] = defaultdict(list)
    for row, (_, atoms, _) in enumerate(judged):
        for symbol in set(atoms.get_chemical_symbols()):
            frames[symbol].append(row)
    rare = {symbol: rows[0] for symbol, rows in sorted(frames.items()) if len(rows) == 1}
    if len(judged) < 5 or not rare:
        return ""
    where = _named(judged, list(dict.fromkeys(rare.values())))
    return (
        f"In one frame only: {listed(rare)} ({where}). What is learned of it there is judged by nobody; add frames "
        "with it or leave this one out."
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating)


def _named(judged: Sequence[Judged], rows: Sequence[int], most: int = 3) -> str:
    return listed((judged[row][0] for row in rows), most).replace(", frame", " frame")
