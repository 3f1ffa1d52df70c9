"""The figures of a trained model as files."""

from __future__ import annotations

import dataclasses
import json
import re
from html import escape

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea import insight
from amalthea.insight import explanation as explaining
from amalthea.tasks.columns.task import Columns
from amalthea.tasks.lessons import lessons_of
from tests.insight.test_generalization import without_history
from tests.predictor.models import trained

QUICK = ("graph", "step")


@pytest.fixture
def quick(monkeypatch):
    """Leave out what trains anew; tests of generalization and trajectories have it."""

    def refuse(*_):
        raise am.AmaltheaError("not in this test")

    monkeypatch.setattr(explaining, "_generalization", refuse)
    monkeypatch.setattr(explaining, "_trajectories", refuse)


def test_each_figure_comes_in_light_and_dark_and_as_data(tmp_path, quick):
    heard = []
    found = insight.explain(trained("number"), tmp_path / "new", say=heard.append)
    assert set(found.files) == set(QUICK)
    assert {path.name for path in found.files["graph"]} == {"graph.svg", "graph.json"}
    kinds = {f"step-{theme}.{kind}" for theme in ("light", "dark") for kind in ("svg", "png")}
    assert {path.name for path in found.files["step"]} == {*kinds, "step.json", "step.csv"}
    written = [*found.pages, *(path for paths in found.files.values() for path in paths)]
    assert sorted(written) == sorted((tmp_path / "new").iterdir())
    assert json.loads((tmp_path / "new/graph.json").read_text())["nodes"]
    assert found.missing == dict.fromkeys(("generalization", "trajectories"), "not in this test")
    assert len(heard) == 4


def test_a_page_in_each_language_shows_the_figures_in_their_order(tmp_path, quick):
    found = insight.explain(trained("number"), tmp_path, language="pt-BR")
    assert [path.name for path in found.pages] == ["index.html", "index.en.html"]
    first, other = (path.read_text(encoding="utf-8") for path in found.pages)
    for text in (first, other):
        assert re.findall(r'<figure id="(\w+)"', text) == list(QUICK)
        # What the page shows lies beside it, in light and dark, and nothing comes from elsewhere.
        links = re.findall(r'(?:href|src|srcset)="([^"]+)"', text)
        assert {"graph.svg", "step-light.svg", "step-dark.svg", "step.csv"} <= set(links)
        assert all((tmp_path / link).exists() for link in links if link != "data:,")
    assert '<html lang="pt-BR">' in first
    assert "Um passo com o mesmo minilote" in first
    assert '<a lang="en" href="index.en.html">' in first
    assert escape(found.captions["step"]) in other
    assert "Aprendizado e sobreajuste: not in this test" in first
    with pytest.raises(am.AmaltheaError, match="Nothing is translated into 'xx'"):
        insight.explain(trained("number"), tmp_path, language="xx")


def test_the_example_is_the_one_that_was_asked_for_and_its_network_never_saw_it():
    predictor = trained("number")
    row, fold = (int(predictor.out_of_fold[name].iloc[7]) for name in ("row", "fold"))
    lessons = lessons_of(predictor)
    asked = lessons.example(row)
    assert f"row {row}, and network {2 * fold}, which never saw it" in asked.description
    assert float(asked.arguments[1][0, 0]) == pytest.approx(predictor.out_of_fold["target"].iloc[7])
    assert "knows it" in lessons_of(trained("one fold")).example(None).description
    with pytest.raises(am.AmaltheaError, match="no training example in row 999"):
        lessons.example(999)


def test_an_example_without_a_target_has_an_answer_and_no_loss():
    predictor = trained("two numbers with gaps")
    y = predictor.out_of_fold["z_target"].isna() & predictor.out_of_fold["y_target"].notna()
    assert len(lessons_of(predictor).example(int(predictor.out_of_fold["row"][y].iloc[0])).arguments) == 2
    table = predictor.out_of_fold.assign(y_target=np.nan, z_target=np.nan)
    lessons = lessons_of(dataclasses.replace(predictor, out_of_fold=table))
    assert len(lessons.example(None).arguments) == 1
    with pytest.raises(am.AmaltheaError, match="too few"):
        lessons.batch(None)


def test_a_model_without_examples_says_what_is_missing(tmp_path):
    bare = dataclasses.replace(trained("number"), examples=pd.DataFrame())
    found = insight.explain(bare, tmp_path)
    assert set(found.files) == {"generalization"}  # the history is there
    assert "losses of all networks along their training" in found.captions["generalization"]
    assert all("without its examples" in why for why in found.missing.values())
    assert set(found.missing) == {"graph", "step", "trajectories"}


@pytest.mark.parametrize("name", ["taken", "taken/below"])
def test_a_file_in_the_folder_s_place_is_refused(tmp_path, name):
    (tmp_path / "taken").write_text("")
    with pytest.raises(am.AmaltheaError, match="taken is a file"):
        insight.explain(trained("number"), tmp_path / name)


def test_no_folder_is_left_where_nothing_is_made(tmp_path):
    with pytest.raises(am.AmaltheaError, match="row 999"):
        insight.explain(trained("number"), tmp_path / "new", example=999)
    assert not (tmp_path / "new").exists()


def test_a_model_with_nothing_to_show_is_refused_at_once(tmp_path):
    bare, heard = dataclasses.replace(without_history(trained("number")), examples=pd.DataFrame()), []
    with pytest.raises(am.AmaltheaError, match="without its examples and without its history") as caught:
        insight.explain(bare, tmp_path / "new", say=heard.append)
    assert str(caught.value).count(".") == 2
    assert not heard
    assert not (tmp_path / "new").exists()


def test_what_is_trained_is_said_and_a_bar_is_shown(tmp_path, quick, capfd):
    heard = []
    insight.explain(trained("number"), tmp_path, say=heard.append, verbose=1)
    assert [("learn anew" in told) for told in heard] == [False, False, True, True]
    shown = capfd.readouterr().err
    assert all(label in shown for label in ("operations", "steps", "drawing"))


@pytest.mark.slow
def test_a_table_s_figures_are_all_made(tmp_path):
    found = insight.explain(trained("number"), tmp_path)
    assert set(found.files) == {"graph", "step", "generalization", "trajectories"}
    assert not found.missing
    assert pd.read_csv(tmp_path / "trajectories.csv")["epoch"].max() == 3


def test_of_a_task_that_gives_no_lessons_the_losses_are_shown(tmp_path, monkeypatch):
    monkeypatch.delattr(Columns, "lessons")
    found = insight.explain(trained("number"), tmp_path)
    assert set(found.files) == {"generalization"}
    assert set(found.missing) == {"graph", "step", "trajectories"}
    assert all("task 'columns'" in why for why in found.missing.values())
