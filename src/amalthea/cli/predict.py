"""`amalthea predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Model, Quiet


def predict(
    model: Model,
    inputs: Annotated[
        list[str], typer.Argument(help="A file; or, for molecules, SMILES themselves.", show_default=False)
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The CSV to write; without it, standard output.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Predict for each row of a file: its columns, then prediction, std, lower, upper, applicability, warning, problem.

    Example: amalthea predict solubility.amalthea new.csv -o predictions.csv
    """
    from amalthea import workflow
    from amalthea.predictor import load_model

    console = Console(json, quiet)
    counts = workflow.predict_file(load_model(model), inputs, output, verbose=console.verbose)
    text = f"{counts['predicted']} of {counts['rows']} rows predicted"
    if counts["problems"]:
        text += f", {counts['problems']} not (column `problem` says why)"
    if counts["warnings"]:
        text += f", {counts['warnings']} with a warning"
    console.say(f"{text}.")
    if output is not None or json:
        Console(json, quiet=True).result("", {"output": None if output is None else str(output), **counts})
