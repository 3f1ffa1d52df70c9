"""Molecular dynamics that knows when to stop: run, observed, recorded, and continued exactly where it ended."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.simulation.dynamics import Dynamics, Integrator, set_velocities
from amalthea.potentials.simulation.output import Record, fingerprint
from amalthea.potentials.simulation.stopping import Limits, Seen
from amalthea.progress import Bar, Verbosity
from amalthea.training.interruption import stop_on_request
from amalthea.workflow.settings import Say, nobody

FARTHEST = 1.0
"""In Å: an atom that moves farther in one step was not moved by physics; at 10,000 K hydrogen moves 0.2 Å in 1 fs."""

MOST_SUSPECTS = 100
"""Structures outside of what a potential knows that are written at most."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a simulation.

    Args:
        step: the last step that was done.
        end: "finished", "interrupted" on request, left what the potential knows ("outside"), or "exploded".
        reason: why it ended before its last step.
        record: its files.
        suspects: how many structures outside of what the potential knows were met, and written.
        continued: the step that it went on from; 0 for a new one.
        nanoseconds_per_day: how fast it was; NaN if it did no step.
    """

    step: int
    end: Literal["finished", "interrupted", "outside", "exploded"]
    reason: str
    record: Record
    suspects: int
    continued: int
    nanoseconds_per_day: float


class Exploded(Exception):
    """Atoms were thrown apart, and why it is thought so."""


def simulate(
    atoms: Any,
    calculator: Calculator,
    dynamics: Dynamics,
    name: Path,
    *,
    limits: Limits | None = None,
    overwrite: bool = False,
    saving: float = 30.0,
    verbose: Verbosity = "auto",
    say: Say | None = None,
) -> Outcome:
    """Run molecular dynamics, or go on with it.

    Where NAME.restart is there, the simulation goes on from it, and its frames are those that it would have had
    without the interruption, to the last bit: random numbers, thermostat and neighbour list are kept.

    Args:
        atoms: an `ase.Atoms`; its velocities are drawn anew.
        calculator: the potential.
        dynamics: what is simulated.
        name: the path that all files begin with: NAME.extxyz (frames with energies, forces, velocities), NAME.csv
            (observables), NAME-outside.extxyz (structures that the potential does not know: the next ones to compute
            with a reference method; without predicted labels) and NAME.restart.
        limits: where the potential's knowledge ends; None: its own (`Limits.of`).
        overwrite: begin anew, over the files of another simulation.
        saving: seconds from one saved state to the next; the end is saved in any case.
        verbose: "auto" shows progress on a terminal.
        say: called with each sentence that the user should hear.

    Raises:
        AmaltheaError: a restart file of another model, structure or dynamics; files in the way.
        DataError: an element that the potential does not know; files cannot be written.
    """
    limits = Limits.of(calculator.potential) if limits is None else limits
    run = _Run(atoms.copy(), calculator, dynamics, limits, Record(name), say or nobody)
    if overwrite or not run.record.restart.exists():
        run.begin(overwrite)
    else:
        run.resume()
    continued, end, reason = run.step, "finished", ""
    started, saved = time.perf_counter(), time.perf_counter()
    with stop_on_request() as wish, Bar("molecular dynamics", dynamics.steps, verbose) as bar:
        bar.reach(run.step, dynamics.steps)
        while run.step < dynamics.steps and not reason:
            if wish.stop:
                end, reason = "interrupted", "stopped on request"
                break
            try:
                run.advance()
            except Exploded as error:
                end, reason = "exploded", str(error)
                break
            if run.step % dynamics.interval == 0 and (reason := run.observe()):
                end = "outside"
            if time.perf_counter() - saved > saving:
                run.save()
                saved = time.perf_counter()
            bar.advance(run.told(continued, started) if bar.shown else "")
    if end != "exploded":
        run.save()
    speed = run.speed(continued, started)
    return Outcome(run.step, end, reason, run.record, run.suspects, continued, speed)  # type: ignore[arg-type]


class _Run:
    """A simulation on its way."""

    def __init__(
        self, atoms: Any, calculator: Calculator, dynamics: Dynamics, limits: Limits, record: Record, say: Say
    ) -> None:
        self.atoms, self.calculator, self.dynamics = atoms, calculator, dynamics
        self.limits, self.record, self.say = limits, record, say
        self.step, self.suspects = 0, 0
        self.seen = Seen()
        self.identity = {
            "model": fingerprint(calculator.committee),
            "driven by": fingerprint(calculator.driving),
            "structure": _structure(atoms),
            **{key: value for key, value in dataclasses.asdict(dynamics).items() if key != "steps"},
            **({} if dynamics.temperature_end is None else {"steps": dynamics.steps}),
        }
        atoms.set_constraint()
        atoms.calc = calculator
        set_velocities(atoms, dynamics)
        self.integrator = Integrator(dynamics, atoms)

    def begin(self, overwrite: bool) -> None:
        """Write the first frame."""
        self.atoms.get_forces()  # what the potential does not know is said before anything is written
        self.record.begin(overwrite)
        reason = self.observe()
        if reason and self.limits.action == "stop":
            self.say(f"The structure to begin with is outside of what the potential knows: {reason}.")
        self.save()

    def resume(self) -> None:
        """Go on from the saved state."""
        facts, arrays = self.record.load()
        for key, value in self.identity.items():
            if facts["identity"].get(key) != value:
                told = (
                    "" if key in ("model", "driven by", "structure") else f": {facts['identity'].get(key)}, not {value}"
                )
                raise AmaltheaError(
                    f"{self.record.restart} belongs to a simulation with another {key.replace('_', ' ')}{told}. Give "
                    "another name to write to, or have it overwritten (--overwrite)."
                )
        self.step, self.suspects = facts["step"], facts["suspects"]
        self.record.cut(facts["sizes"])
        # The list as it was: which pairs are summed up with others decides on the last bits of the stress.
        listed = self.calculator.neighbours
        listed.build(arrays.pop("list_positions"), arrays.pop("list_cell"), self.atoms.pbc)
        self.integrator.restore(arrays)
        self.say(f"Going on from step {self.step} of {self.record.restart}.")

    def advance(self) -> None:
        """Do one step.

        Raises:
            Exploded: an atom moved too far, or something is no number any more.
        """
        before = self.atoms.positions.copy()
        try:
            with np.errstate(all="ignore"):
                self.integrator.step(self.step + 1)
                energy = self.atoms.get_potential_energy()
        except (DataError, ValueError, FloatingPointError) as error:
            raise Exploded(f"step {self.step + 1}: {error}") from error
        farthest = float(np.sqrt(((self.atoms.positions - before) ** 2).sum(axis=1).max(initial=0.0)))
        if not (np.isfinite(energy) and np.isfinite(farthest)):
            raise Exploded(f"step {self.step + 1}: the energy or a position is no finite number")
        if farthest > FARTHEST:
            fastest = int(((self.atoms.positions - before) ** 2).sum(axis=1).argmax())
            who = f"atom {fastest + 1} ({self.atoms.symbols[fastest]})"
            raise Exploded(f"step {self.step + 1}: {who} moved {farthest:.1f} Å in one step")
        self.step += 1

    def observe(self) -> str:
        """Write a frame and a row; return why the simulation has to stop here, or ""."""
        atoms, calculator = self.atoms, self.calculator
        found: dict[str, Any] = {}
        if calculator.committee.members > 1:
            found = {name: calculator.get_property(name, atoms) for name in ("forces_std", "energy_std")}
        worst = calculator.get_property("extrapolation", atoms) if calculator.potential is not None else None
        largest = float(found["forces_std"].max(initial=0.0)) if found else None
        self.seen = Seen(float(found["energy_std"]) if found else None, largest, worst)
        frame = self._frame(found.get("forces_std"))
        self.record.row(self._row())
        self.record.frame(frame)
        reason = self.limits.reason(self.seen)
        if not reason:
            return ""
        self.suspects += 1
        if self.suspects <= MOST_SUSPECTS:
            frame.calc = None  # predictions are no labels
            frame.info["outside"] = reason
            self.record.suspect(frame)
        if self.limits.action == "warn":
            if self.suspects == 1:
                self.say(f"Step {self.step} is outside of what the potential knows: {reason}. Going on.")
            return ""
        return f"step {self.step}: {reason}"

    def save(self) -> None:
        """Save the state."""
        listed = self.calculator.neighbours
        arrays = {"list_positions": listed.positions, "list_cell": listed.cell, **self.integrator.state()}
        self.record.save({"identity": self.identity, "step": self.step, "suspects": self.suspects}, arrays)

    def speed(self, since: int, started: float) -> float:
        """Return nanoseconds a day since a step."""
        done, seconds = (self.step - since) * self.dynamics.timestep * 1e-6, time.perf_counter() - started
        return done / seconds * 86400 if done else float("nan")

    def told(self, since: int, started: float) -> str:
        """Return what the progress bar says."""
        doubt = "" if self.seen.forces_std is None else f", forces ± {self.seen.forces_std:.2f} eV/Å"
        return f"{self.speed(since, started):.2g} ns/day, {self.atoms.get_temperature():.0f} K{doubt}"

    def _frame(self, forces_std: NDArray[np.float64] | None) -> Any:
        from ase.calculators.singlepoint import SinglePointCalculator

        frame = self.atoms.copy()
        frame.set_constraint()
        names = [name for name in ("energy", "forces", "stress") if name in self.calculator.results]
        frame.calc = SinglePointCalculator(
            frame, **{name: self.calculator.get_property(name, self.atoms) for name in names}
        )
        frame.info = {"step": self.step, "time_fs": self.step * self.dynamics.timestep}
        if forces_std is not None:
            frame.info["energy_std"] = self.seen.energy_std
            frame.new_array("forces_std", forces_std)
        return frame

    def _row(self) -> dict[str, float | int | None]:
        from ase.units import GPa

        atoms, kinetic = self.atoms, float(self.atoms.get_kinetic_energy())
        energy = float(atoms.get_potential_energy())
        pressure = None
        if "stress" in self.calculator.results:
            pressure = float(-atoms.get_stress(include_ideal_gas=True)[:3].mean() / GPa)
        conserved, worst = self.integrator.conserved(), self.seen.extrapolation
        return {
            "step": self.step,
            "time_ps": self.step * self.dynamics.timestep / 1000,
            "temperature_K": float(atoms.get_temperature()),
            "potential_energy_eV": energy,
            "kinetic_energy_eV": kinetic,
            "conserved_energy_eV": conserved if np.isfinite(conserved) else None,
            "volume_A3": float(atoms.get_volume()) if atoms.pbc.all() else None,
            "pressure_GPa": pressure,
            "energy_std_eV": self.seen.energy_std,
            "largest_force_std_eV_per_A": self.seen.forces_std,
            "extrapolation": 0.0 if worst is None else worst.excess,
        }


def _structure(atoms: Any) -> str:
    parts = (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
