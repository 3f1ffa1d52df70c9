"""The catalogues: nothing is left out, nothing is filled in wrongly."""

from __future__ import annotations

import ast
import re
from importlib import resources
from pathlib import Path

import pytest

from amalthea.errors import DataError
from amalthea.potentials.metrics import UNITS
from amalthea.reporting.translate import in_language, languages, read_po
from amalthea.validation.metrics import Figure
from amalthea.validation.summary import written

HOME = Path(str(resources.files("amalthea.reporting")))


SOURCES = [*HOME.glob("*.py"), *HOME.parent.glob("*/*/report/*.py"), *HOME.parent.glob("potentials/report/*.py")]


def messages() -> set[str]:
    """Return every message of the code and of the template, by its key in a catalogue."""
    found = set(re.findall(r"""words\(["'](.+?)["'][,)]""", (HOME / "templates/report.html").read_text()))
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if called == "words":
                    found.add(node.args[0].value)
                elif called == "plural":
                    found.add(f"{node.args[0].value}\0{node.args[1].value}")
    return found | {written(name, unit) for name, unit in UNITS.items()}


def catalogue(language: str) -> dict[str, str]:
    path = HOME / "locale" / language.replace("-", "_") / "LC_MESSAGES/amalthea.po"
    return read_po(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", languages()[1:])
def test_every_message_is_translated_and_none_is_left_over(language):
    own = {key for key in catalogue(language) if key and "\x04" not in key}
    assert own == messages()


@pytest.mark.parametrize("language", languages()[1:])
def test_translations_fill_in_the_same_names(language):
    for key, text in catalogue(language).items():
        if key:
            names = set(re.findall(r"{\w+}", key))
            assert all(set(re.findall(r"{\w+}", form)) == names for form in text.split("\0")), key


def test_numbers_are_those_of_the_language():
    english, portuguese = in_language(), in_language("pt-BR")
    assert (english.count(1128), portuguese.count(1128)) == ("1,128", "1.128")
    assert portuguese.figure(Figure(-0.5523, 0.0213), "eV") == "−0,55\u00a0±\u00a00,02 eV"
    assert portuguese.plural("{n} row", "{n} rows", 1) == "1 linha"
    assert portuguese.plural("{n} row", "{n} rows", 2000) == "2.000 linhas"


def test_names_from_the_data_are_not_filled_in_twice():
    assert in_language()("{target}: distribution", target="{n}") == "{n}: distribution"


def test_a_catalogue_that_cannot_be_read_names_the_line():
    with pytest.raises(DataError, match="Line 2"):
        read_po('msgid "Data"\nmsgstr Dados')
