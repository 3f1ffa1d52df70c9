"""Stacks of images in files: NumPy's .npy and .npz, in Keras's layout and others' names, and rows of text."""

from __future__ import annotations

import dataclasses
import math
import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import listed
from amalthea.domains.images.stack import Pictures, Span, as_labels, from_array, is_stack, joined
from amalthea.errors import DataError

Header = tuple[tuple[int, ...], np.dtype[np.generic]]

_PARTS = {
    "train": (
        ("x_train", "train_x", "train_images", "images_train"),
        ("y_train", "train_y", "train_labels", "labels_train"),
    ),
    "validation": (("x_val", "val_x", "val_images", "x_valid"), ("y_val", "val_y", "val_labels", "y_valid")),
    "test": (("x_test", "test_x", "test_images", "images_test"), ("y_test", "test_y", "test_labels", "labels_test")),
}
SMALLEST_SIDE = 8
"""Of a square picture that was flattened."""

_IMAGES = ("x", "images", "image", "pictures", "data", "arr_0")
_LABELS = ("y", "labels", "label", "target", "targets", "classes", "arr_1")


def holds_stack(path: Path) -> bool:
    """Say whether an .npz or .npy file holds an array that can be a stack of images; only headers are read."""
    try:
        return any(is_stack(shape) and kind.kind in "buif" for shape, kind in _headers(path).values())
    except (DataError, OSError):
        return False


def holds_rows(path: Path) -> bool:
    """Say whether an .npz or .npy file holds rows of numbers and nothing that can be pictures, not even flat ones."""
    try:
        shapes = [shape for shape, kind in _headers(path).values() if kind.kind in "buif"]
    except (DataError, OSError):
        return False
    flat = [shape for shape in shapes if len(shape) == 2 and shape[1] > 1]
    return bool(flat) and not any(is_stack(shape) or (len(shape) == 2 and _side(shape[1])) for shape in shapes)


def _side(pixels: int) -> int:
    """Return the side of a square picture of so many pixels, 0 for what is none."""
    side = math.isqrt(pixels)
    return side if side >= SMALLEST_SIDE and side**2 == pixels else 0


def read_archive(path: Path, span: Span | None = None) -> Pictures:
    """Read the images of an .npz or .npy file, with labels and a test set where it has them.

    Args:
        path: x_train, y_train, x_test, y_test as Keras writes them (or train_images and so on; validation images are
            added to the training images where there is a test set, else they are it), or images and labels alone.
        span: the numbers that stand for black and white; None: found from the training images, for all parts.

    Raises:
        DataError: damaged, pickled objects, no images, or labels that do not match the images in number.
    """
    headers = _headers(path)
    if path.suffix.lower() == ".npy":
        if len(headers["x"][0]) == 1:
            raise DataError(f"{path} holds labels and no images. Give the file of images, called like X_train.npy.")
        return _with_companions(path, _plain_part(path, headers, span), span)
    train = _part(path, headers, *_PARTS["train"], span) or _plain_part(path, headers, span)
    span = train.span or span
    validation, test = (_part(path, headers, *_PARTS[part], span) for part in ("validation", "test"))
    if test is None:
        test, validation = validation, None
    try:
        if validation is not None:
            if train.shape != validation.shape or (train.labels is None) != (validation.labels is None):
                raise DataError(f"two parts do not fit together: images of {train.shape} and of {validation.shape}.")
            note = f"The {len(validation):,} validation images were added to the training images."
            both, notes = joined([train, validation]), (*train.notes, note)
            train = dataclasses.replace(both, names=both.rows.astype(str).astype(object), notes=notes, span=train.span)
        if test is not None and test.shape != train.shape:
            raise DataError(f"the training images have the shape {train.shape}, and the test images {test.shape}.")
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return dataclasses.replace(train, test=test)


def _with_companions(path: Path, pictures: Pictures, span: Span | None) -> Pictures:
    """Return the images of an .npy with the labels and the test set that lie beside it, such as y_train.npy."""
    labels = _beside(path, _LABEL_WORDS)
    if labels is not None:
        texts = as_labels(_array(labels, "x"), labels.name)
        if len(texts) != len(pictures):
            raise DataError(f"{path} holds {len(pictures):,} images and {labels.name} {len(texts):,} labels.")
        pictures = dataclasses.replace(
            pictures,
            labels=texts,
            notes=(f"The labels were taken from {labels.name}, which lies beside.", *pictures.notes),
        )
    test = _beside(path, (("train", "test"),))
    if test is None or not holds_stack(test):
        return pictures
    return dataclasses.replace(pictures, test=_with_companions(test, _plain_part(test, _headers(test), span), span))


_LABEL_WORDS = (("images", "labels"), ("data", "labels"), ("x", "y"), ("x", "labels"), ("features", "labels"))


def _beside(path: Path, words: Iterable[tuple[str, str]]) -> Path | None:
    """Return the file that is called the same but for a word, whatever its case."""
    there = {other.name.lower(): other for other in path.parent.glob("*.npy")}
    for word, other in words:
        name = re.sub(rf"(?<![a-z]){word}(?![a-z])", other, path.name.lower(), count=1)
        if name != path.name.lower() and name in there:
            return there[name]
    return None


def _plain_part(path: Path, headers: dict[str, Header], span: Span | None) -> Pictures:
    """Return images, and labels if there are any, from arrays that are called so, or from the only stack there is."""
    stacks = tuple(name for name, (shape, kind) in headers.items() if is_stack(shape) and kind.kind in "buif")
    pictures = _part(path, headers, _IMAGES, _LABELS, span)
    if pictures is None and len(stacks) == 1:
        # The only other array of as many numbers or words is that of the labels, whatever it is called.
        count = headers[stacks[0]][0][0]
        others = tuple(name.lower() for name, (shape, _) in headers.items() if shape in ((count,), (count, 1)))
        pictures = _part(path, headers, (stacks[0].lower(),), others if len(others) == 1 else _LABELS, span)
    if pictures is None:
        there = listed(f"{name} {shape}" for name, (shape, _) in headers.items())
        raise DataError(
            f"{path} holds no arrays called x_train and y_train, or x and y, that are images. It holds: {there}. "
            "Save the images as x_train, shape (images, height, width) or with 1 or 3 channels behind, and their "
            "labels as y_train."
        )
    return pictures


def _part(
    path: Path, headers: dict[str, Header], images: tuple[str, ...], labels: tuple[str, ...], span: Span | None
) -> Pictures | None:
    image_name, label_name = _named(headers, images), _named(headers, labels)
    if image_name is None:
        return None
    values = _array(path, image_name)
    if values.ndim == 2 and (side := _side(values.shape[1])):
        values = values.reshape(-1, side, side)  # pictures that were flattened
    try:
        return from_array(values, None if label_name is None else _array(path, label_name), span, image_name)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _named(headers: dict[str, Header], names: tuple[str, ...]) -> str | None:
    lowered = {name.lower(): name for name in headers}
    return next((lowered[name] for name in names if name in lowered), None)


def _array(path: Path, name: str) -> NDArray[np.generic]:
    try:
        if path.suffix.lower() == ".npy":
            array: NDArray[np.generic] = np.load(path, allow_pickle=False)
        else:
            with np.load(path, allow_pickle=False) as archive:
                array = archive[name]
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: the array '{name}' is damaged ({error}). Write the file anew.") from error
    return array


def _headers(path: Path) -> dict[str, Header]:
    """Return the shape and type of each array, checked against the bytes that there are; no data are read.

    Raises:
        DataError: not NumPy's format, or pickled objects.
    """
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as stream:
                return {"x": _header(stream, path.stat().st_size, path)}
        with zipfile.ZipFile(path) as archive:
            headers = {}
            for member in archive.infolist():
                if member.filename.endswith(".npy"):
                    with archive.open(member) as stream:
                        headers[member.filename.removesuffix(".npy")] = _header(stream, member.file_size, path)
            return headers
    except (ValueError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged or is no file of NumPy ({error}). Write it anew.") from error


def _header(stream: IO[bytes], size: int, path: Path) -> Header:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(stream)
    if kind.hasobject:
        raise DataError(
            f"{path} holds Python objects, which can run code when they are opened. Save plain arrays: images as "
            "uint8 in one array, labels as numbers or text."
        )
    if math.prod(shape) * kind.itemsize > size:
        raise DataError(f"{path} is damaged: an array is said to be {shape} {kind}, which is more than the file holds.")
    return shape, kind
