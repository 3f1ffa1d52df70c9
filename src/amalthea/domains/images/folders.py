"""Folders of pictures: one folder a class, perhaps within `train` and `test`; and folders of IDX files."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import numpy as np

from amalthea.datasets.messages import counted, listed
from amalthea.domains.images.files import hidden, pictures_in, read_files
from amalthea.domains.images.idx import holds_images, is_idx, plain_name
from amalthea.domains.images.pictures import Decoding, is_picture_name
from amalthea.domains.images.stack import Pictures
from amalthea.errors import DataError

_PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What folders of a part of the data are called, alone or beside words that are the same for all parts."""

_MASKS = {"mask", "masks", "annotation", "annotations", "segmentation", "segmentations", "groundtruth", "gt", "labels"}
"""What folders are called in which a picture shows what another one's pixels are."""

DEEPEST = 6
"""How many levels below a folder pictures are looked for."""


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


def read_class_folders(folder: Path, decoding: Decoding | None = None, label_from_name: bool = False) -> Pictures:
    """Read pictures whose class is the name of the folder they lie in, or in a folder of which theirs lies.

    Args:
        folder: of class folders; or of `train` and `test` (`val`, `training_set`, `seg_test`, ...) with class folders
            in them, which become the training and the test set (with both a validation and a test set, the former
            belongs to the training set). A folder of nothing but pictures has no labels.
        decoding: how deep pictures and stacks are read, and the longer side that is wanted.
        label_from_name: the class is what a picture's name says besides numbers, not its folder.

    Raises:
        DataError: there are no pictures, or they lie in one folder, or are pairs of pictures and masks.
    """
    root, notes = _unwrapped(folder)
    named = _named_parts(root)
    if named:
        parts = [_part(named["train"], label_from_name), _part(named["test"], label_from_name)]
        notes += _notes_on_parts(root, named, parts[1])
    else:
        parts = [_part([root], label_from_name)]
    paths = [path for part in parts for path in part.paths]
    if not parts[0].paths and not label_from_name:
        return _unlabelled(root, notes)
    _refuse_what_is_no_class(root, parts[0], label_from_name)
    everything = read_files(paths, [path.relative_to(folder).as_posix() for path in paths], decoding=decoding)
    end = len(parts[0].paths)
    pictures = _cut(everything, slice(0, end), parts[0], (*notes, *everything.notes))
    if len(parts) == 1 or not parts[1].paths:
        return pictures
    return dataclasses.replace(pictures, test=_cut(everything, slice(end, None), parts[1], ()))


def labelled_in(folder: Path, label_from_name: bool = False) -> tuple[list[Path], list[str | None]]:
    """Return the pictures in a folder, sorted, and the class of each by its folder or name, None where it has none.

    Of a folder with `train` and `test` in it, as `read_class_folders` knows them, the test set.
    """
    root, _ = _unwrapped(folder)
    roots = ((named := _named_parts(root)) and named["test"]) or [root]
    paths: list[Path] = []
    labels: list[str | None] = []
    for top in roots:
        inside, _ = pictures_in(top)
        paths += inside
        if label_from_name:
            labels += [class_in_name(path) or None for path in inside]
            continue
        parts = [path.relative_to(top).parts for path in inside]
        labels += [part[0] if len(part) > 1 else None for part in parts]
    return paths, labels


def class_in_name(path: Path) -> str:
    """Return what a picture's name says besides numbers, "" for nothing.

    Example:
        >>> [class_in_name(Path(name)) for name in ("cat.12.jpg", "great_dane_7.png", "003-dog.png", "12.png")]
        ['cat', 'great_dane', 'dog', '']
    """
    return re.sub(r"^[\d\W_]+|[\d\W_]+$", "", path.stem)


def _named_parts(root: Path) -> dict[str, list[Path]]:
    """Return the folders of the training and of the test set by their names; nothing where there are no such two."""
    alike: dict[str, dict[str, list[Path]]] = {}
    for path in _folders(root):
        words = re.findall(r"[a-z]+", path.name.lower())
        part = next((_PARTS[word] for word in words if word in _PARTS), None)
        if part:
            rest = " ".join(word for word in words if word not in _PARTS)
            alike.setdefault(rest, {}).setdefault(part, []).append(_unwrapped(path)[0])
    parts = next((parts for parts in alike.values() if "train" in parts and len(parts) > 1), None)
    if parts is None:
        return {}
    validation, test = parts.get("validation", []), parts.get("test", [])
    # A test set without classes is one that others keep the answers of: the validation set takes its place.
    if test and validation and not any(_folders(path) for path in test):
        validation, test = [], validation
    return {"train": parts["train"] + (validation if test else []), "test": test or validation}


def _notes_on_parts(root: Path, named: dict[str, list[Path]], test: _Part) -> tuple[str, ...]:
    """Say which folders became the test set, and which of all were left out."""
    used = [path for part in named.values() for path in part]
    tops = {path.relative_to(root).parts[0] for path in used}
    shown = [listed(sorted({path.relative_to(root).parts[0] for path in named[part]})) for part in ("train", "test")]
    notes = [f"Learned from: {shown[0]}. Test set: {shown[1]}."]
    if not test.paths:
        count = sum(len(pictures_in(path)[0]) for path in named["test"])
        notes = [
            f"The {counted(count, 'picture')} in {shown[1]} have no labels and were left out; `predict` takes them."
        ]
    if left := [path.name for path in _folders(root) if path.name not in tops]:
        notes.append(f"Beside {shown[0]}, these folders were left out: {listed(left)}.")
    return tuple(notes)


def _refuse_what_is_no_class(root: Path, part: _Part, label_from_name: bool) -> None:
    """Refuse pictures beside their masks, and pictures that all lie in one folder.

    Raises:
        DataError: there is nothing that could be a class.
    """
    stems: dict[str, set[str]] = {}
    for path, label in zip(part.paths, part.classes, strict=True):
        stems.setdefault(label, set()).add(re.sub(r"[\W_]*(mask|label|gt|seg)\w*$", "", path.stem, flags=re.IGNORECASE))
    masks = [name for name in stems if re.sub(r"[\W_]", "", name.lower()) in _MASKS]
    for name in masks:
        others = {stem for label, inside in stems.items() if label not in masks for stem in inside}
        if len(stems[name] & others) > len(stems[name]) / 2:
            raise DataError(
                f"{root}: the pictures in '{name}' are called like others: masks, which say what each pixel "
                "is. Here a picture has one class or number; pixels are not told apart. Give one folder for each class."
            )
    if len(stems) > 1:
        return
    if label_from_name and not part.paths:
        raise DataError(f"{root}: no picture is called by more than numbers, so the names hold no classes.")
    tables = [path.name for path in sorted({*root.glob("*.csv"), *root.parent.glob("*.csv")})]
    names = len({class_in_name(path) for path in part.paths} - {""})
    advice = [f"the table that lies there ({listed(tables, 3)})"] if tables else []
    if 1 < names <= len(part.paths) / 2 and not label_from_name:
        advice.append("--label-from-name, as their names seem to hold classes")
    advice.append("one folder of pictures for each class")
    raise DataError(
        f"{root}: two classes are needed, and all pictures are of one: {listed(stems)}. Give {', or '.join(advice)}."
    )


def _part(parents: list[Path], label_from_name: bool) -> _Part:
    """Return the pictures in the class folders of one or several folders; or those whose names hold a class."""
    pictures: list[tuple[Path, str]] = []
    empty, outside, others, inner = [], 0, 0, set()
    for parent in parents:
        if label_from_name:
            inside, left = pictures_in(parent)
            pictures += [(path, label) for path in inside if (label := class_in_name(path))]
            outside += sum(not class_in_name(path) for path in inside)
            others += left
            continue
        outside += sum(is_picture_name(path) for path in parent.iterdir() if path.is_file())
        for folder in _folders(parent):
            inside, left = pictures_in(folder)
            pictures += [(path, folder.name) for path in inside]
            inner |= {path.relative_to(folder).parts[0] for path in inside if path.parent != folder}
            others += left
            if not inside:
                empty.append(folder.name)
    pictures.sort(key=lambda pair: pair[1])  # stable: by class, then as sorted in its folders
    classes = tuple(label for _, label in pictures)
    names, counts = np.unique(classes, return_counts=True) if classes else (np.empty(0), np.empty(0))
    single = names[counts == 1]
    notes = []
    if label_from_name:
        notes.append(f"The classes were taken from the pictures' names, without numbers: {listed(names, 6)}.")
    if len(inner) > 1:
        notes.append(f"Folders within the classes ({listed(sorted(inner), 4)}) are not told apart.")
    if empty:
        notes.append(f"These folders hold no pictures and became no class: {listed(empty)}.")
    if len(single):
        notes.append(f"There is only one picture of: {listed(single)}.")
    if outside and pictures:
        where = "whose names hold no class" if label_from_name else "in no class folder (beside the folders)"
        notes.append(f"{counted(outside, 'picture')} {where} left out.")
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
        span=pictures.span,
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
    """Step into lone folders that only wrap class folders or parts, as archives are often packed."""
    inside = folder
    while True:
        inner = _folders(inside)
        loose = any(is_picture_name(path) for path in inside.iterdir())
        if len(inner) != 1 or loose or not any(holds_pictures(path, levels=DEEPEST) for path in _folders(inner[0])):
            break
        inside = inner[0]
    if inside == folder:
        return folder, ()
    return inside, (f"The classes were taken from within the folder {inside.relative_to(folder).as_posix()}.",)
