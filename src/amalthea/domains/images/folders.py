"""Folders of pictures: one folder a class, perhaps within `train` and `test`; and folders of IDX files."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np

from amalthea.datasets.messages import counted, listed
from amalthea.domains.images.files import hidden, pictures_in, read_files
from amalthea.domains.images.idx import holds_images, is_idx, plain_name
from amalthea.domains.images.pictures import is_picture_name
from amalthea.domains.images.stack import Pictures
from amalthea.errors import DataError

_TRAIN, _VALIDATION, _TEST = {"train", "training"}, {"val", "valid", "validation"}, {"test", "testing"}


@dataclasses.dataclass(frozen=True)
class _Part:
    """The pictures of a training or test set: paths with the class of each, and what is to be said."""

    paths: tuple[Path, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def holds_pictures(folder: Path, levels: int) -> bool:
    """Say whether a picture lies in a folder, or at most so many levels below it."""
    for directory, folders, files in os.walk(folder):
        if any(is_picture_name(Path(name)) for name in files):
            return True
        deep = len(Path(directory).relative_to(folder).parts) >= levels
        folders[:] = [] if deep else sorted(name for name in folders if not hidden(name))
    return False


def idx_in(folder: Path) -> list[Path]:
    """Return the IDX files of images that lie in a folder, by their names, sorted."""
    files = sorted(path for path in folder.iterdir() if "idx" in plain_name(path) and path.is_file())
    return [path for path in files if is_idx(path) and holds_images(path)]


def read_class_folders(folder: Path) -> Pictures:
    """Read pictures whose class is the name of the folder they lie in, or in a folder of which theirs lies.

    Args:
        folder: of class folders; or of `train` and `test` (or `val`) with class folders in them, which become the
            training and the test set (with both `val` and `test`, the former belongs to the training set). A folder of
            nothing but pictures has no labels.

    Raises:
        DataError: there are no pictures.
    """
    root, notes = _unwrapped(folder)
    folders = {path.name.lower(): path for path in _folders(root)}
    train, validation, test = (
        [folders[name] for name in sorted(folders) if name in part] for part in (_TRAIN, _VALIDATION, _TEST)
    )
    if train and (validation or test):
        parts = [_part([*train, *(validation if test else [])]), _part(test or validation)]
        left = [folders[name].name for name in folders if folders[name] not in (*train, *validation, *test)]
        notes += (f"Beside {train[0].name}, these folders were left out: {listed(left)}.",) if left else ()
    else:
        parts = [_part([root])]
    paths = [path for part in parts for path in part.paths]
    if not parts[0].paths:
        return _unlabelled(root, notes)
    everything = read_files(paths, [path.relative_to(folder).as_posix() for path in paths])
    end = len(parts[0].paths)
    pictures = _cut(everything, slice(0, end), parts[0], (*notes, *everything.notes))
    if len(parts) == 1 or not parts[1].paths:
        return pictures
    return dataclasses.replace(pictures, test=_cut(everything, slice(end, None), parts[1], ()))


def labelled_in(folder: Path) -> tuple[list[Path], list[str | None]]:
    """Return the pictures in a folder, sorted, and the class folder of each, None where it lies in none.

    Of a folder with `train` and `test` in it, as `read_class_folders` knows them, the test set.
    """
    root, _ = _unwrapped(folder)
    folders = {path.name.lower(): path for path in _folders(root)}
    if _TRAIN & {*folders} and (apart := sorted(_TEST & {*folders}) or sorted(_VALIDATION & {*folders})):
        root = folders[apart[0]]
    paths, _ = pictures_in(root)
    parts = [path.relative_to(root).parts for path in paths]
    return paths, [part[0] if len(part) > 1 else None for part in parts]


def _part(parents: list[Path]) -> _Part:
    """Return the pictures in the class folders of one or two folders."""
    pictures: list[tuple[Path, str]] = []
    empty, outside, others = [], 0, 0
    for parent in parents:
        outside += sum(is_picture_name(path) for path in parent.iterdir() if path.is_file())
        for folder in _folders(parent):
            inside, left = pictures_in(folder)
            pictures += [(path, folder.name) for path in inside]
            others += left
            if not inside:
                empty.append(folder.name)
    pictures.sort(key=lambda pair: pair[1])  # stable: by class, then as sorted in its folders
    classes = tuple(label for _, label in pictures)
    names, counts = np.unique(classes, return_counts=True) if classes else (np.empty(0), np.empty(0))
    single = names[counts == 1]
    notes = []
    if empty:
        notes.append(f"These folders hold no pictures and became no class: {listed(empty)}.")
    if len(single):
        notes.append(f"There is only one picture of: {listed(single)}.")
    if outside and pictures:
        notes.append(f"{counted(outside, 'picture')} in no class folder (beside the folders) left out.")
    if others:
        notes.append(f"{counted(others, 'file')} left out: hidden, or by name no picture.")
    return _Part(tuple(path for path, _ in pictures), classes, tuple(notes))


def _cut(pictures: Pictures, part: slice, named: _Part, notes: tuple[str, ...]) -> Pictures:
    images = pictures.images[part]
    return Pictures(
        images,
        names=pictures.names[part],
        problems=pictures.problems[part],
        rows=np.arange(1, len(images) + 1),
        labels=np.array(named.classes, object),
        notes=(*named.notes, *notes),
    )


def _unlabelled(folder: Path, notes: tuple[str, ...]) -> Pictures:
    paths, _ = pictures_in(folder)
    if not paths:
        raise DataError(
            f"{folder} holds no pictures (PNG, JPEG, TIFF, BMP, GIF, WebP). Put those of each class into a folder of "
            "its own."
        )
    pictures = read_files(paths, [path.relative_to(folder).as_posix() for path in paths])
    return dataclasses.replace(pictures, notes=(*notes, *pictures.notes))


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not hidden(path.name))


def _unwrapped(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Step into a lone folder that only wraps class folders, as archives are often packed."""
    inner = _folders(folder)
    loose = any(is_picture_name(path) for path in folder.iterdir())
    if len(inner) != 1 or loose or any(is_picture_name(path) for path in inner[0].iterdir()):
        return folder, ()
    if not any(holds_pictures(path, levels=1) for path in _folders(inner[0])):
        return folder, ()
    return inner[0], (f"The classes were taken from within the folder {inner[0].name}.",)
