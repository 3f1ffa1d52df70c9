"""No row influences the members that held it out: neither its values, nor its label, through anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from PIL import Image
from tests.potentials.alloys import frames
from tests.predictor.models import molecules, table

import amalthea as am
from amalthea.domains import domains

FOLDS, MEMBERS = 3, 2


def changed_table(rows: pd.DataFrame, held_out: np.ndarray) -> pd.DataFrame:
    """Return rows whose held-out ones have wild numbers."""
    wild = rows.copy()
    for name in ("a", "b"):
        wild[name] = wild[name].astype(float)
        wild.loc[held_out, name] = 1e6 * np.arange(1, held_out.sum() + 1)
    wild.loc[held_out, "y"] = -1e5
    return wild


def changed_molecules(rows: pd.DataFrame, held_out: np.ndarray) -> pd.DataFrame:
    """Return rows whose held-out ones are other molecules."""
    wild = rows.copy()
    wild.loc[held_out, "smiles"] = ["C" * (30 + number) for number in range(held_out.sum())]
    wild.loc[held_out, "logS"] = -1e5
    return wild


def of_table(folder: Path, wild: bool) -> pd.DataFrame:
    return with_folds(table()[["a", "b", "y"]], changed_table, wild)


def of_molecules(folder: Path, wild: bool) -> pd.DataFrame:
    return with_folds(molecules()[["smiles", "logS"]], changed_molecules, wild)


def with_folds(rows: pd.DataFrame, change: Any, wild: bool) -> pd.DataFrame:
    """Return rows with their folds, those of the first changed if asked for."""
    rows = rows.reset_index(drop=True).assign(fold=np.arange(len(rows)) % FOLDS)
    return change(rows, (rows["fold"] == 0).to_numpy()) if wild else rows


def of_pictures(folder: Path, wild: bool) -> str:
    """Write pictures of two classes; the held-out ones become noise, or other noise, with the other class's name."""
    random, rows = np.random.default_rng(0), []
    for number in range(36):
        held_out, dark = number % FOLDS == 0, number % 2 == 0
        pixels = random.integers(0, 100, (12, 12), np.uint8) + np.uint8(0 if dark else 120)
        if wild and held_out:
            pixels, dark = 255 - pixels // 2, not dark
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append((f"{number}.png", "dark" if dark else "light", number % FOLDS))
    pd.DataFrame(rows, columns=["picture", "kind", "fold"]).to_csv(folder / "pictures.csv", index=False)
    return str(folder / "pictures.csv")


def of_signals(folder: Path, wild: bool) -> pd.DataFrame:
    """Return short spectra; the held-out ones become others, with a value of another world."""
    random = np.random.default_rng(0)
    values = random.normal(size=(45, 12)).cumsum(axis=1)
    rows = pd.DataFrame(values, columns=[f"{place}nm" for place in range(12)]).assign(y=values[:, 3] - values[:, 8])

    def changed(rows: pd.DataFrame, held_out: np.ndarray) -> pd.DataFrame:
        noise = 1e4 * np.random.default_rng(1).normal(size=(held_out.sum(), 12))
        rows.loc[held_out, rows.columns[:12]] = noise
        rows.loc[held_out, "y"] = -1e5
        return rows

    return with_folds(rows, changed, wild)


def of_structures(folder: Path, wild: bool) -> str:
    """Write structures; the held-out ones are blown up and torn, with energies and forces of another world."""
    images = frames()
    for number, atoms in enumerate(images):
        atoms.info["fold"] = number // 3 % FOLDS  # all compositions in each
        if wild and atoms.info["fold"] == 0:
            labels = {name: 1e3 * np.asarray(values) + 50 for name, values in atoms.calc.results.items()}
            labels["energy"] = float(labels["energy"])
            atoms.set_cell(atoms.cell.array * 1.2)
            atoms.positions = 1.2 * atoms.positions + np.random.default_rng(number).normal(size=(len(atoms), 3)) * 0.2
            atoms.calc = SinglePointCalculator(atoms, **labels)
    ase.io.write(folder / "structures.extxyz", images)
    return str(folder / "structures.extxyz")


def weights_of(predictor: am.Predictor) -> list[np.ndarray]:
    """Return the members' weights, each stacked."""
    weights = predictor.parts[0].ensemble.weights
    return [weights[name] for name in sorted(weights)]


def answers_of(predictor: am.Predictor) -> list[np.ndarray]:
    """Return what each member says of structures that are the same before and after."""
    answers = [predictor.ready.committee.answer(atoms) for atoms in frames()[3:9]]
    return [values for answer in answers for values in (answer.energy, answer.forces)]


@dataclasses.dataclass(frozen=True)
class Case:
    """A kind of data: how it is made, whole or with wild held-out rows, how it is trained on, what must not change.

    Structures are padded to the most neighbours that any of them has, so rounding may differ; SOAP would blow it up.
    """

    domain: str
    make: Callable[[Path, bool], Any]
    options: dict[str, Any]
    what: Callable[[am.Predictor], list[np.ndarray]] = weights_of
    tolerance: float = 0.0


CASES = {
    "tables": Case("tables", of_table, {"target": "y", "patience": 2}),
    "linear": Case("tables", of_table, {"target": "y", "features": "linear"}),
    "descriptors": Case("molecules", of_molecules, {"target": "logS", "features": "descriptors", "patience": 2}),
    "counts": Case("molecules", of_molecules, {"target": "logS", "features": "morgan", "patience": 2}),
    "pictures": Case("images", of_pictures, {"target": "kind", "network": "dense"}),
    "kernels": Case("signals", of_signals, {"target": "y", "sequence": "0nm:11nm", "features": "kernels"}),
    "spectra": Case("signals", of_signals, {"target": "y", "sequence": "0nm:11nm", "features": "spectrum"}),
    "convolutions": Case("signals", of_signals, {"target": "y", "sequence": "0nm:11nm", "features": "trace"}),
    "structures": Case("structures", of_structures, {"optimizer": "adam"}, answers_of, 1e-5),
}


def test_every_kind_of_data_is_tried() -> None:
    in_time = {"sequences"}  # `test_future.py`: what comes later has no say in what is said before
    assert {case.domain for case in CASES.values()} | in_time == {kind.name for kind in domains() if is_ours(kind)}


def is_ours(kind: Any) -> bool:
    """Say whether a kind of data is the package's, and none that another test has registered."""
    return type(kind).__module__.startswith("amalthea.")


@pytest.mark.parametrize("name", list(CASES))
def test_members_do_not_depend_on_what_they_held_out(name: str, tmp_path: Path) -> None:
    case, values = CASES[name], []
    for wild in (False, True):
        folder = tmp_path / ("wild" if wild else "whole")
        folder.mkdir()
        data = case.make(folder, wild)
        predictor = am.train(data, fold_column="fold", members=MEMBERS, epochs=3, verbose=0, **case.options)
        values.append(case.what(predictor))
    for one, other in zip(*values, strict=True):
        np.testing.assert_allclose(one[:MEMBERS], other[:MEMBERS], rtol=case.tolerance, atol=case.tolerance)
    # The test can see a change: those that learned from the changed rows are others.
    pairs = zip(*values, strict=True)
    assert any(not np.allclose(one[MEMBERS:], other[MEMBERS:], rtol=1e-3, atol=1e-3) for one, other in pairs)
