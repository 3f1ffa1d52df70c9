"""Which reader a file needs, found by its name and, where names say little, by its first bytes."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from amalthea.potentials.reading import cp2k, deepmd
from amalthea.potentials.reading.extended_xyz import read_extended_xyz
from amalthea.potentials.reading.frames import Read
from amalthea.potentials.reading.mlearn import is_mlearn, read_mlearn
from amalthea.potentials.reading.trajectories import read_ase_trajectory
from amalthea.potentials.reading.vasp import read_ml_ab, read_outcar, read_vasprun

Reader = Callable[[Path], Iterator[Read]]

PACKED = (".gz", ".bz2", ".xz")
N2P2 = "n2p2 data"
PLAIN = (".cif", ".vasp", ".poscar", ".xsf")


class Format(NamedTuple):
    """A kind of file.

    Args:
        name: what it is called in a sentence.
        read: yields its frames.
        labelled: whether it can hold energies and forces.
    """

    name: str
    read: Reader
    labelled: bool = True


def find_format(path: Path) -> Format | None:
    """Return the format of a file that holds atomic structures, None for all other files.

    Example:
        >>> find_format(Path("run7/OUTCAR.gz")).name, find_format(Path("solubility.csv"))
        ('OUTCAR', None)
    """
    name = path.name.lower()
    for suffix in PACKED:
        name = name.removesuffix(suffix)
    if cp2k.is_cp2k(path):
        return Format("CP2K", cp2k.read_cp2k)
    if cp2k.is_output(path):
        return Format("CP2K output", cp2k.read_output)
    if name.endswith((".extxyz", ".xyz")):
        return Format("extended XYZ", read_extended_xyz)
    if name == "type.raw":
        return Format("DeePMD", deepmd.read_deepmd)
    if name.endswith(".traj") and _begins(path, b"- of Ulm"):
        return Format("ASE trajectory", read_ase_trajectory)
    if name.endswith(".db") and _begins(path, b"SQLite format 3"):
        return Format("ASE database", read_database)
    if name.startswith("ml_ab"):
        return Format("ML_AB", read_ml_ab)
    if name.startswith("outcar") or name.endswith("outcar"):
        return Format("OUTCAR", read_outcar)
    if "vasprun" in name and name.endswith(".xml"):
        return Format("vasprun.xml", read_vasprun)
    if name.endswith(PLAIN) or name.startswith(("poscar", "contcar")):
        return Format("structure", read_with_ase, labelled=False)
    return _by_content(path, name)


def is_part(path: Path) -> bool:
    """Say whether a file is read together with another one that has a format."""
    return cp2k.is_part(path) or deepmd.is_part(path)


def _begins(path: Path, signature: bytes) -> bool:
    """Say whether a file begins so; what is not there yet is taken by its name."""
    return not path.exists() or _start(path).startswith(signature)


def _by_content(path: Path, name: str) -> Format | None:
    # These endings say little: many programs use them, so the file's first words decide.
    if name.endswith(".pwo") or (name.endswith((".out", ".log")) and b"Program PWSCF" in _start(path)):
        return Format("Quantum ESPRESSO output", read_espresso)
    if name.endswith(".data") and _start(path).split()[:1] == [b"begin"]:
        return Format(N2P2, read_with_ase)  # `read_frames` calls read_n2p2 instead, with the units
    if name.endswith(".json") and path.is_file():
        if is_mlearn(path):
            return Format("mlearn JSON", read_mlearn)
        if b'"nextid"' in _start(path, -4096) or b'"unique_id"' in _start(path):
            return Format("ASE database", read_database)
    return None


def _start(path: Path, size: int = 4096) -> bytes:
    """Return the first bytes of a file, packed or not (the last ones for a negative size); b"" where there is none."""
    from ase.io.formats import open_with_compression

    try:
        with open_with_compression(str(path), "rb") as stream:
            if size < 0:
                stream.seek(max(path.stat().st_size + size, 0))
            content: bytes = stream.read(abs(size))
            return content
    except (OSError, EOFError, zlib.error):
        return b""


def read_with_ase(path: Path) -> Iterator[Read]:
    """Yield the frames of any file that ASE knows."""
    from ase.io import iread

    for atoms in iread(str(path), index=":"):
        yield Read(atoms)


def read_n2p2(path: Path, length_unit: str, energy_unit: str) -> Iterator[Read]:
    """Yield the frames of an input.data of n2p2 or RuNNer, which does not say its units.

    Args:
        path: the file.
        length_unit: "bohr" or "angstrom".
        energy_unit: "hartree" or "ev".
    """
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    from amalthea.datasets.dataset import Refusal
    from amalthea.potentials.n2p2 import read_structures

    yield Read(None, note=f"{path.name}: lengths were taken to be in {length_unit}, energies in {energy_unit}.")
    for frame in read_structures(path, length_unit=length_unit, energy_unit=energy_unit):  # type: ignore[arg-type]
        if isinstance(frame, Refusal):
            yield Read(None, f"line {frame.row}: {frame.reason}")
            continue
        entries = {"comment": frame.comment, "set": frame.part}
        info = {name: text for name, text in entries.items() if text}
        try:
            atoms = Atoms(frame.symbols, frame.positions, cell=frame.cell, pbc=frame.cell is not None, info=info)
        except KeyError as error:
            yield Read(None, f"{error} is no element's symbol")
            continue
        energy = None if np.isnan(frame.energy) else frame.energy
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=frame.forces)
        yield Read(atoms)


def read_espresso(path: Path) -> Iterator[Read]:
    """Yield the steps of an output of Quantum ESPRESSO's pw.x; of a file that was cut those before the cut."""
    from ase.io.espresso import read_espresso_out
    from ase.io.formats import open_with_compression

    with open_with_compression(str(path), "rb") as stream:
        text = _whole(stream)
    steps = 0
    for atoms in read_espresso_out(io.StringIO(text), index=slice(None)):
        steps += 1
        yield Read(atoms)
    if "convergence NOT achieved" in text:
        yield Read(None, note=f"{path.name}: the program says of some step: convergence NOT achieved.")
    if "JOB DONE" not in text:
        yield Read(None, note=f"{path.name} was cut: it ends before the program said JOB DONE, after {steps:,} steps.")


def _whole(stream: Any) -> str:
    """Return all text of a stream, up to the cut if it is a packed file that was cut."""
    blocks: list[bytes] = []
    try:
        while block := stream.read(1 << 16):
            blocks.append(block)
    except (EOFError, zlib.error):
        pass
    return b"".join(blocks).decode("utf-8", errors="replace")


def read_database(path: Path) -> Iterator[Read]:
    """Yield the rows of an ASE database; their key-value pairs become entries of the frames."""
    from ase.db import connect

    with connect(str(path), serial=True) as database:
        for row in database.select():
            atoms = row.toatoms()
            atoms.info.update(row.key_value_pairs)
            yield Read(atoms)
