"""The generic rooms ask the protocols of domains and tasks: they name none of either."""

from __future__ import annotations

import ast
from importlib import resources
from pathlib import Path

import pytest

from amalthea import registration
from amalthea.domains import GROUP as DOMAINS
from amalthea.tasks import GROUP as TASKS

SOURCES = Path(str(resources.files("amalthea")))
ROOMS = ("workflow", "predictor", "reporting", "insight", "training", "validation", "datasets")

ELSEWHERE = {
    "datasets/catalogue.py",  # the data sets that there are, each with the kind of data that it is
}


def strings(tree: ast.AST) -> dict[str, int]:
    """Return all strings of a module with their lines, its docstrings left out."""
    bodies = [getattr(node, "body", None) for node in ast.walk(tree)]
    first = [body[0] for body in bodies if isinstance(body, list) and body]
    docstrings = {id(statement.value) for statement in first if isinstance(statement, ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return {node.value: node.lineno for node in constants if isinstance(node.value, str)}


@pytest.mark.parametrize("room", ROOMS)
def test_no_generic_room_names_a_domain_or_a_task(room: str) -> None:
    registered = {*registration.names(DOMAINS), *registration.names(TASKS)}
    paths = [path for path in (SOURCES / room).rglob("*.py") if str(path.relative_to(SOURCES)) not in ELSEWHERE]
    assert paths
    for path in paths:
        named = {text: line for text, line in strings(ast.parse(path.read_text())).items() if text in registered}
        assert not named, f"{path.relative_to(SOURCES)} names {named}"


def test_a_name_would_be_seen() -> None:
    tree = ast.parse(
        '"""tables"""\nif kind.name == "tables":\n    pass\nmatch kind:\n    case "images":\n        pass\n'
    )
    assert strings(tree) == {"tables": 2, "images": 5}
