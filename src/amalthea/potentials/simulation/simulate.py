"""Molecular dynamics that knows when to stop: run, observed, written, and continued exactly where it ended."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np

from amalthea.errors import AmaltheaError, DataError, Stopped
from amalthea.potentials.simulation import observables
from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.simulation.dynamics import Dynamics, Integrator, set_velocities
from amalthea.potentials.simulation.output import SimulationFiles, fingerprint
from amalthea.potentials.simulation.stopping import Limits, Uncertainties
from amalthea.progress import Bar, Verbosity
from amalthea.training.interruption import stop_on_request
from amalthea.workflow.settings import Say, ignore

FARTHEST = 1.0
"""In Å: an atom that moves farther in one step was not moved by physics; at 10,000 K hydrogen moves 0.2 Å in 1 fs."""

MOST_SUSPECTS = 100
"""Structures outside of what a potential knows that are written at most."""

Ending = Literal["finished", "interrupted", "outside", "exploded"]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a simulation.

    Args:
        step: the last step that was done.
        end: "finished", "interrupted" on request, left what the potential knows ("outside"), or "exploded".
        reason: why it ended before its last step.
        files: what it wrote.
        suspects: how many structures outside of what the potential knows were met, and written.
        continued: the step that it went on from; 0 for a new one.
        nanoseconds_per_day: how fast it was; NaN if it did no step.
    """

    step: int
    end: Ending
    reason: str
    files: SimulationFiles
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
    say: Say = ignore,
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
        limits: where the potential's knowledge ends; None: as `Limits.of` has them for it.
        overwrite: begin anew, over the files of another simulation.
        saving: seconds from one saved state to the next; the end is saved in any case.
        verbose: "auto" shows progress on a terminal.
        say: called with each sentence that the user should hear.

    Raises:
        AmaltheaError: a restart file of another model, structure or dynamics; files in the way.
        DataError: an element that the potential does not know; files cannot be written.
        Stopped: Ctrl-C was pressed twice; after the first one the simulation ends with its state saved.
    """
    limits = Limits.of(calculator.potential) if limits is None else limits
    run = _Run(atoms.copy(), calculator, dynamics, limits, SimulationFiles(name), say)
    anew = overwrite or not run.files.restart.exists()
    if anew:
        run.atoms.get_forces()  # what the potential does not know is said before anything is written
    try:
        with stop_on_request() as request, Bar("molecular dynamics", dynamics.steps, verbose) as bar:
            run.begin(overwrite) if anew else run.resume()
            continued, started = run.step, time.perf_counter()
            bar.reach(run.step, dynamics.steps)
            end, reason = _run_to_its_end(run, request, bar, saving)
            if end != "exploded":  # the state before it is the better one to go on from
                run.save()
    except KeyboardInterrupt as error:
        raise Stopped(
            f"The simulation in {run.files.trajectory} is kept up to the last state that was saved, and goes on from "
            "there when the same command is given again."
        ) from error
    speed = run.speed(continued, started)
    return Outcome(run.step, end, reason, run.files, run.suspects, continued, speed)


def _run_to_its_end(run: _Run, request: Any, bar: Bar, saving: float) -> tuple[Ending, str]:
    """Do the steps that are left; return how it ended, and why before the last step."""
    continued, started = run.step, time.perf_counter()
    saved = started
    while run.step < run.dynamics.steps:
        if request.stop:
            return "interrupted", "stopped on request"
        try:
            run.advance()
        except Exploded as error:
            return "exploded", str(error)
        if run.step % run.dynamics.interval == 0 and (reason := run.observe()):
            return "outside", reason
        # By the clock and not by steps: what a crash may cost is the same for few atoms and for many.
        if time.perf_counter() - saved > saving:
            run.save()
            saved = time.perf_counter()
        bar.advance(run.progress(continued, started) if bar.shown else "")
    return "finished", ""


class _Run:
    """A simulation on its way."""

    def __init__(
        self, atoms: Any, calculator: Calculator, dynamics: Dynamics, limits: Limits, files: SimulationFiles, say: Say
    ) -> None:
        self.atoms, self.calculator, self.dynamics = atoms, calculator, dynamics
        self.limits, self.files, self.say = limits, files, say
        self.step, self.suspects = 0, 0
        self.known = Uncertainties()
        # All that the next frame follows from: a state is only ever continued where these are the same. The number of
        # steps counts only where the temperature follows from it.
        self.identity = {
            "model": fingerprint(calculator.committee),
            "driven by": fingerprint(calculator.driving),
            "structure": _digest(atoms),
            **{key: value for key, value in dataclasses.asdict(dynamics).items() if key != "steps"},
            **({} if dynamics.temperature_end is None else {"steps": dynamics.steps}),
        }
        atoms.set_constraint()
        atoms.calc = calculator
        set_velocities(atoms, dynamics)
        self.integrator = Integrator(dynamics, atoms)

    def begin(self, overwrite: bool) -> None:
        """Write the first frame."""
        self.files.begin(overwrite)
        reason = self.observe()
        if reason and self.limits.action == "stop":
            self.say(f"The structure to begin with is outside of what the potential knows: {reason}.")
        self.save()

    def resume(self) -> None:
        """Go on from the saved state."""
        facts, arrays = self.files.load()
        for key, value in self.identity.items():
            before = facts["identity"].get(key)
            if before != value:
                difference = "" if key in ("model", "driven by", "structure") else f": {before}, not {value}"
                raise AmaltheaError(
                    f"{self.files.restart} belongs to a simulation with another {key.replace('_', ' ')}{difference}. "
                    "Give another name to write to, or have it overwritten (--overwrite)."
                )
        self.step, self.suspects = facts["step"], facts["suspects"]
        # What was written after the state is simulated, and written, again.
        self.files.cut(facts["sizes"])
        # The list as it was: which pairs are summed up with others decides on the last bits of the stress.
        pairs = self.calculator.neighbours
        pairs.build(arrays.pop("list_positions"), arrays.pop("list_cell"), self.atoms.pbc)
        self.integrator.restore(arrays)
        self.say(f"Going on from step {self.step} of {self.files.restart}.")

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
        ways = np.sqrt(((self.atoms.positions - before) ** 2).sum(axis=1))
        farthest = float(ways.max(initial=0.0))
        if not (np.isfinite(energy) and np.isfinite(farthest)):
            raise Exploded(f"step {self.step + 1}: the energy or a position is no finite number")
        if farthest > FARTHEST:
            fastest = int(ways.argmax())
            fastest_atom = f"atom {fastest + 1} ({self.atoms.symbols[fastest]})"
            raise Exploded(f"step {self.step + 1}: {fastest_atom} moved {farthest:.1f} Å in one step")
        self.step += 1

    def observe(self) -> str:
        """Write a frame and a row; return why the simulation has to stop here, or ""."""
        self.known, forces_std = observables.uncertainties(self.atoms, self.calculator)
        info = {"step": self.step, "time_fs": self.step * self.dynamics.timestep}
        frame = observables.frame(self.atoms, self.calculator, info, self.known.energy_std, forces_std)
        self.files.row(observables.row(self.integrator, self.calculator, self.step, self.known))
        self.files.frame(frame)
        reason = self.limits.reason(self.known)
        if not reason:
            return ""
        self.suspects += 1
        if self.suspects <= MOST_SUSPECTS:
            frame.calc = None  # predictions are no labels
            frame.info["outside"] = reason
            self.files.suspect(frame)
        if self.limits.action == "warn":
            if self.suspects == 1:
                self.say(f"Step {self.step} is outside of what the potential knows: {reason}. Going on.")
            return ""
        return f"step {self.step}: {reason}"

    def save(self) -> None:
        """Save the state."""
        pairs = self.calculator.neighbours
        arrays = {"list_positions": pairs.positions, "list_cell": pairs.cell, **self.integrator.state()}
        self.files.save({"identity": self.identity, "step": self.step, "suspects": self.suspects}, arrays)

    def speed(self, since: int, started: float) -> float:
        """Return nanoseconds a day since a step."""
        done, seconds = (self.step - since) * self.dynamics.timestep * 1e-6, time.perf_counter() - started
        return done / seconds * 86400 if done else float("nan")

    def progress(self, since: int, started: float) -> str:
        """Return what the progress bar says."""
        uncertainty = "" if self.known.forces_std is None else f", forces ± {self.known.forces_std:.2f} eV/Å"
        return f"{self.speed(since, started):.2g} ns/day, {self.atoms.get_temperature():.0f} K{uncertainty}"


def _digest(atoms: Any) -> str:
    """Return a hash of a structure, to the last bit."""
    parts = (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
