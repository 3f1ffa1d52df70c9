"""A file of named parts: one zip, written whole or not at all, and read with its sizes checked first."""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.data.files import write_whole
from amalthea.errors import ModelFileError

LARGEST = 4 * 2**30
"""The bytes that the parts of a file may take together when unpacked."""


def write_parts(path: Path, parts: Mapping[str, bytes]) -> None:
    """Write the parts as a zip; the file appears whole or not at all.

    Args:
        path: the file.
        parts: the bytes of each part, by name.

    Raises:
        DataError: the disk is full or the folder cannot be written.
    """

    def pack(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
            for name, content in parts.items():
                # A date of its own would make two files with the same content differ.
                archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)

    write_whole(path, pack)


def read_parts(path: Path) -> dict[str, bytes]:
    """Read all parts of a file that `write_parts` wrote.

    Raises:
        ModelFileError: there is no such file, it is not such a zip, it is damaged, or unpacks to more than `LARGEST`.
    """
    if not path.is_file():
        raise ModelFileError(f"No such model: {path}" + (" is a folder." if path.is_dir() else "."))
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
            if size > LARGEST:
                raise ModelFileError(f"{path} would unpack to {size / 2**30:.0f} GiB and is not opened.")
            return {part.filename: archive.read(part) for part in archive.infolist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelFileError(
            f"{path} is not a saved model, or is damaged ({error}). Save it again, or copy it anew."
        ) from error


def pack_json(value: Any) -> bytes:
    """Return strict JSON: NaN and infinity become null.

    Example:
        >>> pack_json({"rmse": np.float64("nan"), "folds": np.array([1, 2])}).decode()
        '{"rmse": null, "folds": [1, 2]}'
    """
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False).encode()


def plain(value: Any) -> Any:
    """Return `value` in JSON's own types: no NumPy, no tuples, None for what is not finite.

    Example:
        >>> plain({"value": np.float32(0.5), "error": float("inf"), "classes": ("a", "b")})
        {'value': 0.5, 'error': None, 'classes': ['a', 'b']}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def pack_table(table: pd.DataFrame) -> bytes:
    """Return a table as CSV."""
    return table.to_csv(index=False, lineterminator="\n").encode()


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    write_whole(path, lambda temporary: temporary.write_bytes(pack_table(table)))


def unpack_table(content: bytes, **options: Any) -> pd.DataFrame:
    """Return the table that `pack_table` packed; `options` are those of `pandas.read_csv`."""
    table: pd.DataFrame = pd.read_csv(io.BytesIO(content), **options)
    return table


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays by name in the safetensors format.

    Example:
        >>> unpack_arrays(pack_arrays({"kernel": np.eye(2)}))["kernel"].tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    from safetensors.numpy import save

    return bytes(save({name: np.ascontiguousarray(values) for name, values in arrays.items()}))


def unpack_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays that `pack_arrays` packed.

    Raises:
        ModelFileError: the content is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(content))
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelFileError(f"The arrays of this model are damaged ({error}).") from error
