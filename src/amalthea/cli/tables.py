"""Tables on a terminal: side by side where they fit, one row after the other where they do not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence


def width() -> int | None:
    """Return how many letters fit a line of standard output; None where nobody looks at its width."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() or "COLUMNS" in os.environ else None


def arranged(header: Sequence[str], rows: Sequence[Sequence[str]], columns: int | None) -> str:
    """Return a table as lines; where they are longer than `columns`, each row becomes a block of its cells.

    Args:
        header: the columns' names; the first one, of the rows' names, is empty.
        rows: the cells, as many as names.
        columns: the letters of a line; None: any number.

    Example:
        >>> print(arranged(["", "RMSE", "R²"], [["network", "0.32", "0.94"], ["mean", "1.28", "0.00"]], columns=None))
                 RMSE  R²
        network  0.32  0.94
        mean     1.28  0.00
        >>> print(arranged(["", "RMSE", "R²"], [["network", "0.32", "0.94"]], columns=15))
        network
          RMSE  0.32
          R²    0.94
    """
    lines = _lines([header, *rows])
    if columns is None or max(map(len, lines)) <= columns:
        return "\n".join(lines)
    blocks = []
    for name, *cells in rows:
        pairs = [[f"  {title}", cell] for title, cell in zip(header[1:], cells, strict=True) if cell]
        blocks.append("\n".join([name, *_lines(pairs)]))
    return "\n".join(blocks)


def _lines(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]
