"""`amalthea export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Model, Quiet


def export(
    model: Model,
    folder: Annotated[Path, typer.Argument(help="The folder to write; a new or an empty one.", show_default=False)],
    to: Annotated[str, typer.Option(help="The program that shall read the files: n2p2.", show_default=False)],
    member: Annotated[
        list[int] | None,
        typer.Option(help="The number of the member to write, from 0; repeatable.", show_default="all members"),
    ] = None,
    structures: Annotated[
        Path | None,
        typer.Option(help="Structures on which members and mean are compared.", show_default="training structures"),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Write a potential as files of another program: for n2p2 and LAMMPS's pair_style hdnnp, a folder a member.

    Each folder holds one member of the committee and not its mean; how far it is from the mean is said. Units: Å, eV.

    Example: amalthea export silicon.amalthea --to n2p2 silicon_n2p2 --member 0
    """
    from amalthea.potentials.exchange.export import export

    written = export(model, folder, to=to, member=member, structures=structures)
    console = Console(json, quiet, lang)
    console.result(console.sentences(str(written)), written.as_json())
