"""Symmetry functions of atoms and their derivatives, fast, in compiled loops.

What functions share is computed once (`plan`). The formulas are those of `symmetry_functions`, in JAX, against which
these are tested. The first call of each function compiles it, which takes some ten seconds; then it is in the cache.

The arguments are the same everywhere: the plan; `kinds`, the element of each of N atoms as its number in the plan's
`elements`, shape (N,); and the pairs as `neighbours` lists them: `first` (N + 1,), `neighbour` (P,), `vector` (P, 3)
in Å.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.potentials.symmetry_functions.kernels.entries import add_all_derivatives, add_all_pulls, add_all_values
from amalthea.potentials.symmetry_functions.kernels.plan import Plan, plan

__all__ = ["Plan", "derivatives", "plan", "pull_back", "values"]

Array = NDArray[Any]


def values(
    plan: Plan, kinds: ArrayLike, first: ArrayLike, neighbour: ArrayLike, vector: ArrayLike, threads: int = 1
) -> Array:
    """Return the symmetry functions of all atoms, shape (N, F); an element that has fewer ends in zeros.

    Args:
        plan: the functions.
        kinds: each atom's element, shape (N,).
        first: where each atom's pairs begin, shape (N + 1,).
        neighbour: the second atom of each pair, shape (P,).
        vector: from the first to the second, shape (P, 3), in Å.
        threads: how many threads share the atoms; the result is the same to the last bit.

    Example:
        >>> from amalthea.potentials.symmetry_functions.functions import Cutoff, Radial
        >>> made = plan({"H": (Radial("H", 1.0, 1.0, Cutoff(2.0)),)})
        >>> values(made, [0, 0], [0, 1, 2], [1, 0], [[1.0, 0, 0], [-1.0, 0, 0]]).round(3).tolist()
        [[0.5], [0.5]]
    """
    given = _given(plan, kinds, first, neighbour, vector)
    values = np.zeros((len(given[0]), plan.width), plan.weight.dtype)
    _share(add_all_values, plan, given, threads, values)
    return values


def derivatives(
    plan: Plan, kinds: ArrayLike, first: ArrayLike, neighbour: ArrayLike, vector: ArrayLike, threads: int = 1
) -> tuple[Array, Array]:
    """Return `values`, and each pair's derivatives of its first atom's functions by its vector, (P, F, 3) in 1/Å.

    Args:
        plan: the functions.
        kinds: each atom's element, shape (N,).
        first: where each atom's pairs begin, shape (N + 1,).
        neighbour: the second atom of each pair, shape (P,).
        vector: from the first to the second, shape (P, 3), in Å.
        threads: how many threads share the atoms; the result is the same to the last bit.
    """
    given = _given(plan, kinds, first, neighbour, vector)
    values = np.zeros((len(given[0]), plan.width), plan.weight.dtype)
    slopes = np.zeros((len(given[3]), plan.width, 3), plan.weight.dtype)
    _share(add_all_derivatives, plan, given, threads, values, slopes.transpose(1, 0, 2))
    return values, slopes


def pull_back(
    plan: Plan,
    kinds: ArrayLike,
    first: ArrayLike,
    neighbour: ArrayLike,
    vector: ArrayLike,
    gradient: ArrayLike,
    threads: int = 1,
) -> Array:
    """Return the gradient by the pairs' vectors from that by the symmetry functions, without storing derivatives.

    Args:
        plan: the functions.
        kinds: each atom's element, shape (N,).
        first: where each atom's pairs begin, shape (N + 1,).
        neighbour: the second atom of each pair, shape (P,).
        vector: from the first to the second, shape (P, 3), in Å.
        gradient: dE/dG, shape (N, F), or (M, N, F) for the M members of a committee.
        threads: how many threads share the atoms; the result is the same to the last bit.

    Returns:
        dE/d(vector), shape (P, 3) or (M, P, 3).
    """
    given = _given(plan, kinds, first, neighbour, vector)
    outer = np.ascontiguousarray(gradient, plan.weight.dtype)
    members = outer if outer.ndim == 3 else outer[None]
    pulls = np.zeros((len(members), len(given[3]), 3), plan.weight.dtype)
    _share(add_all_pulls, plan, given, threads, members, pulls)
    return pulls.reshape(*outer.shape[:-2], *pulls.shape[1:])


def _given(
    plan: Plan, kinds: ArrayLike, first: ArrayLike, neighbour: ArrayLike, vector: ArrayLike
) -> tuple[Array, Array, Array, Array]:
    """Return the arguments in the types that the kernels were compiled for."""
    return (
        np.ascontiguousarray(kinds, np.int64),
        np.ascontiguousarray(first, np.int64),
        np.ascontiguousarray(neighbour, np.int32),
        np.ascontiguousarray(vector, plan.weight.dtype).reshape(-1, 3),
    )


def _share(work: Callable[..., None], plan: Plan, given: tuple[Array, ...], threads: int, *arrays: Array) -> None:
    """Let threads work on equal shares of the atoms: each atom's pairs are its own, so they never meet."""
    atoms = len(given[0])
    shares = max(1, min(threads, atoms // 8))
    bounds = [atoms * share // shares for share in range(shares + 1)]
    if shares == 1:
        work(plan, *given, 0, atoms, *arrays)
        return
    with ThreadPoolExecutor(shares - 1) as pool:
        rest = [pool.submit(work, plan, *given, a, b, *arrays) for a, b in itertools.pairwise(bounds[1:])]
        work(plan, *given, 0, bounds[1], *arrays)
        for share in rest:
            share.result()
