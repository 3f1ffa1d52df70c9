"""Many picture files to one stack: a common size is found, and what cannot be read keeps its place as a problem."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import counted, listed
from amalthea.domains.images.pictures import fit_picture, is_picture_name, open_picture, picture_size
from amalthea.domains.images.stack import Pictures, stacked
from amalthea.errors import DataError

LONGEST_SIDE = 64
"""Pictures for training are made smaller until their longer side has this many pixels."""

Prepare = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""From the pixels of a picture as it is, (h, w, 1 or 3), to those that a model reads; DataError says why not."""

Answer = TypeVar("Answer")


def read_files(
    paths: Sequence[Path | str],
    names: Sequence[str],
    shape: tuple[int, int, int] | None = None,
    prepare: Prepare | None = None,
) -> Pictures:
    """Read picture files; one that cannot be read keeps its place, with the reason.

    Args:
        paths: n files; instead of a path a text may say why there is none.
        names: what each is called for the user.
        shape: the height, width and channels that all shall have; None: found from the pictures themselves, and said,
            with 1 channel where no picture has colour, else 3.
        prepare: makes each picture ready, of that shape, instead of a change of its size and channels.
    """
    # What Pillow warns of is in the notes and problems. Around all threads, because the filters are common to them.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        size, notes = (shape[:2], ()) if shape else _common_size([path for path in paths if isinstance(path, Path)])

        def read(path: Path | str) -> tuple[NDArray[np.uint8] | None, tuple[str, ...], str]:
            if isinstance(path, str):
                return None, (), path
            try:
                picture = open_picture(path)
                pixels = picture.pixels
                wanted = shape or (*size, pixels.shape[2])
                fitted = prepare(pixels) if prepare else fit_picture(pixels, wanted)
            except DataError as error:
                return None, (), str(error)
            return fitted, picture.notes, ""

        answers = _each(read, paths)
    pictures = [fitted for fitted, _, _ in answers]
    images = stacked(pictures, shape or size)
    converted = Counter(note for _, remarks, _ in answers for note in remarks)
    colourless = sum(picture is not None and picture.shape[2] < images.shape[3] for picture in pictures)
    if colourless:
        converted["without colour, converted to RGB because others have colour"] = colourless
    return Pictures(
        images,
        names=np.array(names, object),
        problems=np.array([problem for _, _, problem in answers], object),
        rows=np.arange(1, len(images) + 1),
        notes=(*notes, *(f"{counted(number, 'picture')}: {note}." for note, number in converted.items())),
    )


def pictures_in(folder: Path) -> tuple[list[Path], int]:
    """Return the pictures in a folder and in those within it, sorted, and the number of other files.

    Hidden files and folders are passed over; they count among the others.
    """
    kept, others = [], 0
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not hidden(name))
        paths = [Path(directory, name) for name in files]
        pictures = [path for path in paths if is_picture_name(path)]
        kept += pictures
        others += len(paths) - len(pictures)
    return sorted(kept), others


def hidden(name: str) -> bool:
    """Say whether a file or folder is hidden, or left by a Mac's archiver."""
    return name.startswith(".") or name == "__MACOSX"


def _common_size(paths: Sequence[Path]) -> tuple[tuple[int, int], tuple[str, ...]]:
    """Return the height and width for all: the most frequent, else the median, made smaller to `LONGEST_SIDE`."""

    def measured(path: Path) -> tuple[int, int] | None:
        try:
            return picture_size(path)
        except DataError:
            return None

    sizes = Counter(size for size in _each(measured, paths) if size)
    if not sizes:
        return (1, 1), ()
    (size, number), *_ = sizes.most_common(1)
    if number * 4 < sizes.total() or (number == 1 and len(sizes) > 1):
        height, width = np.median(list(sizes.elements()), axis=0)
        size = (round(float(height)), round(float(width)))
    shrink = min(1.0, LONGEST_SIDE / max(size))
    height, width = (max(1, round(side * shrink)) for side in size)
    changed = sizes.total() - sizes[(height, width)]
    if not changed:
        return (height, width), ()
    most = listed((f"{w} x {h} ({n:,})" for (h, w), n in sizes.most_common()), most=3)
    verb = "was" if changed == 1 else "were"
    limit = f" (the longer side at most {LONGEST_SIDE})" if shrink < 1 else ""
    note = f"{counted(changed, 'picture')} {verb} resized to {width} x {height} pixels{limit}; sizes found: {most}."
    return (height, width), (note,)


def _each(call: Callable[..., Answer], items: Sequence[Path | str]) -> list[Answer]:
    """Return what `call` returns for each item, in their order, from a few threads: Pillow decodes beside Python."""
    pool = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1))
    try:
        return list(pool.map(call, items))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
