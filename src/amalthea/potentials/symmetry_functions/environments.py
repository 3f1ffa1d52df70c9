"""How far an atom's surroundings are from those in training: one Gaussian for each element's symmetry functions.

Source: Mahalanobis, Proc. Natl. Inst. Sci. India 2, 49 (1936), in the principal components that the training tells;
what lies across them counts in the smallest one's deviation (Moghaddam and Pentland, IEEE TPAMI 19, 696 (1997)).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.potentials.symmetry_functions.families import LEAST_SPREAD, families, family_scale
from amalthea.potentials.symmetry_functions.functions import Functions

Floats = NDArray[np.float64]

LEAST_VARIANCE = 1e-4
"""The least variance of a principal component that counts for itself, as a share of the largest."""

DIGITS = 7
"""Digits of the numbers that are kept."""


@dataclasses.dataclass(frozen=True)
class Environments:
    """The surroundings of an element's atoms in training.

    Args:
        mean: of its F symmetry functions, shape (F,).
        scale: what they are divided by, shape (F,).
        components: principal components of the scaled functions, orthonormal, shape (q, F).
        deviations: the standard deviation of each, shape (q,), falling.
        typical: the median distance of the training's own atoms.

    Example:
        >>> values = np.random.default_rng(0).normal(size=(1000, 2)) * [1.0, 3.0]
        >>> known = Environments.of(values, np.array([1.0, 3.0]))
        >>> known.distance(np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 30.0]])).round(0)
        array([0., 8., 9.])
    """

    mean: Sequence[float]
    scale: Sequence[float]
    components: Sequence[Sequence[float]]
    deviations: Sequence[float]
    typical: float

    @classmethod
    def of(cls, values: Floats, scale: Floats) -> Environments:
        """Return those of n atoms.

        Args:
            values: their symmetry functions, shape (n, F).
            scale: the unit of each, shape (F,), 0 where it says nothing.
        """
        unit = np.where(scale > 0, scale, np.inf)
        mean = values.mean(axis=0)
        scaled = (values - mean) / unit
        variances, vectors = np.linalg.eigh(scaled.T @ scaled / len(values))
        variances, vectors = variances[::-1], vectors.T[::-1]
        count = int((variances > LEAST_VARIANCE * variances[0]).sum()) if variances[0] > 0 else 0
        parts = (mean, scale, vectors[:count], np.sqrt(variances[:count]))
        centre, unit_of, components, deviations = map(_rounded, parts)
        known = cls(centre, unit_of, components, deviations, 1.0)
        return dataclasses.replace(known, typical=float(np.median(known.distance(values))) or 1.0)

    def distance(self, values: Floats) -> Floats:
        """Return the distances of n atoms, in the training's typical one: shape (n,), from functions (n, F)."""
        mean, unit, components, deviations = self._arrays
        if not len(deviations):  # nothing ever varied
            return np.ones(len(values))
        scaled = (values - mean) / unit
        along = scaled @ components.T
        across = np.maximum((scaled**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        squares = ((along / deviations) ** 2).sum(axis=1) + across / deviations[-1] ** 2
        distance: Floats = np.sqrt(squares) / self.typical
        return distance

    @functools.cached_property
    def _arrays(self) -> tuple[Floats, Floats, Floats, Floats]:
        scale = np.array(self.scale)
        components = np.array(self.components).reshape(-1, len(scale))
        return np.array(self.mean), np.where(scale > 0, scale, np.inf), components, np.array(self.deviations)


def environments(
    functions: Functions,
    kinds: Sequence[NDArray[np.int64]],
    values: Sequence[Floats],
    typical_spread: Mapping[str, Floats],
) -> dict[str, Environments]:
    """Return each element's environments in structures; an element that none of them holds is left out.

    Args:
        functions: of each element.
        kinds: the elements' numbers in each structure, shape (A,).
        values: the symmetry functions, shape (A, F).
        typical_spread: of each element's functions over random clusters; see `FunctionScaling`.
    """
    numbers, every, known = np.concatenate(list(kinds)), np.concatenate(list(values)), {}
    for number, (element, listed) in enumerate(functions.items()):
        described = every[numbers == number, : len(listed)]
        if len(described):
            scale = family_scale(described.std(axis=0), families(listed))
            known[element] = Environments.of(described, np.maximum(scale, LEAST_SPREAD * typical_spread[element]))
    return known


def distances(
    known: Mapping[str, Environments], elements: Sequence[str], kinds: NDArray[np.int64], values: Floats
) -> Floats:
    """Return how far each atom is, shape (A,); 1, as far as a typical one, where nothing is known of its element.

    Args:
        known: by element.
        elements: the symbols, in the order of their numbers.
        kinds: the number of each atom's element, shape (A,).
        values: the symmetry functions, shape (A, F).
    """
    far = np.ones(len(kinds))
    for number, element in enumerate(elements):
        mine = np.flatnonzero(kinds == number)
        if len(mine) and element in known:
            far[mine] = known[element].distance(values[mine, : len(known[element].mean)])
    return far


def root_mean_square(distance: ArrayLike) -> float:
    """Return a structure's distance from those of its atoms."""
    return float(np.sqrt(np.mean(np.square(distance))))


def _rounded(values: Floats) -> Any:
    """Return numbers of a few digits, as lists."""
    with np.errstate(divide="ignore"):
        digits = np.floor(np.log10(np.abs(values)))
    unit = 10.0 ** (np.where(np.isfinite(digits), digits, 0) - DIGITS + 1)
    return (np.rint(values / unit) * unit).tolist()
