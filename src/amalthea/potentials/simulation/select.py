"""Which structures to compute next: those that the committee is least sure of, and no two alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError, DataError
from amalthea.potentials.potential import Potential
from amalthea.potentials.simulation.calculator import Calculator
from amalthea.potentials.symmetry_functions.descriptors import structure_features
from amalthea.progress import Bar, Verbosity

Floats = NDArray[np.float64]

POOL = 5
"""So many times as many structures as are asked for, the least certain ones, are chosen from."""


@dataclasses.dataclass(frozen=True, eq=False)
class Selection:
    """Structures that are worth computing.

    Args:
        rows: shape (k,): their numbers among those that were looked at, the least certain first.
        uncertainty: shape (n,): of the least certain atom's force, in eV/Å, of all that were looked at; NaN where
            there is none.
        problems: shape (n,): why a structure could not be looked at; "" where it could.
    """

    rows: NDArray[np.int64]
    uncertainty: Floats
    problems: NDArray[np.object_]


def select(
    potential: Potential,
    structures: Sequence[Any],
    count: int = 20,
    *,
    threads: int = 1,
    verbose: Verbosity = "auto",
) -> Selection:
    """Choose structures for the next reference calculations.

    Of the least certain ones, the most uncertain is taken first, then again and again the one that is farthest from
    all taken (farthest-point sampling: Gonzalez, Theor. Comput. Sci. 38, 293 (1985)), by the mean and the spread of
    their atoms' symmetry functions, each in units of its spread among the structures. Copies are not taken.

    Args:
        potential: with at least two members.
        structures: n `ase.Atoms`.
        count: how many to choose; fewer are chosen where fewer differ.
        threads: how many share the work.
        verbose: "auto" shows progress on a terminal.

    Raises:
        AmaltheaError: the committee is one network and cannot doubt; nothing is asked for.
        DataError: no structure could be looked at.
    """
    if potential.committee.members < 2:
        raise AmaltheaError("This potential is one network, which cannot say how sure it is. Train several members.")
    if count < 1:
        raise AmaltheaError(f"At least one structure must be asked for. Received: {count}")
    calculator, elements = Calculator(potential, threads=threads, skin=0.0), len(potential.committee.elements)
    uncertainty, problems = np.full(len(structures), np.nan), np.full(len(structures), "", object)
    features = np.zeros((len(structures), potential.applicability.features))
    with Bar("structures", len(structures), verbose) as bar:
        for row, atoms in enumerate(structures):
            try:
                uncertainty[row] = calculator.get_property("forces_std", atoms).max()
                features[row] = structure_features(*calculator.described, elements)
            except DataError as error:
                problems[row] = str(error)
            bar.advance()
    known = np.flatnonzero(np.isfinite(uncertainty))
    if not len(known):
        raise DataError(f"none of {len(structures)} structures can be used ({problems[0] if len(problems) else ''}).")
    pool = known[np.argsort(-uncertainty[known], kind="stable")][: POOL * count]
    spread = features[known].std(axis=0)
    scaled = features[pool] / np.where(spread > 0, spread, 1.0)
    return Selection(pool[farthest(scaled, count)], uncertainty, problems)


def farthest(points: Floats, count: int) -> NDArray[np.int64]:
    """Return the first point, and then always the one that is farthest from all taken; no point twice.

    Args:
        points: shape (n, k).
        count: how many at most.

    Example:
        >>> farthest(np.array([[0.0], [0.1], [1.0], [0.4], [0.0]]), 9)
        array([0, 2, 3, 1])
    """
    taken, distance = [0], np.linalg.norm(points - points[0], axis=1)
    smallest = 1e-6 * max(1.0, float(np.abs(points).max(initial=0.0)))  # features are in single precision
    while len(taken) < count and distance.max() > smallest:
        taken.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[taken[-1]], axis=1))
    return np.array(taken, np.int64)
