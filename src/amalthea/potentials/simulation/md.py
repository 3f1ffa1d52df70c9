"""The verb `md`: a model and a structure in, a simulation and what it tells out."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Literal

import pandas as pd
from joblib import cpu_count

from amalthea.datasets.output_path import check_output
from amalthea.errors import AmaltheaError, DataError, Stopped
from amalthea.potentials.potential import Potential
from amalthea.potentials.reading.sources import frames_from, output_path, paths_of
from amalthea.potentials.simulation.analysis import (
    Diffusion,
    mean_square_displacement,
    radial_distribution,
    read_trajectory,
)
from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.simulation.committee_evaluation import ATOMS_TOGETHER
from amalthea.potentials.simulation.curves import write_curve
from amalthea.potentials.simulation.dynamics import Dynamics, Kind
from amalthea.potentials.simulation.simulate import Outcome, simulate
from amalthea.potentials.simulation.stopping import Limits
from amalthea.progress import Verbosity
from amalthea.workflow.settings import Say, ignore

CURVES = {
    "rdf": ("Radial distribution function", ("r (Å)", "g(r)")),
    "msd": ("Mean square displacement", ("time (ps)", "mean square displacement (Å²)")),
}
"""What a trajectory is analysed for: in words, and the axes of the picture."""


@dataclasses.dataclass(frozen=True, eq=False)
class Simulation(Outcome):
    """What became of a simulation, and what its trajectory tells.

    Args:
        atoms: how many atoms it has.
        curves: by "rdf" and "msd", where they were asked for: the table, with its error in the third column.
        curve_files: by the same names: the files of the numbers and of the picture.
        diffusion: the diffusion coefficient, with "msd".
    """

    atoms: int
    curves: dict[str, pd.DataFrame]
    curve_files: dict[str, list[str]]
    diffusion: Diffusion | None = None

    def check(self) -> None:
        """Raise where the simulation exploded.

        Raises:
            AmaltheaError: it did.
        """
        if self.end == "exploded":
            raise AmaltheaError(
                f"The simulation exploded at {self.reason}. Its frames are kept. Try a smaller --timestep, or train "
                "the potential with structures like the last ones."
            )

    def as_json(self) -> dict[str, Any]:
        """Return what `amalthea md --json` prints."""
        known: dict[str, Any] = {
            "step": self.step,
            "end": self.end,
            "reason": self.reason,
            "atoms": self.atoms,
            "trajectory": str(self.files.trajectory),
            "observables": str(self.files.observables),
            "outside": str(self.files.outside) if self.suspects else None,
            "suspects": self.suspects,
            "nanoseconds_per_day": self.nanoseconds_per_day,
            **self.curve_files,
        }
        if self.diffusion is not None:
            known["diffusion_cm2_per_s"] = {"value": self.diffusion.coefficient, "error": self.diffusion.error}
        return known

    def __str__(self) -> str:
        lines = [f"{self.step} steps done ({self.end}{': ' + self.reason if self.reason else ''})."]
        if self.step > self.continued:
            lines.append(f"{self.nanoseconds_per_day:.3g} ns/day with {self.atoms} atoms.")
        lines.append(f"Frames: {self.files.trajectory}, observables: {self.files.observables}")
        if self.suspects:
            lines.append(f"Outside of what the potential knows: {self.suspects} frame(s), in {self.files.outside}")
        if self.end == "outside":
            lines.append(
                "Label and train on those; or give the same command with --outside warn, which goes on from here."
            )
        lines += [f"{CURVES[name][0]}: {', '.join(files)}" for name, files in self.curve_files.items()]
        if self.diffusion is not None:
            lines.append(f"Diffusion coefficient: {self.diffusion}")
        return "\n".join(lines)


def md(
    model: str | os.PathLike[str] | Potential,
    structure: Any,
    *,
    output: str | os.PathLike[str] | None = None,
    dynamics: Kind = "langevin",
    steps: int = 10_000,
    timestep: float = 1.0,
    temperature: float = 300.0,
    temperature_end: float | None = None,
    pressure: float = 0.0,
    friction: float = 0.01,
    repeat: tuple[int, int, int] | None = None,
    interval: int = 10,
    member: int | None = None,
    uncertainty: float | None = None,
    extrapolation: float = 1.0,
    outside: Literal["stop", "warn"] = "stop",
    rdf: bool = False,
    msd: bool = False,
    equilibration: float = 0.2,
    threads: int | None = None,
    overwrite: bool = False,
    seed: int = 0,
    verbose: Verbosity = "auto",
    say: Say = ignore,
) -> Simulation:
    """Simulate a structure with a potential: molecular dynamics that stops where the potential's knowledge ends.

    Writes NAME.extxyz (frames), NAME.csv (observables), NAME-outside.extxyz (structures to compute next) and
    NAME.restart: the same call again goes on exactly where it stopped.

    Args:
        model: a trained potential, or its file.
        structure: a file, of whose frames the last is taken; an `ase.Atoms`; or a list of either.
        output: NAME, what the files' names begin with; None: the structure's file, with "-md" for its ending.
        dynamics: "nve" (constant energy), "langevin", "nose-hoover" (temperature) or "npt" (and pressure).
        steps: from the beginning.
        timestep: in fs.
        temperature: in K.
        temperature_end: in K; the thermostat goes there from `temperature`. None: it stays.
        pressure: in GPa, for "npt".
        friction: of "langevin", in 1/fs.
        repeat: copies of the cell along its three vectors.
        interval: steps from frame to frame.
        member: driven by this member alone, from 0; None: by the mean.
        uncertainty: the limit for the least certain force, in eV/Å; None: twice the model's worst error.
        extrapolation: the limit outside of the training range, in ranges.
        outside: beyond a limit "stop" or "warn"; either way the structure is written.
        rdf: compute the radial distribution function.
        msd: compute the mean square displacement and the diffusion coefficient.
        equilibration: the share of the frames, from the beginning, that is left out of both.
        threads: that share the work; results do not depend on it. None: one to 256 atoms, then all cores.
        overwrite: begin anew, over what is there.
        seed: of the velocities and of "langevin".
        verbose: "auto" shows progress on a terminal.
        say: called with each sentence that the user should hear on the way.

    Raises:
        AmaltheaError: the model is no potential, numbers that make no sense, files in the way.
        DataError: no such file, or an element that the potential does not know.
        Stopped: Ctrl-C was pressed twice, or during the analysis.
    """
    name = output_path(output, structure, "-md")
    files = [model] if isinstance(model, str | os.PathLike) else []
    check_output(name.with_name(name.name + ".extxyz"), *map(str, [*files, *paths_of(structure)]))
    motion = Dynamics(
        dynamics, steps, timestep, temperature, temperature_end, pressure, friction, seed=seed, interval=interval
    )
    if not 0 <= equilibration < 1:
        raise AmaltheaError(f"The share of frames to leave out is from 0 to below 1. Received: {equilibration}")
    atoms = _repeated(_last(structure), repeat)
    if threads is None:  # for few atoms, a second thread only waits for the first
        threads = cpu_count() if len(atoms) > ATOMS_TOGETHER else 1
    calculator = Calculator(model, members=member, threads=threads, outside=outside)
    limits = dataclasses.replace(Limits.of(calculator.potential, outside), extrapolation=extrapolation)
    if uncertainty is not None:
        limits = dataclasses.replace(limits, uncertainty=uncertainty)
    outcome = simulate(atoms, calculator, motion, name, limits=limits, overwrite=overwrite, verbose=verbose, say=say)
    wanted = [curve for curve, asked in (("rdf", rdf), ("msd", msd)) if asked]
    return _analysed(outcome, len(atoms), wanted, equilibration, interval * timestep, say)


def _last(structure: Any) -> Any:
    """Return the last structure of what is given."""
    frames = frames_from(structure)
    if not len(frames):
        name = ", ".join(map(str, paths_of(structure))) or "The list"
        reason = frames.refused[0].reason if frames.refused else "it is empty"
        raise AmaltheaError(f"{name} holds no structure that can be used: {reason}.")
    return frames.atoms[-1]


def _repeated(atoms: Any, repeat: tuple[int, int, int] | None) -> Any:
    if repeat is None:
        return atoms
    if len(repeat) != 3 or min(repeat) < 1:
        raise AmaltheaError(f"The cell is repeated three times, each at least once. Received: {repeat}")
    return atoms * tuple(repeat)


def _analysed(
    outcome: Outcome, atoms: int, wanted: list[str], equilibration: float, spacing: float, say: Say
) -> Simulation:
    """Return a simulation with these curves; where its trajectory is too short for one, this is said."""
    curves: dict[str, pd.DataFrame] = {}
    files: dict[str, list[str]] = {}
    diffusion = None
    name = outcome.files.name
    try:
        for curve in wanted:
            try:
                frames = read_trajectory(outcome.files.trajectory, equilibration)
                if curve == "rdf":
                    curves[curve] = radial_distribution(frames)
                else:
                    curves[curve], diffusion = mean_square_displacement(frames, spacing)
            except DataError as error:
                say(f"The simulation is saved, but {error}")
                continue
            written = write_curve(curves[curve], name.with_name(f"{name.name}-{curve}"), CURVES[curve][1])
            files[curve] = list(map(str, written))
    except KeyboardInterrupt as error:
        raise Stopped(
            f"The simulation is saved, in {outcome.files.trajectory}; the same command analyses it again."
        ) from error
    known = {field.name: getattr(outcome, field.name) for field in dataclasses.fields(outcome)}
    return Simulation(**known, atoms=atoms, curves=curves, curve_files=files, diffusion=diffusion)
