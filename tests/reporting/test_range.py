"""Where a model may be asked: the map, the share inside, and the nearest known examples."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from amalthea.reporting import page as page_of
from tests.predictor.models import CASES, trained
from tests.reporting.pages import page, read


def test_asked_examples_stand_beside_what_is_known(tmp_path):
    predictor = trained("molecules, number")
    known = predictor.examples["smiles"].tolist()
    path = tmp_path / "asked.csv"
    path.write_text("\n".join(["smiles", known[0], known[1], "C1CC", "[Pt](Cl)(Cl)(N)N"]))
    made = read(page_of.render(predictor, asked=path))
    table = made.table("range-map")
    assert "Of 3 asked examples" in made.text
    assert "1 could not be answered." in made.text
    assert table["set"].count("training examples") == len(known)
    # A copy of a training example lies where that lies.
    places = dict(
        zip(zip(table["set"], table["example"], strict=True), zip(table["x"], table["y"], strict=True), strict=True)
    )
    asked = {example for which, example in places if which != "training examples"}
    copies = [example for example in asked if ("training examples", example) in places]
    assert len(copies) == 2
    for example in copies:
        inside = places.get(("inside", example)) or places["outside", example]
        np.testing.assert_allclose(inside, places["training examples", example], atol=1e-3)


def test_nearest_known_example_of_a_copy_is_itself():
    predictor = trained("number")
    features = predictor.parts[0].featurizer.transform(predictor.examples)[0]
    rows, distances = predictor.applicability.nearest(features, 2)
    np.testing.assert_allclose(distances[:, 0], 0, atol=1e-6)
    np.testing.assert_array_equal(features[rows[:, 0]], features)
    assert (distances[:, 1] >= distances[:, 0]).all()


@pytest.mark.parametrize("name", CASES)
def test_every_model_has_a_map(name):
    assert "range-map" in page(name).data["plots"]


def test_without_examples_the_page_says_that_there_is_no_map():
    predictor = dataclasses.replace(trained("number"), examples=pd.DataFrame())
    made = read(page_of.render(predictor))
    assert "there is no map" in made.text
    assert "range-map" not in made.data["plots"]
