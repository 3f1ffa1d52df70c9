"""Energies and forces by a reference method: in parallel, resumable, and every failure told."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from amalthea.datasets.files import write_whole
from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.reading.extended_xyz import blocks
from amalthea.potentials.reading.read_errors import FAILURES, reason
from amalthea.potentials.simulation.output import as_xyz
from amalthea.potentials.simulation.reference_calculators import DEFAULT, reference
from amalthea.progress import Bar, Verbosity

METHOD, KEY = "reference_method", "structure_key"
"""The entries of a labelled frame that say with what, and for which structure, it was made."""


@dataclasses.dataclass(frozen=True)
class Labelled:
    """What became of structures that were to be labelled.

    Args:
        done: how many have labels now, copies counted once.
        found: how many of these had been labelled before.
        failures: the position of each structure that has none, from 1, and why.
    """

    done: int
    found: int
    failures: dict[int, str]


def label(
    structures: Sequence[Any],
    output: Path,
    calculator: str = DEFAULT,
    *,
    options: Mapping[str, Any] | None = None,
    jobs: int = 1,
    verbose: Verbosity = "auto",
) -> Labelled:
    """Compute energies, forces and, where the method has them, stresses of structures, and write them.

    Each is written as soon as it is there. Called again after an interruption, only the rest is computed; in the end
    the frames stand in the order of the structures.

    Args:
        structures: n `ase.Atoms`; labels on them are not looked at.
        output: an extended XYZ file that `amalthea train` reads.
        calculator: the reference method; see `reference`.
        options: what the calculator is called with.
        jobs: how many structures are computed at a time, each in a process of its own.
        verbose: "auto" shows progress on a terminal.

    Raises:
        AmaltheaError: there is no such calculator, or the output holds something else.
        DataError: the output cannot be written.
    """
    given = dict(options or {})
    with tempfile.TemporaryDirectory() as folder:
        reference(calculator, given, Path(folder))  # what is wrong with it is said before any work is done
    method = " ".join([calculator, *(f"{name}={value}" for name, value in sorted(given.items()))])
    keys = [structure_key(atoms) for atoms in structures]
    before = _done(output, method)
    rest = list({key: row for row, key in enumerate(keys) if key not in before}.items())
    tasks = [(_plain(structures[row]), calculator, given) for _, row in rest]
    written, failed = dict(before), {}
    _rewrite(output, list(before.values()))  # a frame that was cut off in the middle is left out
    with Bar("structures labelled", len(tasks), verbose) as bar:
        for number, (atoms, problem) in _work(tasks, jobs):
            key = rest[number][0]
            if atoms is None:
                failed[key] = problem
            else:
                atoms.info |= {METHOD: method, KEY: key}
                written[key] = as_xyz(atoms)
                _append(output, written[key])
            bar.advance(f"{len(failed)} failed" if failed else "")
    order = list(dict.fromkeys(key for key in keys if key in written))
    others = [key for key in written if key not in set(order)]
    _rewrite(output, [written[key] for key in (*others, *order)])
    failures = {row: failed[key] for row, key in enumerate(keys, 1) if key in failed}
    return Labelled(len(order), sum(key in before for key in order), failures)


def structure_key(atoms: Any) -> str:
    """Return a name for a structure: the same elements at the same places, to 1e-6 Å, have the same."""
    shape = (atoms.positions, atoms.cell.array)
    rounded = [np.round(part, 6) + 0.0 for part in shape]  # + 0.0: no negative zero
    parts = [atoms.numbers.astype(np.int64), *rounded, atoms.pbc]
    found = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
    return f"s{found[:16]}"  # with a letter, or some would be read as numbers


def _work(tasks: Sequence[Any], jobs: int) -> Iterator[tuple[int, tuple[Any | None, str]]]:
    """Yield each result with the number of its task, in the order in which they come."""
    if jobs == 1 or len(tasks) < 2:
        yield from ((number, _compute(task)) for number, task in enumerate(tasks))
        return
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered")
    yield from pool(delayed(_numbered)(number, task) for number, task in enumerate(tasks))


def _numbered(number: int, task: Any) -> tuple[int, tuple[Any | None, str]]:
    return number, _compute(task)


def _compute(task: tuple[Any, str, dict[str, Any]]) -> tuple[Any | None, str]:
    """Return a structure with its labels; or none, and why."""
    from ase.calculators.calculator import PropertyNotImplementedError
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms, name, options = task
    with tempfile.TemporaryDirectory() as folder:
        try:
            atoms.calc = reference(name, options, Path(folder))
            with threadpool_limits(1):  # cores are shared by whole structures; threads that wait for a core cost most
                labels = {"energy": float(atoms.get_potential_energy()), "forces": atoms.get_forces()}
                if atoms.pbc.all():
                    with contextlib.suppress(PropertyNotImplementedError, NotImplementedError):
                        labels["stress"] = atoms.get_stress()
        except FAILURES as error:
            return None, reason(error)
    if not all(np.isfinite(value).all() for value in labels.values()):
        return None, "the answer is no finite number"
    atoms.calc = SinglePointCalculator(atoms, **labels)
    return atoms, ""


def _plain(atoms: Any) -> Any:
    from ase import Atoms

    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)


def _done(output: Path, method: str) -> dict[str, bytes]:
    """Return the frames that were labelled before, by their structures' keys."""
    if not output.exists():
        return {}
    from ase.io.extxyz import key_val_str_to_dict

    frames: dict[str, bytes] = {}
    for block in blocks(output):
        if block.problem:  # such as a frame that was cut off in the middle
            continue
        entries = key_val_str_to_dict(block.lines[1])
        if entries.get(METHOD) != method or KEY not in entries:
            raise AmaltheaError(
                f"{output} holds structures that were not labelled with {method}. Give another name to write to."
            )
        frames[entries[KEY]] = "".join(block.lines).encode()
    if not frames and output.stat().st_size:
        raise AmaltheaError(f"{output} holds no labelled structures. Give another name to write to, or remove it.")
    return frames


def _append(output: Path, frame: bytes) -> None:
    try:
        with output.open("ab") as stream:
            stream.write(frame)
    except OSError as error:
        raise DataError(
            f"cannot write {output}: {(error.strerror or str(error)).lower()}. Mend that and start again: what was "
            "computed before is kept."
        ) from error


def _rewrite(output: Path, frames: Sequence[bytes]) -> None:
    """Write the file anew; nothing where it would be empty and is not there."""
    if frames or output.exists():
        write_whole(output, lambda temporary: temporary.write_bytes(b"".join(frames)))
