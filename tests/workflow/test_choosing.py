"""Features are chosen inside each fold's training part."""

from __future__ import annotations

import numpy as np
import pandas as pd
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


def test_many_folds_are_chosen_for_together_and_none_by_its_rows(monkeypatch):
    from amalthea.domains import domain
    from amalthea.tasks.columns.feature_selection import choose_features
    from amalthea.training import nested_cross_validation
    from amalthea.workflow.settings import Settings
    from amalthea.workflow.splitting import Split

    spectra = {f"{place}nm": np.random.default_rng(place).normal(size=46) for place in range(5)}
    dataset = am.read(pd.DataFrame({**spectra, "y": np.arange(46.0)}), "y", sequence="0nm:4nm")
    home, tried = domain("signals"), []
    featurizers = tuple(home.featurizers(dataset, choice) for choice in ("spectrum", "trace"))
    featurizers = tuple(each for (each,) in featurizers)
    arrays = [each.transform(dataset.examples)[0] for each in featurizers]

    def answered(model, x, y, parts, **options):
        tried.append(parts)
        answers = np.repeat(y[None, :, :1], parts.max() + 1, axis=0) + len(tried)
        return np.where((parts == np.arange(parts.max() + 1)[:, None])[..., None], np.nan, answers).astype(np.float32)

    monkeypatch.setattr(nested_cross_validation, "nested_cv_predictions", answered)
    split = Split(np.arange(46) % 23, np.arange(46))
    shares = choose_features(dataset, home, featurizers, arrays, split, Settings(home.defaults(dataset)))
    assert shares.shape == (2, 23, 1)
    assert {int(parts.max()) for parts in tried} == {9}
    assert all(len(set(parts[split.fold_ids == fold])) == 1 for parts in tried for fold in range(23))
    np.testing.assert_array_equal(shares[:, 20], shares[:, 0])
