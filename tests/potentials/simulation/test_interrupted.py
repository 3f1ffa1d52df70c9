"""Ctrl-C while potentials work: what is kept is told, never called not written, and the same words go on from it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import read, write

import amalthea as am
from amalthea import cli
from amalthea.errors import Stopped
from amalthea.potentials.simulation import md as verb
from amalthea.potentials.simulation.dynamics import Integrator
from tests.potentials.simulation.test_choosing import crystals


def press_at(number: int, times: int, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Press Ctrl-C, once or several times, before the call of this number."""
    original, calls = getattr(owner, name), []

    def pressed(*arguments: Any, **options: Any) -> Any:
        calls.append(None)
        for _ in range(times if len(calls) == number else 0):
            os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, pressed)


def command_line(monkeypatch: pytest.MonkeyPatch, *words: Any) -> int:
    """Run the command line here and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["amalthea", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def test_label_keeps_what_was_labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words: dict[str, Any] = {"calculator": "emt", "output": tmp_path / "labelled.extxyz", "jobs": 1, "verbose": 0}
    with monkeypatch.context() as patched:
        press_at(3, 1, patched, EMT, "get_potential_energy")
        with pytest.raises(Stopped, match=r"2 of 4 structures are labelled, in .*labelled.extxyz") as stopped:
            am.label(crystals(4), **words)
    assert isinstance(stopped.value, KeyboardInterrupt)
    assert len(read(tmp_path / "labelled.extxyz", ":")) == 2
    rest = am.label(crystals(4), **words)
    assert (rest.done, rest.before) == (4, 2)


@pytest.mark.parametrize(("at", "sentence", "left"), [(1, "nothing was written", 0), (2, "1 of 3 structures", 1)])
def test_the_command_tells_what_is_there(
    at: int,
    sentence: str,
    left: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "some.extxyz", crystals(3))
    press_at(at, 1, monkeypatch, EMT, "get_potential_energy")
    assert command_line(monkeypatch, "label", tmp_path / "some.extxyz", "--calculator", "emt", "--jobs", 1) == 130
    printed = capsys.readouterr()
    assert printed.err.startswith("amalthea: Stopped on request")
    assert sentence in printed.err
    assert printed.out == ""
    assert len(list(tmp_path.glob("*-labelled.extxyz"))) == left


def test_md_ends_with_its_state_and_goes_on(copper: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words: dict[str, Any] = {"steps": 12, "interval": 4, "outside": "warn", "verbose": 0}
    whole = am.md(copper, bulk("Cu", cubic=True), output=tmp_path / "whole", **words)
    for times, outcome in ((1, "interrupted"), (2, "stopped")):
        with monkeypatch.context() as patched:
            press_at(6, times, patched, Integrator, "step")
            if outcome == "interrupted":
                torn = am.md(copper, bulk("Cu", cubic=True), output=tmp_path / outcome, **words)
                assert (torn.end, torn.step) == (outcome, 6)
            else:
                with pytest.raises(Stopped, match="goes on from there when the same command is given again"):
                    am.md(copper, bulk("Cu", cubic=True), output=tmp_path / outcome, **words)
        rest = am.md(copper, bulk("Cu", cubic=True), output=tmp_path / outcome, **words)
        assert rest.end == "finished"
        assert rest.files.trajectory.read_bytes() == whole.files.trajectory.read_bytes()


def test_an_analysis_that_is_stopped_leaves_the_simulation(
    metal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "crystal.cif", bulk("Cu", cubic=True))
    press_at(1, 1, monkeypatch, verb, "radial_distribution")
    words = ("--steps", 8, "--interval", 2, "--outside", "warn", "--rdf")
    assert command_line(monkeypatch, "md", metal, tmp_path / "crystal.cif", *words) == 130
    printed = capsys.readouterr().err
    assert "The simulation is saved" in printed
    assert "nothing was written" not in printed
    assert len(read(tmp_path / "crystal-md.extxyz", ":")) == 5
