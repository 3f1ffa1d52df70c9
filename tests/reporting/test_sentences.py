"""Finished sentences in another language: found again wherever they stand, none left over, none filled in wrongly."""

from __future__ import annotations

import ast
import re
from importlib import resources
from pathlib import Path

import pytest

import amalthea as am
from amalthea.datasets.catalogue import entries
from amalthea.reporting import sentences
from amalthea.reporting.sentences import Sentences, of_a_terminal, of_this_place, sentences_in
from amalthea.reporting.translate import languages, read_catalogue

HOME = Path(str(resources.files("amalthea")))

ROOMS = ("cli", "datasets", "domains", "potentials", "predictor", "tasks", "workflow")
"""Where sentences are made that the command line shows; the other rooms speak to programmers, too."""

NOTES = ("notes", "problem", "problems", "reasons", "said", "warnings")
"""What variables are called that hold sentences for the user."""


def template(node: ast.expr) -> str | None:
    """Return a text of the code with {0}, {1}, ... for what is filled in; None for everything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
    numbers = iter(range(len(parts)))
    return "".join(f"{{{next(numbers)}}}" if part is None else str(part) for part in parts)


def said(path: Path) -> set[str]:
    """Return the sentences that a module raises, says, notes or shows as a result."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            noted = name == "append" and called(getattr(node.func, "value", None)) in NOTES
            if name.endswith("Error") or name in ("Stopped", "say", "sentences") or noted:
                texts.append(node.args[0])
        elif isinstance(node, ast.AugAssign | ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(called(each) in NOTES for each in targets):
                texts += [node.value, *getattr(node.value, "elts", ())]
        elif isinstance(node, ast.keyword) and node.arg in NOTES:
            texts += [node.value, *getattr(node.value, "elts", ())]
    found = {template(text) or "" for text in texts if text is not None}
    return set(filter(in_words, found))


def in_words(text: str) -> bool:
    return re.search(r"[a-z]{2} ", re.sub(r"{\d}", "", text)) is not None


def called(node: ast.expr | None) -> str:
    """Return the name of a variable, of which a place may be meant."""
    return str(getattr(getattr(node, "value", node), "id", ""))


def helped(path: Path) -> set[str]:
    """Return what the help shows of a module's commands: what they and their options do, and defaults in words."""
    texts = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            words = [word.value for word in node.keywords if word.arg in ("help", "show_default", "rich_help_panel")]
            texts |= {template(word) or "" for word in words}
        elif isinstance(node, ast.FunctionDef) and "Example: amalthea" in (ast.get_docstring(node) or ""):
            texts |= {" ".join(text.split()) for text in (ast.get_docstring(node) or "").split("\n\n")}
    return {text for text in texts if re.search(r"[a-z]{2}", text) and not text.startswith("Example:")}


def catalogue(language: str) -> dict[str, str]:
    path = HOME / "reporting/locale" / language.replace("-", "_") / "LC_MESSAGES/sentences.po"
    entries = read_catalogue(path.read_text(encoding="utf-8"))
    return {str(entry.id): str(entry.string) for entry in entries if entry.id}


@pytest.mark.parametrize("language", languages()[1:])
def test_translations_fill_in_the_same_places(language):
    for one, other in catalogue(language).items():
        assert set(re.findall(r"{\d}", one)) == set(re.findall(r"{\d}", other)), one


@pytest.mark.parametrize("language", languages()[1:])
def test_no_sentence_stands_twice(language):
    path = HOME / "reporting/locale" / language.replace("-", "_") / "LC_MESSAGES/sentences.po"
    entries = re.findall(r'^msgid ((?:".*"\n)+)', path.read_text(encoding="utf-8"), re.MULTILINE)
    sentences_there = ["".join(re.findall(r'^"(.*)"$', entry, re.MULTILINE)) for entry in entries]
    assert len(set(sentences_there)) == len(sentences_there) == len(catalogue(language)) + 1  # the header


@pytest.mark.parametrize("language", languages()[1:])
def test_every_sentence_finds_its_own_translation(language):
    say = sentences_in(language)
    for one, other in catalogue(language).items():
        values = [f"X{number}" for number in range(9)]
        assert say(one.format(*values)) == other.format(*values)
        # It is recognised between others, too.
        if one.endswith("."):
            assert say(f"Xx yy. {one.format(*values)} Zz.") == f"Xx yy. {other.format(*values)} Zz."


@pytest.mark.parametrize("path", sorted((HOME / "cli").glob("*.py")), ids=lambda path: path.stem)
@pytest.mark.parametrize("language", languages()[1:])
def test_what_the_command_line_says_is_translated(path, language):
    assert (said(path) | helped(path)) - set(catalogue(language)) == set()


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("language", languages()[1:])
def test_what_the_rooms_say_is_translated(room, language):
    """Each sentence, with what fills it in, stands in one of the catalogue: alone, or as a part of what it becomes."""
    known = "\n".join(catalogue(language))

    def stands(text: str) -> bool:
        return re.search(".*".join(map(re.escape, re.split(r"{\d}", text.strip().rstrip(".")))), known) is not None

    texts = {text for path in (HOME / room).rglob("*.py") if "report" not in path.parts for text in said(path)}
    parts = {text: [part for part in sentences.END.split(text) if in_words(part)] for text in texts}
    assert [text for text in texts if not stands(text) and not all(map(stands, parts[text]))] == []


@pytest.mark.parametrize("language", languages()[1:])
def test_what_the_data_sets_are_is_translated(language):
    assert {entry.what for entry in entries()} - set(catalogue(language)) == set()


@pytest.mark.parametrize("language", languages()[1:])
def test_no_translation_is_left_over(language):
    """Each stands in the code, whole or as parts that are put together there; or the parser of options says it."""
    parser = Path(str(resources.files("typer")))
    paths = [*HOME.rglob("*.py"), *HOME.rglob("*.toml"), *parser.rglob("*.py")]
    code = " ".join(path.read_text(encoding="utf-8") for path in paths)
    code = re.sub(r'"\s*f?"', "", re.sub(r"\s+", " ", code)).lower()
    words = set(re.findall(r"[a-z]{4,}", code))
    lost = [one for one in catalogue(language) if not set(re.findall(r"[a-z]{4,}", one.lower())) <= words]
    # Of wrong numbers the parser lets a library speak that is compiled.
    assert [one for one in lost if not one.startswith("Input should be")] == []


def test_sentences_side_by_side_are_told_apart():
    pairs = {
        "Row {0} is bad.": "Ruim: {0}.",
        "Kept: {0}": "Ficou: {0}",
        "a number": "um número",
        "Two. Three.": "2, 3.",
    }
    say = Sentences("pt-BR", pairs)
    assert say("Row 1 is bad. Row a number is bad.") == "Ruim: 1. Ruim: um número."
    assert say("  Kept: Row 1 is bad. Two. Three.") == "  Ficou: Ruim: 1. 2, 3."
    assert say("Two. Row 5\nRow 6 is bad.") == "Two. Row 5\nRuim: 6."
    assert say("0.5 ± 0.1") == "0.5 ± 0.1"


def test_the_environment_chooses_where_nothing_is_asked_for(monkeypatch):
    assert [of_this_place({"LANG": each}) for each in ("pt_BR.UTF-8", "pt_BR", "C", "", "de_DE", "en_GB@x")] == [
        *["pt-BR"] * 2,
        *["en"] * 4,
    ]
    assert of_this_place({"LC_MESSAGES": "pt_BR", "LANG": "C", "LC_ALL": ""}) == "pt-BR"
    assert of_a_terminal("pt-BR").language == "pt-BR"
    with pytest.raises(am.AmaltheaError, match="Nothing is translated into 'xx'"):
        of_a_terminal("xx")

    def no_babel(_):
        raise am.errors.MissingDependencyError("no Babel")

    monkeypatch.setattr(sentences, "read_catalogue", no_babel)
    monkeypatch.setattr(sentences, "of_this_place", lambda: "pt-BR")
    assert of_a_terminal().language == "en"
    with pytest.raises(am.AmaltheaError, match="Babel"):
        of_a_terminal("pt-BR")
