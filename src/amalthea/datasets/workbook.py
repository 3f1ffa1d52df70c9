"""Excel workbooks: the sheet that holds the table, and formulas whose values were never computed."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amalthea.datasets.encoding import Record
from amalthea.datasets.messages import did_you_mean, listed
from amalthea.errors import DataError, MissingDependencyError

NO_VALUE = "a formula without a value"
"""What stands in the cells of a column of formulas that no program has computed."""

LOOKED_AT = 60


def workbook_records(path: Path, sheet: str | None, notes: list[str]) -> Iterator[Record]:
    """Yield the rows of one sheet of a workbook.

    Args:
        path: an existing .xlsx file.
        sheet: its name; None: the first that holds a table.
        notes: what is decided is added to it, as sentences.

    Raises:
        DataError: the file is no workbook, or has no such sheet.
        MissingDependencyError: openpyxl is not installed.
    """
    with path.open("rb") as stream:
        workbook = _workbook(path, stream)
        names = list(workbook.sheetnames)
        if sheet is not None and sheet not in names:
            raise DataError(f"{path} has no sheet '{sheet}'.{did_you_mean(sheet, names)} There are: {listed(names)}.")
        tables = [each.title for each in workbook.worksheets if _holds_table(each)] or names[:1]
        chosen = sheet or tables[0]
        others = [name for name in tables if name != chosen]
        if sheet is None and (others or chosen != names[0]):
            hint = f"; others hold tables as well, --sheet takes one: {listed(map(repr, others), 8)}" if others else ""
            notes.append(f"Sheet '{chosen}' of {len(names)} is read{hint}.")
        formulas = _uncomputed(path, workbook[chosen], chosen)
        if formulas:
            notes.append(
                f"Column {listed(formulas, 8)} of the sheet holds formulas whose values were not saved: open the file "
                "in a spreadsheet program and save it anew."
            )
        for line, cells in enumerate(workbook[chosen].iter_rows(values_only=True), start=1):
            fields = as_fields(cells)
            if formulas and any(fields):
                fields = [
                    NO_VALUE if place in formulas and not field else field for place, field in enumerate(fields, 1)
                ]
            yield Record(line, fields)


def as_fields(cells: tuple[Any, ...]) -> list[str]:
    """Return typed cells as text; an empty cell is empty text."""
    return ["" if cell is None else str(cell) for cell in cells]


def _workbook(path: Path, stream: Any, computed: bool = True) -> Any:
    try:
        import openpyxl
    except ImportError as error:
        raise MissingDependencyError(
            f'{path}: reading Excel files needs openpyxl. Install it with: pip install "amalthea[excel]"'
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of drawings and validations, which hold no data
        try:
            return openpyxl.load_workbook(stream, read_only=True, data_only=computed)
        except Exception as error:
            raise DataError(f"{path} cannot be read as an Excel workbook. Save it anew as .xlsx or CSV.") from error


def _head(sheet: Any) -> list[tuple[Any, ...]]:
    return list(itertools.islice(sheet.iter_rows(values_only=True), LOOKED_AT))


def _holds_table(sheet: Any) -> bool:
    """Say whether at least three rows of a sheet have two cells or more."""
    if not hasattr(sheet, "iter_rows"):
        return False  # a sheet of a chart
    return sum(sum(cell is not None for cell in cells) > 1 for cells in _head(sheet)) >= 3


def _uncomputed(path: Path, sheet: Any, name: str) -> list[int]:
    """Return the columns (from 1) whose cells below the first are all empty, and hold formulas."""
    rows = _head(sheet)
    width = max(map(len, rows), default=0)
    empty = [c for c in range(width) if len(rows) > 1 and all(len(row) <= c or row[c] is None for row in rows[1:])]
    if not empty:
        return []
    with path.open("rb") as stream:
        written = _head(_workbook(path, stream, computed=False)[name])
    formula = [any(len(row) > c and str(row[c]).startswith("=") for row in written) for c in empty]
    return [c + 1 for c, there in zip(empty, formula, strict=True) if there]
