"""Lines `symfunction_short` of input.nn: symmetry functions as text, and the order in which n2p2 counts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

from amalthea.errors import DataError
from amalthea.potentials.n2p2.units import text
from amalthea.potentials.symmetry_functions.functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Cutoff,
    CutoffKind,
    Radial,
    SymmetryFunction,
    WeightedAngular,
    WeightedRadial,
)

KINDS: tuple[CutoffKind, ...] = get_args(CutoffKind)

SHAPES = tuple(name + ending for name in ("p1", "p2", "p3", "p4", "e") for ending in ("", "a"))


def function_from(words: Sequence[str], cutoff: Callable[[float], Cutoff], length: float) -> SymmetryFunction:
    """Return the symmetry function that the words behind the central element stand for.

    Args:
        words: the type and its parameters, in the file's unit of length.
        cutoff: makes the cutoff function from its radius in Å.
        length: one unit of the file in Å.

    Raises:
        DataError: the type is not known or its parameters are not what it takes, as a phrase.

    Example:
        >>> function_from("2 Si 0.5 0.0 6.0".split(), Cutoff, 1.0)
        Radial(neighbour='Si', eta=0.5, shift=0.0, cutoff=Cutoff(radius=6.0, kind='cosine', inner=0.0))
    """
    kind, *rest = words
    if kind in ("23", "24", "25"):
        raise DataError(
            f"type {kind} (compact and weighted by atomic numbers) is not known here; use types 20 to 22, one for each "
            "element or pair of elements"
        )
    if kind not in _READERS:
        raise DataError(f"there is no symmetry function of type '{kind}' here, only {', '.join(_READERS)}")
    least, most, read = _READERS[kind]
    if not least <= len(rest) <= most:
        wanted = f"{least}" if least == most else f"{least} or {most}"
        raise DataError(f"type {kind} takes {wanted} parameters behind its number, and here are {len(rest)}")
    try:
        return read(rest, cutoff, length)
    except ValueError as error:
        raise DataError(f"a parameter is not a number ({error})") from error


def words_of(function: SymmetryFunction, length: float) -> list[str]:
    """Return the words for a symmetry function, the central element left out: the opposite of `function_from`."""

    def lengths(*values: float) -> list[str]:
        return [text(value, length) for value in values]

    def eta(value: float) -> str:
        return text(value, length**-2)

    match function:
        case Radial(neighbour, exponent, shift, cutoff):
            return ["2", neighbour, eta(exponent), *lengths(shift, cutoff.radius)]
        case Angular(pair, exponent, sign, zeta, cutoff, shift, closed):
            shifted = lengths(shift) if shift else []
            numbers = [eta(exponent), text(sign), text(zeta), *lengths(cutoff.radius), *shifted]
            return ["3" if closed else "9", *pair, *numbers]
        case WeightedRadial(exponent, shift, cutoff):
            return ["12", eta(exponent), *lengths(shift, cutoff.radius)]
        case WeightedAngular(exponent, shift, sign, zeta, cutoff):
            return ["13", eta(exponent), *lengths(shift), text(sign), text(zeta), *lengths(cutoff.radius)]
        case CompactRadial(neighbour, left, right, shape):
            return ["20", neighbour, *lengths(left, right), shape]
        case CompactAngular(pair, left, right, angle_left, angle_right, shape, closed):
            angles = [text(angle_left), text(angle_right)]
            return ["21" if closed else "22", *pair, *lengths(left, right), *angles, shape]


def order(functions: Sequence[SymmetryFunction]) -> list[int]:
    """Return the indices of an element's functions in n2p2's order: that of scaling.data and of the first layer.

    By type; then types 2 to 13 by (cutoff type, alpha, r_c, eta, r_s, zeta, lambda, elements), types 20 to 22 by
    (shape, elements, right, left, angles); elements by atomic number.

    Example:
        >>> order([Radial("H", 0.5, 0.0, Cutoff(6.0)), Radial("H", 0.1, 2.0, Cutoff(6.0))])
        [1, 0]
    """
    return sorted(range(len(functions)), key=lambda index: _rank(functions[index]))


def _rank(function: SymmetryFunction) -> tuple[Any, ...]:
    match function:
        case Radial(neighbour, eta, shift, cutoff):
            return (2, *_cutoff_rank(cutoff), eta, shift, 0, 0, _numbers(neighbour))
        case Angular(pair, eta, sign, zeta, cutoff, shift, closed):
            return (3 if closed else 9, *_cutoff_rank(cutoff), eta, shift, zeta, sign, _numbers(*pair))
        case WeightedRadial(eta, shift, cutoff):
            return (12, *_cutoff_rank(cutoff), eta, shift)
        case WeightedAngular(eta, shift, sign, zeta, cutoff):
            return (13, *_cutoff_rank(cutoff), eta, shift, zeta, sign)
        case CompactRadial(neighbour, left, right, shape):
            return (20, shape, _numbers(neighbour), right, left)
        case CompactAngular(pair, left, right, angle_left, angle_right, shape, closed):
            return (21 if closed else 22, shape, _numbers(*pair), right, left, angle_left, angle_right)


def _cutoff_rank(cutoff: Cutoff) -> tuple[float, ...]:
    return KINDS.index(cutoff.kind), cutoff.inner, cutoff.radius


def _numbers(*elements: str) -> tuple[int, ...]:
    from ase.data import atomic_numbers

    return tuple(sorted(atomic_numbers[element] for element in elements))


def _pair(words: Sequence[str]) -> tuple[str, str]:
    first, second = sorted(words[:2], key=_numbers)
    return first, second


def _radial(words: list[str], cutoff: Callable[[float], Cutoff], length: float) -> Radial:
    eta, shift, radius = map(float, words[1:])
    return Radial(words[0], eta * length**-2, shift * length, cutoff(radius * length))


def _angular(closed: bool) -> Callable[..., Angular]:
    def read(words: list[str], cutoff: Callable[[float], Cutoff], length: float) -> Angular:
        eta, sign, zeta, radius, *shift = map(float, words[2:])
        moved = shift[0] * length if shift else 0.0
        return Angular(_pair(words), eta * length**-2, sign, zeta, cutoff(radius * length), moved, closed)

    return read


def _weighted_radial(words: list[str], cutoff: Callable[[float], Cutoff], length: float) -> WeightedRadial:
    eta, shift, radius = map(float, words)
    return WeightedRadial(eta * length**-2, shift * length, cutoff(radius * length))


def _weighted_angular(words: list[str], cutoff: Callable[[float], Cutoff], length: float) -> WeightedAngular:
    eta, shift, sign, zeta, radius = map(float, words)
    return WeightedAngular(eta * length**-2, shift * length, sign, zeta, cutoff(radius * length))


def _compact_radial(words: list[str], _: Callable[[float], Cutoff], length: float) -> CompactRadial:
    left, right = map(float, words[1:3])
    return CompactRadial(words[0], *_interval(left * length, right * length), _shape(words[3]))


def _compact_angular(closed: bool) -> Callable[..., CompactAngular]:
    def read(words: list[str], _: Callable[[float], Cutoff], length: float) -> CompactAngular:
        left, right, *angles = map(float, words[2:6])
        ends = _interval(left * length, right * length)
        return CompactAngular(_pair(words), *ends, *_interval(*angles), _shape(words[6]), closed)

    return read


def _interval(left: float, right: float) -> tuple[float, float]:
    if not left < right:
        raise DataError(f"the interval's left end is not below its right end ({left:g}, {right:g})")
    return left, right


def _shape(word: str) -> str:
    if word not in SHAPES:
        raise DataError(f"'{word}' is no compact function; known are {', '.join(SHAPES)}")
    return word


_READERS: dict[str, tuple[int, int, Callable[..., SymmetryFunction]]] = {
    "2": (4, 4, _radial),
    "3": (6, 7, _angular(closed=True)),
    "9": (6, 7, _angular(closed=False)),
    "12": (3, 3, _weighted_radial),
    "13": (5, 5, _weighted_angular),
    "20": (4, 4, _compact_radial),
    "21": (7, 7, _compact_angular(closed=True)),
    "22": (7, 7, _compact_angular(closed=False)),
}
"""By type: how few and how many parameters it takes, and what reads them."""
