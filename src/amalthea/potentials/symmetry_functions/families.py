"""Families of symmetry functions: functions of one form, whose sizes can be compared and which share one scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.symmetry_functions.functions import SymmetryFunction

HARDLY = 1e-6
"""A family that varies by less than this share of its values shows rounding, in single precision."""

LEAST_SPREAD = 0.01
"""The least scale of a family of symmetry functions, as a share of its spread over random clusters of the elements."""


def families(functions: Sequence[SymmetryFunction]) -> list[int]:
    """Return the number of each function's family.

    Example:
        >>> from amalthea.potentials.symmetry_functions.functions import Angular, Cutoff, Radial
        >>> end = Cutoff(5.5)
        >>> families([Radial("H", 0.1, 0.0, end), Angular(("H", "H"), 0.1, 1.0, 4.0, end), Radial("H", 1.0, 0.0, end)])
        [0, 1, 0]
    """
    numbers: dict[tuple[type, bool], int] = {}
    return [
        numbers.setdefault((type(function), getattr(function, "closed", False)), len(numbers)) for function in functions
    ]


def family_scale(spread: NDArray[np.float64], family: Sequence[int]) -> NDArray[np.float64]:
    """Return the scale of each function, shape (F,): the root mean square of its family's spreads.

    A function is not scaled by its own spread: one that hardly varies in training would be blown up, and with it
    every structure in which it does vary.

    Args:
        spread: the functions' standard deviations, shape (F,).
        family: the number of each function's family.

    Example:
        >>> family_scale(np.array([3.0, 4.0, 0.0]), [0, 0, 1]).round(2)
        array([3.54, 3.54, 0.  ])
    """
    scale = np.sqrt(np.bincount(family, weights=spread**2) / np.bincount(family))
    shared: NDArray[np.float64] = scale[np.asarray(family)]
    return shared
