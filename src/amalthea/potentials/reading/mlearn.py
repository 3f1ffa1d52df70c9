"""The structures of Zuo et al. 2020 (J. Phys. Chem. A 124, 731), as JSON of pymatgen's structures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from amalthea.potentials.reading.frames import Read
from amalthea.potentials.voigt import order_in

KBAR = 1 / 1602.1766
"""One kilobar in eV/Å³."""

COMPONENTS = {"Elastic": ("xx", "yy", "zz", "xy", "yz", "xz")}
"""The order of `virial_stress` in this group of structures ..."""

USUAL_COMPONENTS = ("xx", "yy", "zz", "xy", "xz", "yz")
"""... and in all others."""


def is_mlearn(path: Path) -> bool:
    """Say whether a JSON file begins like a list of structures with outputs."""
    with path.open("rb") as stream:
        start = stream.read(4096).lstrip()
    return start.startswith(b"[") and b'"structure"' in start and b'"@module"' in start


def read_mlearn(path: Path) -> Iterator[Read]:
    """Yield the structures of a file.

    `virial_stress` is in kbar with VASP's sign; its shear components stand in an order that differs between groups.

    Args:
        path: a JSON file: a list of records with `structure`, `group`, `description` and `outputs`.
    """
    with path.open(encoding="utf-8") as stream:
        records = json.load(stream)
    for record in records:
        try:
            yield Read(_atoms(record))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            yield Read(None, f"the record cannot be read ({type(error).__name__}: {error})")


def _atoms(record: Mapping[str, Any]) -> Any:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    structure, outputs = record["structure"], record.get("outputs", {})
    atoms = Atoms(
        [site["species"][0]["element"] for site in structure["sites"]],
        positions=[site["xyz"] for site in structure["sites"]],
        cell=structure["lattice"]["matrix"],
        pbc=True,
        info={name: str(record[name]) for name in ("group", "description", "tag") if name in record},
    )
    results = {name: outputs[name] for name in ("energy", "forces") if name in outputs}
    if "virial_stress" in outputs:
        results["stress"] = _stress(outputs["virial_stress"], str(record.get("group", "")))
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def _stress(components: Any, group: str) -> Any:
    return -KBAR * np.asarray(components, np.float64)[order_in(COMPONENTS.get(group, USUAL_COMPONENTS))]
