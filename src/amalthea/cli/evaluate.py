"""`amalthea evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Model, Quiet, by_target, figures


def evaluate(
    model: Model,
    data: Annotated[str, typer.Argument(help="Labelled data that the model was not trained on.", show_default=False)],
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Judge a model on new labelled data: each metric with its standard error.

    Example: amalthea evaluate solubility.amalthea measured_since.csv
    """
    from amalthea import workflow
    from amalthea.predictor import load_model
    from amalthea.validation.summary import title

    console = Console(json, quiet)
    evaluation = workflow.evaluate(load_model(model), data)
    for note in evaluation.notes:
        console.say(note)
    lines = [f"{evaluation.examples} examples, {len(evaluation.refused)} refused"]
    for target, found in evaluation.figures.items():
        lines.append(f"{target}: " + ", ".join(f"{title(name)} {figure}" for name, figure in found.items()))
    console.result(
        "\n".join(lines),
        {
            "examples": evaluation.examples,
            "trained_on": evaluation.trained_on,
            "refused": [vars(refusal) for refusal in evaluation.refused],
            "metrics": by_target([(target, figures(found)) for target, found in evaluation.figures.items()]),
        },
    )
