"""What all commands share: their common options, and where words go."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from amalthea.cli.tables import arranged, width
from amalthea.datasets.output_path import check_output as check_output
from amalthea.errors import AmaltheaError
from amalthea.reporting.sentences import Sentences, of_a_terminal
from amalthea.reporting.translate import ENGLISH

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors (and the JSON object).")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Lang = Annotated[
    str | None,
    typer.Option(help="The language of what is said: en or pt-BR.", show_default="the environment's", metavar="TAG"),
]
Seed = Annotated[int, typer.Option(help="Everything random follows from it.")]
Model = Annotated[Path, typer.Argument(help="A saved model, NAME.amalthea.", show_default=False)]


@dataclasses.dataclass(frozen=True)
class Console:
    """Where a command's words go: results to standard output, what is said on the way to standard error.

    Args:
        json: print the result as one JSON object.
        quiet: say nothing.
        lang: the tag of the user's language; None: the environment's.
    """

    json: bool = False
    quiet: bool = False
    lang: str | None = None

    @property
    def verbose(self) -> Any:
        """How the library should show progress: in the user's language, or not at all."""
        return 0 if self.quiet else self.sentences

    @functools.cached_property
    def sentences(self) -> Sentences:
        """What turns the library's sentences into those of the user's language."""
        return of_a_terminal(self.lang)

    def say(self, sentence: str) -> None:
        """Tell the user something on the way, on standard error, in the user's language."""
        if not self.quiet:
            sys.stderr.write(f"{self.sentences(sentence)}\n")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Return a table in the user's language, turned where the terminal is too narrow for it."""
        translated = [[self.sentences(cell) for cell in row] for row in (header, *rows)]
        return arranged(translated[0], translated[1:], width())

    def result(self, text: str, value: Mapping[str, Any]) -> None:
        """Print a command's result: `text`, or `value` as JSON."""
        from amalthea.datasets.archive import pack_json

        if self.json:
            sys.stdout.write(pack_json(value).decode() + "\n")
        elif not self.quiet:
            sys.stdout.write(f"{text}\n")


def sentences_of(words: Sequence[str]) -> Sentences:
    """Return the sentences of the language that a command line asks for, English where that is what is wrong."""
    asked = [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    asked += [after for word, after in itertools.pairwise(words) if word == "--lang"]
    try:
        return of_a_terminal(asked[-1] if asked else None)
    except AmaltheaError:
        return Sentences(ENGLISH, {})


def figures(figures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return figures by name as {"value", "error"}."""
    return {name: {"value": figure.value, "error": figure.error} for name, figure in figures.items()}


def by_target(named: Sequence[tuple[str, Any]]) -> Any:
    """Return the only target's value as it is, several targets' by name, below those over all if there are such."""
    if not named[0][0]:
        over_all = named[0][1]
        return {**over_all, "by_channel": dict(named[1:])} if isinstance(over_all, dict) else over_all
    return named[0][1] if len(named) == 1 else dict(named)
