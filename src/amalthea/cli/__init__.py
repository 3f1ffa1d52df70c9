"""The command line: words in, one call, words out."""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from amalthea.cli.console import sentences_of
from amalthea.cli.data import data
from amalthea.cli.evaluate import evaluate
from amalthea.cli.explain import explain
from amalthea.cli.export import export
from amalthea.cli.forecast import forecast
from amalthea.cli.help import Command, Group
from amalthea.cli.import_ import import_
from amalthea.cli.info import info
from amalthea.cli.label import label
from amalthea.cli.md import md
from amalthea.cli.predict import predict
from amalthea.cli.report import report
from amalthea.cli.select import select
from amalthea.cli.train import train
from amalthea.errors import AmaltheaError

app = typer.Typer(
    name="amalthea",
    cls=Group,
    help="Train neural networks on tables, images, molecules, series and atomic structures; every figure comes with an "
    "error bar that was earned.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Whatever the parser has to say against the words of a command line; Typer names only some of its kinds."""


class Interrupted(Exception):
    """The user pressed Ctrl-C, as Typer lets it pass; the text says what was kept."""


def _to_its_end(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that takes Ctrl-C, and a reader that has seen enough, for the ends that they are."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
            sys.stdout.flush()
        except KeyboardInterrupt as error:
            raise Interrupted(*error.args) from error
        except BrokenPipeError:  # `amalthea predict ... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return run


def _version(asked: bool) -> None:
    if asked:
        from amalthea import __version__

        sys.stdout.write(f"amalthea {__version__}\n")
        raise typer.Exit


@app.callback()
def _before(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version, and nothing else.")
    ] = False,
) -> None:
    pass


for command in (train, predict, forecast, evaluate, report, explain, info, md, label, select, export, data):
    app.command(cls=Command)(_to_its_end(command))
app.command("import", cls=Command)(_to_its_end(import_))


def main() -> NoReturn:
    """Run the command line: exit code 0, 2 for a user's mistake, 1 for ours; a traceback only with --debug."""
    debug = "--debug" in sys.argv
    try:
        code = app(standalone_mode=False)
    except UsageError as error:
        sys.exit(_misused(error))
    except AmaltheaError as error:
        if debug:
            raise
        sys.exit(_tell(str(error), 2))
    except (KeyboardInterrupt, Interrupted) as error:
        kept = f". {error}" if error.args else "; nothing was written."
        sys.exit(_tell(f"Stopped on request{kept}", 130))
    except Exception as error:
        if debug:
            raise
        sys.exit(_tell(f"A defect of Amalthea: {type(error).__name__}: {error}. Run it again with --debug.", 1))
    sys.exit(code or 0)


def _misused(error: Any) -> int:
    """Show what is wrong with the words of the command line, in the user's language, and return the exit code."""
    shown = io.StringIO()
    error.show(shown)
    sys.stderr.write(sentences_of(sys.argv)(shown.getvalue()))
    return int(error.exit_code)


def _tell(sentence: str, code: int) -> int:
    sys.stderr.write(f"amalthea: {sentences_of(sys.argv)(sentence)}\n")
    return code
