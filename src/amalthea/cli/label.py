"""`amalthea label`."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Quiet
from amalthea.errors import AmaltheaError


def label(
    structures: Annotated[list[Path], typer.Argument(help="Files of structures.", show_default=False)],
    calculator: Annotated[
        str,
        typer.Option(help="GFN2-xTB or GFN1-xTB (tblite), one of ASE's (emt, espresso, ...), or your module:Class."),
    ] = "GFN2-xTB",
    option: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE for the calculator, VALUE as JSON or a text; repeatable.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write.", show_default="STRUCTURES' with -labelled"),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Structures computed at a time.", show_default="all cores")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Compute energies, forces and stresses with a reference method, for `amalthea train`.

    Each structure is written as soon as it is done: after an interruption, the same command computes the rest.

    Example: amalthea label next.extxyz --calculator GFN2-xTB -o labelled.extxyz
    """
    from amalthea.potentials.simulation.label import label

    console = Console(json, quiet, lang)
    options = dict(map(_option, [] if option is None else option))
    labelled = label(
        structures, calculator=calculator, option=options, output=output, jobs=jobs, verbose=console.verbose
    )
    console.result(console.sentences(str(labelled)), labelled.as_json())
    labelled.check()


def _option(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise AmaltheaError(f"--option takes NAME=VALUE. Received: {text}")
    try:
        return name, json_format.loads(value)
    except json_format.JSONDecodeError:
        return name, value
