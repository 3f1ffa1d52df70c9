"""Which atoms lie outside of what a potential was trained on: in which symmetry function, and by how much."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.potentials.symmetry_functions.functions import Functions
from amalthea.potentials.symmetry_functions.serialization import describe
from amalthea.predictor.outside import MARK

Floats = NDArray[np.float64]

TOLERANCE = 0.1
"""The share of a function's training range by which it may lie outside before anyone is warned."""

FAR_BEYOND = 10.0
"""Ranges above a function's largest value in training at which a potential gives no number: atoms have fused."""


@dataclasses.dataclass(frozen=True)
class Extrapolation:
    """The function of an atom that lies farthest outside of its training range.

    Args:
        atom: the atom, counted from 1.
        element: its symbol.
        function: the symmetry function, in words.
        excess: how far outside, as a share of the training range; above 0.
    """

    atom: int
    element: str
    function: str
    excess: float

    def __str__(self) -> str:
        far = f"{self.excess:.0%} of" if self.excess < 10 else "more than ten times"
        return f"atom {self.atom} ({self.element}), {self.function}: {far} its training range outside"


@dataclasses.dataclass(frozen=True, eq=False)
class Ranges:
    """The smallest and the largest value of each symmetry function in the training structures.

    Args:
        functions: of each element.
        low: shape (elements, F).
        high: shape (elements, F).
        least: the least width that counts as a range, shape (elements, F): what is all but silent in training is not
            ten ranges outside as soon as it says a word. None: any width counts, and nothing is refused.
    """

    functions: Functions
    low: Floats
    high: Floats
    least: Floats | None = None

    @classmethod
    def of(cls, functions: Functions, kinds: Sequence[NDArray[np.int64]], values: Sequence[Floats]) -> Ranges:
        """Return the ranges in structures with these elements' numbers (A,) and symmetry functions (A, F) each."""
        every, numbers = np.concatenate(list(values)), np.concatenate(list(kinds))
        low, high = np.zeros((2, len(functions), every.shape[1]))
        for element in range(len(functions)):
            if (numbers == element).any():
                low[element], high[element] = (
                    every[numbers == element].min(axis=0),
                    every[numbers == element].max(axis=0),
                )
        return cls(functions, low, high)

    def excess(self, kinds: NDArray[np.int64], values: Floats) -> Floats:
        """Return how far each function lies outside of its range, shape (A, F), as a share of the range; 0 inside."""
        low, high = self.low[kinds], self.high[kinds]
        outside: Floats = np.maximum(np.maximum(low - values, values - high), 0.0) / self._width[kinds]
        return outside

    @functools.cached_property
    def _width(self) -> Floats:
        rounding = 1e-6 * np.maximum(np.abs(self.high), 1e-6)
        least = rounding if self.least is None else self.least
        return np.maximum(np.maximum(self.high - self.low, rounding), least)

    def refusal(self, kinds: NDArray[np.int64], values: Floats) -> str:
        """Return why a structure is too far beyond to be answered: an atom in a crowd; "" where it is not."""
        if self.least is None or not (values > self._ceiling[kinds]).any():
            return ""
        return f"{MARK} what was learned, too far for any answer: {self.worst(kinds, values)}"

    @functools.cached_property
    def _ceiling(self) -> Floats:
        # Upwards alone: below its range a function ends at 0, where an atom has flown away from all others.
        return self.high + FAR_BEYOND * self._width

    def worst(self, kinds: NDArray[np.int64], values: Floats) -> Extrapolation | None:
        """Return the atom and function farthest outside; None where all are inside."""
        excess = self.excess(kinds, values)
        if not excess.size or excess.max() == 0:
            return None
        atom, column = np.unravel_index(int(excess.argmax()), excess.shape)
        element = tuple(self.functions)[kinds[atom]]
        return Extrapolation(
            int(atom) + 1, element, describe(self.functions[element][column]), float(excess[atom, column])
        )

    def state(self) -> dict[str, Any]:
        """Return the ranges as JSON."""
        return {"low": self.low.tolist(), "high": self.high.tolist()}
