"""VASP's OUTCAR and vasprun.xml, all ionic steps, also of runs that were cut; and its ML_AB."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from amalthea.potentials.reading.frames import Read
from amalthea.potentials.reading.read_errors import FAILURES, reason
from amalthea.potentials.voigt import order_in

KBAR = 1 / 1602.1766
"""One kilobar in eV/Å³."""

CONVERGED = "aborting loop because EDIFF is reached"


def read_outcar(path: Path) -> Iterator[Read]:
    """Yield the ionic steps of an OUTCAR; one that cannot be read is given with the reason, and the next ones follow.

    Args:
        path: the file, plain or packed.
    """
    from ase.io.formats import open_with_compression
    from ase.io.vasp_parsers.vasp_outcar_parsers import OutcarHeaderParser, outcarchunks

    loose = []
    with open_with_compression(str(path), "r") as stream:
        lines: Any = _Remembered(stream, str(path))
        # Without a folder to look in, no constraints are sought in a POSCAR that may belong to another run.
        for step, chunk in enumerate(outcarchunks(lines, header_parser=OutcarHeaderParser(workdir=None)), 1):
            if not any(CONVERGED in line for line in chunk.lines):
                loose.append(step)
            lines.steps = 0
            try:
                yield Read(chunk.build())
            except FAILURES as error:
                yield Read(None, f"this ionic step cannot be read ({reason(error)})")
    # Electronic steps behind the last whole ionic step: the run was cut in the next one.
    if lines.steps:
        yield Read(None, "the file ends in the middle of this ionic step")
    if loose:
        steps = ", ".join(map(str, loose[:5])) + (", ..." if len(loose) > 5 else "")
        yield Read(None, note=f"{path.name}: VASP does not say that the electrons converged in ionic step {steps}.")


class _Remembered:
    """The lines of a stream, a packed one that was cut ended early; counts electronic steps since it was last set."""

    def __init__(self, stream: IO[str], name: str) -> None:
        self._stream, self.name, self.steps = stream, name, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = next(self._stream)
        except (EOFError, zlib.error) as error:
            raise StopIteration from error
        self.steps += "Iteration" in line
        return line


def read_vasprun(path: Path) -> Iterator[Read]:
    """Yield the ionic steps of a vasprun.xml; of a file that was cut those before the cut.

    Args:
        path: the file, plain or packed.
    """
    from ase.io.formats import open_with_compression
    from ase.io.vasp import read_vasp_xml

    with open_with_compression(str(path), "rb") as stream:
        ending = _Ending(stream)
        for atoms in read_vasp_xml(ending, index=slice(None)):
            if atoms.calc is None:
                yield Read(None, "the file ends before its first ionic step is whole")
                return
            yield Read(atoms)
    if not ending.last.rstrip().endswith(b"</modeling>"):
        yield Read(None, "the file ends in the middle of the calculation, in this ionic step or right before it")


class _Ending:
    """A stream that remembers its last bytes; a packed one that was cut is ended early."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.last = stream, b""

    def read(self, size: int = -1) -> bytes:
        try:
            block = self._stream.read(size)
        except (EOFError, zlib.error):
            block = b""
        self.last = (self.last + block)[-100:]
        return block


def read_ml_ab(path: Path) -> Iterator[Read]:
    """Yield the configurations of an ML_AB, on which VASP trains its own force fields.

    Args:
        path: the file, plain or packed.
    """
    from ase.io.formats import open_with_compression

    with open_with_compression(str(path), "r") as stream:
        text = stream.read()
    for number, block in enumerate(re.split(r"Configuration num\.", text)[1:], 1):
        try:
            yield Read(_configuration(block))
        except (KeyError, IndexError, ValueError) as error:
            yield Read(None, f"configuration {number} cannot be read ({reason(error)})")


def _configuration(block: str) -> Any:
    """Return one configuration: sections of a title, a line of dashes, and rows up to a line of = or *."""
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    sections = {}
    for section in re.split(r"^\s*[=*]{10,}\s*$", block, flags=re.MULTILINE):
        title, *parts = (part.strip() for part in re.split(r"^\s*-{10,}\s*$", section, flags=re.MULTILINE))
        if parts:
            sections[title.partition("(")[0].strip()] = [part.splitlines() for part in parts]

    def numbers(title: str, part: int = 0) -> Any:
        return np.array([row.split() for row in sections[title][part]], np.float64)

    counts = [row.split() for row in sections["Atom types and atom numbers"][0]]
    symbols = [symbol for symbol, count in counts for _ in range(int(count))]
    cell, positions = numbers("Primitive lattice vectors"), numbers("Atomic positions")
    atoms = Atoms(symbols, positions, cell=cell, pbc=True)
    results: dict[str, Any] = {"energy": float(numbers("Total energy").item())}
    if "Forces" in sections:
        results["forces"] = numbers("Forces")
    if "Stress" in sections:  # VASP's sign: positive under pressure
        components = np.concatenate([numbers("Stress", 1), numbers("Stress", 3)], axis=None)
        results["stress"] = -KBAR * components[order_in(("xx", "yy", "zz", "xy", "yz", "xz"))]
    atoms.calc = SinglePointCalculator(atoms, **results)
    atoms.info["system"] = " ".join(sections.get("System name", [[""]])[0])
    return atoms
