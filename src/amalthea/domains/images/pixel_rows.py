"""Square images as rows of numbers in a text file, the label at the end, as scikit-learn carries its digits."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np

from amalthea.domains.images.stack import Pictures, from_array
from amalthea.errors import DataError


def read_rows_of_pixels(path: Path) -> Pictures:
    """Read images that stand as rows of comma-separated numbers without a header.

    Args:
        path: plain or .gz; in each row the pixels of a square image, line by line, and its label.

    Raises:
        DataError: the rows hold something else.
    """
    try:
        rows = np.loadtxt(path, delimiter=",", ndmin=2)
    except ValueError as error:
        raise DataError(f"{path} holds no rows of numbers ({error}).") from error
    side = math.isqrt(rows.shape[1] - 1)
    if side * side != rows.shape[1] - 1:
        raise DataError(f"{path} has rows of {rows.shape[1]} numbers, which are no square image and a label.")
    pixels = rows[:, :-1].reshape(-1, side, side).astype(np.float32)
    pictures = from_array(pixels, rows[:, -1], (0.0, float(pixels.max())), path.name)
    return dataclasses.replace(pictures, notes=())
