"""input.data: atomic structures with energies and forces."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Refusal
from amalthea.datasets.files import existing_file, write_whole
from amalthea.datasets.messages import shortened
from amalthea.errors import DataError
from amalthea.potentials.n2p2.units import EnergyUnit, LengthUnit, angstroms, electronvolts, text

Floats = NDArray[np.float64]
Part = Literal["", "train", "test"]


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """One structure of N atoms.

    Args:
        symbols: N elements.
        positions: shape (N, 3), in Å.
        cell: the cell's vectors as rows, shape (3, 3), in Å; None where the structure is not periodic.
        energy: the total energy in eV, NaN where the file has none.
        forces: shape (N, 3), in eV/Å.
        charges: of the atoms, shape (N,), in elementary charges.
        charge: the total charge, in elementary charges.
        comment: what the file says of it.
        part: "train" or "test" where the file assigns it.
    """

    symbols: tuple[str, ...]
    positions: Floats
    cell: Floats | None
    energy: float
    forces: Floats
    charges: Floats
    charge: float = 0.0
    comment: str = ""
    part: Part = ""


def read_structures(
    path: str | os.PathLike[str], *, length_unit: LengthUnit, energy_unit: EnergyUnit
) -> Iterator[Frame | Refusal]:
    """Yield the structures of an input.data, and those that cannot be used with the line they begin at and the reason.

    Args:
        path: the file.
        length_unit: the file's unit of length, "bohr" or "angstrom": it does not say it itself.
        energy_unit: the file's unit of energy, "hartree" or "ev".

    Raises:
        DataError: no such file, or there is no structure in it.
    """
    path = existing_file(path)
    begun = False
    for line, lines, problem in _blocks(path):
        begun = begun or bool(lines and lines[0].split()[0] == "begin")
        comment = _comment(lines)
        try:
            yield _frame(lines, problem, angstroms(length_unit), electronvolts(energy_unit))
        except DataError as error:
            yield Refusal(line, shortened(comment), str(error))
    if not begun:
        raise DataError(f"{path} holds no structure: no line says 'begin'. Give an input.data of n2p2 or RuNNer.")


def write_structures(
    path: str | os.PathLike[str], frames: Iterable[Frame], *, length_unit: LengthUnit, energy_unit: EnergyUnit
) -> None:
    """Write structures as input.data.

    Args:
        path: where the file shall lie.
        frames: the structures; a frame without an energy gets no line for it.
        length_unit: the file's unit of length, "bohr" or "angstrom".
        energy_unit: the file's unit of energy, "hartree" or "ev".

    Raises:
        DataError: the file cannot be written.
    """
    length, energy = angstroms(length_unit), electronvolts(energy_unit)

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8") as stream:
            for frame in frames:
                stream.writelines(line + "\n" for line in _block(frame, length, energy))

    write_whole(path, write)


def _blocks(path: Path) -> Iterator[tuple[int, list[str], str]]:
    """Yield the lines of each frame, without empty ones: where it begins, the lines, what is wrong with its ends."""
    lines: list[str] = []
    start = 0
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            word = next(iter(line.split()), "#")
            if word.startswith("#"):
                continue
            # A structure that never ended must not take the next one with it.
            if word == "begin" and lines:
                inside = lines[0].split()[0] == "begin"
                yield start, lines, "the next structure begins before its end" if inside else "no line says 'begin'"
                lines = []
            start = start if lines else number
            lines.append(line)
            if word == "end":
                yield start, lines, "" if lines[0].split()[0] == "begin" else "no line says 'begin'"
                lines = []
    if lines:
        yield start, lines, "the file ends before it does"


def _frame(lines: list[str], problem: str, length: float, energy: float) -> Frame:
    """Return the structure that a block stands for; what is wrong with it is raised as a phrase."""
    if problem:
        raise DataError(problem)
    by_word: dict[str, list[list[str]]] = {}
    for line in lines:
        word, *rest = line.split()
        by_word.setdefault(word, []).append(rest)
    if strange := by_word.keys() - {"begin", "end", "comment", "lattice", "atom", "energy", "charge"}:
        raise DataError(f"'{min(strange)}' is no keyword of a structure")
    atoms, lattice = by_word.get("atom", []), by_word.get("lattice", [])
    if not atoms:
        raise DataError("it has no atoms")
    if len(lattice) not in (0, 3):
        raise DataError(f"it has {len(lattice)} lattice vectors and not 3, or none")
    if short := [number for number, row in enumerate(atoms, start=1) if len(row) != 9]:
        raise DataError(f"atom {short[0]} has {len(atoms[short[0] - 1])} values and not 9")
    # A line of an atom: x y z, element, charge, an unused number, the three components of the force.
    numbers = _numbers([[*row[:3], row[4], *row[6:]] for row in atoms], 7)
    totals = {word: by_word.get(word, []) for word in ("energy", "charge")}
    if double := [word for word, rows in totals.items() if len(rows) > 1 or any(len(row) != 1 for row in rows)]:
        raise DataError(f"it has no single {double[0]}")
    total = {word: float(_numbers(rows, 1)[0, 0]) for word, rows in totals.items() if rows}
    return Frame(
        symbols=_symbols([row[3] for row in atoms]),
        positions=numbers[:, :3] * length,
        cell=_numbers(lattice, 3) * length if lattice else None,
        energy=total["energy"] * energy if "energy" in total else float("nan"),
        forces=numbers[:, 4:] * (energy / length),
        charges=numbers[:, 3],
        charge=total.get("charge", 0.0),
        comment=_comment(lines),
        part=_part(by_word["begin"][0]),
    )


def _numbers(rows: list[list[str]], width: int) -> Floats:
    if any(len(row) != width for row in rows):
        raise DataError(f"a line has not {width} numbers")
    for word in itertools.chain(*rows):
        try:
            finite = np.isfinite(float(word))
        except ValueError:
            finite = False
        if not finite:
            raise DataError(f"'{shortened(word, 20)}' is not a number")
    return np.array(rows, np.float64).reshape(-1, width)


def _symbols(words: list[str]) -> tuple[str, ...]:
    from ase.data import atomic_numbers

    if strange := sorted({word for word in words if not atomic_numbers.get(word)}):
        raise DataError(f"'{strange[0]}' is no element")
    return tuple(words)


def _comment(lines: list[str]) -> str:
    rows = [line.split() for line in lines]
    return " ".join(" ".join(words) for keyword, *words in rows if keyword == "comment")


def _part(words: list[str]) -> Part:
    return "train" if "set=train" in words else "test" if "set=test" in words else ""


def _block(frame: Frame, length: float, energy: float) -> Iterator[str]:
    """Yield the lines of a structure."""
    yield f"begin set={frame.part}" if frame.part else "begin"
    yield f"comment {' '.join(frame.comment.split())}".rstrip()
    for vector in [] if frame.cell is None else frame.cell:
        yield "lattice " + " ".join(text(value, length) for value in vector)
    rows = zip(frame.symbols, frame.positions, frame.charges, frame.forces, strict=True)
    for symbol, position, charge, force in rows:
        where = " ".join(text(value, length) for value in position)
        push = " ".join(text(value, energy / length) for value in force)
        yield f"atom {where} {symbol} {text(charge)} 0 {push}"
    if np.isfinite(frame.energy):
        yield f"energy {text(frame.energy, energy)}"
    yield f"charge {text(frame.charge)}"
    yield "end"
