"""The units that files of n2p2 may be in, which do not say it."""

from __future__ import annotations

from enum import StrEnum


class LengthUnit(StrEnum):
    """Units of length."""

    bohr = "bohr"
    angstrom = "angstrom"


class EnergyUnit(StrEnum):
    """Units of energy."""

    hartree = "hartree"
    ev = "eV"
