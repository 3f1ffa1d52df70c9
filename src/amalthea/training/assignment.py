"""Who trains on what: the rows of every member, and the order in which it sees them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.datasets.splits import random_folds
from amalthea.errors import DataError

Rows = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class MemberLayout:
    """How K x M members are numbered: member k * M + m is the m-th of fold k.

    Example:
        >>> layout = MemberLayout(folds=2, members=3)
        >>> layout.of_fold(1).tolist(), layout.fold_of(4), layout.position_in_fold(4)
        ([3, 4, 5], 1, 1)
    """

    folds: int  # K
    members: int  # M, the number of members a fold

    def __len__(self) -> int:
        return self.folds * self.members

    def of_fold(self, fold: int) -> Rows:
        """Return the numbers of a fold's members, shape (M,)."""
        return np.arange(fold * self.members, (fold + 1) * self.members)

    def fold_of(self, member: Any) -> Any:
        """Return the fold of a member, or of an array of members."""
        return member // self.members

    def position_in_fold(self, member: Any) -> Any:
        """Return which of its fold's members a member is, 0 to M - 1; or an array of members."""
        return member % self.members

    def by_fold(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what each member has, shape (K * M, ...), as shape (K, M, ...)."""
        return values.reshape(self.folds, self.members, *values.shape[1:])


@dataclasses.dataclass(frozen=True, eq=False)
class Assignment:
    """The rows of each of the K x M members, in the order of a `MemberLayout`."""

    folds: int  # K; with one fold nothing is held out and all members see all rows
    members: int  # M, the number of members a fold
    fold_ids: Rows  # shape (n,): the fold of each row, 0 to K - 1
    training: tuple[Rows, ...]  # for each member the rows it learns from
    # for each member the rows, of its own training part, on which its validation loss is measured: equally many for all
    validation: tuple[Rows, ...]

    @property
    def layout(self) -> MemberLayout:
        """How the members are numbered."""
        return MemberLayout(self.folds, self.members)

    @property
    def sets_aside(self) -> bool:
        """Whether validation rows are rows of the folds, and no validation data of the user's behind them."""
        return bool(len(self.validation[0])) and int(self.validation[0].max()) < len(self.fold_ids)

    def held_out(self, member: int) -> Rows:
        """Return the rows that this member never saw."""
        return np.flatnonzero(self.fold_ids == self.layout.fold_of(member)) if self.folds > 1 else np.empty(0, np.int64)


def deal(count: int, folds: int, seed: int, groups: Rows | None, fold_ids: ArrayLike | None) -> Rows:
    """Return each row's fold, shape (count,): the user's own `fold_ids`, or random ones with whole groups.

    Raises:
        DataError: the user's own do not fit, or leave a fold empty.
    """
    if fold_ids is None:
        return random_folds(count, folds, seed, groups=groups)
    ids = np.asarray(fold_ids)
    present = np.unique(ids)
    if len(ids) != count or present.tolist() != list(range(folds)):
        raise DataError(
            f"fold_ids must give each of the {count} rows a fold from 0 to {folds - 1}, and none may be empty. "
            f"Received: {len(ids)} rows with the folds {present[:10].tolist()}"
        )
    return ids.astype(np.int64)


def assign(
    fold_ids: Rows, folds: int, members: int, validation_fraction: float, groups: NDArray[np.int64] | None, seed: int
) -> Assignment:
    """Give each member its rows: those of the other folds, less its own validation rows (whole groups).

    Args:
        fold_ids: shape (n,), 0 to folds - 1.
        folds: K.
        members: M.
        validation_fraction: the share of each member's own training rows to be set aside, 0 for none.
        groups: shape (n,): rows that share a group are set aside together; None: each row by itself.
        seed: decides which rows are set aside.

    Raises:
        DataError: a member would have no rows to learn from, or none to set aside.
    """
    # With one fold nothing is held out.
    layout, every = MemberLayout(folds, members), np.arange(len(fold_ids))
    unseen = [every[fold_ids != layout.fold_of(m)] if folds > 1 else every for m in range(len(layout))]
    aside = [
        _set_aside(rows, validation_fraction, groups, np.random.default_rng([seed, member, 1]))
        for member, rows in enumerate(unseen)
    ]
    # Every member is measured on equally many rows: they learn side by side, in arrays of one shape.
    measured = min(min(len(rows) for rows in aside), max(1, int(validation_fraction * min(map(len, unseen)))))
    if validation_fraction > 0 and measured == 0:
        raise DataError(
            "No rows can be set aside for a validation loss: a member's training rows all belong to one group. "
            "Leave patience and validation_fraction out, or give smaller groups."
        )
    # What is set aside beyond those is neither learned from nor measured on: groups stay whole.
    training = [np.setdiff1d(rows, apart) for rows, apart in zip(unseen, aside, strict=True)]
    if min(map(len, training)) == 0:
        raise DataError(f"A member has no rows to learn from: {len(fold_ids)} rows in {folds} folds are too few.")
    return Assignment(folds, members, fold_ids, tuple(training), tuple(rows[:measured] for rows in aside))


def _set_aside(rows: Rows, fraction: float, groups: NDArray[np.int64] | None, random: np.random.Generator) -> Rows:
    """Return which of a member's own rows it does not learn from: whole groups, in random order, until enough."""
    if fraction == 0:
        return rows[:0]
    # Whole groups, in random order, until there are enough rows; one group at least is left to learn from.
    labels = np.arange(len(rows)) if groups is None else np.unique(groups[rows], return_inverse=True)[1]
    sizes = np.bincount(labels)
    shuffled = random.permutation(len(sizes))
    before = np.cumsum(sizes[shuffled]) - sizes[shuffled]
    chosen = shuffled[before < fraction * len(rows)][: len(sizes) - 1]
    apart = rows[np.isin(labels, chosen)]
    return random.permutation(apart)


def batches(rows: Rows, steps: int, batch_size: int, random: np.random.Generator) -> NDArray[np.int32]:
    """Return one epoch of a member: every one of its rows in random order, the last batch filled from its own rows.

    Args:
        rows: the member's training rows.
        steps: the number of mini-batches.
        batch_size: rows in each.
        random: the member's own generator.

    Returns:
        Row indices, shape (steps, batch_size).
    """
    # All batches are full, for all members advance in arrays of one shape.
    order = random.permutation(rows)
    while len(order) < steps * batch_size:
        order = np.concatenate([order, random.permutation(rows)])
    return order[: steps * batch_size].reshape(steps, batch_size).astype(np.int32)


def batches_by_epoch(
    assignment: Assignment, members: Rows, steps: int, batch_size: int, seed: int
) -> Iterator[NDArray[np.int32]]:
    """Yield, epoch after epoch, the mini-batches of these members, shape (members, steps, batch_size).

    A member's order depends on its own number and the seed alone, not on who trains beside it.
    """
    generators = {int(member): np.random.default_rng([seed, int(member)]) for member in members}
    while True:
        drawn = {
            member: batches(assignment.training[member], steps, batch_size, random)
            for member, random in generators.items()
        }
        yield np.stack([drawn[int(member)] for member in members])


def evenly(rows: tuple[Rows, ...], batch_size: int) -> NDArray[np.int32]:
    """Return rows of several members as equal numbers of equal batches, short ones filled by repeating their own rows.

    Returns:
        Row indices, shape (members, steps, batch); steps is 0 where nobody has a row.

    Example:
        >>> evenly((np.array([1, 2, 3]), np.array([7, 8])), batch_size=2).tolist()
        [[[1, 2], [3, 1]], [[7, 8], [7, 8]]]
    """
    longest = max(len(member_rows) for member_rows in rows)
    batch = max(1, min(batch_size, longest))
    steps = -(-longest // batch)
    filled = [np.resize(member_rows, steps * batch) for member_rows in rows]
    return np.stack(filled).reshape(len(rows), steps, batch).astype(np.int32)
