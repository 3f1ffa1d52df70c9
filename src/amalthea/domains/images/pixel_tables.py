"""Tables in which each row is a picture and each column a pixel, as digits are often handed round."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import math
import re
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from amalthea.datasets.messages import listed
from amalthea.domains.images.stack import Pictures, Span, from_array
from amalthea.errors import DataError

FEWEST = 64
"""Fewer columns than these are no picture."""

PIXEL = re.compile(r"(?:p|px|pix|pixel)?[ _]?\d+(?:[ _x]\d+)?(?:[ _x]\d+)?", re.IGNORECASE)
"""What a column of pixels is called: pixel0, px_12, pixel_3_7, 28x28."""

PARTS = ("usage", "split", "set", "part", "fold")
"""Columns that say of which part of the data a row is, and no class."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """Which columns of a table are pixels."""

    names: tuple[str, ...]  # of all columns; their numbers where the file has no header
    pixels: tuple[int, ...]  # the positions of the columns of pixels; one position: a column of many numbers
    shape: tuple[int, ...]  # (h, w) or (h, w, 3)
    header: bool


def layout_of(path: Path) -> Layout | None:
    """Return which columns of a delimited file are pixels, None where it is another table; two lines are looked at.

    Args:
        path: .csv or .csv.gz. Columns called `pixel0`, `px_3_7` or `1x1`; a column `pixels` of numbers with blanks
            between them; or k² + 1 numbers without a header, as the first of which, or the last, stands the label.
    """
    if not path.name.lower().endswith((".csv", ".csv.gz")) or not path.is_file():
        return None
    try:
        with _opened(path) as stream:
            first, second = (next(csv.reader([stream.readline(1 << 20)]), []) for _ in range(2))
    except (OSError, UnicodeError, csv.Error, EOFError):
        return None
    if _is_number(first) and len(first) == len(second):
        # Without names the shape must be that of a square, and one number more the label.
        columns = tuple(range(len(first)))
        shape = _shape(len(first)) or _shape(len(first) - 1)
        return None if shape is None else Layout(tuple(map(str, columns)), columns, shape, header=False)
    names = tuple(name.strip() for name in first)
    pixels = tuple(position for position, name in enumerate(names) if PIXEL.fullmatch(name))
    shape = _shape(len(pixels))
    if shape is not None and len(names) - len(pixels) <= 3:
        return Layout(names, pixels, shape, header=True)
    if "pixels" in names and len(second) == len(names):
        position = names.index("pixels")
        shape = _shape(len(second[position].split()))
        return None if shape is None else Layout(names, (position,), shape, header=True)
    return None


def read_pixel_table(path: Path, target: str = "", span: Span | None = None) -> tuple[Pictures, str]:
    """Read pictures that stand in the rows of a table, and what their label is called ("" where there is none).

    Args:
        path: a file of which `layout_of` knows the columns of pixels.
        target: the column of labels; "": the only one besides the pixels.
        span: the numbers that stand for black and white; None: found from the pixels.

    Raises:
        DataError: the rows hold something else, or several columns can be the label.
    """
    layout = layout_of(path)
    if layout is None:
        raise DataError(f"{path} holds no rows of pixels that make a picture.")
    try:
        table = pd.read_csv(path, header=0 if layout.header else None, low_memory=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path} holds no rows of numbers ({error}).") from error
    table.columns = pd.Index(layout.names)
    pixels = list(layout.pixels)
    notes: tuple[str, ...] = ()
    if not layout.header and len(pixels) > math.prod(layout.shape):
        pixels.remove(_label_position(table))
    others = [name for position, name in enumerate(layout.names) if position not in pixels]
    values = _values(table.iloc[:, pixels], path).reshape(len(table), *layout.shape)
    label = _label_of(others, target, path)
    if layout.header and (unused := [name for name in others if name != label]):
        notes = (f"Besides pixels and '{label}' these columns were not used: {listed(unused)}.",)
    known = values[np.isfinite(values)]
    if known.size and known.min() >= 0 and 128 <= known.max() <= 255 and known.size == values.size:
        values = np.rint(values).astype(np.uint8)
    labels = None if label is None else table[label].to_numpy()
    pictures = from_array(values, labels, span, path.name)
    shape = " x ".join(map(str, layout.shape[:2]))
    found = f"The rows of {path.name} are pictures of {shape} pixels."
    if not layout.header and label is not None:
        found += f" The label stands in the {'first' if label == '0' else 'last'} column."
    called = "" if label is None else label if layout.header else "label"
    return dataclasses.replace(pictures, notes=(found, *notes, *pictures.notes)), called


def _label_of(others: list[str], target: str, path: Path) -> str | None:
    if target in others:
        return target
    classes = [name for name in others if name.lower() not in PARTS]
    if len(classes) > 1:
        raise DataError(f"{path}: several columns can be the label: {listed(classes)}. Name one with --target.")
    return classes[0] if classes else None


def _label_position(table: pd.DataFrame) -> int:
    """Return the first or the last column: corners of pictures hardly change, labels do."""
    last = table.shape[1] - 1
    return 0 if table.iloc[:, 0].nunique() >= table.iloc[:, last].nunique() else last


def _values(columns: pd.DataFrame, path: Path) -> Any:
    """Return pixels as numbers, shape (n, pixels), NaN where a cell holds none."""
    if columns.shape[1] == 1:
        rows = [np.array(text.split(), np.float32) for text in columns.iloc[:, 0].astype(str)]
        if len({len(row) for row in rows}) > 1:
            raise DataError(f"{path}: rows have different numbers of pixels.")
        return np.stack(rows)
    if any(pd.api.types.is_string_dtype(kind) for kind in columns.dtypes):
        columns = columns.apply(pd.to_numeric, errors="coerce")
    return columns.to_numpy(np.float32)


def _shape(pixels: int) -> tuple[int, ...] | None:
    """Return the shape of a square picture, grey or of three colours, of so many numbers; None for no such."""
    for channels in (1, 3):
        side = math.isqrt(pixels // channels)
        if pixels >= FEWEST and side * side * channels == pixels:
            return (side, side) if channels == 1 else (side, side, 3)
    return None


def _is_number(fields: list[str]) -> bool:
    return len(fields) >= FEWEST and all(re.fullmatch(r"\s*-?\d+(\.\d*)?([eE][+-]?\d+)?\s*", field) for field in fields)


def _opened(path: Path) -> IO[str]:
    return (
        gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8-sig", newline="")
    )
