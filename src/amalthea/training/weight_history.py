"""Weights written down while members learn: a few epochs of all of them, in bounded memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from amalthea.training.arrays import size_in_bytes
from amalthea.training.assignment import Assignment, Rows

MOST_EPOCHS = 24
"""Epochs of which the weights are kept, at most."""

MEMORY_BYTES = 2**28
"""What the kept weights may take together ..."""

FEWEST_EPOCHS = 4
"""... unless that were less than this many epochs."""

MOST_ROWS = 1024
"""Examples that are kept with the weights, to measure the loss on."""

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Recording:
    """The weights of all members along their training."""

    epochs: NDArray[np.int64]  # shape (members, times): how many epochs a member had learned; the first is 0, the start
    trainable: list[Array]  # the weights, one array a variable, shape (members, times, ...)
    others: list[Array]  # the model's non-trainable variables, likewise
    x: Any  # some of the examples that the members learned from, arrays of r rows
    y: Any  # their targets
    learned: NDArray[np.bool_]  # shape (members, r): whether a member learned from a row
    # shape (members, r): whether a row belongs to the fold that a member never saw; with one fold, whether it was set
    # aside for the member's validation loss
    held_out: NDArray[np.bool_]


class Recorder:
    """Keeps the members' weights of thinned epochs: the start, the end, and between them more of the early ones.

    A copy of the weights is made on the device while the next epoch runs, so that nobody waits for it.

    Args:
        members: how many learn.
        epochs: for how many epochs, at most.
    """

    def __init__(self, members: int, epochs: int) -> None:
        self.members, self.epochs = members, epochs
        self.times: list[int] = []
        self._trainable: list[Array] = []
        self._others: list[Array] = []
        self._pending: tuple[int, Rows, Any, Any] | None = None

    def see(self, epoch: int, numbers: Rows, trainable: Sequence[Any], others: Sequence[Any]) -> None:
        """Keep some members' weights, if this is one of the epochs.

        Args:
            epoch: how many epochs they have learned.
            numbers: theirs, shape (m,).
            trainable: stacked weights, shape (m or more, ...).
            others: stacked non-trainable variables.
        """
        if not self.times:
            self._begin(trainable, others)
        if epoch in self.times:
            self._write()
            copies = jax.tree.map(jnp.copy, (list(trainable), list(others)))
            self._pending = (self.times.index(epoch), numbers, *copies)

    def end(self, numbers: Rows, trainable: Sequence[Any], others: Sequence[Any]) -> None:
        """Keep the weights with which members ended, for this and all epochs that they did not reach."""
        if not self.times:
            self._begin(trainable, others)
        reached = -1 if self._pending is None else self._pending[0]
        self._write()
        for time in range(reached + 1, len(self.times)):
            self._pending = (time, numbers, trainable, others)
            self._write()

    def recording(
        self,
        x: Any,
        y: Any,
        assignment: Assignment,
        learned: NDArray[np.int64],
        seed: int,
        numbers: NDArray[np.int64] | None = None,
    ) -> Recording:
        """Return what was kept, with some of the examples.

        Args:
            x: the examples, arrays of n rows.
            y: their targets.
            assignment: who learned from which row.
            learned: how many epochs each member learned, shape (members,).
            seed: of the choice of examples.
            numbers: which examples of the assignment these are, shape (n,); None: all of them.
        """
        numbers = np.arange(len(assignment.fold_ids)) if numbers is None else numbers
        places = np.sort(np.random.default_rng(seed).permutation(len(numbers))[:MOST_ROWS])
        rows = numbers[places]
        apart = [
            assignment.held_out(member) if assignment.folds > 1 else assignment.validation[member]
            for member in range(self.members)
        ]
        some_x, some_y = jax.tree.map(lambda values: values[places], (x, y))
        return Recording(
            np.minimum(np.array(self.times), learned[:, None]),
            self._trainable,
            self._others,
            some_x,
            some_y,
            np.stack([np.isin(rows, member_rows) for member_rows in assignment.training]),
            np.stack([np.isin(rows, member_rows) for member_rows in apart]),
        )

    def _begin(self, trainable: Sequence[Any], others: Sequence[Any]) -> None:
        size = size_in_bytes([values[0] for values in [*trainable, *others]]) * self.members
        self.times = thinned(self.epochs, max(FEWEST_EPOCHS, min(MOST_EPOCHS, MEMORY_BYTES // max(1, size))))

        def room(values: Any) -> Array:
            return np.zeros((self.members, len(self.times), *values.shape[1:]), values.dtype)

        self._trainable = [room(values) for values in trainable]
        self._others = [room(values) for values in others]

    def _write(self) -> None:
        if self._pending is None:
            return
        time, numbers, trainable, others = self._pending
        for room, values in zip([*self._trainable, *self._others], [*trainable, *others], strict=True):
            room[numbers, time] = np.asarray(values)[: len(numbers)]
        self._pending = None


def thinned(epochs: int, most: int) -> list[int]:
    """Return at most so many numbers from 0 to `epochs`, both among them, closer at the beginning: weights move early.

    Example:
        >>> thinned(100, 6), thinned(3, 6)
        ([0, 4, 16, 36, 64, 100], [0, 1, 2, 3])
    """
    if epochs < most:
        return list(range(epochs + 1))
    return sorted({round(epochs * (index / (most - 1)) ** 2) for index in range(most)})
