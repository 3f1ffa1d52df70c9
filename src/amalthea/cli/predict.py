"""`amalthea predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from amalthea.cli.console import Console, Debug, Json, Model, Quiet, check_output


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

    Rows that cannot be predicted stay in their place; `problem` says why. A column of the input that is called like
    one of the answers becomes input_NAME. With --json and no -o, the predictions are in the JSON object.

    Example: amalthea predict solubility.amalthea new.csv -o predictions.csv
    """
    from amalthea import workflow
    from amalthea.predictor import load_model

    console = Console(json, quiet)
    check_output(output, model, *inputs)
    predictor = load_model(model)
    if json and output is None:
        counts = {"rows": 0, "predicted": 0, "problems": 0, "warnings": 0}
        answers: list[Any] = []
        for table in workflow.predictions(predictor, inputs):
            workflow.count(table, counts)
            answers += table.to_dict("records")
        told: dict[str, Any] = {"output": None, **counts, "predictions": answers}
    else:
        counts = workflow.predict_file(predictor, inputs, output, verbose=console.verbose)
        told = {"output": str(output), **counts}
    text = f"{counts['predicted']} of {counts['rows']} rows predicted"
    if counts["problems"]:
        text += f", {counts['problems']} not (column `problem` says why)"
    if counts["warnings"]:
        text += f", {counts['warnings']} with a warning"
    console.say(f"{text}.")
    if json:
        console.result("", told)
