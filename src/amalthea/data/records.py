"""The rows of a file, one at a time, whatever its format: delimited text, Excel, Parquet, SMILES, or an SD file."""

from __future__ import annotations

import codecs
import csv
import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from amalthea.errors import DataError, MissingDependencyError


class Record(NamedTuple):
    """One row of a file: its line or place (from 1), its fields as text, and why it cannot be used, if so."""

    line: int
    fields: list[str]
    problem: str = ""


SEPARATORS = (",", ";", "\t", "|")

SIGNATURES = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x7fELF", "a program"),
)


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
            from amalthea.data.sdf import sdf_records

            return sdf_records(path)
        case _:
            rows = _text_records(path)
    return _without_blank_tail(rows)


def text_encoding(path: Path) -> str:
    """Return the encoding of a text file: by its byte order mark, else UTF-8, else Windows' Latin-1 as a last resort.

    Args:
        path: an existing file.

    Raises:
        DataError: the file is not text; the message says what it seems to be.
    """
    with path.open("rb") as stream:
        start = stream.read(4096)
        for mark, encoding in (
            (codecs.BOM_UTF8, "utf-8-sig"),
            (codecs.BOM_UTF16_LE, "utf-16"),
            (codecs.BOM_UTF16_BE, "utf-16"),
        ):
            if start.startswith(mark):
                return encoding
        for signature, what in SIGNATURES:
            if start.startswith(signature):
                raise DataError(f"{path} is not text: it seems to be {what}. Save the table as CSV and try again.")
        if b"\0" in start:
            for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
                half = start[offset::2]
                if half.count(0) > 0.7 * len(half) and not start[1 - offset :: 2].count(0):
                    return encoding
        controls = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in start)
        if controls > 0.01 * len(start):
            raise DataError(f"{path} is not text: it seems to be a binary file. Save the table as CSV and try again.")
        if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
            raise DataError(f"{path} is a web page and not a table: the download went wrong. Download the file again.")
        decoder = codecs.getincrementaldecoder("utf-8")()
        stream.seek(0)
        try:
            while chunk := stream.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _text_records(path: Path) -> Iterator[Record]:
    encoding = text_encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        head = list(itertools.islice(stream, 100))
        first = head[0].strip() if head else ""
        told = first[4:] if first.lower().startswith("sep=") else ""
        separator = told if told in SEPARATORS else _separator(head)
        stream.seek(0)
        reader = csv.reader(stream, delimiter=separator, strict=True)
        if told:
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
