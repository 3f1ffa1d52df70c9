"""Models that older versions wrote still open, and answer as they did then.

`format_1` holds what version 0.1.0 wrote: a model of two columns (2 folds x 2 members, 60 rows), a potential of copper
(2 x 2, 24 structures by EMT), and what each of them answered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ase import Atoms

import amalthea as am

FOLDER = Path(__file__).parent / "format_1"


def answers(name: str) -> dict[str, Any]:
    """Return what a model answered when it was written."""
    return json.loads((FOLDER / f"{name}.json").read_text())


@pytest.fixture(params=["table", "potential"])
def predictor(request: pytest.FixtureRequest) -> am.Predictor:
    return am.load_model(FOLDER / f"{request.param}.amalthea")


def test_columns_are_answered_as_before() -> None:
    wanted = answers("table")
    prediction = am.load_model(FOLDER / "table.amalthea").predict(pd.DataFrame(wanted["rows"]))
    np.testing.assert_allclose(prediction.mean["mass"], wanted["mass"], rtol=1e-5)
    np.testing.assert_allclose(prediction.lower["mass"], wanted["lower"], rtol=1e-5)
    np.testing.assert_allclose(prediction.mean["colour"], wanted["colour"], rtol=1e-5)


def test_a_potential_answers_as_before() -> None:
    wanted = answers("potential")
    atoms = Atoms("Cu4", positions=wanted["positions"], cell=wanted["cell"], pbc=True)
    prediction = am.load_model(FOLDER / "potential.amalthea").predict([atoms])
    np.testing.assert_allclose(prediction.mean, wanted["energy"], rtol=1e-7)
    np.testing.assert_allclose(prediction.std, wanted["std"], rtol=1e-5)
    np.testing.assert_allclose(prediction.forces[0], wanted["forces"][0], atol=1e-6)
    np.testing.assert_allclose(prediction.forces_std[0], wanted["forces_std"][0], rtol=1e-5)


def test_what_is_known_of_its_training_is_kept(predictor: am.Predictor) -> None:
    settings = predictor.provenance.settings
    assert settings is not None
    assert (settings.folds, settings.members, settings.seed) == (2, 2, 0)
    assert predictor.provenance.versions["amalthea"] == "0.1.0"
    assert predictor.validation.targets[0].metrics


def test_it_is_saved_in_today_s_format_and_opens_again(predictor: am.Predictor, tmp_path: Path) -> None:
    predictor.save(tmp_path / "again.amalthea")
    again = am.load_model(tmp_path / "again.amalthea")
    assert again.state == predictor.state
    assert again.provenance == predictor.provenance
    pd.testing.assert_frame_equal(again.out_of_fold, predictor.out_of_fold)


def test_it_has_a_report(predictor: am.Predictor, tmp_path: Path) -> None:
    am.report(predictor, tmp_path / "report.html")
    assert "out of fold" in (tmp_path / "report.html").read_text(encoding="utf-8").lower()
