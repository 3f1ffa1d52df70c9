"""Many pictures of one shape as one array of bytes, with names, labels and problems; and arrays turned into that."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Refusal
from amalthea.datasets.messages import counted, shortened
from amalthea.errors import DataError

Span = tuple[float, float]
"""The values that stand for black and white."""

_BLOCK = 1_000  # images converted at a time, so that a large stack of floats is not copied whole


@dataclasses.dataclass(frozen=True, eq=False)
class Pictures:
    """n pictures of one shape, read; a picture that cannot be used keeps its place."""

    images: NDArray[np.uint8]  # shape (n, h, w, c), uint8, c 1 or 3; zeros where there is a problem
    names: NDArray[np.object_]  # shape (n,), text: the name of the file within its folder, or the position from 1
    problems: NDArray[np.object_]  # shape (n,), text: why a picture cannot be used, "" where it can
    rows: NDArray[np.int64]  # shape (n,), integers: the position from 1, or the line in a table
    # shape (n,), text, None where one is missing; None where there are no labels at all
    labels: NDArray[np.object_] | None = None
    notes: tuple[str, ...] = ()  # what was found and decided, as sentences
    span: Span | None = None  # the values that became 0 and 255 where the pictures came as other numbers than bytes
    test: Pictures | None = None  # the test set that came along, if one did; its images have the same shape

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of each picture."""
        _, height, width, channels = self.images.shape
        return height, width, channels

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The pictures that cannot be used, with the reason."""
        bad = np.flatnonzero(self.problems != "")
        return tuple(Refusal(int(self.rows[i]), shortened(self.names[i], 80), self.problems[i]) for i in bad)

    def examples(self) -> pd.DataFrame:
        """Return the columns "image" (views into `images`), "name" and "key", equal for equal images.

        Rows with a problem hold None in "image" and "key"; the index is `rows`.
        """
        cells, keys = np.full(len(self), None, object), np.full(len(self), None, object)
        for index in np.flatnonzero(self.problems == ""):
            cells[index] = self.images[index]
            keys[index] = key(self.images[index])
        return pd.DataFrame({"image": cells, "name": self.names, "key": keys}, index=self.rows)


def key(image: NDArray[np.uint8]) -> str:
    """Return a text that is the same for equal images and for no others: a hash of the shape and the bytes.

    Example:
        >>> key(np.zeros((2, 2, 1), np.uint8)) == key(np.zeros((4, 1, 1), np.uint8))
        False
    """
    shape, pixels = str(image.shape).encode(), np.ascontiguousarray(image)
    return hashlib.blake2b(pixels.data, digest_size=16, salt=shape[:16]).hexdigest()


def is_stack(shape: tuple[int, ...]) -> bool:
    """Say whether an array of this shape can be a stack of images: (n, h, w), (n, h, w, c) or (n, c, h, w).

    Example:
        >>> is_stack((60000, 28, 28)), is_stack((9, 32, 32, 3)), is_stack((150, 4))
        (True, True, False)
    """
    return 0 not in shape and (len(shape) == 3 or (len(shape) == 4 and (shape[3] in (1, 3, 4) or shape[1] in (1, 3))))


def from_array(
    values: NDArray[np.generic], labels: NDArray[np.generic] | None = None, span: Span | None = None, name: str = "x"
) -> Pictures:
    """Return a stack of images as bytes; images that hold NaN or infinity are refused.

    Args:
        values: shape (n, h, w), (n, h, w, c) or (n, c, h, w) of numbers; uint8 of n, h, w order is not copied.
        labels: shape (n,), (n, 1), or (n, k) with a single 1 in each row.
        span: the values that became 0 and 255 in the training set; None: found from the values and said.
        name: what the array is called in messages.

    Raises:
        DataError: no such shape, no numbers, or labels that do not match the images in number.

    Example:
        >>> grey = from_array(np.linspace(0, 1, 8).reshape(2, 2, 2), np.array([7, 3]))
        >>> grey.shape, grey.images.max(), grey.labels.tolist(), grey.span
        ((2, 2, 1), np.uint8(255), ['7', '3'], (0.0, 1.0))
    """
    if not is_stack(values.shape):
        raise DataError(
            f"'{name}' has the shape {values.shape}, which is no stack of images. Needed are (images, height, width) "
            "or (images, height, width, 1 or 3 channels)."
        )
    if values.dtype.kind not in "buif":
        raise DataError(f"'{name}' holds {values.dtype} and no numbers. Save images as uint8.")
    texts = None if labels is None else as_labels(labels, f"labels of {name}")
    if texts is not None and len(texts) != len(values):
        raise DataError(
            f"'{name}' holds {counted(len(values), 'image')} and there are {counted(len(texts), 'label')} for them. "
            "Each image needs one label, in the same order."
        )
    notes: list[str] = []
    # Every stack becomes (n, h, w, 1 or 3).
    if values.ndim == 3:
        values = values[..., None]
    elif values.shape[3] not in (1, 3, 4):
        values = np.moveaxis(values, 1, 3)
        notes.append(f"The channels of '{name}' stood before the height and were moved to the end.")
    if values.shape[3] == 4:
        values = values[..., :3]
        notes.append(f"The fourth channel of '{name}' (transparency) was left out.")
    # Bytes stay as they are; other numbers are scaled by one span for all, which new pictures will share.
    finite = _finite(values)
    if values.dtype == np.uint8:
        images, used = np.ascontiguousarray(values, np.uint8), None
    else:
        used = span or _span(values, finite)
        images = _scaled(values, finite, used)
        notes.append(
            f"The values of '{name}' ({values.dtype}) were scaled: {used[0]:g} is black, {used[1]:g} is white."
        )
    return Pictures(
        images,
        names=np.array([str(position) for position in range(1, len(images) + 1)], object),
        problems=np.where(finite, "", "holds NaN or infinity").astype(object),
        rows=np.arange(1, len(images) + 1),
        labels=texts,
        notes=tuple(notes),
        span=used,
    )


def as_labels(values: NDArray[np.generic], name: str = "y") -> NDArray[np.object_]:
    """Return labels as text, None where one is missing.

    Args:
        values: shape (n,), (n, 1), or (n, k) with a single 1 in each row (one-hot).
        name: what the array is called in messages.

    Raises:
        DataError: another shape, or rows of several columns that are not one-hot.

    Example:
        >>> as_labels(np.array([[0, 1], [1, 0]])).tolist(), as_labels(np.array([3.0, np.nan, 0.25])).tolist()
        (['1', '0'], ['3', None, '0.25'])
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and values.dtype.kind in "buif":
        one_hot = np.isin(values, (0, 1)).all() and (values.astype(np.int64).sum(axis=1) == 1).all()
        if not one_hot:
            raise DataError(
                f"'{name}' has {values.shape[1]} columns and is not one-hot (a single 1 in each row). "
                "Give one label for each image."
            )
        values = values.argmax(axis=1)
    if values.ndim != 1:
        raise DataError(f"'{name}' has the shape {values.shape}. Give one label for each image.")
    # Each distinct label is written once as text, however many images carry it.
    distinct, codes = np.unique(values, return_inverse=True)
    return np.array([*(_text(value) for value in distinct), None], object)[codes]


def joined(parts: Sequence[Pictures]) -> Pictures:
    """Return several sets of pictures of one shape as one, in rows that count on, each note once."""
    labels = [np.full(len(part), None, object) if part.labels is None else part.labels for part in parts]
    return Pictures(
        images=np.concatenate([part.images for part in parts]),
        names=np.concatenate([part.names for part in parts]),
        problems=np.concatenate([part.problems for part in parts]),
        rows=np.arange(1, sum(map(len, parts)) + 1),
        labels=np.concatenate(labels) if any(part.labels is not None for part in parts) else None,
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _text(value: np.generic) -> str | None:
    plain = value.item()
    if isinstance(plain, bytes):
        return plain.decode("utf-8", "replace")
    if isinstance(plain, float):
        return None if plain != plain else f"{plain:.15g}"
    return str(plain).strip() or None


def _finite(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return which images hold only finite numbers, shape (n,)."""
    if values.dtype.kind != "f":
        return np.ones(len(values), bool)
    blocks = range(0, len(values), _BLOCK)
    return np.concatenate([np.isfinite(values[start : start + _BLOCK]).all(axis=(1, 2, 3)) for start in blocks])


def _span(values: NDArray[np.generic], finite: NDArray[np.bool_]) -> Span:
    """Return the values taken for black and white: 0 to 1, 0 to 255 or -1 to 1 where they fit, else the range found."""
    # Block by block: a copy of the whole stack might not fit the memory.
    extremes = []
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK][finite[start : start + _BLOCK]]
        if block.size:
            extremes += [float(block.min()), float(block.max())]
    low, high = min(extremes, default=0.0), max(extremes, default=1.0)
    # A usual span is taken where the values fit it: a dark picture then stays dark.
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low >= 0:
        return 0.0, 255.0 if 128 <= high <= 255 else high
    if low >= -1 and high <= 1:
        return -1.0, 1.0
    return low, high


def _scaled(values: NDArray[np.generic], finite: NDArray[np.bool_], span: Span) -> NDArray[np.uint8]:
    # A span of one value has no contrast to stretch.
    low, high = span
    images = np.zeros(values.shape, np.uint8)
    factor = 255.0 / (high - low) if high > low else 0.0
    for start in range(0, len(values), _BLOCK):
        part = slice(start, start + _BLOCK)
        block = values[part].astype(np.float64)
        block[~finite[part]] = low
        images[part] = np.rint(np.clip((block - low) * factor, 0, 255))
    return images


def stacked(pictures: Sequence[NDArray[np.uint8] | None], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return pictures of one size as one array, shape (n, h, w, c); zeros where there is no picture.

    Args:
        pictures: arrays of shape (h, w, 1 or 3), None where there is none.
        shape: (h, w, c); or (h, w): 3 channels where one picture has colour, else 1.
    """
    if len(shape) == 2:
        shape = (*shape, max((picture.shape[2] for picture in pictures if picture is not None), default=1))
    images = np.zeros((len(pictures), *shape), np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        if picture is not None:
            image[...] = picture
    return images
