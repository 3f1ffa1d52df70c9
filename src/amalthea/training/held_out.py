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
from amalthea.training.display import HELD_OUT
from amalthea.training.layers import TargetHeads
from amalthea.training.program import Scores, Variables, for_members, score
from amalthea.training.sharding import Placement
from amalthea.training.windows import take

MOST = 128
"""Rows of each kind on which a member is measured."""


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOut:
    """Measures members while they learn; nothing follows from it, nothing is kept.

    On rows of their held-out folds, loss and metrics, unless rows are set aside for these; and of networks that end in
    `TargetHeads` with classes, which have no metrics, the accuracy on unseen rows and on rows that they learn from.

    Args:
        program: ((trainable, others), (unseen rows, seen rows), data) -> scores, of all members.
        unseen: for each member as many rows that it does not learn from, shape (members, rows).
        seen: for each member as many rows that it learns from, likewise.
        placement: where the members lie.
        data: (x, y, sample weights) on the devices.
    """

    program: Callable[..., Scores]
    unseen: Rows
    seen: Rows
    placement: Placement
    data: Any

    @classmethod
    def of(cls, model: keras.Model, placement: Placement, assignment: Assignment, data: Any) -> HeldOut | None:
        """Return what measures an assignment's members; None where there is nothing to measure."""
        members = range(len(assignment.training))
        aside = len(assignment.validation[0]) > 0
        heads = next(
            (layer for layer in model.layers if isinstance(layer, TargetHeads) and max(layer.widths) > 1), None
        )
        unseen = _alike(list(assignment.validation) if aside else [assignment.held_out(member) for member in members])
        if not unseen.size or (aside and heads is None):
            return None

        def measure(variables: tuple[Variables, Variables], rows: tuple[jax.Array, jax.Array], data: Any) -> Scores:
            scores: Scores = {}
            if not aside:
                none = jnp.empty((0, len(rows[0])), rows[0].dtype)
                scores = {
                    HELD_OUT + name: value for name, value in score(model, variables, data, (none, rows[0])).items()
                }
            if heads is not None:
                for name, chosen in (("val_" if aside else HELD_OUT, rows[0]), ("", rows[1])):
                    x, y, _ = take(data, chosen)
                    scores[f"{name}accuracy"] = heads.accuracy(y, model.predict_step(variables, (x,))[0])
            return scores

        return cls(for_members(measure, model, placement), unseen, _alike(assignment.training), placement, data)

    def scores(self, variables: tuple[Variables, Variables], numbers: Rows) -> Scores:
        """Return the scores of the members `numbers`, each of shape (members,) and filled up as they are placed."""
        everyone = self.placement.fill(numbers)
        rows = tuple(rows[everyone].astype(np.int32) for rows in (self.unseen, self.seen))
        return self.program(variables, jax.device_put(rows, self.placement.by_member), self.data)


def _alike(rows: Any) -> Rows:
    """Return of each member as many rows, evenly spread, shape (members, rows)."""
    count = min(MOST, *map(len, rows))
    return np.stack([each[np.linspace(0, len(each) - 1, count).astype(np.int64)] for each in rows])
