"""What is seen of a training while it goes on: curves that move on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amalthea.progress import Verbosity, on_terminal, words_of

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress

HELD_OUT = "held_out_"
"""Begins the names of figures on held-out rows, as `val_` does those on rows set aside."""

KINDS = {"": ("training", "cyan"), "val_": ("validation", "yellow"), HELD_OUT: ("held out", "yellow")}
"""By the beginning of a figure's name: what it was measured on, and its colour."""

SHOWN, HEIGHT = 2, 4
"""Figures that are drawn at most, and the lines of each curve."""

SECONDS_BETWEEN_LINES, SHARE_BETWEEN_LINES = 5.0, 0.05
"""The least time between two lines, and the share of the time passed: long trainings write few."""

SECONDS_BETWEEN_LOOKS = 1.0
"""The least time between two measurements for a terminal."""

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille character's dots, by row and column (Unicode 17, block 2800)."""


class Display:
    """Shows the mean loss and metrics of a group of networks, epoch by epoch; used as a context manager.

    Args:
        networks: how many learn, all groups together.
        groups: how many groups learn one after the other.
        epochs: how many epochs each learns.
        verbose: "auto" shows curves on a terminal and nothing elsewhere, "lines" a line now and then elsewhere, 1 one
            or the other always, 0 nothing; what turns words into a language: as "lines", in that language.

    Example:
        >>> with Display(networks=6, groups=1, epochs=2, verbose=0) as display:
        ...     display.group_begin(6)
        ...     display.epoch_end({"loss": 1.5, "val_loss": 1.7})
    """

    def __init__(self, networks: int, groups: int, epochs: int, verbose: Verbosity) -> None:
        self.live = on_terminal(verbose)
        self.lines = not self.live and verbose != "auto" and bool(verbose)
        self.shown = self.live or self.lines
        self._last_too = verbose in (1, True)  # who asks for progress sees the end of each group, however short it is
        self._say = words_of(verbose)
        self._networks, self._groups, self._epochs = networks, groups, epochs
        self._group = self._learning = 0
        self._curves: dict[str, list[float]] = {}
        self._begun = self._written = self._measured = 0.0

    def __enter__(self) -> Display:
        self._begun = self._written = self._measured = time.monotonic()
        if self.live:
            from rich.console import Console
            from rich.live import Live

            self._bar = _bar(self._say(f"{self._networks} networks, epoch"), self._groups * self._epochs)
            self._console = Console(stderr=True)
            self._live = Live(console=self._console, get_renderable=self._draw, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self._live.stop()

    def due(self) -> bool:
        """Return whether something new is to be measured for the display: not more often than anybody looks."""
        now = time.monotonic()
        if now - self._measured < (SECONDS_BETWEEN_LOOKS if self.live else SECONDS_BETWEEN_LINES):
            return False
        self._measured = now
        return True

    def group_begin(self, learning: int) -> None:
        """Begin the curves of the next group, of so many networks."""
        self._group, self._learning, self._curves = self._group + 1, learning, {}

    def epoch_end(self, figures: Mapping[str, float]) -> None:
        """Show an epoch's figures, by name; what was not measured in this epoch stays where it was."""
        if not self.shown:
            return
        epoch = len(self._curves.get("loss", ()))
        for name, value in figures.items():
            values = self._curves.setdefault(name, [])
            values += [float("nan")] * (epoch - len(values)) + [value]
        if self.live:
            self._bar.advance(self._bar.task_ids[0])
        else:
            self._line(epoch + 1)

    def _line(self, epoch: int) -> None:
        now = time.monotonic()
        waiting = now - self._written < max(SECONDS_BETWEEN_LINES, SHARE_BETWEEN_LINES * (now - self._begun))
        if waiting and not (self._last_too and epoch == self._epochs):
            return
        self._written = now
        group = f", group {self._group} of {self._groups}" if self._groups > 1 else ""
        latest = "  ".join(
            f"{self._say(KINDS[kind][0])} {name} {value:.4g}" for name, kind, value in _latest(self._curves)
        )
        begins = self._say(f"{self._learning} networks{group}, epoch {epoch} of {self._epochs}:")
        sys.stderr.write(f"{begins} {latest}\n")

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table

        console = self._console
        width = max(8, min(60, console.width - 32))
        unicode = "utf" in console.encoding.lower()
        table = Table.grid(padding=(0, 2))
        for name in list(dict.fromkeys(name for name, _, _ in _latest(self._curves)))[:SHOWN]:
            curves = {kind: self._curves[kind + name] for kind in KINDS if kind + name in self._curves}
            words = [f"[bold]{name}[/bold]"]
            words += [
                f"[{KINDS[kind][1]}]{self._say(KINDS[kind][0]):10}[/] {value:.4g}"
                for latest, kind, value in _latest(self._curves)
                if latest == name
            ]
            drawn = _coloured(curves, self._epochs, width) if unicode else ""
            table.add_row("\n".join(words), drawn)
        if not self._curves:
            table.add_row(self._say("The networks are being compiled ..."))
        return Group(self._bar, table)


def _bar(label: str, epochs: int) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    bar = Progress(TextColumn("{task.description}"), *columns)
    bar.add_task(label, total=epochs)
    return bar


def _latest(curves: Mapping[str, Sequence[float]]) -> list[tuple[str, str, float]]:
    """Return (name, kind, value) of each figure's last measurement, those of one name together."""
    parts = []
    for full, values in curves.items():
        kind = next((kind for kind in KINDS if kind and full.startswith(kind)), "")
        known = [value for value in values if np.isfinite(value)]
        if known:
            parts.append((full.removeprefix(kind), kind, known[-1]))
    names = list(dict.fromkeys(name for name, _, _ in parts))
    return sorted(parts, key=lambda part: names.index(part[0]))


def _coloured(curves: Mapping[str, Sequence[float]], epochs: int, width: int) -> str:
    """Return curves on one scale as braille in their colours, with Rich's marks."""
    drawn = braille(list(curves.values()), epochs, width, HEIGHT)
    colours = [KINDS[kind][1] for kind in curves]
    lines = []
    for row in range(HEIGHT):
        cells = []
        for column in range(width):
            bits, last = 0, None
            for number, picture in enumerate(drawn):
                if picture[row, column]:
                    bits, last = bits | int(picture[row, column]), number
            cells.append(" " if last is None else f"[{colours[last]}]{chr(0x2800 + bits)}[/]")
        lines.append("".join(cells))
    return "\n".join(lines)


def braille(curves: Sequence[Sequence[float]], epochs: int, width: int, height: int) -> list[NDArray[np.int64]]:
    """Return the dots of curves on one scale, of each shape (height, width), as bits of braille characters.

    Args:
        curves: values by epoch; NaN is not drawn. Where all are positive and span a decade, heights are logarithms.
        epochs: how many fill the width.
        width: in characters, of two dots each.
        height: in characters, of four dots each.

    Example:
        >>> [chr(0x2800 + bits) for bits in braille([[1.0, 2.0, 3.0, 4.0]], epochs=4, width=2, height=1)[0][0]]
        ['⡠', '⠊']
    """
    known = np.concatenate([np.asarray(curve)[np.isfinite(curve)] for curve in curves] or [np.empty(0)])
    pictures = [np.zeros((height, width), np.int64) for _ in curves]
    if not len(known):
        return pictures
    scaled = np.log if known.min() > 0 and known.max() > 10 * known.min() else np.asarray
    low, high = scaled(known.min()), scaled(known.max())
    for curve, picture in zip(curves, pictures, strict=True):
        there = np.flatnonzero(np.isfinite(curve))
        # Each column of dots is an epoch or lies between two; the curve ends with its last epoch.
        columns = np.linspace(0, max(epochs - 1, 1), 2 * width)
        columns = columns[: np.searchsorted(columns, there[-1], side="right")] if len(there) else columns[:0]
        values = np.interp(columns, there, scaled(np.asarray(curve)[there])) if len(there) else columns
        for x, value in enumerate(values):
            y = round((1 - (value - low) / (high - low if high > low else 1.0)) * (4 * height - 1))
            picture[y // 4, x // 2] |= DOTS[y % 4][x % 2]
    return pictures
