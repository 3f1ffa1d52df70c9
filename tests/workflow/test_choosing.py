"""Features are chosen inside each fold's training part."""

from __future__ import annotations

import numpy as np
import pytest

import amalthea as am
from amalthea.datasets import catalogue, files

QUICK = {"folds": 3, "members": 2, "epochs": 4, "verbose": 0}


@pytest.fixture(scope="module")
def table():
    activities, smiles = (files.read_table(path) for path in catalogue.locate("cmet"))
    joined = activities.head(90).copy()
    joined["smiles"] = joined["Name"].map(smiles.set_index("name")["smiles"])
    joined["part"] = (np.arange(90) % 3).astype(str)
    return joined.reset_index(drop=True)


def trained(table):
    said = []
    predictor = am.train(table, "Act", fold_column="part", task="regression", say=said.append, **QUICK)
    return predictor, said


def test_the_choice_is_said_and_kept(table, tmp_path):
    predictor, said = trained(table)
    assert any("chosen inside each fold's training part" in sentence for sentence in said)
    assert sum(part.shares for part in predictor.parts) == pytest.approx(np.ones((3, 1)))
    predictor.save(tmp_path / "chosen.amalthea")
    again = am.load_model(tmp_path / "chosen.amalthea")
    asked = ["CCO", "c1ccccc1"]
    np.testing.assert_array_equal(again.predict(asked).mean, predictor.predict(asked).mean)


def test_no_target_of_a_fold_influences_its_predictions(table):
    wild = table.copy()
    rows = wild["part"] == "1"
    wild.loc[rows, "Act"] = [str(100 * number) for number in range(rows.sum())]
    before, after = (trained(each)[0].out_of_fold for each in (table, wild))
    own = (before["fold"] == 1).to_numpy()
    np.testing.assert_array_equal(before["prediction"][own], after["prediction"][own])
    assert (before["prediction"][~own] != after["prediction"][~own]).any()
