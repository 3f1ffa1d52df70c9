"""VASP's OUTCAR and vasprun.xml, all ionic steps, also of runs that were cut."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from amalthea.potentials.reading.frames import Read
from amalthea.potentials.reading.read_errors import FAILURES, reason

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
