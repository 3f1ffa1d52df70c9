"""`amalthea predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from amalthea.cli.console import Console, Debug, Json, Model, Quiet, check_output


def predict(
    model: Model,
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="A file; also SMILES themselves, or files and folders of pictures or structures.", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The CSV, or for structures .extxyz, to write; without it, a CSV on standard output."
        ),
    ] = None,
    save_input: Annotated[
        Path | None, typer.Option(help="Images: a folder for pictures of what the network saw.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Predict for each row of a file: its columns, then prediction, std, lower, upper, applicability, warning, problem.

    Rows that cannot be predicted stay in their place; `problem` says why. A column of the input that is called like
    one of the answers becomes input_NAME. With --json and no -o, the predictions are in the JSON object.

    Structures, with -o NAME.extxyz, are written with the predictions where ASE finds energies, forces and stresses;
    labels of the input become reference_energy and reference_forces.

    Example: amalthea predict solubility.amalthea new.csv -o predictions.csv
    """
    from amalthea.predictor.serialization import load_model
    from amalthea.workflow import predict as workflow

    console = Console(json, quiet)
    check_output(output, model, *inputs)
    predictor = load_model(model)
    if json and output is None:
        counts = {"rows": 0, "predicted": 0, "problems": 0, "warnings": 0}
        answers: list[Any] = []
        for table in workflow.predictions(predictor, inputs, save_input=save_input):
            workflow.count(table, counts)
            answers += table.to_dict("records")
        record: dict[str, Any] = {"output": None, **counts, "predictions": answers}
    else:
        counts = workflow.predict_file(
            predictor, inputs, output, verbose=console.verbose, save_input=save_input, say=console.say
        )
        record = {"output": str(output), **counts}
    text = f"{counts['predicted']} of {counts['rows']} rows predicted"
    if counts["problems"]:
        text += f", {counts['problems']} not (column `problem` says why)"
    if counts["warnings"]:
        text += f", {counts['warnings']} with a warning"
    console.say(f"{text}.")
    if json:
        console.result("", record)
