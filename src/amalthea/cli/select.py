"""`amalthea select`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Model, Quiet


def select(
    model: Model,
    trajectory: Annotated[
        list[Path], typer.Argument(help="Files of structures, such as trajectories.", show_default=False)
    ],
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many structures to choose.")] = 20,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write.", show_default="TRAJECTORY's with -selected"),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads that share the work.", show_default="all cores")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Choose the structures that the potential is least sure of, no two alike: the next ones to compute.

    The file holds no predictions, so that none is taken for a label.

    Example: amalthea select silicon.amalthea melt-md.extxyz -n 20 -o next.extxyz
    """
    from amalthea.potentials.simulation.select import select

    console = Console(json, quiet, lang)
    chosen = select(model, trajectory, number=number, output=output, threads=threads, verbose=console.verbose)
    console.result(console.sentences(str(chosen)), chosen.as_json())
