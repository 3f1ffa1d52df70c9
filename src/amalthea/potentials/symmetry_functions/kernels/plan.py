"""Symmetry functions sorted by what they share, as arrays that compiled code reads."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from amalthea.potentials.symmetry_functions.functions import (
    CompactAngular,
    CompactRadial,
    Cutoff,
    Functions,
    Radial,
    SymmetryFunction,
    WeightedAngular,
    WeightedRadial,
)

FORMS = ("hard", "cosine", "tanh", "tanh_scaled", "exponential", "poly1", "poly2", "poly3", "poly4")
COMPACT = {"e": 4, "p1": 5, "p2": 6, "p3": 7, "p4": 8}

COSINE, GAUSSIAN, BUMP, BUMP_SLOPE = range(4)
"""What a base row of a group holds: 1 + lambda cos, exp(-eta sum (r - shift)²), a bump of the angle, its slope."""

ANY = -1
"""The neighbour "element" of functions that see all elements."""

LARGEST_POWER = 64


class Plan(NamedTuple):
    """What the kernels need to know, in flat arrays: `x_first[i]` to `x_first[i + 1] - 1` are those x that belong to i.

    A *shell* is the neighbours of one element within one cutoff. Each central element has its shells, each shell its
    radial functions. A *group* is the angular functions over two shells, closed or open. Its triplets are described by
    *rows*: row 0 is 1, then the base rows, then steps: the product of two earlier rows, or the power of one. A *term*
    is a group's functions that share their radial row; each function adds a row of the angle and the row of its slope.
    """

    width: int
    rows: int
    largest: int  # functions of a group
    shells: int  # of an element
    weight: NDArray[Any]
    shell_first: NDArray[np.int64]
    shell_kind: NDArray[np.int64]
    shell_form: NDArray[np.int64]
    shell_compact: NDArray[np.int64]
    shell_range: NDArray[Any]  # lower, upper, origin, width
    radial_first: NDArray[np.int64]
    radial_column: NDArray[np.int64]
    radial_shape: NDArray[Any]  # eta, shift
    group_first: NDArray[np.int64]
    group_shells: NDArray[np.int64]  # first, second, closed, shifted
    base_first: NDArray[np.int64]
    base_kind: NDArray[np.int64]  # kind, form
    base_shape: NDArray[Any]  # lambda, -; eta, shift; middle, half width
    step_first: NDArray[np.int64]
    step_rows: NDArray[np.int64]  # left, right
    step_exponent: NDArray[Any]
    term_first: NDArray[np.int64]
    term_row: NDArray[np.int64]
    term_shape: NDArray[Any]  # eta, shift
    function_first: NDArray[np.int64]
    function_rows: NDArray[np.int64]  # angle, slope, column
    function_factor: NDArray[Any]  # of the angle, of the slope


class _Rows:
    """The rows of a group, each made once."""

    def __init__(self) -> None:
        self.bases: list[tuple[int, int, float, float]] = []
        self.steps: list[tuple[int, int, float]] = []
        self.known: dict[tuple[Any, float], int] = {}

    def base(self, kind: int, form: int, first: float, second: float) -> int:
        """Return the base's number; the row's is one more."""
        key = (kind, form, first, second)
        if key not in self.bases:
            self.bases.append(key)
        return self.bases.index(key)

    def power(self, base: int, exponent: float) -> tuple[int, float]:
        """Return a key for the power of a base, for `number`; its steps are laid out by `lay`."""
        self.known.setdefault((base, exponent), -1)
        return base, exponent

    def lay(self) -> None:
        """Write the steps that make all powers asked for: of whole numbers as products, by squaring."""
        wanted = sorted(self.known)
        for base in range(len(self.bases)):
            self.known[base, 0.0], self.known[base, 1.0] = 0, 1 + base
        for base, exponent in wanted:
            self._make(base, exponent)

    def _make(self, base: int, exponent: float) -> int:
        if self.known.get((base, exponent), -1) >= 0:
            return self.known[base, exponent]
        if exponent.is_integer() and 0 < exponent <= LARGEST_POWER:
            square = 2.0 ** math.floor(math.log2(exponent))
            large = square if square < exponent else exponent / 2
            step = (self._make(base, large), self._make(base, exponent - large), 0.0)
        else:
            step = (1 + base, -1, exponent)
        self.steps.append(step)
        self.known[base, exponent] = len(self.bases) + len(self.steps)
        return self.known[base, exponent]


class _Group:
    """Angular functions over the same two shells."""

    def __init__(self, first: int, second: int, closed: bool) -> None:
        self.shells, self.closed = (first, second), closed
        self.rows = _Rows()
        self.etas: dict[float, list[float]] = {}
        self.members: list[tuple[Any, int]] = []


def plan(functions: Functions, elements: Iterable[str] | None = None, dtype: DTypeLike = np.float64) -> Plan:
    """Sort symmetry functions by what they share.

    Args:
        functions: of each central element.
        elements: the symbols that `kinds` counts; those of `functions`, in their order, if None.
        dtype: in which the kernels compute: float64 or float32.

    Example:
        >>> made = plan({"Si": (Radial("Si", 0.1, 0.0, Cutoff(5.5)), Radial("Si", 0.2, 0.0, Cutoff(5.5)))})
        >>> made.width, made.shells
        (2, 1)
    """
    symbols = tuple(functions) if elements is None else tuple(elements)
    shells: dict[tuple[int, tuple[Any, ...]], list[tuple[float, float, int]]] = {}
    groups: dict[tuple[int, int, int, bool], _Group] = {}
    for centre, symbol in enumerate(symbols):
        for column, function in enumerate(functions.get(symbol, ())):
            keys = [(centre, (kind, *_decay(function))) for kind in _kinds(function, symbols)]
            for key in keys:
                shells.setdefault(key, [])
            if isinstance(function, Radial | WeightedRadial):
                shells[keys[0]].append((function.eta, function.shift, column))
            elif isinstance(function, CompactRadial):
                shells[keys[0]].append((0.0, 0.0, column))
            else:
                left, right = (list(shells).index(key) for key in keys)
                closed = isinstance(function, WeightedAngular) or function.closed
                group = groups.setdefault((centre, left, right, closed), _Group(left, right, closed))
                group.members.append((function, column))
    return _flatten(symbols, shells, groups, functions, np.dtype(dtype))


def _kinds(function: SymmetryFunction, symbols: tuple[str, ...]) -> list[int]:
    """Return the elements of the shells that a function needs."""
    if isinstance(function, WeightedRadial | WeightedAngular):
        return [ANY] if isinstance(function, WeightedRadial) else [ANY, ANY]
    if isinstance(function, Radial | CompactRadial):
        return [symbols.index(function.neighbour)]
    return sorted(symbols.index(symbol) for symbol in function.neighbours)


def _decay(function: SymmetryFunction) -> tuple[int, int, float, float, float, float]:
    """Return how a shell ends: form, whether compact (2: asymmetric), lower, upper, origin, width."""
    if isinstance(function, CompactRadial | CompactAngular):
        compact = 2 if function.shape.endswith("a") else 1
        middle, half = (function.left + function.right) / 2, (function.right - function.left) / 2
        return COMPACT[function.shape.removesuffix("a")], compact, max(function.left, 0.0), function.right, middle, half
    cutoff: Cutoff = function.cutoff
    start = 0.0 if cutoff.kind in ("tanh", "tanh_scaled") else cutoff.inner * cutoff.radius
    return FORMS.index(cutoff.kind), 0, 0.0, cutoff.radius, start, cutoff.radius - start


def _rows(group: _Group) -> list[tuple[Any, Any, Any, tuple[float, float], tuple[float, float], int]]:
    """Return each function's rows (radial, angle, slope), eta and shift, factors and column; rows as keys yet."""
    rows, entries = group.rows, []
    for function, column in group.members:
        if isinstance(function, CompactAngular):
            left, right = math.radians(function.angle_left), math.radians(function.angle_right)
            form = COMPACT[function.shape.removesuffix("a")]
            angle, slope = (
                rows.base(kind, form, (left + right) / 2, (right - left) / 2) for kind in (BUMP, BUMP_SLOPE)
            )
            entries.append(((0, 0.0), (angle, 1.0), (slope, 1.0), (0.0, 0.0), (1.0, 1.0), column))
            continue
        base = rows.base(COSINE, 0, function.lambda_, 0.0)
        norm = 2.0 ** (1.0 - function.zeta)
        slope_power = float(function.zeta) - 1.0 if function.zeta else 0.0
        entries.append(
            (
                _gaussian(group, function.eta, function.shift),
                rows.power(base, float(function.zeta)),
                rows.power(base, slope_power),
                (function.eta, function.shift),
                (norm, norm * function.zeta * function.lambda_),
                column,
            )
        )
    return entries


def _gaussian(group: _Group, eta: float, shift: float) -> tuple[int, float]:
    """Return the row of a Gaussian, as a power of the widest one where that is a whole one."""
    same = sorted({f.eta for f, _ in group.members if getattr(f, "shift", None) == shift and f.eta > 0})
    if eta == 0:
        return group.rows.power(0, 0.0)
    ratio = eta / same[0]
    if abs(ratio - round(ratio)) < 1e-12 * ratio and ratio <= LARGEST_POWER:
        return group.rows.power(group.rows.base(GAUSSIAN, 0, same[0], shift), float(round(ratio)))
    return group.rows.power(group.rows.base(GAUSSIAN, 0, eta, shift), 1.0)


def _flatten(
    symbols: tuple[str, ...],
    shells: dict[tuple[int, tuple[Any, ...]], list[tuple[float, float, int]]],
    groups: dict[tuple[int, int, int, bool], _Group],
    functions: Functions,
    dtype: np.dtype[Any],
) -> Plan:
    order = sorted(range(len(shells)), key=lambda number: list(shells)[number][0])
    position = {number: new for new, number in enumerate(order)}
    ordered = sorted(groups.items(), key=lambda item: item[0])
    return Plan(
        width=max((len(functions.get(symbol, ())) for symbol in symbols), default=0),
        **_shell_tables(symbols, [list(shells.items())[number] for number in order], dtype),
        group_first=_first([sum(key[0] == centre for key, _ in ordered) for centre in range(len(symbols))]),
        group_shells=_whole(
            [
                (*(position[s] for s in g.shells), g.closed, any(getattr(f, "shift", 0.0) for f, _ in g.members))
                for _, g in ordered
            ],
            4,
        ),
        **_row_tables([group for _, group in ordered], dtype),
    )


def _shell_tables(symbols: tuple[str, ...], shells: list[tuple[Any, Any]], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return what a plan says of its shells, and of the radial functions in each."""
    keys, radials = [key for key, _ in shells], [sorted(members) for _, members in shells]
    counts = [sum(key[0] == centre for key in keys) for centre in range(len(symbols))]
    weighted = any(key[1][0] == ANY for key in keys)
    return {
        "shells": max(counts, default=0),
        "weight": np.array([_atomic_number(s) for s in symbols] if weighted else np.ones(len(symbols)), dtype),
        "shell_first": _first(counts),
        "shell_kind": np.array([key[1][0] for key in keys], np.int64),
        "shell_form": np.array([key[1][1] for key in keys], np.int64),
        "shell_compact": np.array([key[1][2] for key in keys], np.int64),
        "shell_range": _real([key[1][3:] for key in keys], 4, dtype),
        "radial_first": _first([len(some) for some in radials]),
        "radial_column": np.array([one[2] for some in radials for one in some], np.int64),
        "radial_shape": _real([one[:2] for some in radials for one in some], 2, dtype),
    }


def _row_tables(groups: list[_Group], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return how the rows of each group are computed, and how its functions are put together from them."""
    bases, steps, terms, members, sizes = [], [], [], [], []
    term_counts, function_counts = [], []
    for group in groups:
        entries = _rows(group)
        group.rows.lay()
        known = group.rows.known
        by_term: dict[tuple[Any, Any], list[Any]] = {}
        for radial, angle, slope, shape, factors, column in entries:
            by_term.setdefault((known.get(radial, 0), shape), []).append((known[angle], known[slope], column, *factors))
        bases.append(group.rows.bases)
        steps.append(group.rows.steps)
        sizes.append(len(entries))
        terms += [(row, *shape) for row, shape in by_term]
        term_counts.append(len(by_term))
        function_counts += [len(some) for some in by_term.values()]
        members += [one for some in by_term.values() for one in some]
    all_bases, all_steps = ([one for some in parts for one in some] for parts in (bases, steps))
    return {
        "rows": 1 + max((len(b) + len(s) for b, s in zip(bases, steps, strict=True)), default=0),
        "largest": max(sizes, default=0),
        "base_first": _first([len(some) for some in bases]),
        "base_kind": _whole([base[:2] for base in all_bases], 2),
        "base_shape": _real([base[2:] for base in all_bases], 2, dtype),
        "step_first": _first([len(some) for some in steps]),
        "step_rows": _whole([step[:2] for step in all_steps], 2),
        "step_exponent": np.array([step[2] for step in all_steps], dtype),
        "term_first": _first(term_counts),
        "term_row": np.array([term[0] for term in terms], np.int64),
        "term_shape": _real([term[1:] for term in terms], 2, dtype),
        "function_first": _first(function_counts),
        "function_rows": _whole([one[:3] for one in members], 3),
        "function_factor": _real([one[3:] for one in members], 2, dtype),
    }


def _real(table: list[Any], columns: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.array(table, dtype).reshape(-1, columns)


def _whole(table: list[Any], columns: int) -> NDArray[np.int64]:
    return np.array(table, np.int64).reshape(-1, columns)


def _first(counts: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _atomic_number(symbol: str) -> int:
    from ase.data import atomic_numbers

    return int(atomic_numbers[symbol])
