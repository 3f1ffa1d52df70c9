"""The loop of learning on the command line: simulate, choose, label."""

from __future__ import annotations

import json
import shutil
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
from tests.cli.conftest import Amalthea

app = typer.Typer()
for command in (md, select, label):
    app.command()(command)


def run(*words: Any) -> Any:
    """Return what a command prints as JSON."""
    done = CliRunner().invoke(app, [*map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_simulate_choose_label(metal: Path, tmp_path: Path) -> None:
    """As a user does it: processes of their own, in a folder with a space in its name."""
    amalthea = Amalthea(tmp_path / "a melt")
    amalthea.folder.mkdir()
    shutil.copy(metal, amalthea.folder / "copper.amalthea")
    write(amalthea.folder / "crystal.cif", bulk("Cu", cubic=True))
    words = ("md", "copper.amalthea", "crystal.cif", "--repeat", "1", "1", "2", "--interval", "2", "--outside", "warn")
    result = json.loads(amalthea(*words, "--temperature", "900", "--steps", "100", "--rdf", "--msd", "--json").stdout)
    assert (result["step"], result["end"], result["atoms"]) == (100, "finished", 8)
    assert [(amalthea.folder / file).exists() for file in (*result["rdf"], *result["msd"])] == [True] * 4
    assert len(pd.read_csv(amalthea.folder / result["observables"])) == 51
    chosen = json.loads(amalthea("select", "copper.amalthea", result["trajectory"], "-n", "3", "--json").stdout)
    assert chosen["chosen"] == 3
    emt = ("--calculator", "emt", "--option", "asap_cutoff=true", "--json")
    labelled = json.loads(amalthea("label", chosen["output"], "--jobs", "1", *emt).stdout)
    frames = read(amalthea.folder / labelled["output"], ":")
    assert (labelled["labelled"], len(frames), labelled["failures"]) == (3, 3, [])
    assert frames[0].info["reference_method"] == "emt asap_cutoff=True"
    assert read(amalthea.folder / chosen["output"]).calc is None


def test_goes_on_and_keeps_what_was_simulated_if_it_is_too_short_to_be_analysed(metal: Path, tmp_path: Path) -> None:
    write(tmp_path / "crystal.cif", bulk("Cu", cubic=True))
    words = ("md", metal, tmp_path / "crystal.cif", "--interval", 2, "--outside", "warn")
    result = run(*words, "--steps", 8, "--rdf", "--msd")
    assert (result["step"], "rdf" in result, "msd" in result) == (8, True, False)
    assert run(*words, "--steps", 60, "--msd")["diffusion_cm2_per_s"]["error"] > 0


def test_where_it_stops_it_says_how_to_go_on(metal: Path, tmp_path: Path) -> None:
    write(tmp_path / "crystal.cif", bulk("Cu", cubic=True))
    words = ["md", str(metal), str(tmp_path / "crystal.cif"), "--steps", "30", "--temperature", "900"]
    stopped = CliRunner().invoke(app, [*words, "--uncertainty", "0.0001"], catch_exceptions=False)
    assert (stopped.exit_code, "--outside warn" in stopped.stdout) == (0, True)
    none = CliRunner().invoke(app, [*words, "--uncertainty", "0", "-o", str(tmp_path / "none")], catch_exceptions=False)
    assert "10 steps done (outside: step 10: a force is uncertain by" in none.stdout
    assert "(limit 0.00)" in none.stdout
    result = run(*words, "--uncertainty", "0.0001", "--outside", "warn")
    assert (result["step"], result["end"]) == (30, "finished")


def test_structures_that_cannot_be_labelled_are_named(tmp_path: Path) -> None:
    write(tmp_path / "crystals.extxyz", [bulk("Si"), bulk("Ge")])
    with pytest.raises(AmaltheaError, match="none of the structures"):
        CliRunner().invoke(
            app, ["label", str(tmp_path / "crystals.extxyz"), "--calculator", "emt"], catch_exceptions=False
        )


def test_an_explosion_is_a_mistake_that_is_told(metal: Path, tmp_path: Path) -> None:
    write(tmp_path / "crystal.cif", bulk("Cu", cubic=True))
    words = ["md", str(metal), str(tmp_path / "crystal.cif"), "--timestep", "600", "--dynamics", "nve"]
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
        (["md", metal, tmp_path / "crystal.cif", "--repeat", "2", "0", "1"], "each at least once"),
        (["md", metal, tmp_path / "crystal.cif", "-o", tmp_path / "nowhere" / "run"], "There is no folder"),
        (["label", tmp_path / "crystal.cif", "--option", "nothing"], "NAME=VALUE"),
    ]:
        with pytest.raises(AmaltheaError, match=message):
            CliRunner().invoke(app, [*map(str, words)], catch_exceptions=False)
