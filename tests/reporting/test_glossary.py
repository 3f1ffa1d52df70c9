"""The glossary: one text for the report and the documentation, in every language."""

from __future__ import annotations

from pathlib import Path

import pytest

from amalthea.reporting.glossary import glossary, markdown
from amalthea.reporting.page import render
from amalthea.reporting.translate import in_language, languages
from tests.predictor.models import trained

DOCS = Path(__file__).parents[2] / "docs/glossary"


@pytest.mark.parametrize("language", languages())
def test_the_documentation_is_the_report_s_glossary(language):
    page = (DOCS / f"{language}.md").read_text(encoding="utf-8")
    elsewhere = page.split("\n\n")[1]
    assert page == markdown(in_language(language), elsewhere)
    assert all(f"({other}.md)" in elsewhere for other in languages() if other != language)
    assert f"docs/glossary/{language}.md" in (DOCS.parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_baseline_and_metric_of_classes_is_explained():
    explained = " ".join(term for term, _ in glossary(in_language()))
    assert [name for name in ("kernel", "boosting", "Brier", "ECE", "fold", "ROC AUC") if name not in explained] == []


def test_the_report_has_it_folded():
    page = render(trained("number"), language="pt-BR")
    folded = page[page.index("<details") : page.index("</details>")]
    assert "<dt>fora da partição</dt>" in folded
    assert 'href="#glossary"' in page
    assert 'id="glossary"' in folded
