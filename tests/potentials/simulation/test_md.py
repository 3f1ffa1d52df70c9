"""Molecular dynamics: conserved where it should be, the same after an interruption, and at its end in time."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.io import read

from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.simulation.dynamics import Dynamics, Integrator, set_velocities
from amalthea.potentials.simulation.output import SimulationFiles
from amalthea.potentials.simulation.simulate import simulate
from amalthea.potentials.simulation.stopping import Limits
from tests.potentials.simulation.conftest import random_committee

ANYWHERE = Limits(None, None)
KINDS = ("nve", "langevin", "nose-hoover", "npt")


def crystal(copies: int = 2) -> Any:
    return bulk("Cu", cubic=True) * (copies, copies, 2)


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next simulation die before a step, as if it were killed."""
    original = Integrator.step

    def die(self: Integrator, number: int) -> None:
        if number == step:
            raise SystemExit
        original(self, number)

    monkeypatch.setattr(Integrator, "step", die)


def test_energy_and_momentum_are_conserved(copper: Any) -> None:
    atoms, dynamics = crystal(), Dynamics("nve", temperature=600, timestep=1.0)
    atoms.calc = Calculator(copper)
    set_velocities(atoms, dynamics)
    integrator, energies, potential = Integrator(dynamics, atoms), [], []
    for step in range(150):
        integrator.step(step + 1)
        energies.append(atoms.get_total_energy() / len(atoms))
        potential.append(atoms.get_potential_energy() / len(atoms))
    assert np.ptp(potential) > 0.01  # so much went to and fro,
    assert np.ptp(energies) < 0.001  # and the sum stayed
    assert np.abs(atoms.get_momenta().sum(axis=0)).max() < 1e-9
    assert atoms.calc.neighbours.built < 40


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_simulation_goes_on_as_if_it_had_not_been(
    copper: Any, kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ramp = None if kind == "nve" else 900.0
    dynamics = Dynamics(kind, steps=60, temperature=500, temperature_end=ramp, interval=5, barostat_time=200)
    simulate(crystal(1), Calculator(copper), dynamics, tmp_path / "whole", limits=ANYWHERE)
    for step in (18, 43):
        with monkeypatch.context() as patched:
            killed_at(step, patched)
            with pytest.raises(SystemExit):
                simulate(crystal(1), Calculator(copper), dynamics, tmp_path / "torn", limits=ANYWHERE, saving=0.0)
        with (tmp_path / "torn.extxyz").open("a") as stream:
            stream.write("8\nhalf a fra")
    outcome = simulate(crystal(1), Calculator(copper, threads=2), dynamics, tmp_path / "torn", limits=ANYWHERE)
    assert (outcome.end, outcome.step, outcome.continued) == ("finished", 60, 42)
    for name in ("extxyz", "csv"):
        assert (tmp_path / f"torn.{name}").read_bytes() == (tmp_path / f"whole.{name}").read_bytes()
    whole, torn = (SimulationFiles(tmp_path / name).load()[1] for name in ("whole", "torn"))
    for name, value in whole.items():
        np.testing.assert_array_equal(value, torn[name], err_msg=name)


def test_what_is_written(copper: Any, tmp_path: Path) -> None:
    dynamics = Dynamics("langevin", steps=20, interval=10, timestep=2.0)
    outcome = simulate(crystal(1), Calculator(copper), dynamics, tmp_path / "run", limits=ANYWHERE)
    table, frames = pd.read_csv(outcome.files.observables), read(outcome.files.trajectory, ":")
    assert table["step"].tolist() == [frame.info["step"] for frame in frames] == [0, 10, 20]
    assert table["time_ps"].tolist() == [0, 0.02, 0.04]
    last, calculator = frames[-1], Calculator(copper)
    np.testing.assert_allclose(last.get_forces(), calculator.get_property("forces", last), atol=1e-5)
    assert table["potential_energy_eV"].iloc[-1] == pytest.approx(last.get_potential_energy())
    assert table["kinetic_energy_eV"].iloc[-1] == pytest.approx(last.get_kinetic_energy(), rel=1e-5)
    expected = calculator.get_property("forces_std", last).max()
    assert table["largest_force_std_eV_per_A"].iloc[-1] == pytest.approx(expected, rel=1e-5)
    pressure = -last.get_stress(include_ideal_gas=True)[:3].mean() * 160.21766
    assert table["pressure_GPa"].iloc[-1] == pytest.approx(pressure, rel=1e-5)


@pytest.mark.parametrize("kind", ["langevin", "nose-hoover", "npt"])
def test_thermostats_reach_their_temperature(copper: Any, kind: Any, tmp_path: Path) -> None:
    dynamics = Dynamics(
        kind, steps=600, temperature=300, temperature_end=600, interval=10, friction=0.05, thermostat_time=30
    )
    simulate(crystal(1), Calculator(copper), dynamics, tmp_path / "run", limits=ANYWHERE)
    reached = pd.read_csv(tmp_path / "run.csv")["temperature_K"]
    assert reached[40:].mean() == pytest.approx(550, rel=0.25)


def test_stops_where_its_knowledge_ends(copper: Any, tmp_path: Path) -> None:
    dynamics, sentences = Dynamics("langevin", steps=200, temperature=20_000, interval=2), []
    hot = simulate(crystal(1), Calculator(copper), dynamics, tmp_path / "hot", say=sentences.append)
    assert hot.end == "outside"
    assert 0 < hot.step < 200
    assert f"step {hot.step}: " in hot.reason
    met = read(hot.files.outside, ":")
    assert len(met) == hot.suspects == 1
    assert met[0].info["outside"] in hot.reason
    assert met[0].calc is None  # predictions are no labels
    warned = simulate(
        crystal(1),
        Calculator(copper),
        dataclasses.replace(dynamics, steps=hot.step + 2),
        tmp_path / "warned",
        limits=dataclasses.replace(Limits.of(copper), action="warn"),
        say=sentences.append,
    )
    assert warned.suspects >= 1
    assert any(f"Step {hot.step} is outside" in sentence for sentence in sentences)


def test_an_explosion_is_told_and_keeps_the_trajectory(copper: Any, tmp_path: Path) -> None:
    dynamics = Dynamics("nve", steps=500, timestep=60.0, temperature=3000, interval=1)
    outcome = simulate(crystal(1), Calculator(copper), dynamics, tmp_path / "run", limits=ANYWHERE)
    assert outcome.end == "exploded"
    assert outcome.reason.startswith(f"step {outcome.step + 1}: ")
    assert len(read(outcome.files.trajectory, ":")) == outcome.step + 1


def test_no_temperature_and_no_steps(copper: Any, tmp_path: Path) -> None:
    still = simulate(crystal(1), Calculator(copper), Dynamics("langevin", steps=20, temperature=0), tmp_path / "still")
    frames = read(still.files.trajectory, ":")
    np.testing.assert_allclose(frames[-1].positions, frames[0].positions, atol=1e-6)
    none = simulate(crystal(1), Calculator(copper), Dynamics("nve", steps=0), tmp_path / "none")
    assert (none.end, none.step, len(read(none.files.trajectory, ":"))) == ("finished", 0, 1)
    more = simulate(crystal(1), Calculator(copper), Dynamics("nve", steps=10), tmp_path / "none")
    assert (more.end, more.step, more.continued) == ("finished", 10, 0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "nose-hoover", "temperature": 0}, "At 0 K"),
        ({"temperature": -1}, "0 or more"),
        ({"steps": -1}, "cannot be negative"),
        ({"timestep": 0}, "timestep must be above 0"),
        ({"kind": "nve", "temperature_end": 500}, "constant energy"),
        ({"kind": "nvt"}, "Received: nvt"),
    ],
)
def test_refuses_numbers_without_sense(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(AmaltheaError, match=words):
        Dynamics(**wrong)


def test_refuses_to_go_on_with_something_else(copper: Any, tmp_path: Path) -> None:
    dynamics, name = Dynamics("nve", steps=5), tmp_path / "run"
    simulate(crystal(1), Calculator(copper), dynamics, name)
    others = [
        ("another model", crystal(1), Calculator(random_committee(2)), dynamics),
        ("another driven by", crystal(1), Calculator(copper, members=0), dynamics),
        ("another structure", crystal(2), Calculator(copper), dynamics),
        ("another timestep", crystal(1), Calculator(copper), dataclasses.replace(dynamics, timestep=2.0)),
    ]
    for words, atoms, calculator, other in others:
        with pytest.raises(AmaltheaError, match=words):
            simulate(atoms, calculator, other, name)
    anew = simulate(crystal(2), Calculator(copper), dynamics, name, overwrite=True)
    assert len(read(anew.files.trajectory, 0)) == len(crystal(2))
    (tmp_path / "run.restart").write_bytes(b"nothing")
    with pytest.raises(AmaltheaError, match="no state of a simulation"):
        simulate(crystal(1), Calculator(copper), dynamics, name)
    (tmp_path / "run.restart").unlink()
    with pytest.raises(AmaltheaError, match="is there already"):
        simulate(crystal(1), Calculator(copper), dynamics, name)


def test_refuses_an_element_before_it_writes(copper: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not know Ni"):
        simulate(bulk("Ni", cubic=True), Calculator(copper), Dynamics(), tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")
def test_a_full_disk_is_told(copper: Any, tmp_path: Path) -> None:
    (tmp_path / "run.csv").symlink_to("/dev/full")
    with pytest.raises(DataError, match="the disk has no room left"):
        simulate(crystal(1), Calculator(copper), Dynamics(steps=1), tmp_path / "run", overwrite=True)
