"""The rows of a file, one at a time, whatever its format: delimited text, Excel, Parquet, SMILES, or an SD file."""

from __future__ import annotations

import csv
import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amalthea.datasets.encoding import Record, text_encoding
from amalthea.datasets.sdf import sdf_records
from amalthea.errors import DataError, MissingDependencyError

SEPARATORS = (",", ";", "\t", "|")


def records(path: Path) -> Iterator[Record]:
    """Yield the header of a file and then its rows, with constant memory; blank rows at its end are left out.

    Args:
        path: an existing file; its suffix says the format: .xlsx, .parquet, .smi, .sdf, else delimited text.

    Raises:
        DataError: the file is not what its name says, or is not text.
        MissingDependencyError: the format needs a library that is not installed.
    """
    match path.suffix.lower():
        case ".xlsx" | ".xlsm":
            rows = _excel_records(path)
        case ".parquet" | ".pq":
            rows = _parquet_records(path)
        case ".smi" | ".smiles":
            rows = _smiles_records(path)
        case ".sdf" | ".sd":
            return sdf_records(path)
        case _:
            rows = _text_records(path)
    return _without_blank_tail(rows)


def _text_records(path: Path) -> Iterator[Record]:
    encoding = text_encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        head = list(itertools.islice(stream, 100))
        first = head[0].strip() if head else ""
        declared = first[4:] if first.lower().startswith("sep=") else ""
        separator = declared if declared in SEPARATORS else _separator(head)
        stream.seek(0)
        reader = csv.reader(stream, delimiter=separator, strict=True)
        if declared:
            next(reader, None)
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader, None)
            except csv.Error as error:
                if "unexpected end" in str(error) or "limit" in str(error):
                    raise DataError(
                        f'{path}, line {line}: a quotation mark (") opens in this row and never closes. '
                        "Close it, or remove it."
                    ) from error
                yield Record(line, [], "a quoted field that goes on after its closing quotation mark")
                continue
            if fields is None:
                return
            yield Record(line, fields)


def _separator(head: list[str]) -> str:
    """Return the separator that cuts most of these lines into as many fields as the header, and into the most."""

    def quality(separator: str) -> tuple[bool, float, int]:
        try:
            widths = [len(fields) for fields in csv.reader(head, delimiter=separator) if fields]
        except csv.Error:
            return (False, 0.0, 0)
        width = widths[0] if widths else 0
        return (width > 1, sum(w == width for w in widths) / max(len(widths), 1), width)

    return max(SEPARATORS, key=quality)


def _smiles_records(path: Path) -> Iterator[Record]:
    yield Record(0, ["smiles", "name"])
    with path.open(encoding=text_encoding(path), errors="replace") as stream:
        for line, text in enumerate(stream, start=1):
            fields = text.strip().split(maxsplit=1)
            if fields and not (line == 1 and "smiles" in fields[0].lower()):
                yield Record(line, fields)


def _excel_records(path: Path) -> Iterator[Record]:
    try:
        import openpyxl
    except ImportError as error:
        raise MissingDependencyError(
            f'{path}: reading Excel files needs openpyxl. Install it with: pip install "amalthea[excel]"'
        ) from error
    with warnings.catch_warnings(), path.open("rb") as stream:
        warnings.simplefilter("ignore")  # openpyxl warns of drawings and validations, which hold no data
        try:
            workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        except Exception as error:
            raise DataError(f"{path} cannot be read as an Excel workbook. Save it anew as .xlsx or CSV.") from error
        for line, cells in enumerate(workbook.worksheets[0].iter_rows(values_only=True), start=1):
            yield Record(line, _as_fields(cells))


def _parquet_records(path: Path) -> Iterator[Record]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError(
            f'{path}: reading Parquet files needs pyarrow. Install it with: pip install "amalthea[parquet]"'
        ) from error
    try:
        table = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise DataError(f"{path} cannot be read as a Parquet file. Write it anew, or save it as CSV.") from error
    yield Record(1, list(table.schema_arrow.names))
    line = 1
    for batch in table.iter_batches(10_000):
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            line += 1
            yield Record(line, _as_fields(cells))


def _as_fields(cells: tuple[Any, ...]) -> list[str]:
    """Return typed cells as text; an empty cell is empty text."""
    return ["" if cell is None else str(cell) for cell in cells]


def _without_blank_tail(rows: Iterator[Record]) -> Iterator[Record]:
    """Leave out blank lines, and rows of nothing but separators at the end of the file, as spreadsheets write them."""
    width = 0
    blank: list[Record] = []
    for record in rows:
        if not record.problem and not any(field.strip() for field in record.fields):
            # An empty line is a missing value in a file of one column, and nothing in all others.
            if width and (record.fields or width == 1):
                blank.append(record)
            continue
        width = width or len(record.fields)
        yield from blank
        blank.clear()
        yield record
