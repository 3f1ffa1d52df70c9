"""Models that kept little: each gets a report of what it holds, and sections without data say so."""

from __future__ import annotations

import copy
import dataclasses
import functools
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.potentials.exchange import export_n2p2, import_n2p2
from amalthea.predictor.predictor import Predictor
from amalthea.reporting import page as page_of
from amalthea.training.history import History
from tests.potentials.exchange.potentials import potential as untrained
from tests.potentials.trained import potential
from tests.predictor.models import QUICK, trained
from tests.reporting.pages import Page, read

SECTIONS = ["verdict", "figures", "agreement", "certainty", "range", "learning", "importance", "data", "methods"]


@functools.cache
def imported() -> Predictor:
    """Return a potential that was written for another program and read from its files."""
    with tempfile.TemporaryDirectory() as folder:
        export_n2p2(potential(), Path(folder) / "other", members=[0])
        return import_n2p2(Path(folder) / "other" / "member_0")


@functools.cache
def page(language: str = "en") -> Page:
    return read(page_of.render(imported(), language=language))


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_an_imported_potential_has_a_whole_page(language):
    assert [a["id"] for tag, a in page(language).elements if tag == "section"] == SECTIONS
    assert not re.search(r"\bnan\b", page(language).text)


def test_an_imported_potential_tells_what_it_holds_and_claims_nothing():
    text, ranges = page().text, imported().ready.ranges
    assert "Al and Cu" in text
    low = [f"{value:.4g}".replace("-", "−") for value in ranges.low[1, : len(ranges.functions["Cu"])]]
    assert all(value in text for value in low)
    assert "trained elsewhere" in text
    assert "came without figures of its errors" in text
    assert "element_Cu/hidden_1" in text
    assert "amalthea train" not in text
    assert "were trained with Amalthea" not in text
    assert "Only 0 structures" not in text
    assert "singraber2019" in text
    assert "lei2018" not in text


def test_a_potential_of_one_fold_without_figures_has_a_page():
    assert "nothing was held out" in read(page_of.render(untrained())).text


def without_history(model: Predictor) -> Predictor:
    parts = []
    for part in model.parts:
        ensemble = copy.copy(part.ensemble)
        ensemble.history = History({}, np.zeros(len(ensemble), np.int64))
        parts.append(dataclasses.replace(part, ensemble=ensemble))
    return dataclasses.replace(model, parts=tuple(parts))


def without_figures(model: Predictor) -> Predictor:
    bare: dict[str, Any] = {"metrics": {}, "baselines": {}, "differences": {}, "coverage": None, "test": None}
    targets = tuple(dataclasses.replace(each, baselines_by_fold={}, **bare) for each in model.validation.targets)
    return dataclasses.replace(model, validation=dataclasses.replace(model.validation, targets=targets))


def without_calibration(model: Predictor) -> Predictor:
    said = [name for name in model.out_of_fold if str(name).endswith(("lower", "upper", "std", "applicability"))]
    table = model.out_of_fold.drop(columns=said)
    return dataclasses.replace(model, out_of_fold=table, calibrations=(None,) * len(model.targets))


def without_answers(model: Predictor) -> Predictor:
    kept = ("row", "fold", "file", "frame", "atoms")
    names = [name for name in model.out_of_fold if name in kept or str(name).endswith("target")]
    return dataclasses.replace(model, out_of_fold=model.out_of_fold[names], examples=pd.DataFrame())


def without_rows(model: Predictor) -> Predictor:
    return dataclasses.replace(model, out_of_fold=model.out_of_fold.iloc[:0], examples=pd.DataFrame())


STRIPPED = [without_history, without_figures, without_calibration, without_answers, without_rows]


@pytest.mark.parametrize("strip", STRIPPED)
@pytest.mark.parametrize("name", ["two numbers with gaps", "molecules, classes", "potential"])
def test_a_model_without_part_of_what_is_kept_today_has_a_page(name, strip):
    model = potential() if name == "potential" else trained(name)
    made = read(page_of.render(strip(model)))
    assert [a["id"] for tag, a in made.elements if tag == "section"] == SECTIONS


def test_without_history_the_page_says_so_and_without_figures_it_computes_them():
    assert "losses of the training were not kept" in read(page_of.render(without_history(trained("number")))).text
    made = read(page_of.render(without_figures(trained("number"))))
    rmse = trained("number").validation.targets[0].metrics["rmse"].value
    assert f"root mean square error {rmse:.3g}" in made.text


@functools.cache
def five_targets() -> Predictor:
    """Return a model of five numbers, the last of which is unlike the others."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=48), "b": rng.normal(size=48)})
    targets = [f"t{number}" for number in range(5)]
    for number, name in enumerate(targets):
        table[name] = (table["a"] * number + table["b"]).round(4)
    return am.train(table, targets, folds=2, **QUICK)


def test_details_of_four_targets_only_are_said_to_be_so():
    made = read(page_of.render(five_targets()))
    assert made.text.count("Of 5 targets the first 4 are shown here.") == 4
    assert {"agreement-4", "figures-5"} <= set(made.data["plots"])
    assert "agreement-5" not in made.data["plots"]
    assert "t4: the network, fold by fold." in made.text
    assert "targets the first" not in read(page_of.render(trained("two numbers with gaps"))).text


def test_why_there_is_no_validation_loss_and_how_to_get_one_is_said():
    text = read(page_of.render(trained("number"))).text
    assert "There is no validation loss: no examples were set aside" in text
    assert "--patience" in text
    potentials = read(page_of.render(potential())).text
    assert "There is no validation loss: potentials learn for a fixed number of epochs" in potentials
    assert "--patience" not in potentials


def test_the_epoch_of_parting_is_marked_with_its_uncertainty():
    losses = np.full((4, 10), 5.0, np.float32)
    for member, epoch in enumerate([3, 4, 4, 6]):
        losses[member, epoch - 1] = 1.0
    model = trained("number")
    ensemble = copy.copy(model.parts[0].ensemble)
    rows = {"loss": np.linspace(5, 1, 10, dtype=np.float32) * np.ones((4, 1), np.float32), "val_loss": losses}
    ensemble.history = History(rows, np.full(4, 10))
    parts = (dataclasses.replace(model.parts[0], ensemble=ensemble),)
    made = read(page_of.render(dataclasses.replace(model, parts=parts)))
    band, line = made.data["plots"]["losses-1"]["layout"]["shapes"]
    low, middle, high = np.quantile([3, 4, 4, 6], [0.05, 0.5, 0.95])
    assert (band["x0"], line["x0"], band["x1"]) == pytest.approx((low, middle, high))
    assert "lowest in epoch 4 (nine tenths of the networks: 3 to 6)" in made.text
