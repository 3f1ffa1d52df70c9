"""Molecules that are the same to features or to a chemist share a fold; what cleaning takes away is shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.domains import recognise
from amalthea.domains.molecules import DOMAIN
from amalthea.domains.molecules.cleaning import clean

CHAINS = ["C" * length + end for length in range(2, 9) for end in ("O", "N", "F", "Cl")]


def read(rows: list[tuple[str, float]], **options: object) -> Dataset:
    table = as_text(pd.DataFrame(rows, columns=["smiles", "y"]))
    return DOMAIN.dataset(table, "small", ReadOptions(target=("y",), **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("smiles", "kept"),
    [
        ("OC(=O)COc1ccc(Cl)cc1Cl.CCN(CC)CC", "O=C(O)COc1ccc(Cl)cc1Cl"),  # 2,4-D, whose amine has more hydrogens
        ("N.N.Cl[Pt]Cl", "N.N.[Cl][Pt][Cl]"),  # cisplatin
        ("[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1", "[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1"),  # ferrocene
        ("[K+].[O-]C(=O)c1ccccc1", "O=C(O)c1ccccc1"),
        ("[CH3:7][OH:2]", "CO"),
        ("CCO |r|", "CCO"),
        ("CCO ethanol 96 %", "CCO"),
    ],
)
def test_what_is_kept_of_a_molecule(smiles: str, kept: str) -> None:
    assert clean(smiles).smiles == kept


def test_examples_of_each_change_are_shown() -> None:
    dataset = read([("CCO.Cl", 1.0), ("[CH3:1]C", 2.0), ("CCN", 2.5)])
    assert "Salt removed in 1 molecule: CCO.Cl -> CCO." in dataset.notes
    assert "Atom numbers removed in 1 molecule: [CH3:1]C -> CC." in dataset.notes


def test_a_column_of_smiles_with_text_behind_is_known() -> None:
    table = as_text(pd.DataFrame({"SMILES": [f"{smiles} |r|" for smiles in CHAINS]}))
    assert recognise(table) is DOMAIN


def test_salts_are_kept_where_they_tell_molecules_apart() -> None:
    cations, anions = ["C[n+]1ccn(C)c1", "CC[n+]1ccccc1", "CCCC[N+](C)(C)C"], ["[Cl-]", "[Br-]", "F[B-](F)(F)F"]
    rows = [(f"{c}.{a}", 10.0 * i + k) for k, c in enumerate(cations) for i, a in enumerate(anions)]
    assert read(rows).groups.tolist() == list(range(9))
    assert any("--clean removes them all the same" in note for note in read(rows).notes)
    assert len(set(read(rows, clean=True).groups.tolist())) == 3


def test_salts_of_one_drug_that_agree_are_joined() -> None:
    rows = [(smiles + salt, i + noise) for i, smiles in enumerate(CHAINS) for salt, noise in ((".Cl", 0.1), (".Br", 0))]
    assert len(set(read(rows).groups.tolist())) == len(CHAINS)


def test_tautomers_share_a_fold_and_are_counted() -> None:
    dataset = read([("Oc1ccccn1", 1.0), ("O=c1cccc[nH]1", 2.0), ("Oc1cccnc1", 3.0)])
    assert dataset.groups[0] == dataset.groups[1] != dataset.groups[2]
    assert any(note.startswith("2 molecules are tautomers of one another") for note in dataset.notes)


def test_mirror_images_share_a_fold_unless_features_tell_them_apart() -> None:
    rows = [(f"C[{hand}H](O){chain}", float(i)) for i, chain in enumerate(CHAINS[:12]) for hand in ("C@@", "C@")]
    dataset, said = read(rows), []
    settings: dict[str, object] = {"folds": 3, "members": 1, "epochs": 1, "verbose": 0, "say": said.append}
    predictor = am.train(dataset, features="morgan", **settings)
    folds = predictor.out_of_fold["fold"].to_numpy().reshape(-1, 2)
    assert (folds[:, 0] == folds[:, 1]).all()
    assert any("cannot be told apart by these features" in each and "--features stereo" in each for each in said)
    twin = pd.DataFrame({"smiles": [rows[1][0], "CCCCCCCCCCCC"], "y": [1.0, 2.0]})
    without = am.train(dataset.take(np.arange(0, len(dataset), 2)), features="morgan", **settings)
    assert without.evaluate(twin).trained_on == 1
    said.clear()
    am.train(dataset, features="stereo", **settings)
    assert not any("cannot be told apart" in each for each in said)


def test_folds_of_the_users_own_that_part_copies_are_told() -> None:
    table = pd.DataFrame({"x": [1.0, 1.0, 2.0, 3.0, 4.0, 5.0], "y": [1.0, 1.1, 2.0, 2.9, 4.2, 5.1], "f": [0, 1] * 3})
    said: list[str] = []
    am.train(table, "y", fold_column="f", members=1, epochs=1, verbose=0, say=said.append)
    assert any(note.startswith("Your folds part copies: 2 rows in 1 set of copies") for note in said)
    assert "Copies and their like share a fold." not in said
