"""What all commands share: their common options, and where words go."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from amalthea.errors import AmaltheaError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors (and the JSON object).")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Seed = Annotated[int, typer.Option(help="Everything random follows from it.")]
Model = Annotated[Path, typer.Argument(help="A saved model, NAME.amalthea.", show_default=False)]


def check_output(output: Path | None, *inputs: Path | str) -> None:
    """Refuse a file that could not be written in the end, or that would replace what is read.

    Raises:
        AmaltheaError: its folder is not there or may not be written to, it is a folder, or it is one of `inputs`.
    """
    if output is None:
        return
    if not output.parent.is_dir():
        raise AmaltheaError(f"There is no folder {output.parent} to write {output.name} to.")
    if output.is_dir():
        raise AmaltheaError(f"{output} is a folder. Give the name of a file to write.")
    if not os.access(output.parent, os.W_OK):
        raise AmaltheaError(f"The folder {output.parent} may not be written to. Choose another one for {output.name}.")
    for path in inputs:
        if os.path.isfile(path) and os.path.realpath(path) == os.path.realpath(output):
            raise AmaltheaError(f"{output} is read here and would be replaced. Choose another name to write to.")


@dataclasses.dataclass(frozen=True)
class Console:
    """Where a command's words go: results to standard output, what is said on the way to standard error.

    Args:
        json: print the result as one JSON object.
        quiet: say nothing.
    """

    json: bool = False
    quiet: bool = False

    @property
    def verbose(self) -> Any:
        """How the library should show progress."""
        return 0 if self.quiet else "auto"

    def say(self, sentence: str) -> None:
        """Tell the user something on the way, on standard error."""
        if not self.quiet:
            sys.stderr.write(f"{sentence}\n")

    def result(self, text: str, value: Mapping[str, Any]) -> None:
        """Print a command's result: `text`, or `value` as JSON."""
        from amalthea.datasets.archive import pack_json

        if self.json:
            sys.stdout.write(pack_json(value).decode() + "\n")
        elif not self.quiet:
            sys.stdout.write(f"{text}\n")


def figures(figures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return figures by name as {"value", "error"}."""
    return {name: {"value": figure.value, "error": figure.error} for name, figure in figures.items()}


def by_target(named: Sequence[tuple[str, Any]]) -> Any:
    """Return the only target's value as it is, several targets' by name."""
    return named[0][1] if len(named) == 1 else dict(named)
