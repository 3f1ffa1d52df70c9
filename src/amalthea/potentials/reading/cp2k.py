"""CP2K's own files of one run, read together: positions, forces, cells, and what its output says of stresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.reading.extended_xyz import blocks
from amalthea.potentials.reading.frames import Floats, Read
from amalthea.potentials.voigt import to_voigt

HARTREE, BOHR, GPA = 27.211386, 0.529177, 1 / 160.21766
"""In eV, Å and eV/Å³."""

POSITIONS = re.compile(r"(.*)-(?:pos|frc|vel)(-\d+)?\.xyz", re.IGNORECASE)
COMMENT = re.compile(
    r"\s*i\s*=\s*(\d+),\s*time\s*=.*\bE\s*=\s*(-?[\d.]+)"
    r"|(?=.*\bProperties=species:S:1:(?:pos|force|vel)\w*:R:3(?:\s|$)).*\bStep=(\d+).*\bTime=.*\bEnergy=(-?[\d.]+)"
)
LATTICE = re.compile(r'Lattice="([^"]+)"')
ENERGY = re.compile(r"ENERGY\| Total FORCE_EVAL .*?:\s*(-?[\d.]+)")
STRESS = re.compile(r"STRESS\|\s+[xyz]((?:\s+-?\d\.\d+E[+-]\d+){3})\s*$", re.MULTILINE)
VECTOR = re.compile(r"CELL\| Vector [abc] \[angstrom\]:((?:\s+-?[\d.]+){3})")
NUMBERS = r"((?:\s+-?\d+\.\d+(?:E[+-]\d+)?){3})"
PLACE = re.compile(rf"^\s+\d+\s+\d+\s+([A-Z][a-z]?)\d*\s+\d+{NUMBERS}\s+-?\d+\.\d+\s+\d+\.\d+\s*$", re.MULTILINE)
FORCE = re.compile(
    rf"^\s+(?:FORCES\|\s+\d+|\d+\s+\d+\s+[A-Z]\w*){NUMBERS}(?:\s+\d+\.\d+(?:E[+-]\d+)?)?\s*$", re.MULTILINE
)
INPUT_CELL = re.compile(r"&CELL\b(?! *SILENT)(.*?)&END CELL", re.DOTALL | re.IGNORECASE)


def is_cp2k(path: Path) -> bool:
    """Say whether a file is a trajectory that CP2K writes, by its first comment."""
    if path.suffix.lower() != ".xyz" or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as stream:
        comment = (stream.readline(), stream.readline())[1]
    return COMMENT.match(comment) is not None


def is_part(path: Path) -> bool:
    """Say whether a file is read with another one: forces, energies, cells and the output beside CP2K's positions."""
    match = POSITIONS.fullmatch(path.name)
    if match:
        return "-pos" not in path.name[len(match.group(1)) :].lower() and _positions(path).is_file()
    if path.suffix not in (".ener", ".cell", ".stress", ".restart", ".out", ".log", ".inp"):
        return False
    runs = [run.name.partition("-pos")[0] for run in path.parent.glob("*-pos*.xyz")]
    return any(path.name.startswith(run) or (_is_of(path, run) and path.suffix != ".restart") for run in runs)


def is_output(path: Path) -> bool:
    """Say whether a file is an output of CP2K, by its first words."""
    if path.suffix not in (".out", ".log") or not path.is_file():
        return False
    with path.open("rb") as stream:
        return b"CP2K|" in stream.read(1 << 14)


def read_output(path: Path) -> Iterator[Read]:
    """Yield what an output of CP2K tells: the run whose positions lie beside it, else each step that tells its own.

    Args:
        path: the output.
    """
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    text = path.read_text(errors="replace")
    run = next(
        (run for run in sorted(path.parent.glob("*-pos*.xyz")) if _is_of(path, run.name.partition("-pos")[0])), None
    )
    if run is not None:
        yield from read_cp2k(run)
        return
    vectors = VECTOR.findall(text)[:3]
    cell = np.array([row.split() for row in vectors], np.float64) if len(vectors) == 3 else None
    ends = [match.start() for match in ENERGY.finditer(text)]
    for number, (start, end) in enumerate(zip(ends, [*ends[1:], len(text)], strict=True)):
        # Positions stand before the energy of their step, forces and stresses behind it.
        before, after = text[ends[number - 1] if number else 0 : start], text[start:end]
        places = PLACE.findall(before)
        if not places:
            yield Read(
                None, f"step {number + 1} tells no positions, and {path.stem}'s -pos-1.xyz is not beside the output"
            )
            continue
        atoms = Atoms(
            [symbol for symbol, _ in places],
            np.array([row.split() for _, row in places], np.float64),
            cell=cell,
            pbc=cell is not None,
        )
        results: dict[str, Any] = {"energy": float(ENERGY.findall(after)[0]) * HARTREE}
        forces = FORCE.findall(after)[: len(atoms)]
        if len(forces) == len(atoms):
            results["forces"] = np.array([row.split() for row in forces], np.float64) * (HARTREE / BOHR)
        if len(rows := STRESS.findall(after)[:3]) == 3 and cell is not None:
            results["stress"] = -GPA * to_voigt(np.array([row.split() for row in rows], np.float64))
        atoms.calc = SinglePointCalculator(atoms, **results)
        yield Read(atoms)


def _is_of(path: Path, run: str) -> bool:
    """Say whether an output or input belongs to a run."""
    text = path.read_text(errors="replace")
    return re.search(rf"PROJECT(?:[_ ]NAME)?\s+{re.escape(run)}\s", text, re.IGNORECASE) is not None


def read_cp2k(path: Path) -> Iterator[Read]:
    """Yield the steps of a run: positions in Å, energies in hartree, forces in hartree/bohr, as CP2K writes them.

    Beside `RUN-pos-1.xyz` are looked for: `RUN-frc-1.xyz`, `RUN-1.cell` (else the cell of an output, a restart or an
    input), and an output of the run, which holds the stress without the motion of the atoms (`RUN-1.stress` has both).

    Args:
        path: the file of positions, or that of forces beside it.
    """
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    positions = _positions(path)
    if not positions.is_file():
        yield Read(None, f"{path.name} holds CP2K's forces; the positions, {positions.name}, are not beside it")
        return
    match = POSITIONS.fullmatch(positions.name)
    name, number = match.groups(default="") if match else (positions.stem, "")
    forces = {(s.number, s.energy): s.vectors for s in _steps(positions.with_name(f"{name}-frc{number}.xyz"))}
    cells, whence = _cells(positions, name, number)
    energies, stresses, output = _stresses(positions, name)
    used = [positions.name, *([f"{name}-frc{number}.xyz"] if forces else []), *filter(None, (whence, output))]
    yield Read(None, note=f"CP2K's {', '.join(used)} were read together, in hartree and bohr.")
    periodic = bool(cells)
    for step in _steps(positions):
        if step.problem:
            yield Read(None, step.problem)
            continue
        cell = cells.get(step.number, cells.get(-1)) if step.cell is None else step.cell
        periodic = periodic or cell is not None
        try:
            atoms = Atoms(step.symbols, step.vectors, cell=cell, pbc=cell is not None)
        except KeyError as error:
            yield Read(None, f"{error} is no element's symbol (step {step.number})")
            continue
        results: dict[str, Any] = {"energy": step.energy * HARTREE}
        known = forces.get((step.number, step.energy))
        if known is not None and len(known) == len(atoms):
            results["forces"] = known * (HARTREE / BOHR)
        # The output tells no steps: the energy, to eight digits, says whose stress it is.
        row = int(np.argmin(np.abs(energies - step.energy))) if len(energies) else -1
        if row >= 0 and abs(energies[row] - step.energy) < 2e-8 and cell is not None:
            results["stress"] = stresses[row]
        atoms.calc = SinglePointCalculator(atoms, **results)
        atoms.info["step"] = step.number
        yield Read(atoms)
    if not periodic:
        yield Read(None, note=f"{positions.name}: no cell was found beside it; the frames are not periodic.")


def _positions(path: Path) -> Path:
    match = POSITIONS.fullmatch(path.name)
    return path.with_name(f"{match.group(1)}-pos{match.group(2) or ''}.xyz") if match else path


class _Step(NamedTuple):
    """One step of a trajectory; its number and its energy in hartree are the same in all files of a run."""

    number: int
    energy: float
    symbols: list[str]
    vectors: Floats
    cell: Floats | None
    problem: str = ""


def _steps(path: Path) -> Iterator[_Step]:
    """Yield the steps of a trajectory, and why one is none; nothing of a file that CP2K has not written."""
    for block in blocks(path) if path.is_file() else ():
        if block.problem:
            yield _Step(-1, np.nan, [], np.empty((0, 3)), None, block.problem)
            continue
        match = COMMENT.match(block.lines[1])
        if match is None:
            return
        step, energy = (one or other for one, other in zip(match.groups()[:2], match.groups()[2:], strict=True))
        fields = [line.split() for line in block.lines[2:]]
        symbols = [re.sub(r"\d+$", "", row[0]) for row in fields]
        lattice = LATTICE.search(block.lines[1])
        cell = np.array(lattice.group(1).split(), np.float64).reshape(3, 3) if lattice else None
        yield _Step(int(step), float(energy), symbols, np.array([row[1:4] for row in fields], np.float64), cell)


def _cells(positions: Path, name: str, number: str) -> tuple[dict[int, Floats], str]:
    """Return the cell of each step, or of all as that of step -1, and the file that told it."""
    file = positions.with_name(f"{name}{number}.cell")
    if file.is_file():
        table = np.loadtxt(file, ndmin=2)
        return {int(row[0]): row[2:11].reshape(3, 3) for row in table}, file.name
    for other, text in _texts(positions, (".out", ".log", ".restart", ".inp")):
        if not _is_of(other, name):
            continue
        if vectors := VECTOR.findall(text)[:3]:
            return {-1: np.array([row.split() for row in vectors], np.float64)}, other.name
        for section in INPUT_CELL.findall(text):
            rows = {row.split()[0].upper(): row.split()[1:4] for row in section.splitlines() if len(row.split()) >= 4}
            if "ABC" in rows:
                return {-1: np.diag(np.array(rows["ABC"], np.float64))}, other.name
            if {"A", "B", "C"} <= {*rows}:
                return {-1: np.array([rows[axis] for axis in "ABC"], np.float64)}, other.name
    return {}, ""


def _stresses(positions: Path, name: str) -> tuple[Floats, NDArray[np.float64], str]:
    """Return the energies in hartree of an output's steps, their stresses in eV/Å³, and which output it was."""
    for other, text in _texts(positions, (".out", ".log")):
        if not _is_of(other, name):
            continue
        # One piece a step: what stands between its energy and the next one.
        energies, stresses = [], []
        starts = [match.start() for match in ENERGY.finditer(text)]
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            rows = STRESS.findall(text[start:end])[:3]
            if len(rows) == 3:
                energies.append(float(ENERGY.match(text, start).group(1)))  # type: ignore[union-attr]
                # CP2K's stress is positive under pressure.
                stresses.append(-GPA * to_voigt(np.array([row.split() for row in rows], np.float64)))
        if energies:
            return np.array(energies), np.array(stresses), other.name
    return np.empty(0), np.empty((0, 6)), ""


def _texts(positions: Path, endings: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for ending in endings:
        for other in sorted(positions.parent.glob(f"*{ending}")):
            yield other, other.read_text(errors="replace")
