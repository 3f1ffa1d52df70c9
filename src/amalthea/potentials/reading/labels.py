"""The labels of a frame: energy, forces and stress, under the names that are in use, in eV and Å."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from amalthea.datasets.messages import counted
from amalthea.potentials.reading.frames import Floats
from amalthea.potentials.voigt import to_voigt

REFERENCES = ("REF", "ref", "DFT", "dft", "reference")

ENERGIES = (*(f"{prefix}_energy" for prefix in REFERENCES), "free_energy", "energy", "Energy", "potential_energy")
"""What a file may call its energy. What is said to be the reference comes first; then the free energy of the electrons,
since its derivatives are the forces (ASE's `force_consistent`); then the rest."""

FORCES = (*(f"{prefix}_{noun}" for prefix in REFERENCES for noun in ("forces", "force")), "forces", "force", "Forces")

STRESSES = (*(f"{prefix}_stress" for prefix in REFERENCES), "stress", "given_stress")

VIRIALS = (
    *(f"{prefix}_{noun}" for prefix in REFERENCES for noun in ("virial", "virials")),
    *("virial", "virials", "given_virial"),
)


@dataclasses.dataclass(frozen=True)
class LabelNames:
    """What the labels are called in a file; None: the usual names are tried in turn.

    Args:
        energy: the name of the total energy.
        forces: the name of the forces.
        stress: the name of the stress.
    """

    energy: str | None = None
    forces: str | None = None
    stress: str | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Labels:
    """The labels of one frame.

    Args:
        energy: in eV, NaN where there is none.
        forces: shape (A, 3), eV/Å, or None.
        stress: shape (6,), eV/Å³, in Voigt's order and ASE's sign, or None.
        names: for "energy", "forces" and "stress": the name under which it stands in the file.
        problems: for these three: why what stands there could not be used.
    """

    energy: float = float("nan")
    forces: Floats | None = None
    stress: Floats | None = None
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    problems: Mapping[str, str] = dataclasses.field(default_factory=dict)


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
    results = {} if atoms.calc is None else dict(getattr(atoms.calc, "results", {}))
    entries = {**results, **atoms.arrays, **atoms.info}
    values: dict[str, Any] = {}
    used: dict[str, str] = {}
    problems: dict[str, str] = {}
    for label, (asked, usual) in _candidates(names).items():
        name = next((name for name in ((asked,) if asked else usual) if entries.get(name) is not None), None)
        if name is None:
            continue
        try:
            values[label] = _read(label, name, _finite(entries[name]), atoms)
            used[label] = name
        except (ValueError, TypeError) as error:
            problems[label] = f"'{name}' {error}"
    return Labels(**values, names=used, problems=problems)


def notes_on_labels(labels: Iterable[Labels]) -> tuple[str, ...]:
    """Say under which names the labels of all frames were found, and how many could not be used."""
    labels = list(labels)
    notes = []
    for label in ("energy", "forces", "stress"):
        used = [one.names[label] for one in labels if label in one.names]
        counts = ", ".join(f"'{_plain(name)}' in {counted(used.count(name), 'frame')}" for name in dict.fromkeys(used))
        virial = " (stress = -virial/volume)" if any("virial" in name for name in used) else ""
        noun = {"energy": "Energies", "forces": "Forces", "stress": "Stresses"}[label]
        notes.append(f"{noun}: {counts or 'none'}{virial}.")
    return tuple(notes)


def label_entries(names: LabelNames) -> frozenset[str]:
    """Return the names of entries that are labels and no descriptions of a frame."""
    asked = {name for name in (names.energy, names.forces, names.stress) if name}
    return frozenset({*ENERGIES, *FORCES, *STRESSES, *VIRIALS, *asked})


def _candidates(names: LabelNames) -> dict[str, tuple[str | None, tuple[str, ...]]]:
    return {
        "energy": (names.energy, ENERGIES),
        "forces": (names.forces, FORCES),
        "stress": (names.stress, (*STRESSES, *VIRIALS)),
    }


def _plain(name: str) -> str:
    return name.removeprefix("given_")


def _read(label: str, name: str, numbers: Floats, atoms: Any) -> float | Floats:
    if label == "energy":
        return _energy(numbers)
    if label == "forces":
        return _forces(numbers, len(atoms))
    stress = _stress(numbers, atoms)
    return -stress / _volume(atoms) if "virial" in name else stress


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
