"""`amalthea evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Model, Quiet, by_target, figures


def evaluate(
    model: Model,
    data: Annotated[str, typer.Argument(help="Labelled data that the model was not trained on.", show_default=False)],
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Judge a model on new labelled data: each metric with its standard error, and baselines beside it.

    Example: amalthea evaluate solubility.amalthea measured_since.csv
    """
    from amalthea.validation.summary import title
    from amalthea.workflow.evaluate import evaluate as judge

    console = Console(json, quiet, lang)
    evaluation = judge(model, data)
    for note in evaluation.notes:
        console.say(note)
    for refusal in evaluation.refused:
        console.say(f"row {refusal.row} is left out: {refusal.reason} ({refusal.example})")
    lines = [console.sentences(f"{evaluation.examples} examples, {len(evaluation.refused)} refused")]
    for target, of_target in evaluation.figures.items():
        names, baselines = list(of_target), evaluation.baselines[target]
        rows = {target or "all": of_target, **{f"baseline: {name}": row for name, row in baselines.items()}}
        header = ["", *(title(name, evaluation.units.get(name, "")) for name in names)]
        cells = [[what, *(str(row[name]) if name in row else "" for name in names)] for what, row in rows.items()]
        lines.append(console.table(header, cells))
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
