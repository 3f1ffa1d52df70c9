"""Many picture files to one stack: a common size is found, and what cannot be read keeps its place as a problem."""

from __future__ import annotations

import dataclasses
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import counted, listed
from amalthea.domains.images.pictures import (
    TOGETHER,
    Decoding,
    fit_picture,
    in_bytes,
    is_picture_name,
    open_picture,
    picture_size,
)
from amalthea.domains.images.stack import Pictures, Span, stacked
from amalthea.errors import DataError

LONGEST_SIDE = 64
"""Pictures for training are made smaller until their longer side has this many pixels, unless a size is asked for."""

LOST = 3.0
"""Where pictures are made smaller by more than this factor, it is said what may be lost."""

OUTLYING = 2.0
"""How many times the highest of 10,000 values the highest of all may be; else it is a defect of the camera."""

Prepare = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""From the pixels of a picture as it is, (h, w, 1 or 3), to those that a model reads; DataError says why not."""

Answer = TypeVar("Answer")


def read_files(
    paths: Sequence[Path | str],
    names: Sequence[str],
    shape: tuple[int, int, int] | None = None,
    prepare: Prepare | None = None,
    decoding: Decoding | None = None,
) -> Pictures:
    """Read picture files; one that cannot be read keeps its place, with the reason.

    Args:
        paths: n files; instead of a path a text may say why there is none.
        names: what each is called for the user.
        shape: the height, width and channels that all shall have; None: found from the pictures themselves, and said,
            with 1 channel where no picture has colour, else 3.
        prepare: makes each picture ready, of that shape, instead of a change of its size and channels.
        decoding: how deep pictures and stacks are read; None: deep ones by one range for all. Its `side` is the longer
            side where `shape` is None.
    """
    decoding = decoding or Decoding(intensity=TOGETHER)
    # What Pillow warns of is in the notes and problems. Around all threads, because the filters are common to them.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        longest = decoding.side or LONGEST_SIDE
        here = [path for path in paths if isinstance(path, Path)]
        size, notes = (shape[:2], ()) if shape else _common_size(here, longest)
        # Strokes are looked for in a picture as it is; else a large one need not be decoded whole.
        decoding = dataclasses.replace(decoding, side=None if prepare else max(size))

        def read(path: Path | str) -> tuple[NDArray[Any] | None, tuple[str, ...], str]:
            if isinstance(path, str):
                return None, (), path
            try:
                picture = open_picture(path, decoding)
                pixels: NDArray[Any] = picture.pixels
                if prepare and pixels.dtype != np.uint8:
                    pixels = in_bytes(pixels, (float(pixels.min()), float(pixels.max())))
                wanted = shape or (*size, pixels.shape[2])
                fitted = prepare(pixels) if prepare else fit_picture(pixels, wanted)
            except DataError as error:
                return None, (), str(error)
            return fitted, picture.notes, ""

        answers = _each(read, paths)
    pictures, span = _exposed([fitted for fitted, _, _ in answers], decoding.span)
    if span and decoding.span is None and shape is None:
        notes += (f"One range for all deep pictures: {span[0]:.6g} is black, {span[1]:.6g} is white (--intensity).",)
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
        notes=(*notes, *(f"{counted(number, 'picture')}: {note}." for note, number in _alike(converted).items())),
        span=span,
    )


def _alike(converted: Counter[str]) -> Counter[str]:
    """Return remarks that differ in their first number only as one, with the least and the largest."""
    kinds: dict[str, list[str]] = {}
    for note in converted:
        kinds.setdefault(re.sub(r"\d+", "#", note, count=1), []).append(note)
    merged: Counter[str] = Counter()
    for kind, notes in kinds.items():
        numbers = sorted(int(digits[0]) for note in notes if (digits := re.findall(r"\d+", note)))
        span = f"{numbers[0]} to {numbers[-1]}" if len(notes) > 1 else ""
        merged[kind.replace("#", span, 1) if span else notes[0]] = sum(converted[note] for note in notes)
    return merged


def _exposed(
    pictures: Sequence[NDArray[Any] | None], span: Span | None
) -> tuple[list[NDArray[np.uint8] | None], Span | None]:
    """Return deep pictures as bytes by one range of values for all, and that range; None where there are none."""
    deep = [picture for picture in pictures if picture is not None and picture.dtype != np.uint8]
    if deep and span is None:
        values = np.concatenate([picture.ravel() for picture in deep])
        low, high, most = float(values.min()), float(values.max()), float(np.quantile(values, 0.9999))
        # A few pixels that always shine would make all others black.
        span = low, high if high - low <= OUTLYING * (most - low) or most <= low else most
    if span is None:
        return list(pictures), None
    used = span
    return [
        picture if picture is None or picture.dtype == np.uint8 else in_bytes(picture, used) for picture in pictures
    ], span


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
    """Say whether a file or folder is hidden, or left by an archiver, a file server or a system."""
    return name.startswith((".", "$")) or name in ("__MACOSX", "@eaDir", "System Volume Information")


def _common_size(paths: Sequence[Path], longest: int) -> tuple[tuple[int, int], tuple[str, ...]]:
    """Return the height and width for all: the most frequent, else the median, made smaller to `longest`."""

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
    shrink = min(1.0, longest / max(size))
    height, width = (max(1, round(side * shrink)) for side in size)
    changed = sizes.total() - sizes[(height, width)]
    if not changed:
        return (height, width), ()
    most = listed((f"{w} x {h} ({n:,})" for (h, w), n in sizes.most_common()), most=3)
    verb = "was" if changed == 1 else "were"
    limit = f" (the longer side at most {longest}; --size N)" if shrink < 1 else ""
    note = f"{counted(changed, 'picture')} {verb} resized to {width} x {height} pixels{limit}; sizes found: {most}."
    if shrink * LOST < 1:
        note += (
            f" What is smaller than about {2 / shrink:.0f} pixels is lost: if the answers are no better than chance, "
            f"that may be why; --size {min(4 * longest, max(size))} keeps more."
        )
    return (height, width), (note,)


def _each(call: Callable[..., Answer], items: Sequence[Path | str]) -> list[Answer]:
    """Return what `call` returns for each item, in their order, from a few threads: Pillow decodes beside Python."""
    pool = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1))
    try:
        return list(pool.map(call, items))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
