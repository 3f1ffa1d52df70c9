"""Pictures made small, as PNG in a data URI; and the patches of one on which an answer hangs."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.images.pictures import pillow
from amalthea.domains.protocol import Featurizer

THUMBNAIL = 64
"""The most pixels along an edge."""

PATCHES = 14
"""Patches along each edge."""

READING = (
    "{target}: blue patches speak for the answer, orange ones against it: each was covered with the picture's "
    "median, and the networks that never saw the picture were asked again."
)

UP, DOWN = np.array([86.0, 180.0, 233.0]), np.array([230.0, 159.0, 0.0])


def png(images: Sequence[NDArray[np.uint8]], columns: int = 1) -> tuple[str, int, int]:
    """Return pictures side by side in one, as a data URI, with the width and height of each.

    Args:
        images: each of shape (height, width) or (height, width, 1 or 3), 0 to 255; made small to 64 pixels.
        columns: how many stand in a row.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    library = pillow()
    tiles = [library.fromarray(np.squeeze(np.asarray(each, np.uint8))) for each in images]
    for tile in tiles:
        tile.thumbnail((THUMBNAIL, THUMBNAIL))
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    mode = "L" if all(tile.mode == "L" for tile in tiles) else "RGB"
    sheet = library.new(mode, (width * columns, height * -(-len(tiles) // columns)))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (width * (index % columns), height * (index // columns)))
    content = io.BytesIO()
    sheet.save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode(), width, height


def without_patches(featurizer: Featurizer, example: pd.Series[Any]) -> NDArray[np.uint8]:
    """Return the features of a picture, and then those with each of its patches covered, shape (1 + patches, ...).

    Source: Zeiler and Fergus, ECCV 2014, section 4.2.
    """
    picture = np.asarray(example["image"], np.uint8)
    rows, columns = (np.array_split(np.arange(size), min(PATCHES, size)) for size in picture.shape[:2])
    # the picture's own median hides a patch without adding an edge of a foreign brightness
    middle = np.median(picture, axis=(0, 1)).astype(np.uint8)
    variants = [picture]
    for row, column in itertools.product(rows, columns):
        covered = picture.copy()
        covered[row[0] : row[-1] + 1, column[0] : column[-1] + 1] = middle
        variants.append(covered)
    table = pd.DataFrame({"image": pd.Series(variants, dtype=object)})
    features: NDArray[np.uint8] = featurizer.transform(table)[0]
    return features


def coloured(example: pd.Series[Any], contributions: NDArray[np.float64], point: str) -> str:  # noqa: ARG001
    """Return the picture in grey under its patches' colours, as PNG."""
    picture = np.asarray(example["image"], np.uint8)
    contributions = contributions.reshape([min(PATCHES, size) for size in picture.shape[:2]])
    grey = np.squeeze(picture).astype(np.float64)
    grey = grey if grey.ndim == 2 else grey[..., :3].mean(axis=2)
    height, width = grey.shape
    largest = np.abs(contributions).max()
    shares = contributions / largest if largest > 0 else contributions
    up = np.arange(height) * contributions.shape[0] // height
    across = np.arange(width) * contributions.shape[1] // width
    shares = shares[up][:, across]
    colour = np.where(shares[..., None] > 0, UP, DOWN)
    weight = 0.75 * np.abs(shares)[..., None]
    overlaid = (1 - weight) * (0.6 * grey[..., None] + 80) + weight * colour
    return png([overlaid.clip(0, 255).astype(np.uint8)])[0]
