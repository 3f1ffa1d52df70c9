"""`amalthea report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Model, Quiet, check_output


def report(
    model: Model,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The page to write.", show_default="MODEL's name with .html")
    ] = None,
    learning_curve: Annotated[
        bool,
        typer.Option(help="Train again on parts of the data, to see what more examples would give (minutes)."),
    ] = False,
    asked: Annotated[
        Path | None, typer.Option(help="A file of examples: where they lie in the training set.", show_default=False)
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Write all that is known of a model to one HTML page, which opens in any browser without a network.

    Example: amalthea report solubility.amalthea -o solubility.html --lang pt-BR
    """
    from amalthea.reporting.page import report as write

    console = Console(json, quiet, lang)
    page = output or model.with_suffix(".html")
    check_output(page, model)
    language = console.sentences.language
    write(model, page, language=language, learning_curve=learning_curve, asked=asked)
    console.result(
        console.sentences(f"Report written to {page} ({page.stat().st_size / 1e6:.1f} MB)."),
        {"output": str(page), "bytes": page.stat().st_size, "language": language},
    )
