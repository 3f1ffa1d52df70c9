"""`amalthea data`."""

from __future__ import annotations

from typing import Annotated

import typer

from amalthea.cli.console import Console, Debug, Json, Lang, Quiet


def data(
    name: Annotated[str | None, typer.Argument(help="The data set to fetch.", show_default=False)] = None,
    json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """List the catalogue of data sets, or fetch one.

    Example: amalthea data esol
    """
    from amalthea.datasets import catalogue

    console = Console(json, quiet, lang)
    if name is None:
        say = console.sentences
        entries = [entry.describe() for entry in catalogue.entries()]
        text = "\n".join(
            f"{entry['name']:15} {entry['rows']:16} {say(entry['licence']):28} {say(entry['lies'])}\n"
            f"{'':15} {say(entry['what'])}"
            for entry in entries
        )
        console.result(text, {"data": entries})
        return
    paths = [str(path) for path in catalogue.locate(name)]
    console.result("\n".join(paths), {"name": name, "paths": paths})
