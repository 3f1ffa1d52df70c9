"""Which symmetry functions describe an atom: their parameters, as records; nothing is computed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

CutoffKind = Literal["hard", "cosine", "tanh", "tanh_scaled", "exponential", "poly1", "poly2", "poly3", "poly4"]


@dataclasses.dataclass(frozen=True)
class Cutoff:
    """How an atom's surroundings end.

    Args:
        radius: the distance from which on nothing is seen, in Å.
        kind: the form of the decay (n2p2's types 0 to 8, in this order).
        inner: the share of `radius` up to which the function is 1; not for "tanh" and "tanh_scaled".
    """

    radius: float
    kind: CutoffKind = "cosine"
    inner: float = 0.0


@dataclasses.dataclass(frozen=True)
class Radial:
    """G² of Behler and Parrinello: Gaussians of the distance to the neighbours of one element.

    Args:
        neighbour: the neighbours' element.
        eta: the Gaussian's exponent, in 1/Å².
        shift: the Gaussian's centre R_s, in Å.
        cutoff: where the surroundings end.
    """

    neighbour: str
    eta: float
    shift: float
    cutoff: Cutoff


@dataclasses.dataclass(frozen=True)
class Angular:
    """G⁴ (closed: with the distance j-k) or G⁵ (open: without) of Behler.

    Args:
        neighbours: the elements of j and k; their order means nothing.
        eta: the Gaussians' exponent, in 1/Å².
        lambda_: 1 or -1: where the angular part has its maximum, 0 or 180 degrees.
        zeta: the angular part's exponent.
        cutoff: where the surroundings end.
        shift: the Gaussians' centre R_s, in Å.
        closed: whether the distance between j and k counts.
    """

    neighbours: tuple[str, str]
    eta: float
    lambda_: float
    zeta: float
    cutoff: Cutoff
    shift: float = 0.0
    closed: bool = False


@dataclasses.dataclass(frozen=True)
class WeightedRadial:
    """n2p2's type 12: `Radial` summed over all elements, each neighbour weighted with its atomic number."""

    eta: float
    shift: float
    cutoff: Cutoff


@dataclasses.dataclass(frozen=True)
class WeightedAngular:
    """n2p2's type 13: a closed `Angular` over all elements, weighted with Z_j Z_k."""

    eta: float
    shift: float
    lambda_: float
    zeta: float
    cutoff: Cutoff


@dataclasses.dataclass(frozen=True)
class CompactRadial:
    """n2p2's type 20: a smooth bump between two distances.

    Args:
        neighbour: the neighbours' element.
        left: where the bump begins, in Å; may be negative.
        right: where it ends, in Å.
        shape: "p1" to "p4" or "e", with a trailing "a" for the asymmetric form.
    """

    neighbour: str
    left: float
    right: float
    shape: str


@dataclasses.dataclass(frozen=True)
class CompactAngular:
    """n2p2's types 21 (closed) and 22 (open): bumps in two distances and the angle between them.

    Args:
        neighbours: the elements of j and k; their order means nothing.
        left: where the radial bump begins, in Å; may be negative.
        right: where it ends, in Å.
        angle_left: where the angular bump begins, in degrees.
        angle_right: where it ends, in degrees.
        shape: as in `CompactRadial`.
        closed: whether the distance between j and k counts as well.
    """

    neighbours: tuple[str, str]
    left: float
    right: float
    angle_left: float
    angle_right: float
    shape: str
    closed: bool = False


SymmetryFunction = Radial | Angular | WeightedRadial | WeightedAngular | CompactRadial | CompactAngular

Functions = Mapping[str, tuple[SymmetryFunction, ...]]
"""The symmetry functions of each central element, by its symbol."""


def reach(functions: Functions) -> float:
    """Return the largest distance that any of the functions sees, in Å.

    Example:
        >>> reach({"Si": (Radial("Si", 0.1, 0.0, Cutoff(5.5)), CompactRadial("Si", 1.0, 6.0, "p2"))})
        6.0
    """
    everyone = [function for listed in functions.values() for function in listed]
    return max(
        (
            function.right if isinstance(function, CompactRadial | CompactAngular) else function.cutoff.radius
            for function in everyone
        ),
        default=0.0,
    )
