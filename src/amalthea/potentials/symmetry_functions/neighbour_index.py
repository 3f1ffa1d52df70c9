"""What symmetry functions sum over: an atom's neighbours and pairs of neighbours, as indices, by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import listed
from amalthea.errors import DataError
from amalthea.potentials.symmetry_functions.functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Functions,
    Radial,
    SymmetryFunction,
    WeightedAngular,
    WeightedRadial,
)
from amalthea.potentials.symmetry_functions.neighbours import Neighbours

ANY = "*"
"""Stands for neighbours of all elements."""

ANY_NUMBER = 0


class Sums(NamedTuple):
    """What the functions sum over, as indices of pairs, filled up; see `filled`.

    Args:
        rows: the index of each atom's row; the last is for what only fills up.
        centre: the atom i of each pair.
        charge: the atomic number of the atom j of each pair.
        over: the pairs j (one array) or pairs of pairs j < k (two) by the elements of i, j and k.
    """

    rows: NDArray[np.int32]
    centre: NDArray[np.int32]
    charge: NDArray[np.int32]
    over: dict[tuple[str, ...], tuple[NDArray[np.int32], ...]]


def sums(functions: Functions, symbols: Sequence[str], neighbours: Neighbours) -> Sums:
    """Return what the functions of these atoms sum over; see `evaluate`.

    Raises:
        DataError: an atom's element has no functions.
    """
    from ase.data import atomic_numbers

    if strange := sorted(set(symbols) - set(functions)):
        raise DataError(
            f"there are no symmetry functions for {listed(strange)}, only for {listed(functions)}: a potential answers "
            "only for elements that it was trained on."
        )
    number = np.array([atomic_numbers[symbol] for symbol in symbols], np.int32)
    rows = np.arange(filled(len(symbols) + 1), dtype=np.int32)
    centre, centre_number, charge = neighbours.centre, number[neighbours.centre], number[neighbours.neighbour]
    pairs = len(charge)
    left, right = _pairs_of_pairs(neighbours.first)
    over: dict[tuple[str, ...], tuple[NDArray[np.int32], ...]] = {}
    for element, many in functions.items():
        for around in sorted({summed_over(function) for function in many}):
            wanted = [ANY_NUMBER if one == ANY else atomic_numbers[one] for one in around]
            if len(wanted) == 1:
                (chosen,) = np.nonzero((centre_number == atomic_numbers[element]) & _is(charge, wanted[0]))
                over[element, *around] = (_fill(chosen, pairs),)
            else:
                alike = _is(charge[left], wanted[0]) & _is(charge[right], wanted[1])
                alike |= _is(charge[left], wanted[1]) & _is(charge[right], wanted[0])
                (chosen,) = np.nonzero((centre_number[left] == atomic_numbers[element]) & alike)
                over[element, *around] = (_fill(left[chosen], pairs), _fill(right[chosen], pairs + 1))
    fill = filled(pairs + 2) - pairs
    return Sums(rows, np.pad(centre, (0, fill), constant_values=rows[-1]), np.pad(charge, (0, fill)), over)


def summed_over(function: SymmetryFunction) -> tuple[str, ...]:
    """Return the elements of a function's neighbours, sorted; one where it sums over pairs, two over pairs of pairs."""
    match function:
        case Radial() | CompactRadial():
            return (function.neighbour,)
        case Angular() | CompactAngular():
            return tuple(sorted(function.neighbours))
        case WeightedRadial():
            return (ANY,)
        case WeightedAngular():
            return (ANY, ANY)


def _is(numbers: NDArray[np.int32], wanted: int) -> NDArray[np.bool_]:
    return numbers >= ANY_NUMBER if wanted == ANY_NUMBER else numbers == wanted


def _pairs_of_pairs(first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs of pairs of the same atom, each once: the indices of the former and of the latter."""
    pair = np.arange(first[-1])
    later = np.repeat(first[1:], np.diff(first)) - pair - 1
    left = np.repeat(pair, later)
    start = np.cumsum(later) - later
    return left, left + 1 + np.arange(len(left)) - start[left]


def filled(size: int) -> int:
    """Return the next power of two, at least 1024: structures of like size then share one compiled program."""
    return max(1024, 1 << (size - 1).bit_length())


def _fill(indices: NDArray[Any], index: int) -> NDArray[np.int32]:
    return np.pad(indices.astype(np.int32), (0, filled(len(indices)) - len(indices)), constant_values=index)
