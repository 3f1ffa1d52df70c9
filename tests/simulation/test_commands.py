"""The loop of learning on the command line: simulate, choose, label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from ase.build import bulk
from ase.io import read, write
from typer.testing import CliRunner

from amalthea.cli.label import label
from amalthea.cli.md import md
from amalthea.cli.select import select
from amalthea.errors import AmaltheaError

app = typer.Typer()
for command in (md, select, label):
    app.command()(command)


def run(*words: Any) -> Any:
    """Return what a command prints as JSON."""
    done = CliRunner().invoke(app, [*map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_simulate_choose_label(metal: Path, tmp_path: Path) -> None:
    write(tmp_path / "crystal.cif", bulk("Cu", cubic=True))
    words = ("md", metal, tmp_path / "crystal.cif", "--repeat", 1, 1, 2, "--steps", 100, "--interval", 2)
    told = run(*words, "--temperature", 900, "--rdf", "--msd", "--outside", "warn")
    assert (told["step"], told["end"], told["atoms"]) == (100, "finished", 8)
    assert [Path(file).exists() for file in (*told["rdf"], *told["msd"])] == [True] * 4
    assert len(pd.read_csv(told["observables"])) == 51
    again = run(*words, "--temperature", 900, "--outside", "warn")
    assert again["step"] == 100
    chosen = run("select", metal, told["trajectory"], "-n", 3)
    assert chosen["chosen"] == 3
    labelled = run("label", chosen["output"], "--calculator", "emt", "--jobs", 1, "--option", "asap_cutoff=true")
    frames = read(labelled["output"], ":")
    assert (labelled["labelled"], len(frames), labelled["failures"]) == (3, 3, [])
    assert frames[0].info["reference_method"] == "emt asap_cutoff=True"
    assert read(chosen["output"]).calc is None


def test_an_explosion_is_a_mistake_that_is_told(metal: Path, tmp_path: Path) -> None:
    write(tmp_path / "crystal.cif", bulk("Cu", cubic=True))
    words = ["md", str(metal), str(tmp_path / "crystal.cif"), "--timestep", "60", "--dynamics", "nve"]
    with pytest.raises(AmaltheaError, match=r"exploded at step \d+"):
        CliRunner().invoke(
            app,
            [*words, "--temperature", "5000", "--uncertainty", "1e9", "--extrapolation", "1e9"],
            catch_exceptions=False,
        )
    assert (tmp_path / "crystal-md.extxyz").stat().st_size


def test_words_that_are_mistakes(metal: Path, tmp_path: Path) -> None:
    write(tmp_path / "crystal.cif", bulk("Ni", cubic=True))
    for words, message in [
        (["md", metal, tmp_path / "crystal.cif"], "does not know Ni"),
        (["md", metal, tmp_path / "crystal.cif", "--member", "9"], "has 4 members"),
        (["md", metal, tmp_path / "none.cif"], "no such file"),
        (["label", tmp_path / "crystal.cif", "--option", "nothing"], "NAME=VALUE"),
    ]:
        with pytest.raises(AmaltheaError, match=message):
            CliRunner().invoke(app, [*map(str, words)], catch_exceptions=False)
