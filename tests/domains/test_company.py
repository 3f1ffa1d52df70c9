"""Molecules with company: conditions and further molecules are learned from, and asked for by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.domains.molecules import DOMAIN
from amalthea.errors import DataError

DRUGS = ["CCO", "CCCO", "CCN", "c1ccccc1O", "CCCCN", "CC(=O)O", "c1ccncc1", "CCCl", "CCCCO", "CC(C)N"]
SOLVENTS = ["CO", "CCOCC", "CCCCCC"]


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for number, drug in enumerate(DRUGS):
        for kelvin in (280, 300, 320, 340):
            solvent = SOLVENTS[int(rng.integers(3))]
            value = 0.1 * len(drug) + 0.05 * (kelvin - 300) + rng.normal(0, 0.05)
            lab = "ab"[len(rows) // 3 % 2]
            beside = {"T": f"{kelvin} K", "solvent": solvent, "lab": lab, "logP": number * 0.3}
            rows.append({"SMILES": drug, **beside, "y": value})
    return pd.DataFrame(rows)


def read(table: pd.DataFrame, **options: Any) -> Dataset:
    return DOMAIN.dataset(as_text(table), "small", ReadOptions(target=("y",), **options))


def test_what_differs_among_the_rows_of_a_molecule_is_learned_from() -> None:
    dataset = read(frame())
    assert dataset.examples.columns.tolist() == ["smiles", "T", "lab", "solvent"]
    assert dataset.examples["T"].tolist()[:4] == [280, 300, 320, 340]
    assert len(set(dataset.groups.tolist())) == len(DRUGS)  # a molecule shares a fold whatever stands beside it
    notes = " ".join(dataset.notes)
    assert "Learned from beside the molecules, and asked for at predict: 'T', 'lab', 'solvent'." in notes
    assert "'logP'. --with NAME takes one." in notes
    assert "more than once" not in notes
    assert "logP" in read(frame(), beside=("logP",)).examples


def test_columns_beside_molecules_that_stand_once_are_left_out_aloud() -> None:
    dataset = read(frame().drop_duplicates("SMILES").drop(columns="solvent"))
    assert dataset.examples.columns.tolist() == ["smiles"]
    assert any("'T', 'lab', 'logP'. --with NAME" in note for note in dataset.notes)
    for name in ("SMILES", "y"):
        with pytest.raises(DataError, match="this is the target or the molecule itself"):
            read(frame(), beside=(name,))


def test_the_same_molecules_written_twice_are_no_company() -> None:
    table = frame().drop(columns="solvent")
    table["canonical_smiles"] = table["SMILES"]
    assert "canonical_smiles" not in read(table).examples


@pytest.mark.parametrize("features", ["descriptors", "morgan", "both"])
def test_features_hold_molecules_and_company_quantities_first(features: str) -> None:
    dataset = read(frame())
    (featurizer,) = DOMAIN.featurizers(dataset, features)
    values, problems = featurizer.transform(dataset.examples)
    assert values.shape == (40, len(featurizer.feature_names))
    assert not problems.any()
    assert featurizer.feature_names[:3] == ["T", "lab=a", "lab=b"]
    counts = [name for name in featurizer.feature_names if "morgan_" in name]
    assert featurizer.quantities == len(featurizer.feature_names) - len(counts)
    again = DOMAIN.restore(featurizer.state())
    np.testing.assert_array_equal(again.transform(dataset.examples)[0], values)
    explained = DOMAIN.parts(dataset.examples).without(featurizer, dataset.examples.iloc[0])
    np.testing.assert_allclose(explained[0], values[0], rtol=1e-6)


def test_a_model_with_company_asks_for_it_by_name(tmp_path: Path) -> None:
    table = frame()
    settings: dict[str, Any] = {"features": "descriptors", "folds": 2, "members": 2, "epochs": 60, "verbose": 0}
    predictor = am.train(table, "y", **settings)
    assert predictor.validation.targets[0].metrics["r2"].value > 0.1  # without the temperature, it is below 0
    predictor.save(tmp_path / "m.amalthea")
    opened = am.load_model(tmp_path / "m.amalthea")
    row = {"SMILES": "CCO", "T": "290 K", "solvent": "CC", "lab": "a"}
    np.testing.assert_array_equal(opened.predict([row]).mean, predictor.predict([row]).mean)
    with pytest.raises(DataError, match="beside the molecules, which are not there: T, lab, solvent"):
        opened.predict(["CCO"])
    bad = opened.predict([row | {"solvent": "C1C"}])
    assert "'solvent': 'C1C' cannot be read as SMILES" in bad.problems[0]
    assert opened.evaluate(table).trained_on == 40


def test_a_condition_far_from_all_known_ones_or_missing_is_outside(tmp_path: Path) -> None:
    predictor = am.train(frame(), "y", folds=2, members=2, epochs=5, features="morgan", verbose=0)
    asked = pd.DataFrame({"SMILES": ["CCO"] * 3, "T": [310.0, 900.0, np.nan], "solvent": "CO", "lab": "a"})
    near, hot, unknown = predictor.predict(asked).outside.tolist()
    assert (near, hot, unknown) == (False, True, True)
    predictor.save(tmp_path / "m.amalthea")
    assert am.load_model(tmp_path / "m.amalthea").predict(asked).outside.tolist() == [False, True, True]
