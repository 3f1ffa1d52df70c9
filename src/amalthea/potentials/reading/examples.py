"""Frames as the examples of a data set, one row each, and back."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd

from amalthea.potentials.reading.duplicates import structure_keys
from amalthea.potentials.reading.frames import Frames
from amalthea.potentials.reading.read_errors import need_ase
from amalthea.potentials.reading.writing import as_extended_xyz

COLUMNS = ("atoms", "energy", "forces", "stress", "source", "frame", "key")


def as_examples(frames: Frames) -> pd.DataFrame:
    """Return n rows with the columns `COLUMNS`: the structure, its labels (None or NaN where missing), its file."""
    return pd.DataFrame(
        {
            "atoms": _objects(frames.atoms),
            "energy": frames.energy,
            "forces": _objects(frames.forces),
            "stress": _objects(frames.stress),
            "source": frames.source,
            "frame": frames.frame,
            "key": structure_keys(frames.atoms),
        }
    )


def as_frames(examples: pd.DataFrame, info: pd.DataFrame | None = None) -> Frames:
    """Return the frames that rows of examples hold.

    Args:
        examples: n rows as `as_examples` gives them.
        info: n rows of further entries.
    """
    return Frames(
        atoms=examples["atoms"].tolist(),
        energy=examples["energy"].to_numpy(np.float64),
        forces=examples["forces"].tolist(),
        stress=examples["stress"].tolist(),
        source=examples["source"].to_numpy(object),
        frame=examples["frame"].to_numpy(np.int64),
        row=np.arange(1, len(examples) + 1),
        info=pd.DataFrame(index=range(len(examples))) if info is None else info.reset_index(drop=True),
    )


def pack(examples: pd.DataFrame) -> bytes:
    """Return the structures and labels of examples as extended XYZ."""
    need_ase()
    from ase.calculators.singlepoint import SinglePointCalculator

    images = []
    for _, row in examples.iterrows():
        atoms = row["atoms"].copy()
        labels = {"energy": row["energy"], "forces": row["forces"], "stress": row["stress"]}
        known = {name: v for name, v in labels.items() if v is not None and not (np.isscalar(v) and np.isnan(v))}
        atoms.calc = SinglePointCalculator(atoms, **known)
        images.append(atoms)
    return as_extended_xyz(*images)


def unpack(table: pd.DataFrame, content: bytes) -> pd.DataFrame:
    """Return the examples that `pack` packed, with the other columns of their table.

    Raises:
        ValueError: the structures do not fit the table.
    """
    need_ase()
    from ase.io import read

    images: Any = read(io.StringIO(content.decode()), index=":", format="extxyz")
    if len(images) != len(table):
        raise ValueError(f"{len(images)} structures for {len(table)} rows")
    labels = [image.calc.results if image.calc is not None else {} for image in images]
    for image in images:
        image.calc = None
    return table.assign(
        atoms=_objects(images),
        energy=[float(known.get("energy", np.nan)) for known in labels],
        forces=_objects([known.get("forces") for known in labels]),
        stress=_objects([known.get("stress") for known in labels]),
    )


def _objects(values: list[Any]) -> pd.Series[Any]:
    """Return a column that holds things as they are: pandas would look into structures and arrays."""
    cells = np.empty(len(values), object)
    for row, value in enumerate(values):
        cells[row] = value
    return pd.Series(cells, dtype=object)
