"""Pictures learned in one fold: what the test set and the examples that were set aside can say."""

from __future__ import annotations

import functools
import re

import numpy as np
import pytest

from amalthea.reporting import page as page_of
from amalthea.reporting.out_of_fold_predict import answers_of, features_of
from amalthea.tasks.columns.report.validation_split import set_aside
from tests.reporting.pages import Page, read
from tests.workflow.digits import trained


@functools.cache
def page() -> Page:
    return read(page_of.render(trained()))


def test_examples_that_were_set_aside_are_found_again():
    (each,) = set_aside(trained())
    aside = trained().parts[0].ensemble.aside
    assert each.places.tolist() == np.unique(aside.rows).tolist()
    named: dict[int, list[np.ndarray]] = {}
    for rows, answers in zip(aside.rows, aside.answers, strict=True):
        for row, answer in zip(rows, answers, strict=True):
            named.setdefault(int(row), []).append(np.asarray(answer))
    wanted = [int(np.mean(named[place], axis=0).argmax()) for place in each.places]
    assert each.named.tolist() == wanted


def test_nothing_is_shown_where_it_is_not_known_who_set_them_aside():
    predictor = trained()
    known = predictor.parts[0].ensemble.validation_rows
    assert set_aside(predictor)
    predictor.parts[0].ensemble.validation_rows = ()
    try:
        assert set_aside(predictor) == ()
    finally:
        predictor.parts[0].ensemble.validation_rows = known


def test_page_shows_the_test_set_and_mistakes_and_says_what_is_missing():
    test = trained().validation.targets[0].test["accuracy"]
    assert page().table("figures")["accuracy"] == [pytest.approx(test.value)]
    assert "On a test set of its own: accuracy" in page().text
    assert "rests on the test set alone" in page().text
    assert "Folds and baselines are missing" in page().text
    (each,) = set_aside(trained())
    assert sum(page().table("confusion")["count"]) == len(each)
    assert "The most confident mistakes" in page().text
    assert not re.search(r"\bnan\b", page().text)


def test_pictures_are_explained_by_the_networks_that_set_them_aside():
    (each,) = set_aside(trained())
    examples = trained().examples.iloc[each.places].reset_index(drop=True)
    said = answers_of(trained(), features_of(trained(), examples), each.askable)
    assert said.argmax(axis=1).tolist() == each.named.tolist()
    assert "blue patches speak for the answer" in page().text
    assert "members that never saw them" not in page().text
