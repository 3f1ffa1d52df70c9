"""Pictures packed into one file: folders of them as .zip, encoded ones in the cells of a .parquet."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from amalthea.datasets.messages import listed
from amalthea.domains.images.files import hidden, read_files
from amalthea.domains.images.pictures import Decoding, is_picture_name
from amalthea.domains.images.stack import Pictures, as_labels
from amalthea.errors import DataError

MOST_BYTES = 8 << 30
"""The most bytes that are unpacked, by what the archive says before any is."""

MOST_FILES = 300_000


def holds_pictures(path: Path) -> bool:
    """Say whether a .zip holds pictures by their names, or a .parquet a column of encoded ones; nothing is unpacked."""
    if path.suffix.lower() == ".zip":
        with contextlib.suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
            return any(map(_is_wanted, archive.namelist()))
    return path.suffix.lower() == ".parquet" and path.is_file() and bool(_columns(path))


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Give a folder with the pictures of a .zip, as long as it is used.

    Raises:
        DataError: it is damaged, or holds more than is unpacked.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                members = [member for member in archive.infolist() if _is_wanted(member.filename)]
                size = sum(member.file_size for member in members)
                if size > MOST_BYTES or len(members) > MOST_FILES:
                    raise DataError(
                        f"{path} holds {len(members):,} pictures of {size / 1e9:.3g} GB, more than is unpacked here. "
                        "Unpack it, and give the folder."
                    )
                for member in members:
                    archive.extract(member, folder)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            raise DataError(
                f"{path} is damaged or needs a password ({error}). Unpack it, and give the folder."
            ) from error
        yield Path(folder)


def read_parquet(path: Path, target: str = "", decoding: Decoding | None = None) -> tuple[Pictures, str]:
    """Read the encoded pictures in a column of a .parquet, and what their label is called ("" where there is none).

    Args:
        path: with a column of files' bytes, or of records with `bytes`, as the data sets of Hugging Face have.
        target: the column of labels; "": the only one besides the pictures.
        decoding: how deep pictures and stacks of frames are read.

    Raises:
        DataError: several columns can be the label.
    """
    from pyarrow import parquet

    table = parquet.read_table(path)
    column = _columns(path)[0]
    others = [name for name in table.column_names if name != column]
    if target not in others and len(others) > 1:
        raise DataError(f"{path}: several columns can be the label: {listed(others)}. Name one with --target.")
    label = target if target in others else next(iter(others), "")
    with tempfile.TemporaryDirectory() as folder:
        paths: list[Path | str] = []
        for number, cell in enumerate(table[column].to_pylist()):
            content = cell.get("bytes") if isinstance(cell, dict) else cell
            paths.append(Path(folder, f"{number}.png") if content else "no picture is there")
            if content:
                Path(folder, f"{number}.png").write_bytes(content)
        names = [str(number) for number in range(1, len(paths) + 1)]
        pictures = read_files(paths, names, decoding=decoding)
    labels = as_labels(np.array(table[label].to_pylist()), label) if label else None
    return dataclasses.replace(pictures, labels=labels), label


def _columns(path: Path) -> list[str]:
    """Return the columns that hold files' bytes."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet

        schema: Any = parquet.read_schema(path)
    except (ImportError, OSError, ValueError):
        return []

    def binary(kind: Any) -> bool:
        if arrow.types.is_struct(kind):
            return any(kind[i].name == "bytes" and binary(kind[i].type) for i in range(kind.num_fields))
        return bool(arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind))

    return [field.name for field in schema if binary(field.type)]


def _is_wanted(name: str) -> bool:
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts
    return is_picture_name(Path(name)) and not outside and not any(map(hidden, path.parts))
