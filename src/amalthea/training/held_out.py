"""How well members that still learn answer rows that they never see: to be looked at, and for nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from amalthea.training.assignment import Assignment, Rows
from amalthea.training.program import Scores, Variables, for_members, score
from amalthea.training.sharding import Placement

MOST = 256
"""Rows on which a member is measured."""


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOut:
    """Measures members on rows of their held-out folds while they learn; nothing follows from it, nothing is kept.

    Args:
        program: ((trainable, others), rows, data) -> scores, of all members.
        rows: for each member as many of its held-out rows, shape (members, rows).
        placement: where the members lie.
        data: (x, y, sample weights) on the devices.
    """

    program: Callable[..., Scores]
    rows: Rows
    placement: Placement
    data: Any

    @classmethod
    def of(cls, model: keras.Model, placement: Placement, assignment: Assignment, data: Any) -> HeldOut | None:
        """Return what measures an assignment's members; None where rows are set aside for it, or none are held out."""
        members = range(len(assignment.training))
        count = min(MOST, *(len(assignment.held_out(member)) for member in members))
        if count == 0 or len(assignment.validation[0]):
            return None
        rows = np.stack([_spread(assignment.held_out(member), count) for member in members])

        def measure(variables: tuple[Variables, Variables], rows: jax.Array, data: Any) -> Scores:
            return score(model, variables, data, (jnp.empty((0, len(rows)), rows.dtype), rows))

        return cls(for_members(measure, model, placement), rows, placement, data)

    def scores(self, variables: tuple[Variables, Variables], numbers: Rows) -> Scores:
        """Return the scores of the members `numbers`, each of shape (members,) and filled up as they are placed."""
        rows = self.rows[self.placement.fill(numbers)].astype(np.int32)
        return self.program(variables, jax.device_put(rows, self.placement.by_member), self.data)


def _spread(rows: Rows, count: int) -> Rows:
    """Return so many rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]
