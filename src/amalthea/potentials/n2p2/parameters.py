"""scaling.data and weights.ZZZ.data: what a potential learned, as arrays."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.files import existing_file, write_whole
from amalthea.errors import DataError
from amalthea.potentials.n2p2.settings import Settings

Floats = NDArray[np.float64]
Layer = tuple[Floats, Floats]
"""A dense layer: its kernel, shape (inputs, outputs), and its bias, shape (outputs,)."""


@dataclasses.dataclass(frozen=True, eq=False)
class Statistics:
    """What the F symmetry functions of an element were in the training data, each of shape (F,), in n2p2's order.

    Args:
        minimum: below it, the potential extrapolates.
        maximum: above it, the potential extrapolates.
        mean: over all atoms of the element.
        sigma: the standard deviation; NaN where the file does not say it.
    """

    minimum: Floats
    maximum: Floats
    mean: Floats
    sigma: Floats


def read_scaling(path: str | os.PathLike[str], settings: Settings) -> dict[str, Statistics]:
    """Read a scaling.data.

    Args:
        path: the file.
        settings: the potential's.

    Raises:
        DataError: no such file, or it is not that of this potential.
    """
    path = existing_file(path)
    rows: dict[tuple[int, int], list[float]] = {}
    for line, words in _lines(path):
        if len(words) == 2:
            continue  # RuNNer's last line, the range of energies
        if len(words) < 5 or not (words[0].isdecimal() and words[1].isdecimal()):
            raise DataError(
                f"{path}, line {line}: expected an element's and a function's index and at least 3 numbers."
            )
        rows[int(words[0]), int(words[1])] = [_number(path, line, word) for word in [*words[2:], "nan"][:4]]
    # Elements count by atomic number, functions in n2p2's order; both from 1.
    wanted = {
        (index, column + 1): element
        for index, element in enumerate(settings.elements, start=1)
        for column in range(len(settings.functions[element]))
    }
    if rows.keys() != wanted.keys():
        odd = min(rows.keys() ^ wanted.keys())
        raise DataError(
            f"{path} does not belong to this potential: function {odd[1]} of element {odd[0]} is "
            f"{'missing' if odd in wanted else 'too many'} ({len(rows)} lines for {len(wanted)} symmetry functions)."
        )
    return {
        element: Statistics(*np.array([rows[key] for key, name in wanted.items() if name == element]).T)
        for element in settings.elements
    }


def write_scaling(path: str | os.PathLike[str], settings: Settings, statistics: Mapping[str, Statistics]) -> None:
    """Write a scaling.data.

    Args:
        path: where the file shall lie.
        settings: the potential's.
        statistics: of each element, in n2p2's order.

    Raises:
        DataError: the file cannot be written.
    """
    lines = ["# e_index  sf_index  sf_min  sf_max  sf_mean  sf_sigma"]
    for index, element in enumerate(settings.elements, start=1):
        rows = zip(*dataclasses.astuple(statistics[element]), strict=True)
        for column, row in enumerate(rows, start=1):
            known = row if np.isfinite(row[3]) else row[:3]
            lines.append(f"{index:10d} {column:10d} " + " ".join(f"{value:24.16E}" for value in known))
    _write(path, lines)


def linear_scaling(settings: Settings, statistics: Statistics) -> tuple[Floats, Floats]:
    """Return factor and offset, each of shape (F,): a network's input is factor * G + offset.

    Args:
        settings: of which the kind and the range of the scaling are used.
        statistics: an element's.

    Raises:
        DataError: sigma is needed and not known.

    Example:
        >>> settings = Settings((), {}, {}, {}, scaling="scale", scale_range=(-1.0, 1.0))
        >>> one = np.ones(1)
        >>> linear_scaling(settings, Statistics(2 * one, 4 * one, 3 * one, one))
        (array([1.]), array([-3.]))
    """
    low, high = settings.scale_range
    span = statistics.maximum - statistics.minimum
    match settings.scaling:
        case "none":
            return np.ones_like(span), np.zeros_like(span)
        case "center":
            return np.ones_like(span), -statistics.mean
        case "scale":
            width, zero = span, statistics.minimum
        case "scale_center":
            width, zero = span, statistics.mean
        case "sigma":
            width, zero = statistics.sigma, statistics.mean
    if not (width > 0).all():
        column = int(np.flatnonzero(~(width > 0))[0]) + 1
        raise DataError(
            f"symmetry function {column} cannot be scaled: it is the same for all atoms, or its sigma is missing."
        )
    factor = (high - low) / width
    return factor, low - factor * zero


def weights_name(element: str) -> str:
    """Return the name of the file with an element's weights.

    Example:
        >>> weights_name("Si")
        'weights.014.data'
    """
    from ase.data import atomic_numbers

    return f"weights.{atomic_numbers[element]:03d}.data"


def read_weights(path: str | os.PathLike[str], sizes: Sequence[int]) -> list[Layer]:
    """Read a network's layers from a weights.ZZZ.data.

    Args:
        path: the file.
        sizes: the nodes of all layers, `Settings.sizes(element)`.

    Raises:
        DataError: no such file, or it does not hold as many numbers as this network has.
    """
    path = existing_file(path)
    # The columns behind the number repeat what its position says already.
    numbers = np.array([_number(path, line, words[0]) for line, words in _lines(path)])
    needed = sum((inputs + 1) * outputs for inputs, outputs in itertools.pairwise(sizes))
    if len(numbers) != needed:
        raise DataError(
            f"{path} holds {len(numbers):,} weights, and a network {'-'.join(map(str, sizes))} has {needed:,}: the "
            "file is incomplete, or belongs to another input.nn."
        )
    # Layer by layer: the kernel, all outputs of the first input first, and then the biases.
    layers, start = [], 0
    for inputs, outputs in itertools.pairwise(sizes):
        middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
        layers.append((numbers[start:middle].reshape(inputs, outputs), numbers[middle:end]))
        start = end
    return layers


def write_weights(path: str | os.PathLike[str], layers: Sequence[Layer]) -> None:
    """Write a network's layers as weights.ZZZ.data, with n2p2's columns that say which weight is which.

    Args:
        path: where the file shall lie; see `weights_name`.
        layers: kernels and biases, the first kernel's rows in n2p2's order; see `order`.

    Raises:
        DataError: the file cannot be written.
    """
    lines = ["# weight  a: of a connection, b: bias  index  from layer, neuron  to layer, neuron"]
    count = 0
    for layer, (kernel, bias) in enumerate(layers):
        for (source, target), weight in np.ndenumerate(kernel):
            count += 1
            lines.append(f"{weight:24.16E} a {count:9d} {layer:5d} {source + 1:5d} {layer + 1:5d} {target + 1:5d}")
        for target, weight in enumerate(bias, start=1):
            count += 1
            lines.append(f"{weight:24.16E} b {count:9d} {layer + 1:5d} {target:5d}")
    _write(path, lines)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the words of every line that says something."""
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
        if words := line.partition("#")[0].split():
            yield number, words


def _number(path: Path, line: int, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise DataError(f"{path}, line {line}: '{word}' is not a number.") from None


def _write(path: str | os.PathLike[str], lines: Sequence[str]) -> None:
    write_whole(path, lambda temporary: temporary.write_text("\n".join(lines) + "\n", "utf-8"))
