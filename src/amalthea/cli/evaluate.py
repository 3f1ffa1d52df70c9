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
    """Judge a model on new labelled data: each metric with its standard error, and baselines beside it.

    Example: amalthea evaluate solubility.amalthea measured_since.csv
    """
    from amalthea.validation.summary import title
    from amalthea.workflow.evaluate import evaluate as judge

    console = Console(json, quiet)
    evaluation = judge(model, data)
    for note in evaluation.notes:
        console.say(note)
    for refusal in evaluation.refused:
        console.say(f"row {refusal.row} is left out: {refusal.reason} ({refusal.example})")
    units = evaluation.units
    lines = [f"{evaluation.examples} examples, {len(evaluation.refused)} refused"]
    for target, of_target in evaluation.figures.items():
        rows = {"": of_target, **{f", baseline {name}": row for name, row in evaluation.baselines[target].items()}}
        for name, row in rows.items():
            cells = [f"{title(metric, units.get(metric, ''))} {figure}" for metric, figure in row.items()]
            lines.append(f"{target}{name}: " + ", ".join(cells))
    console.result(
        "\n".join(lines),
        {
            "examples": evaluation.examples,
            "trained_on": evaluation.trained_on,
            "refused": [vars(refusal) for refusal in evaluation.refused],
            "metrics": by_target([(target, figures(row)) for target, row in evaluation.figures.items()]),
            "baselines": by_target(
                [(target, {b: figures(of) for b, of in rows.items()}) for target, rows in evaluation.baselines.items()]
            ),
        },
    )
