"""A progress bar, on a terminal and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Literal

Words = Callable[[str], str]
"""Turns labels and sentences into those of the reader's language."""

Verbosity = Literal["auto", "lines"] | int | bool | Words
"""Whether progress is shown: "auto" on a terminal, "lines" elsewhere too, a line now and then; 1 always, 0 never; what
turns words into a language: as "lines", in that language."""


def words_of(verbose: Verbosity) -> Words:
    """Return what turns labels into the language in which progress is shown.

    Example:
        >>> words_of("auto")("features"), words_of(str.upper)("features")
        ('features', 'FEATURES')
    """
    return verbose if callable(verbose) else str


def on_terminal(verbose: Verbosity) -> bool:
    """Return whether what moves is to be shown: wherever there is a terminal, unless nothing is to be said.

    Example:
        >>> on_terminal(0)
        False
    """
    return bool(verbose) and sys.stderr.isatty()


class Bar:
    """Shows how far something has come; used as a context manager.

    Args:
        label: what is being done.
        total: the number of steps; None while it is unknown.
        verbose: "auto", "lines" and a language show the bar on a terminal only, 1 always, 0 never.

    Example:
        >>> with Bar("features", total=2, verbose=0) as bar:
        ...     bar.advance()
        ...     bar.reach(2, 2)
    """

    def __init__(self, label: str, total: int | None = None, verbose: Verbosity = "auto") -> None:
        self.shown = on_terminal(verbose) if isinstance(verbose, str) or callable(verbose) else bool(verbose)
        self.label, self.total = words_of(verbose)(label), total

    def __enter__(self) -> Bar:
        if self.shown:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("{task.description:24}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[text]}"),
                console=Console(stderr=True),
            )
            self._task = self._progress.add_task(self.label, total=self.total, text="")
            self._progress.start()
        return self

    def advance(self, text: str = "") -> None:
        """Show that one more step is done."""
        if self.shown:
            self._progress.update(self._task, advance=1, text=text)

    def reach(self, done: int, total: int) -> None:
        """Show that `done` of `total` steps are done."""
        if self.shown:
            self._progress.update(self._task, completed=done, total=total)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.shown:
            self._progress.stop()
