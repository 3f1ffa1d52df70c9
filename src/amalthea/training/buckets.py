"""Examples of several shapes: sorted into classes of one shape, from one of which all members draw in a step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from amalthea.training.arrays import as_arrays
from amalthea.training.assignment import Assignment, Rows
from amalthea.training.windows import take as rows_of


@dataclasses.dataclass(frozen=True, eq=False)
class Shapes:
    """n examples in classes of one shape each."""

    # for each class its inputs and targets, (x, y), arrays of as many rows as it has examples
    parts: tuple[tuple[Any, Any], ...]
    rows: tuple[Rows, ...]  # for each class the numbers of its examples, 0 to n - 1, in the order of the arrays' rows

    def __len__(self) -> int:
        return sum(map(len, self.rows))

    def as_arrays(self) -> Shapes:
        """Return the same examples in the types that devices hold."""
        return Shapes(tuple((as_arrays(x, "x"), as_arrays(y, "y")) for x, y in self.parts), self.rows)


class Several(NamedTuple):
    """The data of all members: (x, y, sample weights) of each class, and the class of each step, shape (steps,)."""

    parts: tuple[Any, ...]
    which: Any


def class_batches_by_epoch(
    assignment: Assignment, members: Rows, shapes: Shapes, batch_size: int, seed: int
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Yield, epoch after epoch, the class of each step and the members' mini-batches.

    Steps of all classes are shuffled together, in the same way for all members; which rows of the class a member sees,
    and in which order, is its own affair. A batch that is not full holds -1.

    Args:
        assignment: who trains on what.
        members: the members' numbers.
        shapes: the examples.
        batch_size: rows in one step.
        seed: decides all orders.

    Returns:
        The class of each step, shape (steps,), and row numbers within the class, shape (members, steps, batch).
    """
    rows_by_member = {
        int(member): [np.flatnonzero(np.isin(rows, assignment.training[member])) for rows in shapes.rows]
        for member in members
    }
    # As many steps of a class as the member with most of its rows needs.
    steps = [
        max(-(-len(np.flatnonzero(np.isin(rows, training))) // batch_size) for training in assignment.training)
        for rows in shapes.rows
    ]
    generators = {member: np.random.default_rng([seed, member]) for member in rows_by_member}
    common = np.random.default_rng([seed, 0, 2])  # no member's own
    plan = np.repeat(np.arange(len(steps)), steps)
    while True:
        # All members draw from the same class in a step, so that one program serves them all.
        shuffled = common.permutation(len(plan))
        drawn = {
            member: np.concatenate(
                [_batches(rows, count, batch_size, generators[member]) for rows, count in zip(mine, steps, strict=True)]
            )[shuffled]
            for member, mine in rows_by_member.items()
        }
        yield plan[shuffled].astype(np.int32), np.stack([drawn[int(member)] for member in members])


def _batches(rows: Rows, steps: int, batch_size: int, random: np.random.Generator) -> NDArray[np.int32]:
    order = np.full(steps * batch_size, -1, np.int32)
    order[: len(rows)] = random.permutation(rows)
    return order.reshape(steps, batch_size)


def some(x: Any) -> Any:
    """Return two rows of the inputs, of the first class where there are several, to build a model."""
    return rows_of(x.parts[0][0] if isinstance(x, Shapes) else x, slice(2))


def take(part: Any, rows: jax.Array) -> Any:
    """Return rows of a class as (x, y, weight): a row below 0 stands for nothing and has weight 0."""
    x, y, _ = part
    there = jax.numpy.maximum(rows, 0)
    x, y = jax.tree.map(lambda values: values[there], (x, y))
    return x, y, (rows >= 0).astype("float32")
