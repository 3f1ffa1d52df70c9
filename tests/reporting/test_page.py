"""A report of every kind of model: whole, self-contained, and silent about what it cannot know."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import sys

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import amalthea as am
from amalthea.cli.report import report as command
from amalthea.domains import domain
from amalthea.errors import MissingDependencyError
from amalthea.reporting import page as page_of
from amalthea.reporting import plots
from tests.predictor.models import CASES, QUICK, trained
from tests.reporting.pages import page, read

SECTIONS = ["verdict", "figures", "agreement", "certainty", "range", "learning", "importance", "data", "methods"]


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("name", CASES)
def test_every_model_has_a_whole_page_that_asks_for_nothing(name, language):
    made = page(name, language)
    assert [a["id"] for tag, a in made.elements if tag == "section"] == SECTIONS
    ids = [a["id"] for _, a in made.elements if "id" in a]
    assert len(ids) == len(set(ids))
    asked = [a[key] for _, a in made.elements for key in ("src", "href", "srcset", "data") if key in a]
    assert all(address.startswith(("data:", "#")) for address in asked)
    canvases = [a["data-plot"] for _, a in made.elements if "data-plot" in a]
    assert canvases == list(made.data["plots"])
    assert all(a["aria-label"] for _, a in made.elements if "data-plot" in a)
    assert ("html", {"lang": language}) in made.elements


@pytest.mark.parametrize("name", CASES)
def test_every_plot_has_titles_and_a_table_of_its_numbers(name):
    for plot in page(name).data["plots"].values():
        assert plot["layout"]["xaxis"].get("title")
        assert plot["title"]
        assert len({len(column) for column in plot["table"].values()}) == 1


def test_one_fold_says_that_nothing_can_be_trusted():
    assert "no figure of this model can be trusted" in page("one fold").text
    assert "agreement" not in page("one fold").data["plots"]


def test_without_examples_the_figures_are_there_and_the_drawings_are_not():
    made = read(page_of.render(dataclasses.replace(trained("number"), examples=pd.DataFrame())))
    assert "saved without its examples" in made.text
    assert made.data["gallery"]["kind"] == "none"
    assert made.table("figures") == page("number").table("figures")


def test_a_model_that_kept_no_settings_still_has_a_report():
    old = dataclasses.replace(trained("number").provenance, settings=None)
    text = read(page_of.render(dataclasses.replace(trained("number"), provenance=old))).text
    assert "settings of the training were not kept" in text


def test_names_from_the_data_cannot_become_markup():
    script, tag = "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>"
    rng = np.random.default_rng(0)
    table = pd.DataFrame({script: rng.normal(size=60), "{braces} %{x}": rng.normal(size=60)})
    table[tag] = np.where(table[script] > 0, f"yes {script}", f"no {tag}")
    made = read(page_of.render(am.train(table, tag, folds=2, **QUICK), language="pt-BR"))
    assert [a.get("id", "") for name, a in made.elements if name == "script"] == ["page-data", "", ""]
    assert not [a for name, a in made.elements if name == "img" and not a["src"].startswith("data:")]
    assert not [a for _, a in made.elements if any(key.startswith("on") for key in a)]
    assert script in made.text
    assert tag in made.text
    shown = [plot["layout"]["xaxis"]["title"]["text"] for plot in made.data["plots"].values()]
    assert not [text for text in shown if "<img" in text or "<script" in text]


def test_many_examples_are_sampled_and_the_page_says_so(monkeypatch):
    monkeypatch.setattr("amalthea.reporting.examples.MOST_POINTS", 10)
    made = read(page_of.render(trained("number")))
    assert "a random sample" in made.text
    assert len(made.table("agreement")["row"]) == 10
    error = (trained("number").out_of_fold["target"] - trained("number").out_of_fold["prediction"]).abs()
    assert trained("number").out_of_fold["row"][error.idxmax()] in made.table("agreement")["row"]
    assert made.table("figures") == page("number").table("figures")


def test_drawings_make_way_where_there_is_no_room(monkeypatch):
    monkeypatch.setattr("amalthea.reporting.page.MOST_BYTES", 0)
    assert read(page_of.render(trained("molecules, number"))).data["gallery"]["count"] == 0


def test_command_writes_the_page(tmp_path):
    app = typer.Typer()
    app.command()(command)
    model, out = tmp_path / "y.amalthea", tmp_path / "y.html"
    trained("number").save(model)
    run = CliRunner().invoke(app, [str(model), "--lang", "pt-BR", "--json"])
    assert json.loads(run.stdout) == {"output": str(out), "bytes": out.stat().st_size, "language": "pt-BR"}
    assert out.stat().st_size < 8e6
    assert 'lang="pt-BR"' in out.read_text(encoding="utf-8")


def test_what_is_missing_is_said_with_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingDependencyError, match=r"pip install amalthea\[report\]"):
        page_of.render(trained("number"))


def test_a_domain_may_draw_its_examples_itself(monkeypatch):
    monkeypatch.setattr(type(domain("tables")), "draw", lambda _, rows, *__: ["<svg/>"] * len(rows))
    made = read(page_of.render(trained("number")))
    assert next(a["src"][:26] for tag, a in made.elements if tag == "img") == "data:image/svg+xml;base64,"


def test_future_is_judged_by_the_past_and_nothing_is_asked_of_members_that_saw_it():
    table = pd.DataFrame({"x": np.linspace(0, 1, 80), "day": [f"2020-01-01T{i:02d}:00" for i in range(20)] * 4})
    table["y"] = 2 * table["x"] + np.random.default_rng(0).normal(size=80)
    made = read(page_of.render(am.train(table, "y", time_column="day", **QUICK)))
    assert "on the most recent examples" in made.text
    assert "members that never saw them" in made.text
    assert "agreement" in made.data["plots"]
    assert "importance" not in made.data["plots"]


def test_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(am.AmaltheaError, match="en, pt-BR"):
        page_of.render(trained("number"), language="la")


def test_numbers_of_a_row_have_the_mark_of_the_language():
    table, made = trained("number").examples, page("number", "pt-BR")
    value = f"{float(table['b'].iloc[0]):.5g}".replace(".", ",")
    content = json.loads(gzip.decompress(base64.b64decode(made.data["gallery"]["content"])))
    assert f"b: {value}" in content[0].splitlines()
    told = [row for row in made.text.splitlines() if row.startswith(("a: ", "b: "))]
    assert told
    assert not [row for row in told if "." in row.split(" ")[1]]


def test_marks_of_logarithmic_axes_are_written_by_the_browser_in_its_language():
    assert "ticktext" not in plots.log_ticks([0.03, 0.4])
    assert page("number", "pt-BR").data["separators"] == ",."


def test_a_wide_table_has_its_caption_outside_of_what_scrolls():
    made = page("number")
    assert not [tag for tag, _ in made.elements if tag == "caption"]
    assert "y; ↑ higher is better" in next(a["aria-label"] for tag, a in made.elements if tag == "table")
