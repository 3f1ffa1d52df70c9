"""The verb `label`: energies and forces by a reference method, in parallel, resumable, and every failure named."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits

from amalthea.datasets.dataset import Refusal
from amalthea.datasets.output_path import check_output
from amalthea.errors import AmaltheaError, Stopped
from amalthea.potentials.reading.frames import frame_name, plain
from amalthea.potentials.reading.read_errors import FAILURES, reason
from amalthea.potentials.reading.sources import frames_from, output_path, paths_of
from amalthea.potentials.simulation.labelled_file import LabelledFile, structure_key
from amalthea.potentials.simulation.reference_calculators import DEFAULT, needs, reference
from amalthea.progress import Bar, Verbosity


@dataclasses.dataclass(frozen=True)
class Labelled:
    """What became of structures that were to be labelled.

    Args:
        output: the file that holds them.
        calculator: what they were labelled with.
        done: how many have labels now, copies counted once.
        before: how many of these had been labelled before.
        failures: those that have none, with the reason: first those that the calculator gave up, then those that could
            not be read.
    """

    output: Path
    calculator: str
    done: int
    before: int
    failures: tuple[Refusal, ...]

    def check(self) -> None:
        """Raise where no structure has labels.

        Raises:
            AmaltheaError: none has.
        """
        if not self.done:
            raise AmaltheaError(
                f"{self.calculator} could label none of the structures; the reasons are above.{needs(self.calculator)}"
            )

    def as_json(self) -> dict[str, Any]:
        """Return what `amalthea label --json` prints."""
        failures = [{"structure": failure.example, "reason": failure.reason} for failure in self.failures]
        return {"output": str(self.output), "labelled": self.done, "found": self.before, "failures": failures}

    def __str__(self) -> str:
        lines = [
            f"{self.done} structures labelled with {self.calculator} ({self.before} of them before), in {self.output}."
        ]
        if self.failures:
            lines.append(f"{len(self.failures)} failed:")
            lines += [f"  {failure.example}: {failure.reason}" for failure in self.failures]
        return "\n".join(lines)


def label(
    structures: Any,
    *,
    calculator: str = DEFAULT,
    option: Mapping[str, Any] | None = None,
    output: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    verbose: Verbosity = "auto",
) -> Labelled:
    """Compute energies, forces and, where the method has them, stresses of structures, and write them.

    Each is written as soon as it is there: after an interruption, the same call computes the rest. In the end the
    frames stand in the order of the structures. Energies in eV, forces in eV/Å, stresses in eV/Å³.

    Args:
        structures: files, or `ase.Atoms`; one or several. Labels on them are not looked at.
        calculator: the reference method: "GFN2-xTB" or "GFN1-xTB" (tblite), the name of one of ASE's, or a class of
            yours as "module:Class".
        option: what the calculator is called with, by name.
        output: the extended XYZ file to write, which `amalthea train` reads; None: the first file's name with
            "-labelled".
        jobs: how many structures are computed at a time, each in a process of its own; None: one a core.
        verbose: "auto" shows progress on a terminal.

    Raises:
        AmaltheaError: there is no such calculator, or the output holds something else.
        DataError: nothing can be read, or the output cannot be written.
        Stopped: Ctrl-C was pressed after the first structure was labelled.
    """
    path = output_path(output, structures, "-labelled.extxyz")
    check_output(path, *paths_of(structures))
    frames, options = frames_from(structures), dict(option or {})
    jobs = cpu_count() if jobs is None else jobs
    if jobs < 1:
        raise AmaltheaError(f"At least one structure is computed at a time. Received: jobs={jobs}")
    with tempfile.TemporaryDirectory() as folder, reference(calculator, options, Path(folder), Path.cwd()):
        pass  # what is wrong with it is said before any work is done
    method = " ".join([calculator, *(f"{name}={value}" for name, value in sorted(options.items()))])
    keys = [structure_key(atoms) for atoms in frames.atoms]
    file = LabelledFile(path, method)
    before = set(file.frames)
    file.rewrite()  # without a frame that was cut off in the middle
    try:
        failed = _compute_rest(file, frames.atoms, keys, calculator, options, jobs, verbose)
    except KeyboardInterrupt as error:
        if not file.frames:
            raise
        file.rewrite(keys)
        done, count = len(file.frames.keys() & set(keys)), len(set(keys))
        raise Stopped(
            f"{done} of {count} structures are labelled, in {path}. The same command computes the others."
        ) from error
    file.rewrite(keys)
    names = [frame_name(source, frame) for source, frame in zip(frames.source, frames.frame, strict=True)]
    failures = [
        Refusal(row, name, failed[key]) for row, name, key in zip(frames.row, names, keys, strict=True) if key in failed
    ]
    labelled = file.frames.keys() & set(keys)
    return Labelled(path, calculator, len(labelled), len(labelled & before), (*failures, *frames.refused))


def _compute_rest(
    file: LabelledFile,
    structures: Sequence[Any],
    keys: Sequence[str],
    calculator: str,
    options: dict[str, Any],
    jobs: int,
    verbose: Verbosity,
) -> dict[str, str]:
    """Label what the file does not hold yet, copies once; return why some could not be, by their keys."""
    rest = {key: row for row, key in enumerate(keys) if key not in file.frames}
    tasks = [(key, plain(structures[row]), calculator, options, Path.cwd()) for key, row in rest.items()]
    failed: dict[str, str] = {}
    with Bar("structures labelled", len(tasks), verbose) as bar:
        for key, atoms, problem in _in_parallel(tasks, jobs):
            if atoms is None:
                failed[key] = problem
            else:
                file.add(key, atoms)
            bar.advance(f"{len(failed)} failed" if failed else "")
    return failed


def _in_parallel(tasks: Sequence[Any], jobs: int) -> Iterator[tuple[str, Any | None, str]]:
    """Yield each result in the order in which they come: one that takes hours keeps no other from being written."""
    if jobs == 1 or len(tasks) < 2:
        yield from map(_compute, tasks)
        return
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered")
    yield from pool(delayed(_compute)(task) for task in tasks)


def _compute(task: tuple[str, Any, str, dict[str, Any], Path]) -> tuple[str, Any | None, str]:
    """Return a structure's key, and it with its labels; or none, and why.

    Each structure has a folder of its own, in which the process stands: no input file is shared with another's.
    """
    from ase.calculators.calculator import PropertyNotImplementedError
    from ase.calculators.singlepoint import SinglePointCalculator

    key, atoms, name, options, start = task
    # Cores are shared by whole structures; threads that wait for a core cost most.
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        try:
            with reference(name, options, Path(folder), start) as atoms.calc:
                labels = {"energy": float(atoms.get_potential_energy()), "forces": atoms.get_forces()}
                if atoms.pbc.all():
                    with contextlib.suppress(PropertyNotImplementedError, NotImplementedError):
                        labels["stress"] = atoms.get_stress()
        except FAILURES as error:
            return key, None, reason(error)
    if not all(np.isfinite(value).all() for value in labels.values()):
        return key, None, "the answer is no finite number"
    atoms.calc = SinglePointCalculator(atoms, **labels)
    return key, atoms, ""
