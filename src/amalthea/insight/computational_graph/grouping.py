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
    found: list[Path] = list(visited)
    start = 0
    for place in range(1, len(visited) + 1):
        if place == len(visited) or visited[place] != visited[start]:
            if place - start > SHOWN:
                _fold_run(found, start, place)
            start = place
    return found


def _visits(scopes: Sequence[Path]) -> list[Path]:
    """Number the separate visits to the same scope, so that groups follow each other in the order of computation."""
    visits: dict[Path, int] = {}
    found: list[Path] = []
    before: Path = ()
    named: Path = ()
    for scope in scopes:
        same = 0
        while same < min(len(scope), len(before)) and scope[same] == before[same]:
            same += 1
        path = named[:same]
        for name in scope[same:]:
            own = (*path, name)
            visits[own] = visits.get(own, 0) + 1
            path = own if visits[own] == 1 else (*path, f"{name}#{visits[own]}")
        found.append(path)
        before, named = scope, path
    return found


def _fold_run(found: list[Path], start: int, stop: int) -> None:
    """Add to the paths of a long run the blocks, and blocks of blocks, that its operations lie in."""
    base = found[start]
    width = stop - start
    sizes = []
    while width > SHOWN:
        width = -(-width // BLOCKS)
        sizes.append(width)
    for place in range(start, stop):
        path, low, high = base, start, stop
        for size in sizes:
            low += (place - low) // size * size
            high = min(low + size, high)
            path = (*path, f"operations {low + 1}–{high}")
        found[place] = path


def groups(where: Sequence[Path], opened: Collection[Path]) -> list[Group]:
    """Return what is shown, in the order of computation.

    Args:
        where: each operation's path.
        opened: the groups that are unfolded.
    """
    found: list[Group] = []
    for place, path in enumerate(where):
        closed = next((path[:n] for n in range(1, len(path) + 1) if path[:n] not in opened), None)
        if closed is None:
            found.append(Group(path, range(place, place + 1), False))
        elif found and found[-1].folded and found[-1].path == closed:
            found[-1] = found[-1]._replace(operations=range(found[-1].operations.start, place + 1))
        else:
            found.append(Group(closed, range(place, place + 1), True))
    return found
