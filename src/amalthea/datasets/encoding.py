"""What a text file is made of: its encoding, and rows that know their line."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from amalthea.errors import DataError


class Record(NamedTuple):
    """One row of a file: its line or place (from 1), its fields as text, and why it cannot be used, if so."""

    line: int
    fields: list[str]
    problem: str = ""


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


COMPRESSED: Mapping[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
"""How compressed text is opened, by the suffix of its file."""


def opened(path: Path) -> Any:
    """Return a file as a stream of bytes, decompressed where its suffix says that it is compressed."""
    return COMPRESSED.get(path.suffix.lower(), open)(path, "rb")


def opened_text(path: Path, encoding: str, newline: str | None = None) -> io.TextIOWrapper:
    """Return a file as a stream of text, decompressed where its suffix says that it is compressed."""
    return io.TextIOWrapper(opened(path), encoding=encoding, errors="replace", newline=newline)


def text_encoding(path: Path) -> str:
    """Return the encoding of a text file: by its byte order mark, else UTF-8, else Windows' Latin-1 as a last resort.

    Args:
        path: an existing file.

    Raises:
        DataError: the file is not text; the message says what it seems to be.
    """
    try:
        with opened(path) as stream:
            return _encoding(path, stream)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise DataError(f"{path} cannot be decompressed: it is damaged, or not what its name says.") from error


def _encoding(path: Path, stream: Any) -> str:
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
