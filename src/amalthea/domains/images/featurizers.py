"""The features of pictures: their pixels, as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.images.pictures import MOST_PIXELS
from amalthea.domains.protocol import Metric, Progress
from amalthea.errors import DataError

NO_PICTURE = "no picture"


class Pixels:
    """The bytes of pictures of one shape.

    Args:
        shape: (h, w, c).

    Raises:
        DataError: no picture can have this shape.

    Example:
        >>> featurizer = Pixels((2, 2, 1))
        >>> featurizer.transform(pd.DataFrame({"image": [np.full((2, 2, 1), 7, np.uint8), None]}))[0].ravel().tolist()
        [7, 7, 7, 7, 0, 0, 0, 0]
    """

    name: str = "pixels"
    metric: Metric = "pictures"
    dtype: Literal["float32", "uint8"] = "uint8"

    def __init__(self, shape: Sequence[int]) -> None:
        height, width, channels = map(int, shape)
        if min(height, width) < 1 or channels not in (1, 3) or height * width > MOST_PIXELS:
            raise DataError(f"there are no pictures of {height} x {width} pixels with {channels} channels.")
        self._shape = (height, width, channels)
        self.quantities = height * width * channels
        self.feature_names: Sequence[str] = _PixelNames(self._shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The height, width and channels of a picture."""
        return self._shape

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.object_]]:
        """Return the pixels of n examples.

        Args:
            examples: n rows with "image": uint8 of shape (h, w, c), or None.
            progress: called once, when all is done.

        Returns:
            The pixels, shape (n, h, w, c), zeros where there is no picture; and the problems, shape (n,).
        """
        pixels = np.zeros((len(examples), *self._shape), np.uint8)
        problems = np.full(len(examples), "", object)
        for row, image in enumerate(examples["image"]):
            if image is None:
                problems[row] = NO_PICTURE
            elif image.shape != self._shape:
                problems[row] = f"has the shape {image.shape}, and {self._shape} is wanted"
            else:
                pixels[row] = image
        if progress is not None:
            progress(len(examples), len(examples))
        return pixels, problems

    def state(self) -> dict[str, Any]:
        """Return what makes the same featurizer again."""
        return {"name": self.name, "shape": list(self._shape)}


class _PixelNames(Sequence[str]):
    """The names of a picture's bytes, row by row, each made when it is asked for: there can be millions."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._shape = shape

    def __len__(self) -> int:
        return math.prod(self._shape)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        row, column, channel = np.unravel_index(range(len(self))[index], self._shape)
        return f"row {row} column {column} channel {channel}"
