"""What energies, forces and stresses are called in files: the names in use, and others that can only mean these."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Literal

Label = Literal["energy", "forces", "stress"]

LABELS: tuple[Label, ...] = ("energy", "forces", "stress")

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

USUAL: dict[Label, tuple[str, ...]] = {"energy": ENERGIES, "forces": FORCES, "stress": (*STRESSES, *VIRIALS)}

NONE = "none"
"""Asked for as a name: this label is not to be read."""

_NOUNS: dict[Label, tuple[str, ...]] = {
    "energy": ("energy", "etot", "toten"),
    "forces": ("force", "forces"),
    "stress": ("stress", "virial", "virials"),
}

_OTHERS = {
    *("kinetic", "kin", "atomization", "formation", "binding", "cohesive", "adsorption", "interaction", "reaction"),
    *("hull", "above", "per", "atom", "relative", "activation", "gibbs", "gap", "fermi", "cutoff", "zero", "zpe"),
    *("dispersion", "vdw", "ewald", "exchange", "correlation", "correction", "shift", "std", "error", "uncertainty"),
    *("deviation", "predicted", "prediction", "pred", "mean", "max", "rms", "mask", "weight", "threshold"),
}
"""Words that make another quantity of an energy or a force, or one that nobody calculated."""


@dataclasses.dataclass(frozen=True)
class LabelNames:
    """What the labels are called in a file; None: the usual names are tried in turn, "none": it is not read.

    Args:
        energy: the name of the total energy.
        forces: the name of the forces.
        stress: the name of the stress, or of a virial.
    """

    energy: str | None = None
    forces: str | None = None
    stress: str | None = None

    def asked(self, label: Label) -> str | None:
        """Return the name that was asked for, None where the usual ones are tried."""
        name: str | None = getattr(self, label)
        return name


def candidates(label: Label, entries: Iterable[str]) -> list[str]:
    """Return the entries that can be a label by their names, the likeliest first.

    Example:
        >>> candidates("energy", ["kinetic_energy", "TotEnergy", "energy_dft", "charge"])
        ['energy_dft', 'TotEnergy']
    """
    entries = list(entries)
    usual = [name for name in USUAL[label] if name in entries]
    known = {name for names in USUAL.values() for name in names}
    others = [name for name in entries if name not in known and _means(label, name)]
    # What is called a reference is one; a sort keeps the order of the file among the others.
    return usual + sorted(others, key=lambda name: not {"ref", "reference", "dft"} & {*_words(name)})


def shown(name: str) -> str:
    """Return a name as it stands in the file."""
    return name.removeprefix("given_")


def _means(label: Label, name: str) -> bool:
    words = _words(name)
    return not _OTHERS & {*words} and any(word.endswith(_NOUNS[label]) for word in words)


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
