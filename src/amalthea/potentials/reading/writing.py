"""Structures as extended XYZ, where every program finds predictions in the usual places."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.files import write_whole
from amalthea.potentials.reading.frames import Floats, Frames
from amalthea.potentials.reading.read_errors import need_ase

TAKEN = frozenset({"Lattice", "Properties", "pbc", "energy", "forces", "stress", "free_energy"})
"""Entries that mean something to ASE; a frame's own entries of these names are left out."""


def as_extended_xyz(*images: Any) -> bytes:
    """Return `ase.Atoms`, with their entries and the results of their calculators, as extended XYZ."""
    need_ase()
    from ase.io import write

    text = io.StringIO()
    write(text, images, format="extxyz")
    return text.getvalue().encode()


def write_predictions(
    path: str | os.PathLike[str],
    frames: Frames,
    energy: Floats,
    forces: Sequence[Floats | None] | None = None,
    stress: Sequence[Floats | None] | None = None,
    *,
    info: pd.DataFrame | None = None,
    arrays: Mapping[str, Sequence[NDArray[Any]]] | None = None,
) -> None:
    """Write frames with what was predicted for them, as extended XYZ.

    After `ase.io.read`, `get_potential_energy`, `get_forces` and `get_stress` give the predictions; the labels of the
    input stand in `info["reference_energy"]`, `arrays["reference_forces"]` and `info["reference_stress"]`. The frames
    keep their order; each says which it was (`file`, `frame`), as refused ones are not among them.

    Args:
        path: the file to be written, whole or not at all.
        frames: n frames, with their labels and entries.
        energy: shape (n,), eV; a frame whose energy is NaN gets no predictions.
        forces: n arrays of shape (A, 3), eV/Å; None where there are none.
        stress: n arrays of shape (6,), eV/Å³, in Voigt's order and ASE's sign; None where there is none.
        info: n rows: further entries of each frame, such as `energy_std`; empty and missing ones are left out.
        arrays: by name, n arrays of shape (A,) or (A, k): further values of each atom, such as `forces_std`.

    Raises:
        DataError: the file cannot be written there.
        MissingDependencyError: ASE is not installed.

    Example:
        >>> import tempfile, ase.io
        >>> from pathlib import Path
        >>> from amalthea.potentials.reading.read_frames import read_frames
        >>> given, answer = (Path(tempfile.mkdtemp()) / name for name in ("given.xyz", "answer.xyz"))
        >>> _ = given.write_text("1\\nenergy=-0.1\\nAr 0 0 0\\n")
        >>> write_predictions(answer, read_frames([given]), np.array([-0.11]))
        >>> atoms = ase.io.read(answer)
        >>> float(atoms.get_potential_energy()), float(atoms.info["reference_energy"])
        (-0.11, -0.1)
    """
    need_ase()
    from ase.io import write

    entries = frames.info
    if info is not None:
        others = entries.drop(columns=[name for name in info if name in entries])
        entries = pd.concat([others, info.set_axis(others.index)], axis=1)
    images = []
    for row in range(len(frames)):
        atoms = frames.atoms[row].copy()
        atoms.info = {**_entries(entries.iloc[row]), "frame": int(frames.frame[row]), **_references(frames, row)}
        if frames.forces[row] is not None:
            atoms.new_array("reference_forces", frames.forces[row])
        for name, values in (arrays or {}).items():
            atoms.new_array(name, np.asarray(values[row]))
        _predict(
            atoms,
            energy=float(energy[row]),
            forces=None if forces is None else forces[row],
            stress=None if stress is None else stress[row],
        )
        images.append(atoms)
    write_whole(path, lambda temporary: write(str(temporary), images, format="extxyz"))


def _predict(atoms: Any, energy: float, forces: Floats | None, stress: Floats | None) -> None:
    """Put predictions where ASE looks for them."""
    from ase.calculators.singlepoint import SinglePointCalculator

    if np.isnan(energy):
        return
    results = {"energy": energy, "forces": forces, "stress": stress if atoms.pbc.any() else None}
    known = {name: value for name, value in results.items() if value is not None}
    atoms.calc = SinglePointCalculator(atoms, **known)


def _references(frames: Frames, row: int) -> dict[str, Any]:
    references: dict[str, Any] = {}
    if not np.isnan(frames.energy[row]):
        references["reference_energy"] = float(frames.energy[row])
    if frames.stress[row] is not None:
        references["reference_stress"] = frames.stress[row]
    return references


def _entries(row: pd.Series) -> dict[str, Any]:
    """Return the entries of a frame that say something; a text is kept on one line."""
    return {
        str(name): " ".join(value.split()) if isinstance(value, str) else value
        for name, value in row.items()
        if name not in TAKEN and not pd.isna(value) and value != ""
    }
