"""`amalthea export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Model, Quiet


class Format(StrEnum):
    """The programs whose files can be written."""

    n2p2 = "n2p2"


def export(
    model: Model,
    folder: Annotated[Path, typer.Argument(help="The folder to write; a new or an empty one.", show_default=False)],
    to: Annotated[Format, typer.Option(help="The program that shall read the files.", show_default=False)],
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
    debug: Debug = False,
) -> None:
    """Write a potential as files of another program: for n2p2 and LAMMPS's pair_style hdnnp, a folder a member.

    Each folder holds one member of the committee and not its mean; how far it is from the mean is said. Units: Å, eV.

    Example: amalthea export silicon.amalthea --to n2p2 silicon_n2p2 --member 0
    """
    from amalthea.errors import AmaltheaError
    from amalthea.potentials.exchange import export_n2p2
    from amalthea.potentials.potential import Potential
    from amalthea.predictor import load_model

    potential = load_model(model)
    if not isinstance(potential, Potential):
        raise AmaltheaError(f"{model} is a model of {potential.domain} and no potential: n2p2 has no form for it.")
    written = export_n2p2(potential, folder, member, structures)
    lines = [
        *map(str, written),
        "The files hold Å and eV, but do not say so: in LAMMPS, cflength 1.0 cfenergy 1.0, as in in.lammps.",
    ]
    Console(json, quiet).result(
        "\n".join(lines),
        {
            "output": str(folder),
            "members": [
                {
                    "member": one.member,
                    "folder": str(one.folder),
                    "energy_rms": one.energy,
                    "force_rms": one.forces,
                    "structures": one.structures,
                }
                for one in written
            ],
        },
    )
