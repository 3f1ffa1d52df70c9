"""`amalthea md`."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from amalthea.cli.console import Console, Debug, Json, Model, Quiet, Seed, check_output
from amalthea.errors import AmaltheaError, DataError

DYNAMICS, KNOWLEDGE, ANALYSIS = "Dynamics", "Knowledge", "Analysis"


class Kind(StrEnum):
    """What is kept constant, and how."""

    nve = "nve"
    langevin = "langevin"
    nose_hoover = "nose-hoover"
    npt = "npt"


class Outside(StrEnum):
    """What is done where the potential's knowledge ends."""

    stop = "stop"
    warn = "warn"


def md(
    model: Model,
    structure: Annotated[
        Path, typer.Argument(help="A file of atoms; of several frames, the last.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="What the files' names begin with.", show_default="STRUCTURE's name with -md"
        ),
    ] = None,
    dynamics: Annotated[
        Kind,
        typer.Option(
            help="Constant energy: nve; temperature: langevin, nose-hoover; and pressure: npt.",
            rich_help_panel=DYNAMICS,
        ),
    ] = Kind.langevin,
    steps: Annotated[int, typer.Option(help="Steps from the beginning.", rich_help_panel=DYNAMICS)] = 10_000,
    timestep: Annotated[float, typer.Option(help="In fs.", rich_help_panel=DYNAMICS)] = 1.0,
    temperature: Annotated[float, typer.Option(help="In K.", rich_help_panel=DYNAMICS)] = 300.0,
    temperature_end: Annotated[
        float | None,
        typer.Option(help="Go there from --temperature, in K.", rich_help_panel=DYNAMICS, show_default="no ramp"),
    ] = None,
    pressure: Annotated[float, typer.Option(help="In GPa, for npt.", rich_help_panel=DYNAMICS)] = 0.0,
    friction: Annotated[float, typer.Option(help="Of langevin, in 1/fs.", rich_help_panel=DYNAMICS)] = 0.01,
    repeat: Annotated[
        tuple[int, int, int] | None,
        typer.Option(help="Copies of the cell along its vectors.", show_default="1 1 1", rich_help_panel=DYNAMICS),
    ] = None,
    interval: Annotated[int, typer.Option(help="Steps from frame to frame.", rich_help_panel=DYNAMICS)] = 10,
    member: Annotated[
        int | None,
        typer.Option(help="Driven by this member alone (from 0).", show_default="the mean", rich_help_panel=KNOWLEDGE),
    ] = None,
    uncertainty: Annotated[
        float | None,
        typer.Option(
            help="The limit for the least certain force, eV/Å.",
            show_default="2 x the model's worst error",
            rich_help_panel=KNOWLEDGE,
        ),
    ] = None,
    extrapolation: Annotated[
        float,
        typer.Option(help="The limit outside of the training range, in ranges.", rich_help_panel=KNOWLEDGE),
    ] = 1.0,
    outside: Annotated[
        Outside, typer.Option(help="Beyond a limit: stop or warn; either way, write.", rich_help_panel=KNOWLEDGE)
    ] = Outside.stop,
    rdf: Annotated[bool, typer.Option(help="The radial distribution function.", rich_help_panel=ANALYSIS)] = False,
    msd: Annotated[bool, typer.Option(help="Mean square displacement, diffusion.", rich_help_panel=ANALYSIS)] = False,
    equilibration: Annotated[
        float, typer.Option(help="The share of frames left out of both.", min=0, max=0.95, rich_help_panel=ANALYSIS)
    ] = 0.2,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, help="Threads; results do not depend on it.", show_default="one to 256 atoms, then all cores"
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Begin anew, over what is there.")] = False,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Simulate a structure with a potential: molecular dynamics that stops where the potential's knowledge ends.

    Writes NAME.extxyz, NAME.csv (observables), NAME-outside.extxyz (structures to compute next) and NAME.restart:
    the same command again goes on exactly where it stopped.

    Example: amalthea md silicon.amalthea crystal.cif --temperature 3000 --steps 20000 --rdf
    """
    from joblib import cpu_count

    from amalthea.potentials.simulation.analysis import read_trajectory
    from amalthea.potentials.simulation.calculator import Calculator
    from amalthea.potentials.simulation.committee_evaluation import TOGETHER
    from amalthea.potentials.simulation.dynamics import Dynamics
    from amalthea.potentials.simulation.simulate import simulate
    from amalthea.potentials.simulation.stopping import Limits

    console = Console(json, quiet)
    name = output or structure.with_name(f"{structure.stem}-md")
    check_output(name.with_name(name.name + ".extxyz"), model, structure)
    asked = Dynamics(
        dynamics.value, steps, timestep, temperature, temperature_end, pressure, friction, seed=seed, interval=interval
    )
    atoms = _read(structure) * (repeat or (1, 1, 1))
    shared = cpu_count() if len(atoms) > TOGETHER else 1  # for few atoms, a second thread only waits for the first
    calculator = Calculator(model, members=member, threads=threads or shared)
    limits = Limits.of(calculator.potential, outside.value)
    limits = dataclasses.replace(limits, extrapolation=extrapolation, uncertainty=uncertainty or limits.uncertainty)
    outcome = simulate(
        atoms, calculator, asked, name, limits=limits, overwrite=overwrite, verbose=console.verbose, say=console.say
    )
    told: dict[str, Any] = {
        "step": outcome.step,
        "end": outcome.end,
        "reason": outcome.reason,
        "atoms": len(atoms),
        "trajectory": str(outcome.record.trajectory),
        "observables": str(outcome.record.observables),
        "outside": str(outcome.record.outside) if outcome.suspects else None,
        "suspects": outcome.suspects,
        "nanoseconds_per_day": outcome.nanoseconds_per_day,
    }
    for analyse in [analyse for analyse, wanted in ((_rdf, rdf), (_msd, msd)) if wanted]:
        try:
            told |= analyse(name, read_trajectory(outcome.record.trajectory, equilibration), asked)
        except DataError as error:
            console.say(f"The simulation is saved, but {error}")
    console.result(_text(outcome, told), told)
    if outcome.end == "exploded":
        raise AmaltheaError(
            f"The simulation exploded at {outcome.reason}. Its frames are kept. Try a smaller --timestep, or train the "
            "potential with structures like the last ones."
        )


def _read(path: Path) -> Any:
    """Return the last structure of a file."""
    from amalthea.potentials.reading.read_frames import StructureOptions, read_frames

    frames = read_frames([path], options=StructureOptions(labelled=False))
    if not len(frames):
        raise AmaltheaError(f"{path} holds no structure that can be used: {frames.refused[0].reason}.")
    return frames.atoms[-1]


def _rdf(name: Path, frames: list[Any], _: Any) -> dict[str, Any]:
    from amalthea.potentials.simulation.analysis import radial_distribution
    from amalthea.potentials.simulation.curves import write_curve

    files = write_curve(radial_distribution(frames), name.with_name(f"{name.name}-rdf"), ("r (Å)", "g(r)"))
    return {"rdf": list(map(str, files))}


def _msd(name: Path, frames: list[Any], dynamics: Any) -> dict[str, Any]:
    from amalthea.potentials.simulation.analysis import mean_square_displacement
    from amalthea.potentials.simulation.curves import write_curve

    table, diffusion = mean_square_displacement(frames, dynamics.interval * dynamics.timestep)
    files = write_curve(table, name.with_name(f"{name.name}-msd"), ("time (ps)", "mean square displacement (Å²)"))
    return {
        "msd": list(map(str, files)),
        "diffusion_cm2_per_s": {"value": diffusion.coefficient, "error": diffusion.error},
    }


def _text(outcome: Any, told: dict[str, Any]) -> str:
    lines = [f"{outcome.step} steps done ({outcome.end}{': ' + outcome.reason if outcome.reason else ''})."]
    if outcome.step > outcome.continued:
        lines.append(f"{outcome.nanoseconds_per_day:.3g} ns/day with {told['atoms']} atoms.")
    lines.append(f"Frames: {told['trajectory']}, observables: {told['observables']}")
    if outcome.suspects:
        lines.append(f"Outside of what the potential knows: {outcome.suspects} frame(s), in {told['outside']}")
    if outcome.end == "outside":
        lines.append("Label and train on those; or give the same command with --outside warn, which goes on from here.")
    for key, words in (("rdf", "Radial distribution function"), ("msd", "Mean square displacement")):
        if key in told:
            lines.append(f"{words}: {', '.join(told[key])}")
    if "diffusion_cm2_per_s" in told:
        found = told["diffusion_cm2_per_s"]
        lines.append(f"Diffusion coefficient: ({found['value']:.2e} ± {found['error']:.1e}) cm²/s")
    return "\n".join(lines)
