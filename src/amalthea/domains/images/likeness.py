"""Pictures that are no independent examples: near copies of one another, and frames of one series."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets import splits
from amalthea.datasets.columns import natural_order
from amalthea.datasets.messages import listed

SIDE = 16
"""Pictures are compared by so many rows and columns of means, without regard to brightness and contrast."""

NEAR = 0.08
"""The distance below which two pictures are near copies: 2 is the largest, no two of 8,000 of MNIST are so near ..."""

SHADE = 8.0
"""... and by so many of 255 levels their colours may differ in the mean of the squares."""

MOST = 10_000
"""Near copies are looked for among at most so many pictures."""

CLOSER = 0.6
"""How near consecutive pictures of a series must be, in parts of what is usual between series of a class."""

LARGEST = 0.1
"""The largest group, as a part of all pictures: a longer one is cut into runs, or a fold would hold a whole class."""

KEEP = "series"
"""The word of `keep` that leaves near copies and series apart."""


def series_of(name: str) -> str:
    """Return a picture's name without its last number: the series that it is a frame of.

    Example:
        >>> [series_of(name) for name in ("sick/clip00_007.png", "scan (3).png", "cat.12.jpg", "rose.png")]
        ['sick/clip00', 'scan', 'cat', 'rose']
    """
    return re.sub(r"[\W_]*\d+\)?$", "", re.sub(r"\.\w{2,4}$", "", name))


def alike(
    images: NDArray[np.uint8], names: Sequence[str], labels: Sequence[str], copies: NDArray[np.int64]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return a group for each picture, shape (n,), in which near copies and frames of one series are together.

    Args:
        images: shape (n, h, w, c).
        names: n names.
        labels: n classes or numbers, as text.
        copies: shape (n,): the groups of pictures that are the same.

    Returns:
        The groups, and what is to be said of them.
    """
    if not 2 < len(images) <= MOST:
        return copies, ()
    small = _small(images)
    shapes = _shapes(small)
    near = splits.together(copies, _near_copies(small, shapes))
    series, count = _series(shapes, names, labels)
    notes = []
    if joined := len(np.unique(copies)) - len(np.unique(near)):
        noun = "picture is" if joined == 1 else "pictures are"
        notes.append(
            f"{joined:,} {noun} nearly the same as another one; near copies share a fold (--keep {KEEP} parts them)."
        )
    if count:
        shown = listed(natural_order({series_of(name) for name in names}), 3)
        notes.append(
            f"The names tell {count:,} series ({shown}), and the pictures of one are much alike, as frames of a film "
            f"are: they share a fold (--keep {KEEP} parts them)."
        )
    groups = splits.together(near, series)
    cut, most = _cut(groups)
    if len(np.unique(cut)) > len(np.unique(groups)):
        notes.append(
            f"Longer series were cut into runs of {most:,} pictures: where runs meet, the figures still flatter."
        )
    return splits.together(copies, cut), tuple(notes)


def _small(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return means of patches, shape (n, rows, columns, c), at most `SIDE` rows and columns."""
    rows, columns = (np.linspace(0, size, min(SIDE, size), endpoint=False).astype(int) for size in images.shape[1:3])
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.float32), rows, axis=1), columns, axis=2)
    sizes = np.outer(np.diff(np.append(rows, images.shape[1])), np.diff(np.append(columns, images.shape[2])))
    return np.asarray(sums / sizes[None, :, :, None], np.float32)


def _shapes(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return pictures without brightness and contrast: vectors of mean 0 and length 1; 0 where there is nothing."""
    grey = small.mean(axis=3).reshape(len(small), -1)
    centred = grey - grey.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(np.where(length > np.sqrt(centred.shape[1]), centred / np.maximum(length, 1e-6), 0), np.float32)


def _near_copies(small: NDArray[np.float32], shapes: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return groups of pictures that are near copies, directly or through others, shape (n,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    flat = small.reshape(len(small), -1)
    pairs = []
    for start in range(0, len(shapes), 1_000):
        # Of vectors of length 1, |a - b|² = 2 - 2 a·b.
        first, second = np.nonzero(shapes[start : start + 1_000] @ shapes.T > 1 - NEAR**2 / 2)
        first, second = first[second > first + start] + start, second[second > first + start]
        same = np.sqrt(np.mean((flat[first] - flat[second]) ** 2, axis=1)) < SHADE
        pairs.append(np.stack([first[same], second[same]]))
    one, other = np.concatenate(pairs, axis=1)
    links = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(len(flat),) * 2)
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def _series(shapes: NDArray[np.float32], names: Sequence[str], labels: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Return the series of each picture, and how many there are; every picture alone and 0 where names tell of none.

    Names alone prove nothing (all cats may be called cat.1, cat.2, ...): several series of a class are needed, and
    consecutive pictures of one must be much more alike than pictures of two.
    """
    alone = np.arange(len(names), dtype=np.int64)
    table = pd.DataFrame({"series": [series_of(name) for name in names], "label": list(labels)})
    members = table.groupby("series").indices
    long = {name: rows for name, rows in members.items() if len(rows) > 2}
    several = table[table["series"].isin(long)].groupby("label")["series"].nunique() > 1
    if sum(map(len, long.values())) < len(names) / 2 or not several.any():
        return alone, 0
    order = {name: position for position, name in enumerate(natural_order(set(names)))}
    inside, between = [], []
    generator = np.random.default_rng(0)
    for name, rows in long.items():
        ordered = sorted(rows, key=lambda row: order[names[row]])
        inside += np.linalg.norm(np.diff(shapes[ordered], axis=0), axis=1).tolist()
        others = np.flatnonzero((table["label"] == labels[rows[0]]) & (table["series"] != name))
        if len(others):
            drawn = generator.choice(others, len(rows))
            between += np.linalg.norm(shapes[rows] - shapes[drawn], axis=1).tolist()
    if not between or np.median(inside) > CLOSER * np.median(between):
        return alone, 0
    return splits.codes(table["series"]), len(long)


def _cut(groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return groups in which those of more than a tenth of all are cut into runs, and how long a run is."""
    most = max(2, int(LARGEST * len(groups)))
    frame = pd.DataFrame({"group": groups})
    run = frame.groupby("group").cumcount() // most
    return np.asarray(frame.assign(run=run).groupby(["group", "run"], sort=False).ngroup(), np.int64), most
