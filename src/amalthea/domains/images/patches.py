"""What an answer about a picture hangs on: the change when a patch of it is covered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.images.drawing import png
from amalthea.domains.protocol import Featurizer

PATCHES = 14
"""Patches along each edge."""

READING = (
    "{target}: blue patches speak for the answer, orange ones against it: each was covered with the picture's "
    "median, and the networks that never saw the picture were asked again."
)

UP, DOWN = np.array([86.0, 180.0, 233.0]), np.array([230.0, 159.0, 0.0])


def without_patches(featurizer: Featurizer, example: pd.Series[Any]) -> NDArray[np.uint8]:
    """Return the features of a picture, and then those with each of its patches covered, shape (1 + patches, ...).

    Source: Zeiler and Fergus, ECCV 2014, section 4.2.
    """
    picture = np.asarray(example["image"], np.uint8)
    variants = pd.DataFrame({"image": pd.Series([picture, *_covered(picture)], dtype=object)})
    features: NDArray[np.uint8] = featurizer.transform(variants)[0]
    return features


def coloured(example: pd.Series[Any], contributions: NDArray[np.float64], point: str) -> str:  # noqa: ARG001
    """Return the picture in grey under its patches' colours, as PNG."""
    picture = np.asarray(example["image"], np.uint8)
    shape = [min(PATCHES, size) for size in picture.shape[:2]]
    return png([overlaid(picture, contributions.reshape(shape))])[0]


def _covered(picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the picture with each of its patches covered in turn."""
    rows, columns = (np.array_split(np.arange(size), min(PATCHES, size)) for size in picture.shape[:2])
    # the picture's own median hides a patch without adding an edge of a foreign brightness
    middle = np.median(picture, axis=(0, 1)).astype(np.uint8)
    covered = []
    for row in rows:
        for column in columns:
            changed = picture.copy()
            changed[row[0] : row[-1] + 1, column[0] : column[-1] + 1] = middle
            covered.append(changed)
    return covered


def overlaid(picture: NDArray[np.uint8], contributions: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the picture in grey under its patches' colours."""
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
    return (
        np.asarray((1 - weight) * (0.6 * grey[..., None] + 80) + weight * colour, np.float64)
        .clip(0, 255)
        .astype(np.uint8)
    )
