"""What a simulation leaves behind: frames, observables, structures that it should not have met, and its last state.

Frames and rows are appended; the state says how long the files were. So a simulation that was killed goes on from its
last state, and what was written after that is cut off.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.files import write_whole
from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.networks.committee import Committee
from amalthea.potentials.reading.writing import as_extended_xyz
from amalthea.potentials.symmetry_functions.serialization import as_json

FORMAT = 1


class SimulationFiles:
    """The files of one simulation: NAME.extxyz, NAME.csv, NAME-outside.extxyz and NAME.restart.

    Args:
        name: the path that all of them begin with.
    """

    def __init__(self, name: Path) -> None:
        self.name = name
        self.trajectory, self.observables, self.outside, self.restart = (
            name.with_name(name.name + end) for end in (".extxyz", ".csv", "-outside.extxyz", ".restart")
        )

    @property
    def appended(self) -> tuple[Path, Path, Path]:
        """The files that grow."""
        return self.trajectory, self.observables, self.outside

    def begin(self, overwrite: bool) -> None:
        """Make room for a new simulation.

        Raises:
            AmaltheaError: there are files of another one, and they may not be overwritten; or they cannot be written.
        """
        there = [path for path in self.appended if path.exists() and path.stat().st_size]
        if there and not overwrite:
            raise AmaltheaError(
                f"{there[0]} is there already, and no {self.restart.name} to go on from. Give another name, or have "
                "it overwritten (--overwrite)."
            )
        # The state goes first: one that is there must never belong to files that are not.
        self.restart.unlink(missing_ok=True)
        for path in self.appended:
            self._append(path, b"", "wb")

    def frame(self, atoms: Any) -> None:
        """Add a frame to the trajectory."""
        self._append(self.trajectory, as_extended_xyz(atoms))

    def suspect(self, atoms: Any) -> None:
        """Add a structure to those that the potential does not know."""
        self._append(self.outside, as_extended_xyz(atoms))

    def row(self, values: Mapping[str, float | int | None]) -> None:
        """Add a row to the observables."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(values), lineterminator="\n")
        if not self.observables.exists() or not self.observables.stat().st_size:
            writer.writeheader()
        writer.writerow({name: "" if value is None else value for name, value in values.items()})
        self._append(self.observables, text.getvalue().encode())

    def save(self, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write the state; the files written so far belong to it.

        Raises:
            DataError: it cannot be written; the one before it is still there.
        """
        sizes = [path.stat().st_size for path in self.appended]
        described = json.dumps({"format": FORMAT, "sizes": sizes, **facts})

        def write(temporary: Path) -> None:
            with temporary.open("wb") as stream:
                np.savez(stream, allow_pickle=False, facts=np.array(described), **dict(arrays))

        write_whole(self.restart, write)

    def load(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the state.

        Raises:
            AmaltheaError: the file is no state of a simulation, or is damaged.
        """
        try:
            with np.load(self.restart, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            facts = json.loads(str(arrays.pop("facts")))
            if facts["format"] != FORMAT or len(facts["sizes"]) != len(self.appended):
                raise ValueError("another format")
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise AmaltheaError(
                f"{self.restart} is no state of a simulation, or is damaged ({error}). Remove it to begin anew."
            ) from error
        return facts, arrays

    def cut(self, sizes: list[int]) -> None:
        """Cut off what was written after the state.

        Raises:
            AmaltheaError: a file is gone, or is shorter than it was.
        """
        for path, size in zip(self.appended, sizes, strict=True):
            if not path.exists() or path.stat().st_size < size:
                raise AmaltheaError(f"{path} is shorter than when {self.restart} was written. Remove it to begin anew.")
            os.truncate(path, size)

    def _append(self, path: Path, content: bytes, mode: str = "ab") -> None:
        try:
            with path.open(mode) as stream:
                stream.write(content)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "the disk has no room left" if full else (error.strerror or str(error)).lower()
            raise DataError(
                f"cannot write {path}: {why}. Mend that and start the same command again: it goes on from the last "
                "state that was saved."
            ) from error


def fingerprint(committee: Committee) -> str:
    """Return a hash of a potential's functions and weights."""
    digest = hashlib.sha256(json.dumps(as_json(committee.functions), sort_keys=True).encode())
    digest.update(np.ascontiguousarray(committee.atoms).tobytes())
    for element in committee.elements:
        digest.update("".join(committee.activations[element]).encode())
        for kernel, bias in committee.layers[element]:
            digest.update(np.ascontiguousarray(kernel).tobytes() + np.ascontiguousarray(bias).tobytes())
    return digest.hexdigest()
