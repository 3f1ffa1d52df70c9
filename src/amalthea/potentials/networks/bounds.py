"""Answers that stay bounded: what a network sees of an atom, and what it answers, far beyond what it learned from.

Inside the range of a member's own training structures nothing changes, to the last bit. Beyond it, a value goes on as
it is at first, and then ever more slowly: never farther than one width of the range.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_WIDTH = 2.0
"""The least width of a symmetry function's range, in units of its family's spread."""

LEAST_ENERGY_WIDTH = 0.05
"""That of the energies of an element's atoms, in eV."""

FARTHEST = 1e30
"""Widths beyond which all is one: their fourth power is still a number."""


@dataclasses.dataclass(frozen=True, eq=False)
class Bounds:
    """Ranges, arrays that broadcast against each other, and how values bend beyond them.

    Args:
        low: the ranges' lower ends.
        high: their upper ends.
        width: how far beyond them a value is let at most, above 0.

    Example:
        >>> bounds = Bounds(np.zeros(1), np.ones(1), np.ones(1))
        >>> bent, slopes = bounds.bend(np.array([0.7, 1.3, 2.0, 1e9]))
        >>> bent.round(2).tolist(), slopes.round(2).tolist()
        ([0.7, 1.3, 1.84, 2.0], [1.0, 0.99, 0.42, 0.0])
    """

    low: Floats
    high: Floats
    width: Floats

    @classmethod
    def of(cls, low: Floats, high: Floats, least: Floats | float) -> Bounds:
        """Return bounds as wide as the ranges, and not less wide than `least`."""
        return cls(low, high, np.maximum(high - low, least))

    def bend(self, values: Floats) -> tuple[Floats, Floats]:
        """Return bent values, and the slopes of the bend: x + w t / (1 + t⁴)^(1/4), t the excess over the end x in w.

        The function and three derivatives are continuous, the fourth not: more than forces and their slopes need.
        """
        inside = np.clip(values, self.low, self.high)
        excess = np.clip((values - inside) / self.width, -FARTHEST, FARTHEST)
        power = 1.0 + excess**4
        return inside + self.width * excess * power**-0.25, power**-1.25

    def inside(self, values: Floats) -> NDArray[np.bool_]:
        """Say which of n rows of values (n, F) no member bends; the bounds have the shape (M, 1, F)."""
        low, high = self.low.max(axis=(0, 1)), self.high.min(axis=(0, 1))
        within: NDArray[np.bool_] = ((values >= low) & (values <= high)).all(axis=1)
        return within

    def take(self, members: Any) -> Bounds:
        """Return these members' bounds."""
        return Bounds(self.low[members], self.high[members], self.width[members])


@dataclasses.dataclass(frozen=True)
class MemberRanges:
    """The ranges of each of M members' own training structures.

    Args:
        low: the smallest value of each symmetry function, shape (M, elements, F).
        high: the largest.
        energy_low: the smallest energy that the member's network gives an atom there, shape (M, elements), in eV.
        energy_high: the largest.
    """

    low: list[list[list[float]]]
    high: list[list[list[float]]]
    energy_low: list[list[float]]
    energy_high: list[list[float]]

    @classmethod
    def of(cls, committee: Any, examples: Any, learned: NDArray[np.bool_]) -> MemberRanges:
        """Return the ranges of a committee that nothing bounds yet.

        Args:
            committee: its M members.
            examples: n structures.
            learned: from which of them each member learned, shape (M, n).
        """
        shape = (committee.members, len(committee.elements))
        low, high = np.full((2, *shape, examples.width), np.inf)
        energy_low, energy_high = np.full((2, *shape), np.inf)
        high, energy_high = -high, -energy_high
        for row, structure in enumerate(examples.surroundings):
            members = learned[:, row]
            for number, element in enumerate(committee.elements):
                values = examples.values[row][structure.kinds == number]
                if len(values):
                    energies = committee.networks(element, values[:, : len(committee.functions[element])])[0]
                    low[members, number] = np.minimum(low[members, number], values.min(axis=0))
                    high[members, number] = np.maximum(high[members, number], values.max(axis=0))
                    least, most = energies.min(axis=1), energies.max(axis=1)
                    energy_low[members, number] = np.minimum(energy_low[members, number], least[members])
                    energy_high[members, number] = np.maximum(energy_high[members, number], most[members])
        # An element that a member never met, and a member whose training diverged, know nothing: all is one point.
        ends = [np.where(np.isfinite(low) & np.isfinite(high), each, 0.0).tolist() for each in (low, high)]
        known = np.isfinite(energy_low) & np.isfinite(energy_high)
        return cls(*ends, *(np.where(known, each, 0.0).tolist() for each in (energy_low, energy_high)))
