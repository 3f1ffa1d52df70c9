"""The catalogues: nothing is left out, nothing is filled in wrongly."""

from __future__ import annotations

import ast
import re
from importlib import resources
from pathlib import Path

import pandas as pd
import pytest
from babel.messages.pofile import read_po

from amalthea.domains import domains
from amalthea.domains.column_features import Columns, LinearColumns
from amalthea.domains.images.featurizers import Pixels
from amalthea.domains.molecules.featurizers import Both, Descriptors, Morgan
from amalthea.domains.protocol import Parted, Pieces
from amalthea.domains.signals.featurizers import Kernels, Spectrum, Values
from amalthea.errors import DataError
from amalthea.potentials.metrics import UNITS
from amalthea.potentials.symmetry_functions.featurizer import SymmetryFunctions
from amalthea.reporting.translate import in_language, languages, translations
from amalthea.validation.metrics import Figure
from amalthea.validation.summary import written

HOME = Path(str(resources.files("amalthea.reporting")))


SOURCES = [*HOME.glob("*.py"), *HOME.parent.glob("tasks/*/report/*.py"), *HOME.parent.glob("potentials/report/*.py")]


def messages() -> set[str]:
    """Return every message of the code and of the template, by its key in a catalogue."""
    keys = set(re.findall(r"""words\(["'](.+?)["'][,)]""", (HOME / "templates/report.html").read_text()))
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if called == "words":
                    keys.add(node.args[0].value)
                elif called == "plural":
                    keys.add(f"{node.args[0].value}\0{node.args[1].value}")
    return keys | names()


def names() -> set[str]:
    """Return what kinds of data and of answers are called, and their features and metrics."""
    featurizers = (
        Columns,
        LinearColumns,
        Descriptors,
        Morgan,
        Both,
        Pixels,
        SymmetryFunctions,
        Kernels,
        Spectrum,
        Values,
    )
    nouns = {f"{{n}} {each.nouns.one}\0{{n}} {each.nouns.many}" for each in domains()}
    parts = [each.parts(pd.DataFrame()) for each in domains() if isinstance(each, Parted)]
    return (
        nouns
        | {written(name, unit) for name, unit in UNITS.items()}
        | {getattr(each, "title", each.name) for each in featurizers}
        | {each.details for each in featurizers if hasattr(each, "details")}
        | {each.reading for each in parts if isinstance(each, Pieces)}
    )


def catalogue(language: str) -> dict[str, str]:
    """Return the translations by their keys, which hold the forms of a plural one behind the other."""
    path = HOME / "locale" / language.replace("-", "_") / "LC_MESSAGES/amalthea.po"
    with path.open(encoding="utf-8") as file:
        entries = [entry for entry in read_po(file) if entry.id]
    keys = {(entry.context, entry.id): entry.string for entry in entries}
    return {
        "\0".join(one if isinstance(one, tuple) else (one,)): "\0".join(text if isinstance(text, tuple) else (text,))
        for (context, one), text in keys.items()
        if context is None
    }


@pytest.mark.parametrize("language", languages()[1:])
def test_every_message_is_translated_and_none_is_left_over(language):
    translated = catalogue(language)
    assert set(translated) == messages()
    assert all(all(text.split("\0")) for text in translated.values())


@pytest.mark.parametrize("language", languages()[1:])
def test_translations_fill_in_the_same_names(language):
    for key, text in catalogue(language).items():
        fields = set(re.findall(r"{\w+}", key))
        assert all(set(re.findall(r"{\w+}", form)) == fields for form in text.split("\0")), key


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
        translations('msgid "Data"\nDados')
