"""Pictures to be predicted, in whatever form they come, each brought to the shape that a model reads."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import counted, listed, shortened
from amalthea.domains.images import packages
from amalthea.domains.images.archives import read_archive
from amalthea.domains.images.files import Prepare, read_files
from amalthea.domains.images.folders import idx_in, labelled_in
from amalthea.domains.images.idx import holds_images, is_idx
from amalthea.domains.images.photo import is_light_on_black
from amalthea.domains.images.picture_sets import read_labelled_idx
from amalthea.domains.images.pictures import Decoding, fit_picture, is_picture_name
from amalthea.domains.images.pixel_tables import layout_of, read_pixel_table
from amalthea.domains.images.stack import Pictures, Span, from_array, joined, stacked
from amalthea.errors import DataError


def read_inputs(
    source: Any,
    shape: tuple[int, int, int],
    prepare: Prepare | None = None,
    span: Span | None = None,
    decoding: Decoding | None = None,
    label_from_name: bool = False,
) -> Pictures:
    """Read pictures to be predicted, each brought to a model's shape; one that cannot be used keeps its place.

    Args:
        source: a picture file, a folder of pictures, a file with a stack of images, an array (one image or a stack), or
            a list of arrays of one image and of paths.
        shape: the height, width and channels that the model reads.
        prepare: makes each picture ready, instead of a change of its size and channels.
        span: what `Pictures.span` was for the training set: the numbers that stand for black and white.
        decoding: how deep pictures and stacks of frames are read.
        label_from_name: the class of a picture in a folder stands in its name.

    Raises:
        DataError: there is no such file, or nothing in it is a picture.
    """
    reader = _Reader(shape, prepare, span, decoding or Decoding(span=span), label_from_name)
    if isinstance(source, str | Path):
        return reader.at(Path(source))
    return reader.from_array(source) if isinstance(source, np.ndarray) else reader.from_list(list(source))


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Reads pictures in the form that a model knows; see `read_inputs`."""

    shape: tuple[int, int, int]
    prepare: Prepare | None
    span: Span | None
    decoding: Decoding
    label_from_name: bool

    def at(self, path: Path) -> Pictures:
        """Return the picture in a file, or all those in a folder or a stack."""
        if not path.exists():
            raise DataError(f"no such file or folder: {shortened(str(path), 200)}.")
        if path.is_dir():
            return self._in_folder(path)
        if path.suffix.lower() == ".zip":
            with packages.unpacked(path) as folder:
                return self._in_folder(folder)
        if is_picture_name(path):
            return read_files([path], [path.name], self.shape, self.prepare, self.decoding)
        return self._made_ready(_stack_in(path, self.span))

    def from_array(self, values: NDArray[Any]) -> Pictures:
        """Return an array as a stack; (h, w), and (h, w, c) with 1, 3 or 4 channels, are one image.

        What has the model's own shape behind its first axis, and not itself, is a stack.
        """
        forms = (self.shape, self.shape[:2]) if self.shape[2] == 1 else (self.shape,)
        stack = values.shape[1:] in forms and values.shape not in forms
        single = values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (1, 3, 4) and not stack)
        return self._made_ready(from_array(values[None] if single else values, span=self.span, name="the array"))

    def from_list(self, items: list[Any]) -> Pictures:
        """Return the pictures of arrays and paths in their order; what is neither is a problem of its row."""
        if all(isinstance(item, str | Path) and _is_one_picture(Path(item)) for item in items):
            return read_files(
                [Path(item) for item in items], [str(item) for item in items], self.shape, self.prepare, self.decoding
            )
        numbered = enumerate(items, start=1)
        return joined([self._path(i) if isinstance(i, str | Path) else self._array(i, str(n)) for n, i in numbered])

    def _in_folder(self, path: Path) -> Pictures:
        """Return the pictures in a folder, with the names of class folders as labels; or those of its IDX file."""
        stacks = idx_in(path)
        if stacks:
            test = [stack for stack in stacks if "train" not in stack.name.lower()]
            if len(test or stacks) > 1:
                names = listed(stack.name for stack in stacks)
                raise DataError(f"{path} holds several IDX files of images: {names}. Give one.")
            return self._made_ready(_stack_in((test or stacks)[0], self.span))
        paths, labels = labelled_in(path, self.label_from_name)
        if not paths:
            raise DataError(f"{path} holds no pictures (PNG, JPEG, TIFF, BMP, GIF, WebP).")
        pictures = read_files(
            paths, [p.relative_to(path).as_posix() for p in paths], self.shape, self.prepare, self.decoding
        )
        return dataclasses.replace(pictures, labels=np.array(labels, object) if any(labels) else None)

    def _made_ready(self, given: Pictures) -> Pictures:
        """Return a stack in the model's shape; what has it already, and handwriting's polarity, is taken as it is."""
        if given.shape == self.shape and self.prepare is None:
            return given
        ready = self.prepare or partial(fit_picture, shape=self.shape)
        problems = given.problems.copy()
        pictures: list[NDArray[np.uint8] | None] = []
        for index, image in enumerate(given.images):
            pictures.append(image if given.shape == self.shape and is_light_on_black(image) else None)
            if pictures[index] is None and not problems[index]:
                try:
                    pictures[index] = ready(image)
                except DataError as error:
                    problems[index] = str(error)
        return dataclasses.replace(given, images=stacked(pictures, self.shape), problems=problems)

    def _path(self, path: str | Path) -> Pictures:
        """Return what `at` returns, called by the path; what cannot be read as one problem."""
        if _is_one_picture(Path(path)):
            return read_files([Path(path)], [str(path)], self.shape, self.prepare, self.decoding)
        try:
            pictures = self.at(Path(path))
        except DataError as error:
            return read_files([str(error)], [str(path)], self.shape)
        return dataclasses.replace(pictures, names=np.array([f"{path}/{name}" for name in pictures.names], object))

    def _array(self, values: Any, name: str) -> Pictures:
        """Return one array as a stack of one."""
        try:
            one = self.from_array(np.asarray(values))
            problem = "" if len(one) == 1 else f"is a stack of {len(one):,} images, where one is expected"
        except (DataError, ValueError) as error:
            problem = str(error)
        if problem:
            return read_files([problem], [name], self.shape)
        return dataclasses.replace(one, names=np.array([name], object))


def _stack_in(path: Path, span: Span | None) -> Pictures:
    """Return the images of a file, with their labels if they are there; those of the test set where it has one."""
    if layout_of(path) is not None:
        return read_pixel_table(path, span=span)[0]
    if path.suffix.lower() == ".parquet":
        return packages.read_parquet(path)[0]
    if path.suffix.lower() in (".npz", ".npy"):
        pictures = read_archive(path, span)
        if pictures.test is None:
            return pictures
        note = (
            f"{path.name} holds training and test images; the {counted(len(pictures.test), 'test image')} were taken."
        )
        return dataclasses.replace(pictures.test, notes=(*pictures.test.notes, note))
    if is_idx(path) and holds_images(path):
        return read_labelled_idx(path, span)
    raise DataError(f"{path} is no picture, no IDX file of images, and no .npz or .npy file. Give one, or a folder.")


def _is_one_picture(path: Path) -> bool:
    return not path.is_dir() and (is_picture_name(path) or not path.exists())
