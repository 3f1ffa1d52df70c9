"""Every option of every command says what it does."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from amalthea.cli import app, main
from amalthea.cli.help import GROUPS

COMMANDS = typer.main.get_command(app).commands
OPTIONS = [(name, parameter) for name, command in COMMANDS.items() for parameter in command.params]
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=lambda value: getattr(value, "name", value))
def test_an_option_has_help_that_is_shown(command, option):
    assert option.help, "no help text"
    assert option.help[0].isupper()
    assert option.help.endswith(".")
    shown = " ".join(CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output.split())
    assert " ".join(option.help.split()) in shown
    for name in option.opts if option.param_type_name == "option" else [option.name.upper()]:
        assert name.lower() in shown.lower()


@pytest.mark.parametrize(
    ("command", "option"),
    [(c, o) for c, o in OPTIONS if o.default not in (None, False, ()) and o.param_type_name == "option"],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_default_is_shown(command, option):
    shown = " ".join(CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output.split())
    value = getattr(option.default, "value", option.default)
    told = option.opts[0].lstrip("-") if value is True else str(value)
    assert f"[default: {told}" in shown


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_command_has_an_example_and_the_common_options(command):
    text = CliRunner().invoke(app, [command, "--help"]).output
    assert f"Example: amalthea {command}" in " ".join(text.split())
    assert {"--json", "--quiet", "--debug"} <= set(re.findall(r"--[a-z-]+", text))
    assert "\x1b" not in text


def test_train_begins_with_data_to_try_and_has_its_options_in_groups():
    text = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "100"}).output
    assert text.index("amalthea data") < text.index("Arguments:")
    groups = re.findall(r"^(\w[\w ]*):$", text, re.MULTILINE)
    assert groups[:2] == ["Arguments", "Data"]
    assert groups[-1] == "Options"
    assert set(GROUPS) <= set(groups)
    assert {name for names in GROUPS.values() for name in names} <= {each.name for each in COMMANDS["train"].params}
    assert text.index("--optimizer") > text.index("Network and training:")


def test_help_speaks_the_language_of_the_place():
    text = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "100", "LC_ALL": "pt_BR.UTF-8"}).output
    assert "A coluna a ser aprendida" in text
    assert "\nDados:\n" in text


def test_every_command_stands_in_the_readme():
    assert [name for name in COMMANDS if f"amalthea {name}" not in README] == []


@pytest.mark.parametrize("command", [[], *([each] for each in COMMANDS)], ids=" ".join)
def test_help_is_in_the_users_language(command):
    brazilian = {"COLUMNS": "400", "LC_ALL": "pt_BR.UTF-8"}
    shown, english = (
        CliRunner().invoke(app, [*command, "--help"], env=env).output
        for env in (brazilian, {**brazilian, "LC_ALL": "C"})
    )
    # A line that both have holds names alone: of files, of commands, of what a program is called.
    common = set(shown.splitlines()) & set(english.splitlines())
    assert [line for line in common if re.search(r"\b(the|of|is|to|and|default|required)\b", line)] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "Falta o argumento"),
        (["train", "x.csv", "--epoch", "3"], "Não há a opção"),
        (["trian"], "Não há o comando"),
        (["train", "x.csv", "--split", "any"], "Valor inválido para"),
    ],
)
def test_a_usage_error_is_in_the_users_language(words, message, monkeypatch, capsys):
    monkeypatch.setenv("LC_ALL", "pt_BR.UTF-8")
    monkeypatch.setattr(sys, "argv", ["amalthea", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Uso: " in said
