"""The labels of a frame: energy, forces and stress, under the names that are in use, in eV and Å."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from amalthea.datasets.messages import counted, listed
from amalthea.potentials.reading.frames import Floats
from amalthea.potentials.reading.label_names import LABELS, NONE, USUAL, Label, LabelNames, candidates, shown
from amalthea.potentials.voigt import to_voigt

NOUNS: dict[Label, str] = {"energy": "Energies", "forces": "Forces", "stress": "Stresses"}
OPTIONS: dict[Label, str] = {"energy": "--energy-key", "forces": "--forces-key", "stress": "--stress-key"}


@dataclasses.dataclass(frozen=True, eq=False)
class Labels:
    """The labels of one frame.

    Args:
        energy: in eV, NaN where there is none.
        forces: shape (A, 3), eV/Å, or None.
        stress: shape (6,), eV/Å³, in Voigt's order and ASE's sign, or None.
        names: for "energy", "forces" and "stress": the name under which it stands in the file.
        problems: for these three: why what stands there could not be used.
        others: for these three: other names under which something else stands that could be meant.
    """

    energy: float = float("nan")
    forces: Floats | None = None
    stress: Floats | None = None
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    problems: Mapping[str, str] = dataclasses.field(default_factory=dict)
    others: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)


def find_labels(atoms: Any, names: LabelNames | None = None) -> Labels:
    """Return the labels that stand on a frame: in its calculator, its `info` or its `arrays`.

    A label that is not a finite number, or not of the right shape, is dropped with the reason; the others stay.

    Args:
        atoms: an `ase.Atoms`.
        names: what the labels are called.

    Example:
        >>> from ase import Atoms
        >>> atoms = Atoms("H2", [[0, 0, 0], [0, 0, 0.74]], info={"REF_energy": -31.7})
        >>> labels = find_labels(atoms)
        >>> labels.energy, labels.forces, dict(labels.names)
        (-31.7, None, {'energy': 'REF_energy'})
    """
    names = names or LabelNames()
    entries = entries_of(atoms)
    values: dict[str, Any] = {}
    used: dict[str, str] = {}
    problems: dict[str, str] = {}
    others: dict[str, tuple[str, ...]] = {}
    for label in LABELS:
        asked = names.asked(label)
        usable = [name for name in _possible(label, asked, entries) if name in entries]
        for position, name in enumerate(usable):
            try:
                values[label] = _read(label, name, _finite(entries[name]), atoms)
            except (ValueError, TypeError) as error:
                problems.setdefault(label, f"'{shown(name)}' {error}")
                if asked or name in USUAL[label]:
                    break
                continue
            used[label] = name
            rest = [other for other in usable[position + 1 :] if _differs(label, other, values[label], entries, atoms)]
            others[label] = tuple(rest)
            problems.pop(label, None)
            break
    return Labels(**values, names=used, problems=problems, others=others)


def entries_of(atoms: Any) -> dict[str, Any]:
    """Return all that stands on a frame, by name: results, arrays and entries; nothing that is missing."""
    results = {} if atoms.calc is None else dict(getattr(atoms.calc, "results", {}))
    entries = {**results, **atoms.arrays, **atoms.info}
    return {name: value for name, value in entries.items() if value is not None}


def notes_on_labels(labels: Iterable[Labels], entries: Iterable[str] = ()) -> tuple[str, ...]:
    """Say under which names the labels of all frames were found, what else could be meant, and what is not there.

    Args:
        labels: of each frame.
        entries: the names of all numbers that stand with the frames.
    """
    labels = list(labels)
    notes = []
    for label in LABELS:
        used = [shown(one.names[label]) for one in labels if label in one.names]
        counts = ", ".join(f"'{name}' in {counted(used.count(name), 'frame')}" for name in dict.fromkeys(used))
        virial = " (stress = -virial/volume)" if any("virial" in name.lower() for name in used) else ""
        others = dict.fromkeys(shown(name) for one in labels for name in one.others.get(label, ()))
        more = f"; not used: {listed(map(repr, others), 3)} ({OPTIONS[label]} takes it)" if others else ""
        numbers = [name for name in entries if name not in known_names()]
        if label == "energy" and not used and numbers:
            more = f". Numbers that stand with the frames: {listed(map(repr, numbers), 8)}; {OPTIONS[label]} takes one"
        notes.append(f"{NOUNS[label]}: {counts or 'none'}{virial}{more}.")
    return tuple(notes)


def known_names(names: LabelNames | None = None) -> frozenset[str]:
    """Return the names of entries that are labels and no descriptions of a frame."""
    asked = {names.asked(label) for label in LABELS} - {None} if names else set()
    return frozenset({*(name for usual in USUAL.values() for name in usual), *filter(None, asked)})


def _possible(label: Label, asked: str | None, entries: Mapping[str, Any]) -> list[str]:
    """Return the names to be tried: the one that was asked for, also as readers rename it; else the usual ones."""
    if asked is None:
        return candidates(label, entries)
    return [] if asked.lower() == NONE else [asked, f"given_{asked}"]


def _differs(label: Label, name: str, value: Any, entries: Mapping[str, Any], atoms: Any) -> bool:
    """Say whether an entry could be this label, and is another one than that which was taken."""
    try:
        other = _read(label, name, _finite(entries[name]), atoms)
    except (ValueError, TypeError):
        return False
    return not np.allclose(other, value, rtol=1e-6, atol=1e-8)


def _read(label: str, name: str, numbers: Floats, atoms: Any) -> float | Floats:
    if label == "energy":
        return _energy(numbers)
    if label == "forces":
        return _forces(numbers, len(atoms))
    stress = _stress(numbers, atoms)
    return -stress / _volume(atoms) if "virial" in name.lower() else stress


def _energy(numbers: Floats) -> float:
    if numbers.size != 1:
        raise ValueError(f"has {numbers.size} values where one energy is needed")
    return float(numbers.reshape(()))


def _forces(numbers: Floats, atoms: int) -> Floats:
    if numbers.size != 3 * atoms or numbers.ndim > 2:
        raise ValueError(f"has shape {numbers.shape} where the {atoms} atoms need ({atoms}, 3)")
    return numbers.reshape(-1, 3)


def _stress(numbers: Floats, atoms: Any) -> Floats:
    if numbers.size not in (6, 9):
        raise ValueError(f"has {numbers.size} values where 6 or 9 are needed")
    if not atoms.pbc.any():
        raise ValueError("stands in a frame that is not periodic")
    if numbers.size == 6:
        return numbers.ravel()
    stress: Floats = to_voigt(numbers.reshape(3, 3))
    return stress


def _volume(atoms: Any) -> float:
    volume = abs(float(np.linalg.det(atoms.cell.array)))
    if volume < 1e-6:
        raise ValueError("stands in a frame whose cell has no volume")
    return volume


def _finite(value: Any) -> Floats:
    if isinstance(value, bool | str | np.bool_):
        raise ValueError(f"is '{value}' and no number")
    numbers = np.asarray(value, np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("is not a finite number" if numbers.size == 1 else "has values that are not finite numbers")
    return numbers
