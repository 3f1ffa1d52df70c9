"""`amalthea label`."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer

from amalthea.cli.console import Console, Debug, Json, Quiet, check_output
from amalthea.errors import AmaltheaError


def label(
    structures: Annotated[list[Path], typer.Argument(help="Files of structures.", show_default=False)],
    calculator: Annotated[
        str, typer.Option(help="GFN2-xTB or GFN1-xTB (tblite), or the name of one of ASE's: emt, espresso, ...")
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
    debug: Debug = False,
) -> None:
    """Compute energies, forces and stresses with a reference method, for `amalthea train`.

    Each structure is written as soon as it is done: after an interruption, the same command computes the rest.

    Example: amalthea label next.extxyz --calculator GFN2-xTB -o labelled.extxyz
    """
    from joblib import cpu_count

    from amalthea.potentials.reading.read_frames import StructureOptions, read_frames
    from amalthea.potentials.simulation import label as labelling

    console = Console(json, quiet)
    first = structures[0]
    path = output or first.with_name(f"{first.stem}-labelled.extxyz")
    check_output(path, *structures)
    frames = read_frames(structures, options=StructureOptions(labelled=False))
    told = labelling.label(
        frames.atoms,
        path,
        calculator,
        options=dict(map(_option, option or [])),
        jobs=jobs or cpu_count(),
        verbose=console.verbose,
    )
    failures: list[dict[str, Any]] = [
        {"structure": f"{frames.source[row - 1]}, frame {frames.frame[row - 1]}", "reason": reason}
        for row, reason in told.failures.items()
    ]
    failures += [{"structure": refusal.example, "reason": refusal.reason} for refusal in frames.refused]
    lines = [f"{told.done} structures labelled with {calculator} ({told.found} of them before), in {path}."]
    if failures:
        lines.append(f"{len(failures)} failed:")
        lines += [f"  {failure['structure']}: {failure['reason']}" for failure in failures]
    console.result(
        "\n".join(lines),
        {"output": str(path), "labelled": told.done, "found": told.found, "failures": failures},
    )
    if not told.done:
        raise AmaltheaError(f"{calculator} could label none of the structures; the reasons are above.")


def _option(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise AmaltheaError(f"--option takes NAME=VALUE. Received: {text}")
    try:
        return name, json_format.loads(value)
    except json_format.JSONDecodeError:
        return name, value
