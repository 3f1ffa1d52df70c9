"""`amalthea predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Model, Quiet, check_output
from amalthea.predictor.outside import Outside


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
    outside: Annotated[
        Outside, typer.Option(help="What lies outside of what was learned: warn of it, refuse it, or answer.")
    ] = "warn",
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Predict for each row of a file: its columns, then prediction, std, lower, upper, applicability, warning, problem.

    Rows that cannot be predicted stay in their place; `problem` says why. A column of the input that is called like
    one of the answers becomes input_NAME. With --json and no -o, the predictions are in the JSON object.

    Structures, with -o NAME.extxyz, are written with the predictions where ASE finds energies, forces and stresses;
    labels of the input become reference_energy and reference_forces.

    Example: amalthea predict solubility.amalthea new.csv -o predictions.csv
    """
    from amalthea.predictor.outside import Counts
    from amalthea.predictor.serialization import opened
    from amalthea.workflow import predict as workflow

    console = Console(json, quiet, lang)
    check_output(output, model, *inputs)
    predictor = opened(model)
    if json and output is None:
        counts = Counts()
        answers: list[Any] = []
        for table in workflow.predictions(predictor, inputs, save_input=save_input, outside=outside):
            counts.add(table)
            answers += table.to_dict("records")
        record: dict[str, Any] = {"output": None, **counts.record, "predictions": answers}
    else:
        counts = workflow.predict_file(
            predictor,
            inputs,
            output,
            verbose=console.verbose,
            save_input=save_input,
            outside=outside,
            say=console.say,
        )
        record = {"output": str(output), **counts.record}
    sentences = [f"{counts.predicted} of {counts.rows} rows predicted.", counts.sentence]
    if counts.problems:
        sentences.insert(1, f"{counts.problems} not: column `problem` says why.")
    if counts.warnings:
        sentences.insert(-1, f"{counts.warnings} with a warning.")
    console.say(" ".join(filter(None, sentences)))
    if json:
        console.result("", record)
