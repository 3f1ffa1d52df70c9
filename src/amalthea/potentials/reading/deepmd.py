"""Folders of DeePMD-kit: `type.raw` with `set.000/coord.npy` and so on, or with `coord.raw` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from amalthea.potentials.reading.frames import Floats, Read

PARTS = ("box", "energy", "force", "virial")


def is_part(path: Path) -> bool:
    """Say whether a file is read with the `type.raw` of its system."""
    folder = path.parent.parent if path.parent.name.startswith("set.") else path.parent
    return path.suffix in (".npy", ".raw") and path.name != "type.raw" and (folder / "type.raw").is_file()


def read_deepmd(path: Path) -> Iterator[Read]:
    """Yield the frames of a system, in eV and Å; virials are those of ASE's sign times -volume.

    Args:
        path: the system's `type.raw`, the types of its atoms; `type_map.raw` beside it names them.
    """
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    folder = path.parent
    names_file = folder / "type_map.raw"
    if not names_file.is_file():
        yield Read(None, f"{folder.name} has no type_map.raw, which names the element of each type: one a line")
        return
    names = names_file.read_text().split()
    types = np.loadtxt(path, dtype=np.int64, ndmin=1)
    for part in sorted(folder.glob("set.*")) or [folder]:
        coordinates = _values(part, "coord")
        if coordinates is None:
            yield Read(None, f"{part.name} has no coord.npy or coord.raw")
            continue
        mixed = part / "real_atom_types.npy"
        kinds = np.load(mixed, allow_pickle=False) if mixed.is_file() else np.tile(types, (len(coordinates), 1))
        known = {name: values for name in PARTS if (values := _values(part, name)) is not None}
        periodic = "box" in known and not (folder / "nopbc").exists()
        for row, positions in enumerate(coordinates):
            here = {name: values[row] for name, values in known.items() if row < len(values)}
            symbols = [names[kind] for kind in kinds[row] if kind >= 0]
            cell = here["box"].reshape(3, 3) if periodic else None
            atoms = Atoms(symbols, positions.reshape(-1, 3)[: len(symbols)], cell=cell, pbc=periodic)
            energy = float(here["energy"][0]) if "energy" in here else None
            forces = here["force"].reshape(-1, 3)[: len(symbols)] if "force" in here else None
            atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
            if periodic and "virial" in here:
                atoms.info["virial"] = here["virial"]
            yield Read(atoms)


def _values(folder: Path, name: str) -> Floats | None:
    """Return one row a frame, None where there is no such file."""
    if (binary := folder / f"{name}.npy").is_file():
        values = np.load(binary, allow_pickle=False)
        return np.asarray(values, np.float64).reshape(len(values), -1)
    text = folder / f"{name}.raw"
    return np.loadtxt(text, ndmin=2) if text.is_file() and name != "energy" else _column(text)


def _column(text: Path) -> Floats | None:
    return np.loadtxt(text, ndmin=1).reshape(-1, 1) if text.is_file() else None
