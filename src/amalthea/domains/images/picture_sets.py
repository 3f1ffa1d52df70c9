"""From what a user has to pictures with their labels: arrays in files, IDX files, folders, a column of paths."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from amalthea.datasets.columns import is_missing
from amalthea.datasets.messages import counted, listed
from amalthea.domains.images import packages
from amalthea.domains.images.archives import holds_rows, read_archive
from amalthea.domains.images.files import Prepare, read_files
from amalthea.domains.images.folders import DEEPEST, holds_pictures, idx_in, read_class_folders
from amalthea.domains.images.idx import companion, holds_images, is_idx, plain_name, read_idx
from amalthea.domains.images.lookup import Lookup
from amalthea.domains.images.pictures import Decoding, is_picture_name
from amalthea.domains.images.pixel_tables import layout_of
from amalthea.domains.images.stack import Pictures, Span, from_array
from amalthea.errors import DataError

_SAMPLE = 200  # paths of a column that are looked for on the disk


def claims(path: Path) -> bool:
    """Say whether only this domain can read a path; names and first bytes are looked at, nothing is decoded.

    Args:
        path: a picture, an IDX file, an .npz or .npy file, a .zip or .parquet with pictures, a table of pixels, or a
            folder with pictures in it or in the folders some levels below.

    Example:
        >>> claims(Path("cat.jpg")), claims(Path("solubility.csv"))
        (True, False)
    """
    if path.is_dir():
        return bool(idx_in(path)) or holds_pictures(path, levels=DEEPEST)
    if path.suffix.lower() in (".npz", ".npy"):
        return path.is_file() and not holds_rows(path)
    return is_picture_name(path) or is_idx(path) or packages.holds_pictures(path) or layout_of(path) is not None


def read_pictures(path: Path, decoding: Decoding | None = None, label_from_name: bool = False) -> Pictures:
    """Read pictures to be learned from, with their labels and a test set where they have them.

    Args:
        path: an .npz or .npy file, an IDX file (its labels and the test set are found beside it), or a folder: of IDX
            files, of one folder a class, or of `train` and `test` with such folders in them.

        decoding: how deep pictures and stacks of frames are read, and the longer side that is wanted.
        label_from_name: the class is what a picture's name says besides numbers, not its folder.

    Raises:
        DataError: nothing can be read, or the labels do not match the images in number.
    """
    if path.is_dir():
        if files := idx_in(path):
            return _read_idx_files(_training_file(files, path))
        return read_class_folders(path, decoding, label_from_name)
    if path.suffix.lower() == ".zip":
        with packages.unpacked(path) as folder:
            return read_class_folders(folder, decoding, label_from_name)
    if path.suffix.lower() in (".npz", ".npy"):
        return read_archive(path)
    if is_idx(path):
        return _read_idx_files(path)
    raise DataError(
        f"{path} is a single picture, and there is nothing to be learned from one. Give a folder with one folder of "
        "pictures for each class, or a CSV file with a column of pictures' paths and a column of labels."
        if is_picture_name(path)
        else f"{path} holds no pictures that can be read. Give a folder, an .npz file or an IDX file."
    )


def find_path_column(table: pd.DataFrame, folder: Path) -> str | None:
    """Return the column that names pictures, None where there is none.

    Args:
        table: all columns as text.
        folder: where the table lies; pictures are looked for there and below.

    Example:
        >>> find_path_column(pd.DataFrame({"name": ["a", "b"], "y": ["1", "2"]}, dtype="str"), Path()) is None
        True
    """
    lookup = Lookup(folder)
    samples = {str(column): _sample(table[column]) for column in table.columns}
    called = [name for name, texts in samples.items() if _called_like_pictures(texts)]
    # Names without a suffix are looked for only where pictures lie, and where each row has another one.
    others = [name for name, texts in samples.items() if name not in called and len(set(texts)) == len(texts) > 1]
    for names in (called, others if folder.is_dir() and holds_pictures(folder, levels=1) else []):
        shares = {name: np.mean([path is not None for path in lookup.find(samples[name])]) for name in names}
        best = max(shares, key=lambda name: shares[name], default=None)
        if best is not None and shares[best] > 0.5:
            return best
    return None


def names_of_pictures(table: pd.DataFrame) -> tuple[str, str] | None:
    """Return a column whose texts are called like pictures, and one of them; None where there is none."""
    for column in table.columns:
        if _called_like_pictures(texts := _sample(table[column])):
            return str(column), texts[0]
    return None


def read_column(
    paths: pd.Series[str],
    folder: Path,
    shape: tuple[int, int, int] | None = None,
    prepare: Prepare | None = None,
    decoding: Decoding | None = None,
) -> Pictures:
    """Read the pictures that a table's column names, one a row; the rows are the column's index.

    Args:
        paths: as text, beginning in `folder`; a missing one is a problem of its row.
        folder: where the table lies.
        shape: the height, width and channels that all shall have; None: found from the pictures.
        prepare: makes each picture ready, of that shape, instead of a change of its size and channels.
        decoding: how deep pictures and stacks of frames are read, and the longer side that is wanted.
    """
    named = paths.where(~is_missing(paths), "").astype(object).to_numpy()
    found = Lookup(folder).find(list(named))
    files = [
        path or (folder / text if text else "no picture is named") for path, text in zip(found, named, strict=True)
    ]
    pictures = read_files(files, list(named), shape, prepare, decoding)
    elsewhere = [(text, path) for path, text in zip(found, named, strict=True) if path and path != folder / text]
    if elsewhere:
        text, path = elsewhere[0]
        note = (
            f"{counted(len(elsewhere), 'picture')} found elsewhere: '{text}' as {path.relative_to(folder).as_posix()}."
        )
        pictures = dataclasses.replace(pictures, notes=(note, *pictures.notes))
    return dataclasses.replace(pictures, rows=paths.index.to_numpy(np.int64))


def _sample(column: pd.Series[str]) -> list[str]:
    texts = column[~is_missing(column)]
    return list(texts.iloc[:: max(1, len(texts) // _SAMPLE)])


def _called_like_pictures(texts: Sequence[str]) -> bool:
    return bool(texts) and sum(is_picture_name(Path(text)) for text in texts) > len(texts) / 2


def _read_idx_files(images: Path) -> Pictures:
    """Read an IDX file of images with what lies beside it: its labels and, for a training set, the test set."""
    pictures = read_labelled_idx(images)
    test = companion(images, ("train", "t10k")) or companion(images, ("train", "test"))
    if test is None:
        return pictures
    test_pictures = read_labelled_idx(test)
    if test_pictures.shape != pictures.shape:
        raise DataError(f"{images} holds images of {pictures.shape} and {test} of {test_pictures.shape}.")
    return dataclasses.replace(pictures, test=test_pictures)


def read_labelled_idx(images: Path, span: Span | None = None) -> Pictures:
    """Return the images of an IDX file, with the labels that lie beside it.

    Raises:
        DataError: it holds labels itself, or they do not match the images in number.
    """
    if not holds_images(images):
        raise DataError(
            f"{images} holds labels and no images. Give the file of images, called like *-images-idx3-ubyte."
        )
    labels = companion(images, ("images", "labels"), ("idx3", "idx1"))
    try:
        return from_array(read_idx(images), None if labels is None else read_idx(labels), span, images.name)
    except DataError as error:
        raise DataError(str(error) if str(images.parent) in str(error) else f"{images}: {error}") from error


def _training_file(files: Sequence[Path], folder: Path) -> Path:
    training = [path for path in files if "train" in plain_name(path)]
    if len(training) == 1 or (not training and len(files) == 1):
        return (training or list(files))[0]
    raise DataError(f"{folder} holds several IDX files of images: {listed(p.name for p in files)}. Give one of them.")
