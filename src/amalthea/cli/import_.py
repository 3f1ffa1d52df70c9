"""`amalthea import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Quiet
from amalthea.cli.units import EnergyUnit, LengthUnit


def import_(
    folder: Annotated[
        Path,
        typer.Argument(help="A folder with n2p2's input.nn, scaling.data and weights.*.data.", show_default=False),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to save the model.", show_default=False)],
    length_unit: Annotated[
        LengthUnit, typer.Option(help="The files' unit of length.", case_sensitive=False)
    ] = LengthUnit.bohr,
    energy_unit: Annotated[
        EnergyUnit, typer.Option(help="The files' unit of energy.", case_sensitive=False)
    ] = EnergyUnit.hartree,
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Make a model of a potential in n2p2's or RuNNer's files, which answers as one trained here does.

    The files do not say their units: without options they are bohr and hartree (CODATA 2018, as ASE has them).

    Example: amalthea import water_n2p2 -o water.amalthea --length-unit bohr --energy-unit hartree
    """
    from amalthea.potentials.exchange.import_model import import_model

    potential = import_model(folder, output=output, length_unit=length_unit.value, energy_unit=energy_unit.value)
    elements, functions = potential.ready.committee.elements, potential.ready.committee.functions
    count, cutoff = sum(map(len, functions.values())), potential.ready.committee.cutoff
    console = Console(json, quiet, lang)
    console.result(
        console.sentences(
            f"Saved {output}: a potential of {', '.join(elements)} with {count} symmetry functions up to {cutoff:.6g} "
            f"Å. {potential.provenance.notes[0]}"
        ),
        {
            "model": str(output),
            "elements": elements,
            "functions": count,
            "cutoff": cutoff,
            "length_unit": length_unit.value,
            "energy_unit": energy_unit.value,
        },
    )
