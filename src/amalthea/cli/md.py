"""`amalthea md`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Model, Quiet, Seed

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
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Simulate a structure with a potential: molecular dynamics that stops where the potential's knowledge ends.

    Writes NAME.extxyz, NAME.csv (observables), NAME-outside.extxyz (structures to compute next) and NAME.restart:
    the same command again goes on exactly where it stopped.

    Example: amalthea md silicon.amalthea crystal.cif --temperature 3000 --steps 20000 --rdf
    """
    from amalthea.potentials.simulation.md import md

    console = Console(json, quiet, lang)
    simulation = md(
        model,
        structure,
        output=output,
        dynamics=dynamics.value,
        steps=steps,
        timestep=timestep,
        temperature=temperature,
        temperature_end=temperature_end,
        pressure=pressure,
        friction=friction,
        repeat=repeat,
        interval=interval,
        member=member,
        uncertainty=uncertainty,
        extrapolation=extrapolation,
        outside=outside.value,
        rdf=rdf,
        msd=msd,
        equilibration=equilibration,
        threads=threads,
        overwrite=overwrite,
        seed=seed,
        verbose=console.verbose,
        say=console.say,
    )
    console.result(console.sentences(str(simulation)), simulation.as_json())
    simulation.check()
