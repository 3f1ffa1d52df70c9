"""`amalthea select`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Model, Quiet, check_output


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
    debug: Debug = False,
) -> None:
    """Choose the structures that the potential is least sure of, no two alike: the next ones to compute.

    The file holds no predictions, so that none is taken for a label.

    Example: amalthea select silicon.amalthea melt-md.extxyz -n 20 -o next.extxyz
    """
    from joblib import cpu_count

    from amalthea.datasets.files import write_whole
    from amalthea.potentials.reading.read_frames import StructureOptions, read_frames
    from amalthea.potentials.simulation import select as selecting
    from amalthea.potentials.simulation.calculator import as_potential
    from amalthea.potentials.simulation.output import as_xyz
    from amalthea.predictor import load_model

    console = Console(json, quiet)
    first = trajectory[0]
    path = output or first.with_name(f"{first.stem}-selected.extxyz")
    check_output(path, model, *trajectory)
    potential = as_potential(load_model(model))
    frames = read_frames(trajectory, options=StructureOptions(labelled=False))
    chosen = selecting.select(potential, frames.atoms, number, threads=threads or cpu_count(), verbose=console.verbose)
    content = []
    for row in chosen.rows:
        atoms = frames.atoms[row].copy()
        atoms.info = {"file": str(frames.source[row]), "frame": int(frames.frame[row])}
        atoms.info["forces_std_max"] = float(chosen.uncertainty[row])
        content.append(as_xyz(atoms))
    write_whole(path, lambda temporary: temporary.write_bytes(b"".join(content)))
    refused = len(frames.refused) + int((chosen.problems != "").sum())
    uncertain = [float(chosen.uncertainty[row]) for row in chosen.rows]
    console.result(
        f"{len(chosen.rows)} of {len(frames)} structures chosen, uncertain by {min(uncertain):.3g} to "
        f"{max(uncertain):.3g} eV/Å in their least certain force; {refused} refused. Written to {path}.\n"
        f"Worth trying next:\n  amalthea label {path} --calculator NAME",
        {
            "output": str(path),
            "looked_at": len(frames),
            "chosen": len(chosen.rows),
            "refused": refused,
            "frames": [int(frames.frame[row]) for row in chosen.rows],
            "forces_std_max": uncertain,
        },
    )
