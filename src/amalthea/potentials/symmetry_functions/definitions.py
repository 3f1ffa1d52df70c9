"""Atom-centred symmetry functions: the reference, formula by formula, in JAX.

The sums over an atom's neighbours j, and over its pairs of neighbours j < k, of Behler & Parrinello, Phys. Rev. Lett.
98, 146401 (2007); Behler, J. Chem. Phys. 134, 074106 (2011), "Behler 2011" below; Gastegger et al., J. Chem. Phys. 148,
241709 (2018), for the weighted ones; Bircher, Singraber & Dellago, Mach. Learn.: Sci. Technol. 2, 035026 (2021), for
the compact ones. All are functions of the vectors from an atom to its neighbours alone, since r_jk = |r_ik - r_ij|; so
the derivatives are taken with respect to these.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.symmetry_functions.cutoffs import compact, cutoff
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
from amalthea.potentials.symmetry_functions.neighbour_index import Sums, filled, summed_over, sums
from amalthea.potentials.symmetry_functions.neighbours import Neighbours

Precision = Literal["float32", "float64"]


def values(
    functions: Functions, symbols: Sequence[str], neighbours: Neighbours, precision: Precision = "float64"
) -> NDArray[Any]:
    """Return the symmetry functions of all atoms, shape (N, F).

    Args:
        functions: those of each element. F is the largest number that any element has; the columns that an element
            lacks are 0 for its atoms.
        symbols: the atoms' elements, N of them.
        neighbours: their pairs, found with at least `reach(functions)` as cutoff.
        precision: what is computed with, whatever JAX's own setting is.

    Raises:
        DataError: an atom's element has no functions.

    Example:
        >>> from amalthea.potentials.symmetry_functions.functions import Cutoff
        >>> from amalthea.potentials.symmetry_functions.neighbours import neighbours
        >>> dimer = neighbours([[0.0, 0, 0], [2.0, 0, 0]], None, False, 4.0)
        >>> values({"H": (Radial("H", 0.0, 0.0, Cutoff(4.0)),)}, ["H", "H"], dimer).round(3).tolist()
        [[0.5], [0.5]]
    """
    with jax.enable_x64(precision == "float64"):
        values = _values(_frozen(functions), sums(functions, symbols, neighbours), _vectors(neighbours, precision))
        return np.asarray(values)[: len(symbols)]


def derivatives(
    functions: Functions, symbols: Sequence[str], neighbours: Neighbours, precision: Precision = "float64"
) -> NDArray[Any]:
    """Return dG_i / d(R_j - R_i) for every pair i -> j and every function of atom i, shape (P, F, 3), in 1/Å.

    Args:
        functions: as for `values`; so is F.
        symbols: the N atoms' elements.
        neighbours: their P pairs.
        precision: what is computed with.

    Raises:
        DataError: an atom's element has no functions.
    """
    width = max((len(listed) for listed in functions.values()), default=0)
    everyone = np.eye(width)[:, None].repeat(
        len(symbols), axis=1
    )  # a pair's vector is one atom's own: all atoms at once
    slopes = np.empty((len(neighbours.vector), width, 3), precision)
    for column, gradient in enumerate(everyone):
        slopes[:, column] = pull_back(functions, symbols, neighbours, gradient, precision)
    return slopes


def pull_back(
    functions: Functions,
    symbols: Sequence[str],
    neighbours: Neighbours,
    gradient: NDArray[Any],
    precision: Precision = "float64",
) -> NDArray[Any]:
    """Return dE / d(R_j - R_i) of every pair, shape (P, 3), from dE/dG of every atom.

    Args:
        functions: as for `values`; so is F.
        symbols: the N atoms' elements.
        neighbours: their P pairs.
        gradient: dE/dG, shape (N, F), in eV.
        precision: what is computed with.

    Raises:
        DataError: an atom's element has no functions.
    """
    with jax.enable_x64(precision == "float64"):
        over = sums(functions, symbols, neighbours)
        rows = np.zeros((len(over.rows), gradient.shape[1]), precision)
        rows[: len(gradient)] = gradient
        pulls = _pull_back(_frozen(functions), over, _vectors(neighbours, precision), jnp.asarray(rows))
        return np.asarray(pulls)[: len(neighbours.vector)]


def evaluate(functions: Functions, over: Sums, vector: jax.Array) -> jax.Array:
    """Return the symmetry functions of all atoms as a differentiable function of the pairs' vectors.

    Args:
        functions: those of each element.
        over: what they sum over: `sums(functions, symbols, neighbours)`.
        vector: R_j - R_i, one row for each entry of `over.centre`, in Å.
    """
    r = jnp.sqrt(jnp.sum(vector**2, axis=1))
    width = max((len(listed) for listed in functions.values()), default=0)
    total = jnp.zeros((len(over.rows), width), vector.dtype)
    for element, listed in functions.items():
        for function, columns in _alike(listed, vector.dtype):
            chosen = over.over[element, *summed_over(function)]
            charge = jnp.asarray(over.charge, vector.dtype)[chosen[0]]
            if len(chosen) == 1:
                terms = radial(function, r[chosen[0], None], charge[:, None])
            else:
                j, k = chosen
                cosine = jnp.sum(vector[j] * vector[k], axis=1) / (r[j] * r[k])
                r_jk = jnp.sqrt(jnp.sum((vector[k] - vector[j]) ** 2, axis=1))
                around = (r[j], r[k], r_jk, cosine, charge * jnp.asarray(over.charge)[k])
                terms = angular(function, *(one[:, None] for one in around))
            added = jax.ops.segment_sum(terms, over.centre[chosen[0]], len(over.rows))
            total = total.at[:, columns].add(added)
    return total


def radial(function: SymmetryFunction, r: jax.Array, charge: jax.Array) -> jax.Array:
    """Return what each neighbour j adds to a radial function of atom i.

    `Radial` (G² of Behler 2011): exp(-η (r_ij - R_s)²) f_c(r_ij); `WeightedRadial`: Z_j times that (Gastegger
    2018); `CompactRadial` (Bircher 2021): C(r_ij).

    Args:
        function: the symmetry function.
        r: distances r_ij in Å, shape (n,).
        charge: atomic numbers Z_j, shape (n,).
    """
    match function:
        case Radial():
            return _gaussian(function, r) * cutoff(function.cutoff, r)
        case WeightedRadial():
            return charge * _gaussian(function, r) * cutoff(function.cutoff, r)
        case CompactRadial():
            return compact(function.shape, function.left, function.right, r)
        case _:
            raise TypeError(f"not a radial symmetry function: {function!r}")


def angular(
    function: SymmetryFunction, r_ij: jax.Array, r_ik: jax.Array, r_jk: jax.Array, cosine: jax.Array, charge: jax.Array
) -> jax.Array:
    """Return what each pair of neighbours j < k adds to an angular function of atom i, where θ is the angle j-i-k.

    `Angular` (Behler 2011): closed, G⁴: 2^(1-ζ) (1 + λ cos θ)^ζ exp(-η (r_ij² + r_ik² + r_jk²)) f_c(r_ij)
    f_c(r_ik) f_c(r_jk), each r in the exponent less R_s; open, G⁵: without r_jk. `WeightedAngular`: Z_j Z_k times the
    closed one (Gastegger 2018). `CompactAngular` (Bircher 2021): C(r_ij) C(r_ik) A(θ), times C(r_jk) if closed;
    as in n2p2, three atoms on one line (|cos θ| = 1), where θ has no derivative, add nothing.

    Args:
        function: the symmetry function.
        r_ij: in Å, shape (n,); and so `r_ik`, `r_jk`.
        r_ik: see `r_ij`.
        r_jk: see `r_ij`.
        cosine: cos θ, shape (n,).
        charge: Z_j Z_k, shape (n,).
    """
    match function:
        case Angular() | WeightedAngular():
            closed = isinstance(function, WeightedAngular) or function.closed
            value = 2 ** (1 - function.zeta) * _power(1 + function.lambda_ * cosine, function.zeta)
            for r in (r_ij, r_ik, r_jk) if closed else (r_ij, r_ik):
                value *= _gaussian(function, r) * cutoff(function.cutoff, r)
            return charge * value if isinstance(function, WeightedAngular) else value
        case CompactAngular():
            bent = jnp.abs(cosine) < 1
            angle = jnp.rad2deg(jnp.arccos(jnp.where(bent, cosine, 0.0)))
            shape = function.shape.removesuffix("a")
            value = jnp.where(bent, compact(shape, function.angle_left, function.angle_right, angle), 0.0)
            for r in (r_ij, r_ik, r_jk) if function.closed else (r_ij, r_ik):
                value *= compact(function.shape, function.left, function.right, r)
            return value
        case _:
            raise TypeError(f"not an angular symmetry function: {function!r}")


_Frozen = tuple[tuple[str, tuple[SymmetryFunction, ...]], ...]


def _frozen(functions: Functions) -> _Frozen:
    return tuple((element, tuple(listed)) for element, listed in functions.items())


@functools.partial(jax.jit, static_argnums=0)
def _values(functions: _Frozen, over: Sums, vector: jax.Array) -> jax.Array:
    return evaluate(dict(functions), over, vector)


@functools.partial(jax.jit, static_argnums=0)
def _pull_back(functions: _Frozen, over: Sums, vector: jax.Array, gradient: jax.Array) -> jax.Array:
    transposed = jax.vjp(lambda v: evaluate(dict(functions), over, v), vector)[1]
    pulls: jax.Array = transposed(gradient)[0]
    return pulls


def _alike(
    functions: tuple[SymmetryFunction, ...], dtype: np.dtype[Any]
) -> list[tuple[SymmetryFunction, NDArray[np.int64]]]:
    """Return functions that differ in numbers alone as one, with arrays of f numbers, and their columns."""
    groups: dict[Any, list[int]] = {}
    for column, function in enumerate(functions):
        words = [value for value in vars(function).values() if not _is_number(value)]
        groups.setdefault((type(function), *words), []).append(column)
    stacked = []
    for columns in groups.values():
        names = [name for name, value in vars(functions[columns[0]]).items() if _is_number(value)]
        numbers: dict[str, Any] = {
            name: jnp.asarray([getattr(functions[column], name) for column in columns], dtype) for name in names
        }
        stacked.append((dataclasses.replace(functions[columns[0]], **numbers), np.array(columns)))
    return stacked


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _gaussian(function: Radial | WeightedRadial | Angular | WeightedAngular, r: jax.Array) -> jax.Array:
    return jnp.exp(-function.eta * (r - function.shift) ** 2)


def _power(base: jax.Array, exponent: Any) -> jax.Array:
    """Return base^exponent for a base that is not negative but for rounding, with a finite gradient at 0."""
    positive = base > 0
    return jnp.where(positive, jnp.where(positive, base, 1.0) ** exponent, jnp.where(exponent == 0, 1.0, 0.0))


def _vectors(neighbours: Neighbours, precision: Precision) -> jax.Array:
    """Return the pairs' vectors, filled up with vectors of which no two in a row are the same."""
    pairs = len(neighbours.vector)
    fill = np.eye(3)[np.arange(filled(pairs + 2) - pairs) % 2]
    return jnp.asarray(np.concatenate([neighbours.vector, fill]).astype(precision))
