"""The command line: words in, one call, words out."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from amalthea.cli.data import data
from amalthea.cli.evaluate import evaluate
from amalthea.cli.predict import predict
from amalthea.cli.train import train
from amalthea.errors import AmaltheaError

app = typer.Typer(
    name="amalthea",
    help="Train neural networks on tables and molecules; every figure comes with an error bar that was earned.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (train, predict, evaluate, data):
    app.command()(command)


def main() -> NoReturn:
    """Run the command line: exit code 0, 2 for a user's mistake, 1 for ours; a traceback only with --debug."""
    debug = "--debug" in sys.argv
    try:
        app()
    except AmaltheaError as error:
        if debug:
            raise
        sys.exit(_tell(str(error), 2))
    except KeyboardInterrupt:
        sys.exit(_tell("Stopped on request; nothing was written.", 130))
    except Exception as error:
        if debug:
            raise
        sys.exit(_tell(f"A defect of Amalthea: {type(error).__name__}: {error}. Run it again with --debug.", 1))
    sys.exit(0)


def _tell(sentence: str, code: int) -> int:
    sys.stderr.write(f"amalthea: {sentence}\n")
    return code
