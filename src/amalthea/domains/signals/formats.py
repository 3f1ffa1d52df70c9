"""Files of whole sequences: .ts of the UEA and UCR archives, their older text, and arrays in .npz."""

from __future__ import annotations

import dataclasses
import gzip
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Task
from amalthea.datasets.messages import listed, shortened
from amalthea.domains.signals.shaping import Trace
from amalthea.errors import DataError

PACKED = b"\x1f\x8b"
"""How files begin that gzip packed."""

LABEL = "class"
"""What the target is called where a file gives it no name."""

_TRACES = ("x", "x_train", "train_x", "data", "spectra")
_LABELS = ("y", "y_train", "train_y", "labels", "target", "class")


@dataclasses.dataclass(frozen=True, eq=False)
class Recorded:
    """n traces as a file holds them; one that cannot be read keeps its place."""

    traces: list[Trace | None]
    problems: list[str]  # why a trace cannot be used, "" where it can
    rows: NDArray[np.int64]  # the line of the file, or the position from 1
    labels: Sequence[str | None] | None  # as text; None where the file has none
    label: str = LABEL  # what they are called
    task: Task | None = None  # what the file says of them
    notes: tuple[str, ...] = ()
    test: Recorded | None = None


def is_ts(path: Path) -> bool:
    """Say whether this is a file of the UEA and UCR archives, and no program in TypeScript."""
    if not path.name.lower().endswith((".ts", ".ts.gz")) or not path.is_file():
        return False
    return any(line.lower().startswith("@problemname") for line in _lines(path)[:1000])


def holds_traces(path: Path) -> bool:
    """Say whether an .npz holds an array of two or three dimensions; only headers are read."""
    if path.suffix.lower() != ".npz" or not path.is_file():
        return False
    try:
        return any(len(shape) in (2, 3) for shape in _shapes(path).values())
    except DataError:
        return False


def read_ts(path: Path) -> Recorded:
    """Read a .ts file: one example a line, its channels and its label between colons.

    Raises:
        DataError: it has no data, or time stamps.
    """
    header: dict[str, str] = {}
    traces: list[Trace | None] = []
    problems, labels, rows, inside = [], [], [], False
    for number, line in enumerate(_lines(path), start=1):
        text = line.strip()
        if not inside and text.startswith("@"):
            key, _, value = text[1:].partition(" ")
            header[key.lower()] = value.strip()
            inside = key.lower() == "data"
        elif inside and text:
            *channels, label = text.split(":") if _labelled(header) else [*text.split(":"), ""]
            trace, problem = _read_channels(channels)
            traces.append(trace)
            problems.append(problem)
            labels.append(None if label.strip() in ("", "?") else label.strip())
            rows.append(number)
    if header.get("timestamps", "").lower() == "true":
        raise DataError(f"{path} has time stamps beside its values, which are not read. Write the values alone.")
    if not traces:
        raise DataError(f"{path} holds no examples: they stand behind a line @data.")
    task: Task = "regression" if header.get("targetlabel", "").lower().startswith("true") else "classification"
    return Recorded(traces, problems, np.array(rows), labels if _labelled(header) else None, task=task)


def _labelled(header: dict[str, str]) -> bool:
    return any(header.get(key, "").lower().startswith("true") for key in ("classlabel", "targetlabel"))


def _read_channels(channels: Sequence[str]) -> tuple[Trace | None, str]:
    values = []
    for channel in channels:
        try:
            cells = [cell.strip() for cell in channel.split(",")]
            values.append([np.nan if cell in ("?", "") else float(cell) for cell in cells])
        except ValueError as error:
            return None, f"holds something that is no number ({shortened(str(error), 60)})"
    lengths = {len(channel) for channel in values}
    if len(lengths) > 1:
        return None, f"its channels have different lengths ({listed(map(str, sorted(lengths)))})"
    return np.array(values, np.float32).T, ""


def read_rows(path: Path) -> Recorded:
    """Read the UCR archive's older text: numbers with blanks between them, the class first.

    Raises:
        DataError: the rows hold something else.
    """
    try:
        values = np.loadtxt(_lines(path), ndmin=2)
    except ValueError as error:
        raise DataError(f"{path} holds no rows of numbers ({error}).") from error
    traces: list[Trace | None] = [row[1:, None].astype(np.float32) for row in values]
    labels = [f"{label:g}" for label in values[:, 0]]
    return Recorded(traces, [""] * len(traces), np.arange(1, len(traces) + 1), labels, task="classification")


def read_npz(path: Path, name: str = "", label: str = "", needed: bool = True) -> Recorded:
    """Read traces from an .npz: x and y, or x_train, y_train, x_test and y_test, or arrays that are named.

    Args:
        path: the file.
        name: of the array of traces, shape (n, places) or (n, places, channels); "": the first usual one.
        label: of the array of labels, shape (n,); "": the first usual one, if there is any.
        needed: whether an array of labels that is named must be there.

    Raises:
        DataError: damaged, objects, or no such array.
    """
    shapes = _shapes(path)
    chosen = name or next((each for each in shapes if each.lower() in _TRACES), "")
    there = listed(f"{each} {shape}" for each, shape in shapes.items())
    if chosen not in shapes or len(shapes[chosen]) not in (2, 3):
        raise DataError(
            f"{path} holds no array of traces{f' {name!r}' if name else ''}: (n, places) or (n, places, channels). "
            f"It holds: {there}. Name one with --sequence."
        )
    if label and needed and label not in shapes:
        raise DataError(f"{path} holds no array '{label}'. It holds: {there}.")
    labels = label if label in shapes else next((each for each in shapes if each.lower() in _LABELS), "")
    recorded = _part(path, chosen, labels)
    if not chosen.lower().endswith("_train") or f"{chosen[:-5]}test" not in shapes:
        return recorded
    test = f"{labels[:-5]}test" if labels.lower().endswith("_train") else ""
    return dataclasses.replace(recorded, test=_part(path, f"{chosen[:-5]}test", test if test in shapes else ""))


def _part(path: Path, name: str, label: str) -> Recorded:
    with np.load(path, allow_pickle=False) as archive:
        values = archive[name]
        labels = archive[label] if label else None
    if values.dtype.kind not in "buif":
        raise DataError(f"{path}: '{name}' holds {values.dtype} and no numbers.")
    notes: tuple[str, ...] = ()
    if values.ndim == 3 and values.shape[1] < values.shape[2]:
        notes = (f"The {values.shape[1]} channels of '{name}' stand before its {values.shape[2]} places.",)
        values = values.transpose(0, 2, 1)
    values = values.astype(np.float32).reshape(len(values), values.shape[1], -1)
    if labels is not None and labels.shape[:1] != values.shape[:1]:
        raise DataError(f"{path}: '{name}' holds {len(values):,} traces, and '{label}' {labels.shape} labels.")
    texts = None if labels is None else [_text(each) for each in labels.reshape(len(values), -1)[:, 0].tolist()]
    rows = np.arange(1, len(values) + 1)
    return Recorded(list(values), [""] * len(values), rows, texts, label.removesuffix("_train") or LABEL, notes=notes)


def _text(value: object) -> str | None:
    if isinstance(value, float):
        return None if value != value else f"{value:.9g}"
    return str(value).strip() or None


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    try:
        with zipfile.ZipFile(path) as archive:
            shapes = {}
            for member in archive.namelist():
                with archive.open(member) as stream:
                    version = np.lib.format.read_magic(stream)
                    read = (
                        np.lib.format.read_array_header_1_0
                        if version == (1, 0)
                        else np.lib.format.read_array_header_2_0
                    )
                    shapes[member.removesuffix(".npy")] = read(stream)[0]
            return shapes
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} cannot be read as NumPy's .npz ({shortened(str(error), 80)}). Save it anew."
        ) from error


def _lines(path: Path) -> list[str]:
    content = path.read_bytes()
    if content.startswith(PACKED):
        content = gzip.decompress(content)
    return content.decode("utf-8", "replace").splitlines()
