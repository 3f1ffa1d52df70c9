"""JSON of pymatgen's structures: lists as in Zuo et al. 2020 (J. Phys. Chem. A 124, 731), nested as in MPtrj."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from amalthea.potentials.reading.frames import Read
from amalthea.potentials.reading.vasp import KBAR
from amalthea.potentials.voigt import order_in, to_voigt

COMPONENTS = {"Elastic": ("xx", "yy", "zz", "xy", "yz", "xz")}
"""The order of `virial_stress` in this group of structures ..."""

USUAL_COMPONENTS = ("xx", "yy", "zz", "xy", "xz", "yz")
"""... and in all others."""


def is_mlearn(path: Path) -> bool:
    """Say whether a JSON file begins like records of pymatgen's structures."""
    with path.open("rb") as stream:
        start = stream.read(4096).lstrip()
    return start[:1] in (b"[", b"{") and b'"structure"' in start and b'"@module"' in start


def read_mlearn(path: Path) -> Iterator[Read]:
    """Yield the structures of a file.

    `virial_stress` is in kbar with VASP's sign; its shear components stand in an order that differs between groups. So
    is `stress`, a tensor, as in MPtrj (Deng et al., Nat. Mach. Intell. 5, 1031, 2023).

    Args:
        path: a JSON file: records with `structure`, and `group`, `description` and `outputs` or the labels themselves;
            in a list, or at any depth of dictionaries, whose keys become the entry `name`.
    """
    with path.open(encoding="utf-8") as stream:
        content = json.load(stream)
    for name, record in _records(content):
        try:
            yield Read(_atoms(record, name))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            yield Read(None, f"the record cannot be read ({type(error).__name__}: {error})")


def _records(content: Any, name: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the records in lists and dictionaries, each with the key under which it stands."""
    if isinstance(content, Mapping) and "structure" not in content:
        for key, inner in content.items():
            yield from _records(inner, str(key))
    elif isinstance(content, list):
        for inner in content:
            yield from _records(inner, name)
    elif isinstance(content, Mapping):
        yield name, content


def _atoms(record: Mapping[str, Any], name: str) -> Any:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    structure, outputs = record["structure"], record.get("outputs", record)
    cell = np.array(structure["lattice"]["matrix"], np.float64)
    sites = structure["sites"]
    entries = {text: str(record[text]) for text in ("group", "description", "tag") if text in record}
    totals = {label: value for label, value in outputs.items() if "energy" in label and isinstance(value, float)}
    atoms = Atoms(
        [site["species"][0]["element"] for site in sites],
        positions=[site["xyz"] if "xyz" in site else np.array(site["abc"]) @ cell for site in sites],
        cell=cell,
        pbc=True,
        info=entries | ({"name": name} if name else {}) | {k: v for k, v in totals.items() if k != "energy"},
    )
    results = {"energy": outputs.get("energy"), "forces": outputs.get("forces", outputs.get("force"))}
    if "virial_stress" in outputs:
        results["stress"] = _stress(outputs["virial_stress"], str(record.get("group", "")))
    elif outputs.get("stress") is not None:
        results["stress"] = -KBAR * to_voigt(np.array(outputs["stress"], np.float64))
    atoms.calc = SinglePointCalculator(atoms, **{label: value for label, value in results.items() if value is not None})
    return atoms


def _stress(components: Any, group: str) -> Any:
    return -KBAR * np.asarray(components, np.float64)[order_in(COMPONENTS.get(group, USUAL_COMPONENTS))]
