"""Units of n2p2's files, and numbers that lose no digit between a file and a record."""

from __future__ import annotations

import functools
import math
from typing import Any, Literal, get_args

from amalthea.errors import DataError

LengthUnit = Literal["bohr", "angstrom"]
EnergyUnit = Literal["hartree", "ev"]


def length_unit(name: str) -> LengthUnit:
    """Return a unit of length by its name, "bohr" or "angstrom", in large letters or small.

    Raises:
        DataError: it is neither.
    """
    unit: LengthUnit = _known("length", name, get_args(LengthUnit))
    return unit


def energy_unit(name: str) -> EnergyUnit:
    """Return a unit of energy by its name, "hartree" or "eV", in large letters or small.

    Raises:
        DataError: it is neither.
    """
    unit: EnergyUnit = _known("energy", name, get_args(EnergyUnit))
    return unit


def _known(quantity: str, name: str, units: tuple[str, ...]) -> Any:
    if name.lower() not in units:
        raise DataError(f"the unit of {quantity} must be {' or '.join(units)}. Received: {name}.")
    return name.lower()


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
    # The quotient is rounded, so its product may miss the value by a bit: then a neighbour of it hits.
    quotient = float(value) / unit
    for near in (quotient, math.nextafter(quotient, -math.inf), math.nextafter(quotient, math.inf)):
        for digits in (15, 16, 17):
            written = f"{near:.{digits}g}"
            if float(written) * unit == value:
                return written
    return repr(quotient)  # no number gives it: the nearest does
