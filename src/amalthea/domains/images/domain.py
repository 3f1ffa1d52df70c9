"""Images as a kind of data."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.archive import checked, pack_arrays, unpack_arrays
from amalthea.datasets.assembly import ParsedTable, assemble, labelled_rows, well_formed
from amalthea.datasets.columns import as_text, natural_order
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target
from amalthea.datasets.files import malformed, read_table
from amalthea.datasets.messages import listed
from amalthea.datasets.targets import Labels, read_targets
from amalthea.domains.images import drawing, networks
from amalthea.domains.images.featurizers import Pixels
from amalthea.domains.images.idx import is_idx
from amalthea.domains.images.inputs import read_inputs
from amalthea.domains.images.likeness import KEEP, alike, series_of
from amalthea.domains.images.lookup import LEVELS
from amalthea.domains.images.packages import read_parquet
from amalthea.domains.images.photo import ink_box, is_handwriting, like_mnist
from amalthea.domains.images.picture_sets import (
    claims,
    find_path_column,
    names_of_pictures,
    read_column,
    read_pictures,
)
from amalthea.domains.images.pictures import BRIGHTEST, EACH, FIRST, TOGETHER, Decoding, is_picture_name, pillow
from amalthea.domains.images.pixel_tables import read_pixel_table
from amalthea.domains.images.stack import Pictures
from amalthea.domains.protocol import Defaults, Featurizer, Nouns, Pieces
from amalthea.domains.tabular_inputs import Rows
from amalthea.errors import DataError

FEW = 3
"""A table of at most so many columns is about the pictures that one of them names, even if these are not found."""

LABEL = "label"
"""What the target is called where the data give it no name."""


@dataclasses.dataclass(frozen=True)
class PictureState:
    """What a model remembers of the pictures that it has learned from."""

    shape: tuple[int, int, int]  # (h, w, c)
    span: tuple[float, float] | None  # the values that became 0 and 255; None: they were bytes
    handwriting: float | None  # the longer side of the strokes as a share of the picture's; None: it is no handwriting
    column: str  # of paths, in a table; "" for none
    label: str  # the column of labels; "" for none
    frame: str | None = None  # which frame of a stack was taken; None: as files of their kind usually are
    intensity: str = EACH  # whether deep pictures share one range, which is `span`, or have each their own
    label_from_name: bool = False  # whether classes stand in the names of pictures


class Images(Rows):
    """Pictures of one size, with a class or a number each."""

    name: str = "images"
    precedence: int = 20
    nouns: Nouns = Nouns("image", "images")
    numbered: bool = False
    input_state_type: Any = PictureState
    keras_modules: Sequence[str] = ("amalthea.domains.images.augmentation",)
    suggestions: Mapping[str, str] = MappingProxyType(
        {"predict": "photo.png --save-input seen", "train": "--network dense"}
    )
    feature_choices: Sequence[str] = ("auto", "pixels")
    network_choices: Sequence[str] = ("auto", "convolution", "dense")
    identity: Sequence[str] = ("key",)

    def claims(self, path: Path) -> bool:
        """Say whether a path is a picture, a stack of images, or a folder of pictures."""
        return claims(path)

    def recognises(self, table: pd.DataFrame) -> bool:
        """Say whether a column of this table names pictures, and these are there or all that there is to learn from."""
        if find_path_column(table, _folder(table)) is not None:
            return True
        return table.shape[1] <= FEW and names_of_pictures(table) is not None

    def read(self, paths: Sequence[Path], name: str, options: ReadOptions) -> Dataset:
        """Read a stack of images or a folder with a folder of pictures for each class.

        Raises:
            DataError: it cannot be used, or there are no labels.
        """
        if len(paths) != 1:
            raise DataError("give one folder of pictures, or one file with a stack of images.")
        path, wanted, called = paths[0], options.target[0] if options.target else "", ""
        if path.suffix.lower() == ".parquet":
            pictures, called = read_parquet(path, wanted, _decoding(options))
        elif path.name.lower().endswith((".csv", ".csv.gz")):
            pictures, called = read_pixel_table(path, wanted)
        else:
            pictures = read_pictures(path, _decoding(options), options.label_from_name)
        if pictures.labels is None:
            raise DataError(f"{paths[0]} has images and no labels, so there is nothing to be learned.")
        called = wanted or called or LABEL
        if options.task is None and options.threshold is None and _are_classes(pictures.labels, paths[0]):
            options = dataclasses.replace(options, task="classification")
        dataset = _dataset(_table(pictures, called), pictures, name, options, called)
        if pictures.test is None:
            return dataset
        asked = _asked(_table(pictures.test, called), pictures.test)
        test = labelled_rows(f"{name}, test set", self.name, asked, dataset.targets, self.identity)
        return dataclasses.replace(dataset, test=test)

    def dataset(self, table: pd.DataFrame, name: str, options: ReadOptions) -> Dataset:
        """Turn a table with a column of paths, which begin in its `attrs["folder"]`, into examples and targets.

        Raises:
            DataError: the table cannot be used.
        """
        table, refused = well_formed(table)
        column = _column(table)
        pictures = read_column(table[column], _folder(table), decoding=_decoding(options))
        return _dataset(table, pictures, name, options, column=column, refused=refused)

    def describe(self, examples: pd.DataFrame) -> list[str]:
        """Return each picture's name."""
        return [str(name) for name in examples["name"]] if "name" in examples else [""] * len(examples)

    def parts(self, examples: pd.DataFrame) -> Pieces:  # noqa: ARG002
        """Return that pictures consist of patches."""
        return Pieces(drawing.without_patches, drawing.coloured, drawing.READING, named=True)

    def draw(self, examples: pd.DataFrame, point: str = ".") -> list[str]:  # noqa: ARG002
        """Return each picture as a small PNG, as a data URI."""
        return [drawing.png([image])[0] for image in examples["image"]]

    def sheet(self, examples: pd.DataFrame, columns: int) -> tuple[str, int, int]:
        """Return pictures side by side in one PNG, as a data URI, with the width and height of each."""
        return drawing.png(list(examples["image"]), columns)

    def inputs(self, source: Any, state: dict[str, Any]) -> Inputs:
        """Turn pictures into examples of the model's shape.

        Args:
            source: a file, a folder, an array (one image or a stack), a list of arrays and paths, or a table with a
                column of paths. Pictures in files become like MNIST's where that is what the model has learned from.
            state: as `input_state` gave it.

        Raises:
            DataError: there are no pictures.
        """
        shape = Pixels(state["shape"]).shape
        span = None if state["span"] is None else (float(state["span"][0]), float(state["span"][1]))
        decoding = Decoding(state.get("frame"), EACH if span is None else state.get("intensity", EACH), span)
        if state["handwriting"] and not 0 < state["handwriting"] <= 1:
            raise DataError(f"strokes cannot stand {state['handwriting']:g} times as large as the picture.")
        prepare = partial(like_mnist, size=shape[0], box=state["handwriting"]) if state["handwriting"] else None
        if isinstance(source, Path | str) and not claims(Path(source)) and Path(source).is_file():
            source = read_table(source)
        if isinstance(source, pd.DataFrame):
            source = source if "malformed" in source.attrs else as_text(source)
            column = state["column"] if state["column"] in source.columns else _column(source)
            return _asked(source, read_column(source[column], _folder(source), shape, prepare, decoding))
        pictures = read_inputs(source, shape, prepare, span, decoding, bool(state.get("label_from_name")))
        return _asked(_table(pictures, state["label"]), pictures)

    def save_inputs(self, asked: Inputs, folder: Path) -> None:
        """Write each picture as the network saw it to a folder, as NAME.png.

        Raises:
            DataError: the folder cannot be made or written to.
        """
        library = pillow()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            written: set[str] = set()
            for image, name in zip(asked.examples["image"], asked.examples["name"], strict=True):
                if image is not None:
                    seen = library.fromarray(image.squeeze(axis=2) if image.shape[2] == 1 else image)
                    seen.save(folder / _file_name(str(name), written))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise DataError(f"pictures cannot be written to {folder}: {reason}.") from error

    def featurizers(self, dataset: Dataset, choice: str) -> tuple[Featurizer, ...]:
        """Return the pixels, the only features there are.

        Raises:
            DataError: `choice` is not one of `feature_choices`.
        """
        if choice not in self.feature_choices:
            raise DataError(f"images have no features '{choice}'. Choose one of: {', '.join(self.feature_choices)}.")
        return (Pixels(dataset.input_state["shape"]),)

    def restore(self, state: dict[str, Any]) -> Featurizer:
        """Return the featurizer that `Pixels.state` described."""
        return Pixels(checked(tuple[int, int, int], state.get("shape"), "model.json, featurizers, shape"))

    def defaults(self, dataset: Dataset, network: str = "auto") -> Defaults:
        """Return how these data are trained on when nothing else is said: one fold where a test set came along."""
        chosen = "convolution" if network == "auto" else network
        return networks.defaults_for(dataset.targets, len(dataset), chosen, dataset.test is not None)

    def network(self, featurizer: Featurizer, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:
        """Return the compiled network of the defaults' choice."""
        made = networks.dense if defaults.network == "dense" else networks.convolution
        return made(featurizer.shape, targets, defaults, steps, augment=defaults.augment)

    def pack(self, examples: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, bytes]]:
        """Return the names and keys of examples, and their pixels as one array."""
        if "image" not in examples:
            return examples, {}
        pixels = np.stack(examples["image"].tolist())
        return examples.drop(columns="image"), {"images.safetensors": pack_arrays({"images": pixels})}

    def unpack(self, table: pd.DataFrame, parts: Mapping[str, bytes]) -> pd.DataFrame:
        """Return the examples that `pack` packed."""
        if "images.safetensors" not in parts:
            return table
        pixels = unpack_arrays(parts["images.safetensors"])["images"]
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (1, 3) or len(pixels) != len(table):
            raise DataError("the pictures of this model do not fit its table of examples.")
        return table.assign(image=pd.Series(list(pixels), index=table.index, dtype=object))


def _file_name(name: str, taken: set[str]) -> str:
    """Return NAME.png for a picture's name, with a number where it is taken, and remember it."""
    plain = str(Path(name).with_suffix("")) if is_picture_name(Path(name)) else name
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in plain)[-80:].lstrip(".")
    safe = safe or "picture"
    candidates = itertools.chain([safe], (f"{safe}_{number}" for number in itertools.count(2)))
    chosen = next(name for name in candidates if name.lower() not in taken)
    taken.add(chosen.lower())
    return f"{chosen}.png"


def _decoding(options: ReadOptions) -> Decoding:
    """Return how picture files are to be read.

    Raises:
        DataError: an option has a value that means nothing.
    """
    intensity, span = options.intensity or TOGETHER, None
    if intensity not in (TOGETHER, EACH):
        try:
            low, high = map(float, intensity.split(","))
        except ValueError as error:
            raise DataError(f"--intensity takes set, each, or LOW,HIGH. Received: {intensity}") from error
        intensity, span = TOGETHER, (low, high)
    if options.frame not in (None, FIRST, BRIGHTEST) and not str(options.frame).isdigit():
        raise DataError(f"--frame takes max, first, or a number from 1. Received: {options.frame}")
    return Decoding(options.frame, intensity, span, options.size)


def _folder(table: pd.DataFrame) -> Path:
    return Path(table.attrs.get("folder", "."))


def _column(table: pd.DataFrame) -> str:
    folder = _folder(table).resolve()
    column = find_path_column(table, folder)
    if column is None:
        named = names_of_pictures(table)
        if named is None:
            raise DataError(f"no column names pictures that are there. Their paths begin in {folder}.")
        raise DataError(
            f"column '{named[0]}' names pictures, and they are not there: looked for '{named[1]}' in {folder}, and for "
            f"'{Path(named[1]).name}' in the folders up to {LEVELS} levels below. Put the pictures beside the table."
        )
    return column


def _table(pictures: Pictures, called: str) -> pd.DataFrame:
    """Return the names of pictures, and their labels where they have some, as a table of text."""
    columns = {"name": pictures.names}
    if pictures.labels is not None and called:
        columns[called] = pictures.labels
    return pd.DataFrame(columns, index=pictures.rows, dtype="str")


def _are_classes(labels: NDArray[np.object_], path: Path) -> bool:
    """Say whether labels are classes even if they are numbers: folders' names, IDX labels, 0, 1, ... without a gap."""
    known = {label for label in labels if label is not None}
    counted = known == {str(code) for code in range(len(known))}
    return path.is_dir() or is_idx(path) or (counted and len(known) <= len(labels) / 2)


def _all_classes(column: pd.Series[str], labels: Labels) -> Labels:
    """Return labels in which "other" beside "0" to "9", or "na", are classes: nobody mistyped a folder's name."""
    known = column[column.notna()]
    if (labels.problems[column.notna()] == "").all():
        return labels
    target = dataclasses.replace(labels.targets[0], classes=tuple(natural_order(known.unique())))
    codes = column.map({label: float(code) for code, label in enumerate(target.classes)})
    values = np.asarray(codes.to_numpy(np.float64, na_value=np.nan), np.float64)
    return dataclasses.replace(
        labels,
        targets=(target,),
        values=values[:, None],
        problems=np.where(column.notna(), "", labels.problems).astype(object),
        notes=(f"'{target.name}' has {len(target.classes):,} values ({listed(target.classes, 6)}): classification.",),
    )


def _asked(table: pd.DataFrame, pictures: Pictures) -> Inputs:
    misfits = malformed(table)
    problems = [misfits.get(line, problem) for line, problem in zip(table.index, pictures.problems, strict=True)]
    examples = pictures.examples().set_axis(table.index)
    return Inputs(table, examples, np.array(problems, object), np.full(len(table), "", object))


def _dataset(
    table: pd.DataFrame,
    pictures: Pictures,
    name: str,
    options: ReadOptions,
    called: str = "",
    column: str = "",
    refused: Sequence[Any] = (),
) -> Dataset:
    if called:
        options = dataclasses.replace(options, target=(called,))
    labels = read_targets(table, options, [column] if column else [])
    if called and labels.targets[0].task == "classification" and options.threshold is None:
        labels = _all_classes(table[called], labels)
    if not called and labels.targets[0].task == "classification":
        called = labels.targets[0].name
    good = pictures.problems == ""
    handwritten = bool(good.any()) and is_handwriting(pictures.images[good])
    parsed = ParsedTable(
        examples=pictures.examples(),
        problems=pictures.problems,
        identity=["key"],
        notes=pictures.notes,
        noun="image",
        input_state={
            "shape": list(pictures.shape),
            "span": None if pictures.span is None else list(pictures.span),
            "handwriting": ink_box(pictures.images[good]) if handwritten else None,
            "column": column,
            "label": called,
            "frame": options.frame,
            "intensity": _decoding(options).intensity,
            "label_from_name": options.label_from_name,
        },
    )
    return _grouped(assemble(name, "images", table, labels, parsed, options, tuple(refused)), options)


def _grouped(dataset: Dataset, options: ReadOptions) -> Dataset:
    """Put near copies and frames of one series into one group, and name the series for `--group series`."""
    names = [str(name) for name in dataset.examples["name"]]
    columns = dataset.columns
    if KEEP not in columns:
        columns = columns.assign(
            **{KEEP: pd.Series([series_of(name) for name in names], index=columns.index, dtype="str")}
        )
    if KEEP in options.keep:
        return dataclasses.replace(dataset, columns=columns)
    images = np.stack(dataset.examples["image"].tolist())
    groups, notes = alike(images, names, [str(label) for label in dataset.labels(0)], dataset.groups)
    return dataclasses.replace(dataset, columns=columns, groups=groups, notes=(*dataset.notes, *notes))
