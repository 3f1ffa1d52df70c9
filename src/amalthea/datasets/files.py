"""Files in and out: tables read as text, line by line known, and results written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from amalthea.datasets.columns import distinct_names, numbers
from amalthea.datasets.encoding import Record
from amalthea.datasets.messages import did_you_mean, listed, shortened
from amalthea.datasets.row_reader import records
from amalthea.errors import DataError


def read_table(path: str | os.PathLike[str], sheet: str | None = None, header_line: int | None = None) -> pd.DataFrame:
    """Read a whole file as a table of text.

    Args:
        path: delimited text (separator and encoding are found), .xlsx, .parquet, .smi, or .sdf; text may be compressed.
        sheet: of a workbook; None: the first that holds a table.
        header_line: the line with the columns' names; None: it is looked for, below titles and remarks.

    Returns:
        All columns as text, missing values as NaN; the index is the line in the file (the header is line 1),
        in an SD file the number of the record (from 1).
        Rows that do not fit the header stay in their place, all missing; `malformed` tells which and why.

    Raises:
        DataError: no such file, a folder, empty, only a header, or not text.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "water.csv"
        >>> _ = path.write_text("name;density\\nwater;0,997\\n")
        >>> read_table(path)
            name density
        2  water   0,997
    """
    return next(iterate_table(path, None, sheet, header_line))


def iterate_table(
    path: str | os.PathLike[str], rows: int | None, sheet: str | None = None, header_line: int | None = None
) -> Iterator[pd.DataFrame]:
    """Yield a file as tables of at most `rows` rows, as `read_table` gives them, with constant memory.

    Args:
        path: as for `read_table`.
        rows: the largest number of rows in one table; None: all in one.
        sheet: as for `read_table`.
        header_line: as for `read_table`.

    Raises:
        DataError: as `read_table`.
    """
    path = existing_file(path)
    said: list[str] = []
    lines = records(path, sheet, header_line, said)
    header = next(lines, None)
    if header is None:
        raise DataError(f"{path} is empty. A table needs a header line with the columns' names, and rows below it.")
    names, notes = distinct_names(header.fields)
    notes = (*said, *notes)
    if names and np.isfinite(numbers(pd.Series(names, dtype="str"))).all():
        notes += (f"The first line ({listed(names, 8)}) was taken for the header, though it holds only numbers.",)
    batch = list(itertools.islice(lines, rows))
    if not batch:
        raise DataError(f"{path} has a header ({listed(names, 8)}) and no rows below it.")
    while batch:
        yield _frame(batch, names, notes, path.parent)
        batch = list(itertools.islice(lines, rows))


def malformed(table: pd.DataFrame) -> dict[int, str]:
    """Return the lines of a table's file that do not fit its header, each with the reason."""
    return dict(table.attrs.get("malformed", {}))


def reading_notes(table: pd.DataFrame) -> tuple[str, ...]:
    """Return what was found and decided while a table was read, as sentences."""
    return tuple(table.attrs.get("notes", ()))


def existing_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that is there.

    Raises:
        DataError: there is no such file (a close name in the folder is proposed), it is a folder, or it is unreadable.
    """
    path = Path(path)
    if os.path.isdir(path):  # unlike pathlib's, without an error where the name is too long
        raise DataError(f"{path} is a folder and not a file. Give the name of one file in it.")
    if not os.path.exists(path):
        folder = path.parent
        names = os.listdir(folder) if folder.is_dir() else []
        hint = did_you_mean(path.name, names) or f" Looked in {folder.resolve()}."
        raise DataError(f"no such file: {shortened(str(path), 200)}.{hint}")
    if not os.access(path, os.R_OK):
        raise DataError(f"{path} cannot be read: permission denied. Change its permissions and try again.")
    return path


def fingerprint(*paths: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal; of several files, or a folder's: of all of these."""
    files = [file for path in paths for file in (sorted(Path(path).rglob("*")) if os.path.isdir(path) else [path])]
    digests = []
    for file in filter(os.path.isfile, files):
        with open(file, "rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def write_whole(path: str | os.PathLike[str], write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all: as a temporary file beside it, which then takes its name.

    Args:
        path: where the file shall lie; what lies there is replaced.
        write: called with the path of the temporary file, which it shall write.

    Raises:
        DataError: the file cannot be written there: no such folder, no permission, no room on the disk.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "answer.txt"
        >>> write_whole(path, lambda temporary: temporary.write_text("42"))
        >>> path.read_text()
        '42'
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            write(target)  # a device, such as /dev/stdout, cannot be replaced
            return
        write(temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = "the disk has no room left. Free some, or write elsewhere"
        else:
            reason = f"{(error.strerror or str(error)).lower()}. Choose a folder that exists and that you may write to"
        raise DataError(f"cannot write {path}: {reason}; nothing was changed.") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _frame(batch: list[Record], names: list[str], notes: tuple[str, ...], folder: Path) -> pd.DataFrame:
    """Return records as a table of text; those that do not fit the header become rows of missing values."""
    width = len(names)
    misfits: dict[int, str] = {}
    rows = []
    for record in batch:
        fields = [field.strip() or None for field in record.fields]
        problem = record.problem
        if any(field is not None for field in fields[width:]):
            problem = f"has {len(fields)} fields where the header has {width}"
        if problem:
            misfits[record.line] = problem
            fields = []
        rows.append(fields[:width] + [None] * (width - len(fields)))
    frame = pd.DataFrame(rows, index=[record.line for record in batch], columns=names, dtype="str")
    frame.attrs = {"malformed": misfits, "notes": notes, "folder": str(folder)}
    return frame
