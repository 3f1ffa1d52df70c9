"""Small clusters and cells of copper and aluminium, labelled by ASE's EMT calculator, and tiny potentials of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from amalthea.potentials.reading.frames import Frames


def labelled(atoms: Any) -> Any:
    """Return a structure with its energy, forces and, where it is periodic throughout, stress."""
    atoms.calc = EMT()
    results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
    if atoms.pbc.all():
        results["stress"] = atoms.get_stress()
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def cluster(size: int, symbols: str, seed: int) -> Any:
    """Return a piece of a crystal with its atoms displaced; "CuAl" are of both elements."""
    random = np.random.default_rng(seed)
    whole = bulk("Cu", a=3.8, cubic=True).repeat(3)
    nearest = np.argsort(np.linalg.norm(whole.positions - whole.positions.mean(axis=0), axis=1), kind="stable")[:size]
    kinds = {"CuAl": ["Cu", "Al"]}.get(symbols, [symbols])
    chosen = [kinds[n % len(kinds)] for n in range(size)]
    return Atoms(chosen, whole.positions[nearest] + random.uniform(-0.15, 0.15, (size, 3)))


def cell(symbols: str, seed: int, repeat: tuple[int, int, int] = (1, 1, 1)) -> Any:
    """Return a displaced and strained cell of four atoms, smaller than the cutoff, or several of them."""
    random = np.random.default_rng(seed)
    atoms: Any = bulk("Cu", a=3.8, cubic=True).repeat(repeat)
    if symbols == "CuAl":
        atoms.symbols[::2] = "Al"
    elif symbols == "Al":
        atoms.symbols[:] = "Al"
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + random.uniform(-0.03, 0.03, (3, 3))), scale_atoms=True)
    atoms.positions += random.uniform(-0.1, 0.1, atoms.positions.shape)
    return atoms


def frames(count: int = 24) -> list[Any]:
    """Return labelled clusters of 4 to 13 atoms and cells, each with entries `trajectory` and `year`."""
    images = []
    for number in range(count):
        symbols = ("Cu", "Al", "CuAl")[number % 3]
        atoms = cell(symbols, number) if number % 4 == 3 else cluster(4 + number * 7 % 10, symbols, number)
        atoms.info |= {"trajectory": f"run {number // 4}", "year": 2000 + number}
        images.append(labelled(atoms))
    return images


def read_back(images: list[Any]) -> Frames:
    """Return structures as frames, with the labels that they carry."""
    found = [{} if atoms.calc is None else atoms.calc.results for atoms in images]
    count = len(images)
    return Frames(
        atoms=images,
        energy=np.array([own.get("energy", np.nan) for own in found]),
        forces=[own.get("forces") for own in found],
        stress=[own.get("stress") for own in found],
        source=np.full(count, "made here", object),
        frame=np.arange(1, count + 1),
        row=np.arange(1, count + 1),
        info=pd.DataFrame(index=range(count)),
    )
