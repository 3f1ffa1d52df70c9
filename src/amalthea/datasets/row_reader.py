"""The rows of a file, one at a time, whatever its format: delimited text, Excel, Parquet, SMILES, or an SD file."""

from __future__ import annotations

import collections
import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

from amalthea.datasets.encoding import COMPRESSED, Record, opened_text, text_encoding
from amalthea.datasets.header import headed
from amalthea.datasets.sdf import sdf_records
from amalthea.datasets.workbook import as_fields, workbook_records
from amalthea.errors import DataError, MissingDependencyError

SEPARATORS = (",", ";", "\t", "|")


def records(path: Path, sheet: str | None, header_line: int | None, notes: list[str]) -> Iterator[Record]:
    """Yield the header of a file and then its rows, with constant memory; blank rows at its end are left out.

    Args:
        path: an existing file; its suffix says the format: .xlsx, .parquet, .smi, .sdf, else delimited text; text
            may be compressed (.gz, .bz2, .xz).
        sheet: of a workbook; None: the first that holds a table.
        header_line: the line with the columns' names; None: it is looked for.
        notes: what is decided is added to it, as sentences.

    Raises:
        DataError: the file is not what its name says, or is not text.
        MissingDependencyError: the format needs a library that is not installed.
    """
    suffix = Path(path.stem).suffix if path.suffix.lower() in COMPRESSED else path.suffix
    match suffix.lower():
        case ".xlsx" | ".xlsm":
            rows = workbook_records(path, sheet, notes)
        case ".parquet" | ".pq":
            return _without_blank_tail(_parquet_records(path))
        case ".smi" | ".smiles":
            return _without_blank_tail(_smiles_records(path))
        case ".sdf" | ".sd":
            return sdf_records(path)
        case _:
            rows = _text_records(path)
    return headed(_without_blank_tail(rows), header_line, notes)


def _text_records(path: Path) -> Iterator[Record]:
    encoding = text_encoding(path)
    with opened_text(path, encoding, newline="") as stream:
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
    """Return the separator that cuts most of these lines into as many fields as one another, and into the most."""

    def quality(separator: str) -> tuple[bool, float, int]:
        try:
            widths = [len(fields) for fields in csv.reader(head, delimiter=separator) if fields]
        except csv.Error:
            return (False, 0.0, 0)
        # Of the header and the commonest width, for remarks may stand above a header.
        counts = collections.Counter(widths)
        width = max((widths[0], counts.most_common(1)[0][0]) if widths else (0,), key=lambda w: (w > 1, counts[w]))
        return (width > 1, counts[width] / max(len(widths), 1), width)

    return max(SEPARATORS, key=quality)


def _smiles_records(path: Path) -> Iterator[Record]:
    yield Record(0, ["smiles", "name"])
    with opened_text(path, text_encoding(path)) as stream:
        for line, text in enumerate(stream, start=1):
            fields = text.strip().split(maxsplit=1)
            if fields and not (line == 1 and "smiles" in fields[0].lower()):
                yield Record(line, fields)


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
            yield Record(line, as_fields(cells))


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
