"""Units of n2p2's files, and numbers that lose no digit between a file and a record."""

from __future__ import annotations

import functools
import math
from typing import Literal

LengthUnit = Literal["bohr", "angstrom"]
EnergyUnit = Literal["hartree", "ev"]


@functools.cache
def angstroms(unit: LengthUnit) -> float:
    """Return one unit of length in Å: the Bohr radius of CODATA 2018, as `ase.units.create_units("2018")` has it.

    Example:
        >>> round(angstroms("bohr"), 8)
        0.52917721
    """
    from ase.units import create_units

    return 1.0 if unit == "angstrom" else float(create_units("2018")["Bohr"])


@functools.cache
def electronvolts(unit: EnergyUnit) -> float:
    """Return one unit of energy in eV: the Hartree energy of CODATA 2018, as `ase.units.create_units("2018")` has it.

    Example:
        >>> round(electronvolts("hartree"), 6)
        27.211386
    """
    from ase.units import create_units

    return 1.0 if unit == "ev" else float(create_units("2018")["Hartree"])


def text(value: float, unit: float = 1.0) -> str:
    """Return the shortest number that, read and multiplied by `unit`, is this value again, to the last digit.

    Args:
        value: a quantity in our unit.
        unit: one unit of the file in ours.

    Example:
        >>> text(12.0 * 0.529177210544, 0.529177210544)
        '12'
    """
    quotient = float(value) / unit
    for near in (quotient, math.nextafter(quotient, -math.inf), math.nextafter(quotient, math.inf)):
        for digits in (15, 16, 17):
            written = f"{near:.{digits}g}"
            if float(written) * unit == value:
                return written
    return repr(quotient)  # no number gives it: the nearest does
