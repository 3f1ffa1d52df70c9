"""`amalthea info`: a model's card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import amalthea as am
from amalthea.errors import ModelFileError
from tests.cli.conftest import Amalthea
from tests.predictor.models import trained


@pytest.mark.parametrize("name", ["two classes", "molecules, number"])
def test_the_card_says_what_the_opened_model_says(name: str, tmp_path: Path) -> None:
    amalthea, predictor = Amalthea(tmp_path), trained(name)
    predictor.save(tmp_path / "a model.amalthea")
    opened = am.load_model(tmp_path / "a model.amalthea")
    shown = amalthea("info", "a model.amalthea").stdout
    assert opened.validation.head() in shown
    assert all(sentence in shown for sentence in opened.validation.verdict())
    result = json.loads(amalthea("info", "a model.amalthea", "--json").stdout)
    assert (result["domain"], result["examples"]) == (opened.domain, opened.provenance.examples)
    assert [target["name"] for target in result["targets"]] == [target.name for target in opened.targets]
    assert result["settings"]["epochs"] == opened.provenance.settings.epochs


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.amalthea").write_text("no zip")
    for path in (tmp_path / "none.amalthea", tmp_path / "missing.amalthea"):
        with pytest.raises(ModelFileError):
            am.info(path)
    shutil.make_archive(str(tmp_path / "other"), "zip", tmp_path, "none.amalthea")
    with pytest.raises(ModelFileError):
        am.info(tmp_path / "other.zip")
