"""A file of named parts: one zip, written whole or not at all, and read with its sizes checked first."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.files import write_whole
from amalthea.datasets.messages import shortened
from amalthea.errors import ModelFileError

ALWAYS_UNPACKED = 2**28
"""The bytes that the parts of a file may take together when unpacked, however small it is ..."""

SWELLING = 100
"""... and how many times its own size they may take beyond that: weights hardly shrink in a zip, bombs do."""


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
        ModelFileError: there is no such file, it cannot be read, is no such zip, is damaged, or would unpack to far
            more than its own size.
    """
    if os.path.isdir(path):
        raise ModelFileError(f"{path} is a folder and no saved model. Give the name of one file.")
    if not os.path.isfile(path):
        raise ModelFileError(f"No such model: {path}. A saved model is one file, by custom NAME.amalthea.")
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            size = sum(part.file_size for part in archive.infolist())
            if size > max(ALWAYS_UNPACKED, SWELLING * path.stat().st_size):
                raise ModelFileError(f"{path} would unpack to {size / 2**20:,.0f} MiB and is not opened.")
            return {part.filename: _read(archive, part) for part in archive.infolist()}
    except ModelFileError:
        raise
    except PermissionError as error:
        raise ModelFileError(f"{path} cannot be read: permission denied. Change its permissions.") from error
    except Exception as error:  # whatever a hostile zip provokes
        raise ModelFileError(
            f"{path} is not a saved model, or is damaged ({error}). Save it again, or copy it anew."
        ) from error


def _read(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    """Return a part; one that holds more than it announced, which was checked, is not unpacked beyond that."""
    with archive.open(part) as stream:
        return stream.read(part.file_size)  # without a size, all would be unpacked before it is cut


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


class _NullIsNaN:
    """Lets pydantic read null, as `plain` writes NaN, as NaN."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(
            lambda value: math.nan if value is None else value, handler(source)
        )


Number = Annotated[float, _NullIsNaN]
"""A number that may be NaN, of a dataclass that is kept as JSON."""


def checked(kind: Any, stored: Any, what: str) -> Any:
    """Return what JSON described, once it is certain that it is of its kind.

    Args:
        kind: a dataclass, or any other type that pydantic knows.
        stored: JSON's own types.
        what: what is read, for the message: "model.json".

    Raises:
        ModelFileError: it is something else.

    Example:
        >>> checked(tuple[Number, ...], [0.5, None], "shares")
        (0.5, nan)
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(stored)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ", ".join(shortened(str(step), 40) for step in (what, *first["loc"]))
        raise ModelFileError(f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}") from error


def pack_table(table: pd.DataFrame) -> bytes:
    """Return a table as CSV."""
    return table.to_csv(index=False, lineterminator="\n").encode()


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    write_whole(path, lambda temporary: temporary.write_bytes(pack_table(table)))


def text_columns(table: pd.DataFrame) -> dict[str, bool]:
    """Return the columns that hold text, each with whether some of it is missing: what CSV itself does not tell.

    Example:
        >>> text_columns(pd.DataFrame({"class": ["007", None], "warning": ["", "far"], "mean": [1.5, 2.5]}))
        {'class': True, 'warning': False}
    """
    return {
        str(name): bool(column.isna().any())
        for name, column in table.items()
        if not pd.api.types.is_numeric_dtype(column)
    }


def unpack_table(content: bytes, text: Mapping[str, bool]) -> pd.DataFrame:
    """Return the table that `pack_table` packed, every number and every text as it was.

    Args:
        content: the CSV.
        text: what `text_columns` told of the table; an empty field is missing where some are, else it is empty text.

    Example:
        >>> table = pd.DataFrame({"class": ["007", "NA"], "warning": ["", "far"], "mean": [1.5, None]})
        >>> unpack_table(pack_table(table), text_columns(table)).equals(table)
        True
    """
    table: pd.DataFrame = pd.read_csv(
        io.BytesIO(content),
        dtype=dict.fromkeys(text, "str"),
        keep_default_na=False,
        na_values={name: [""] for name in _header(content) if text.get(name, True)},
        lineterminator="\n",
    )
    return table


def _header(content: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(content.decode(), newline="")), [])


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
