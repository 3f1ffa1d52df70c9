"""A small potential of copper and aluminium, labelled by EMT, for the reports."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import ase.io

import amalthea as am
from amalthea.predictor.predictor import Predictor
from tests.potentials.alloys import cell, cluster, labelled

LIST = """number_of_elements 2
cutoff_type 1
elements Al Cu
global_hidden_layers_short 1
global_nodes_short 3
global_activation_short t l
symfunction_short Cu 2 Cu 0.3 0.0 4.5
symfunction_short Cu 2 Al 0.3 0.0 4.5
symfunction_short Cu 3 Cu Cu 0.02 1.0 2.0 4.5
symfunction_short Al 2 Al 0.3 0.0 4.5
symfunction_short Al 2 Cu 2.0 2.5 4.5
"""

QUICK: dict[str, Any] = {"members": 2, "epochs": 2, "verbose": 0, "length_unit": "angstrom"}


def train(images: list[Any], **options: Any) -> Predictor:
    """Return a potential that learned from these structures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.extxyz"
        ase.io.write(path, images)
        (Path(folder) / "input.nn").write_text(LIST)
        trained = am.train(path, features=str(Path(folder) / "input.nn"), **{**QUICK, **options})
    assert trained.task == "potential"
    return trained


@functools.cache
def potential() -> Predictor:
    """Return a potential of 48 structures of four atoms in trajectories of four, three folds of two networks."""
    return train(structures(48), folds=3, group="trajectory")


def structures(count: int) -> list[Any]:
    """Return cells and clusters of four atoms: of one size, they are one compiled program."""
    images = []
    for number in range(count):
        symbols = ("Cu", "Al", "CuAl")[number % 3]
        atoms = cluster(4, symbols, number) if number % 4 == 3 else cell(symbols, number)
        atoms.info["trajectory"] = f"run {number // 4}"
        images.append(labelled(atoms))
    return images


def labelled_with(*names: str) -> list[Any]:
    """Return structures that have only these labels."""
    images = structures(12)
    for image in images:
        image.calc.results = {name: value for name, value in image.calc.results.items() if name in names}
    return images
