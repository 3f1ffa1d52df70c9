"""Which operations are shown as one node: those of a layer, or long runs of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from amalthea.insight.computational_graph.tracing import Computation

SHOWN = 150
"""Operations that are shown one by one; longer runs are folded into blocks."""

BLOCKS = 25
"""Blocks that a long run is folded into."""

Path = tuple[str, ...]


class Group(NamedTuple):
    """What one node stands for.

    Args:
        path: the names of the groups that it lies in and, if it is one itself, its own.
        operations: positions of its operations, in their order.
        folded: it is a group; else it is one operation.
    """

    path: Path
    operations: range
    folded: bool

    @property
    def name(self) -> str:
        """The name by which it is unfolded."""
        return "/".join(self.path)


def paths(computation: Computation, fold: bool) -> list[Path]:
    """Return for each operation the groups that it may be folded into, outermost first.

    Operations of a layer that is called twice form two groups, the second called `NAME#2`. What is not in any layer,
    or one of very many in the same, is in a block of a long run.

    Args:
        computation: the computation.
        fold: its named scopes are groups, as a model's are.
    """
    scopes = [operation.scope if fold else () for operation in computation.operations]
    visited = _visits(scopes)
    paths: list[Path] = list(visited)
    # Runs in the same layer that are too long to be shown are cut into blocks.
    start = 0
    for position in range(1, len(visited) + 1):
        if position == len(visited) or visited[position] != visited[start]:
            if position - start > SHOWN:
                _fold_run(paths, start, position)
            start = position
    return paths


def _visits(scopes: Sequence[Path]) -> list[Path]:
    """Number the separate visits to the same scope, so that groups follow each other in the order of computation."""
    visits: dict[Path, int] = {}
    paths: list[Path] = []
    before: Path = ()
    named: Path = ()
    for scope in scopes:
        # How many of the outer scopes go on from the operation before.
        same = 0
        while same < min(len(scope), len(before)) and scope[same] == before[same]:
            same += 1
        # Inner scopes are entered anew: from the second visit on, they bear a number.
        path = named[:same]
        for name in scope[same:]:
            visited = (*path, name)
            visits[visited] = visits.get(visited, 0) + 1
            path = visited if visits[visited] == 1 else (*path, f"{name}#{visits[visited]}")
        paths.append(path)
        before, named = scope, path
    return paths


def _fold_run(paths: list[Path], start: int, stop: int) -> None:
    """Add to the paths of a long run the blocks, and blocks of blocks, that its operations lie in."""
    base = paths[start]
    # The sizes of blocks, from the outermost inwards, until a block can be shown whole.
    width = stop - start
    sizes = []
    while width > SHOWN:
        width = -(-width // BLOCKS)
        sizes.append(width)
    for position in range(start, stop):
        path, low, high = base, start, stop
        for size in sizes:
            low += (position - low) // size * size
            high = min(low + size, high)
            path = (*path, f"operations {low + 1}–{high}")
        paths[position] = path


def groups(where: Sequence[Path], opened: Collection[Path]) -> list[Group]:
    """Return what is shown, in the order of computation.

    Args:
        where: each operation's path.
        opened: the groups that are unfolded.
    """
    shown: list[Group] = []
    for position, path in enumerate(where):
        # The outermost group around the operation that is still folded.
        closed = next((path[:n] for n in range(1, len(path) + 1) if path[:n] not in opened), None)
        if closed is None:
            shown.append(Group(path, range(position, position + 1), False))
        elif shown and shown[-1].folded and shown[-1].path == closed:
            shown[-1] = shown[-1]._replace(operations=range(shown[-1].operations.start, position + 1))
        else:
            shown.append(Group(closed, range(position, position + 1), True))
    return shown
