"""`amalthea explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Model, Quiet


def explain(
    model: Model,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder for the figures.", show_default="MODEL's name with -explained"),
    ] = None,
    example: Annotated[
        int | None,
        typer.Option(help="The training example whose graph is drawn: its row in the file.", show_default="the first"),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Show how a model learned: its graph with gradients, a step, where overfitting begins, the weights' paths.

    index.html shows the figures in their order, with what they say and how they are read, in English and Portuguese.
    Each is written in light and dark, as SVG and PNG, and its numbers as JSON and CSV. Some networks are trained
    anew for it, on at most 2,000 examples: allow a few minutes.

    Example: amalthea explain solubility.amalthea --example 12 -o solubility-explained
    """
    from amalthea import insight
    from amalthea.predictor.serialization import opened

    console = Console(json, quiet, lang)
    folder = output or model.with_name(f"{model.stem}-explained")
    pages = insight.explain(
        opened(model),
        folder,
        example=example,
        say=console.say,
        language=console.sentences.language,
        verbose=console.verbose,
    )
    count = sum(map(len, pages.files.values()))
    text = f"{pages!r}\n{count} files written to {folder}.\nTo see them in their order, open {pages.pages[0]}"
    console.result(
        console.sentences(text),
        {
            "output": str(folder),
            "files": {name: [str(path) for path in paths] for name, paths in pages.files.items()},
            "told": pages.captions,
            "missing": pages.missing,
            "pages": [str(path) for path in pages.pages],
        },
    )
