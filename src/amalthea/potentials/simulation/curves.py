"""Curves with their errors, as tables and as pictures."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from amalthea.datasets.archive import write_table
from amalthea.datasets.files import write_whole
from amalthea.errors import MissingDependencyError


def write_curve(table: pd.DataFrame, path: Path, labels: tuple[str, str]) -> tuple[Path, Path]:
    """Write a curve with its error as NAME.csv and NAME.png.

    Args:
        table: three columns: x, y and the error of y.
        path: the name without an ending.
        labels: of the axes.

    Returns:
        The two files.

    Raises:
        DataError: they cannot be written.
        MissingDependencyError: Matplotlib is not installed.
    """
    numbers, picture = (path.with_name(path.name + end) for end in (".csv", ".png"))
    write_table(numbers, table)
    draw_curves({"": table}, picture, labels)
    return numbers, picture


def draw_curves(tables: Mapping[str, pd.DataFrame], path: Path, labels: tuple[str, str]) -> None:
    """Draw curves with their errors into one picture.

    Args:
        tables: by what each is called; each with three columns: x, y and the error of y.
        path: a file that ends in .png, .pdf or .svg.
        labels: of the axes.

    Raises:
        DataError: the file cannot be written.
        MissingDependencyError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            'a picture needs Matplotlib, which is not installed. Install it with: pip install "amalthea[plots]"'
        ) from error
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    # Dashes beside colours: curves that cross are told apart in print, too.
    for (name, table), dashes in zip(tables.items(), itertools.cycle(("-", "--", "-.", ":")), strict=False):
        x, y, spread = (table.iloc[:, column] for column in range(3))
        (line,) = axes.plot(x, y, dashes, label=name, linewidth=1.5)
        axes.fill_between(x, y - spread, y + spread, color=line.get_color(), alpha=0.3, linewidth=0)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    if any(tables):
        axes.legend(frameon=False)
    kind = path.suffix.removeprefix(".")
    write_whole(path, lambda temporary: figure.savefig(temporary, format=kind, dpi=150))
