"""`amalthea forecast`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Model, Quiet, check_output


def forecast(
    model: Model,
    newer: Annotated[
        Path | None,
        typer.Argument(
            help="Later steps of the series; rows without a value tell what is known of the future.", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The CSV to write; without it, on standard output.")
    ] = None,
    level: Annotated[
        list[float] | None, typer.Option(help="Another interval beside that of 90 %, such as 0.8; repeatable.")
    ] = None,
    anomalies: Annotated[
        bool, typer.Option("--anomalies", help="Mark which of the newer values lie far from what was foretold.")
    ] = False,
    alarms: Annotated[
        float, typer.Option(help="False alarms of --anomalies that are put up with, a month and series.")
    ] = 1.0,
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Foretell what follows each series: its time, series, step, mean, lower, upper, warning, problem.

    With --anomalies: which of the newer values lie so far from what was foretold that few do by chance.

    Example: amalthea forecast load.amalthea newer.csv -o next.csv --level 0.8
    """
    from amalthea.datasets import archive
    from amalthea.workflow.forecast import forecast as answer

    console = Console(json, quiet, lang)
    check_output(output, model, *([newer] if newer else []))
    table = answer(model, newer, levels=tuple(level or ()), anomalies=anomalies, alarms=alarms)
    counts = {"rows": len(table), "series": int(table["series"].nunique())}
    if anomalies:
        counts["anomalies"] = int(table["anomaly"].sum())
        told = f"{counts['anomalies']} of {counts['rows']} values lie outside their bands."
    else:
        counts |= {f"{name}s": int((table[name] != "").sum()) for name in ("problem", "warning")}
        warned = f", {counts['warnings']} with a warning" if counts["warnings"] else ""
        told = f"{counts['rows']} steps of {counts['series']} series foretold{warned}."
    if output is not None:
        archive.write_table(output, table)
    console.say(told)
    if json:
        answers = {} if output is not None else {"forecast": table.to_dict("records")}
        console.result("", {"output": None if output is None else str(output), **counts, **answers})
    elif output is None:
        console.result(table.to_csv(index=False, lineterminator="\n").rstrip(), {})
