"""A file of labelled structures that grows frame by frame, and from which an interrupted calculation goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from amalthea.datasets.files import write_whole
from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.reading.extended_xyz import blocks
from amalthea.potentials.reading.writing import as_extended_xyz

METHOD, KEY = "reference_method", "structure_key"
"""The entries of a labelled frame that say with what, and for which structure, it was made."""


class LabelledFile:
    """Labelled structures by their keys, in memory as they stand in an extended XYZ file.

    Args:
        path: the file; what was labelled in it before, by the same method, is there.
        method: the reference method with its options.

    Raises:
        AmaltheaError: the file holds something else.
    """

    def __init__(self, path: Path, method: str) -> None:
        self.path, self.method = path, method
        self.frames = _read(path, method)

    def add(self, key: str, atoms: Any) -> None:
        """Write a structure with its labels behind the others.

        Raises:
            DataError: the file cannot be written.
        """
        atoms.info |= {METHOD: self.method, KEY: key}
        self.frames[key] = as_extended_xyz(atoms)
        try:
            with self.path.open("ab") as stream:
                stream.write(self.frames[key])
        except OSError as error:
            raise DataError(
                f"cannot write {self.path}: {(error.strerror or str(error)).lower()}. Mend that and start again: what "
                "was computed before is kept."
            ) from error

    def rewrite(self, keys: Sequence[str] = ()) -> None:
        """Write the file anew: first the frames of no such key, then those of these keys in their order.

        Where there is no frame and no file, none is made.
        """
        ordered = [key for key in dict.fromkeys(keys) if key in self.frames]
        others = self.frames.keys() - set(ordered)
        self.frames = {key: self.frames[key] for key in (*filter(others.__contains__, self.frames), *ordered)}
        if self.frames or self.path.exists():
            write_whole(self.path, lambda temporary: temporary.write_bytes(b"".join(self.frames.values())))


def structure_key(atoms: Any) -> str:
    """Return a name for a structure: the same elements at the same positions, to 1e-6 Å, have the same."""
    shape = (atoms.positions, atoms.cell.array)
    rounded = [np.round(part, 6) + 0.0 for part in shape]  # + 0.0: no negative zero
    parts = [atoms.numbers.astype(np.int64), *rounded, atoms.pbc]
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
    return f"s{digest[:16]}"  # with a letter, or some would be read as numbers


def _read(path: Path, method: str) -> dict[str, bytes]:
    """Return the frames that were labelled before, as they stand in the file, by their structures' keys."""
    if not path.exists():
        return {}
    from ase.io.extxyz import key_val_str_to_dict

    frames: dict[str, bytes] = {}
    for block in blocks(path):
        if block.problem:  # such as a frame that was cut off in the middle
            continue
        entries = key_val_str_to_dict(block.lines[1])
        if entries.get(METHOD) != method or KEY not in entries:
            raise AmaltheaError(
                f"{path} holds structures that were not labelled with {method}. Give another name to write to."
            )
        frames[entries[KEY]] = "".join(block.lines).encode()
    if not frames and path.stat().st_size:
        raise AmaltheaError(f"{path} holds no labelled structures. Give another name to write to, or remove it.")
    return frames
