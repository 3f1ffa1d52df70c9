"""The nodes and edges that are shown of a computation."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from amalthea.insight.computational_graph import derivatives as operations
from amalthea.insight.computational_graph.grouping import Group, Path, groups
from amalthea.insight.computational_graph.tracing import Computation, Operation, is_key, is_real


@dataclasses.dataclass(frozen=True)
class Node:
    """A value on the way to the result.

    Args:
        name: its own.
        kind: "argument", "weight", "state" (of a layer), "constant", "operation" or "folded".
        operation: what computes it: "+", "tanh"; empty where nothing does.
        formula: the same with its operands: "2 × w".
        value: an array; a tuple where the operation has several results; of a folded node the last result.
        gradient: of the result with respect to the value, in its shape; None: it has none, and `remark` says why.
        remark: what a reader should know of it; empty: nothing.
        operations: how many operations it stands for; 0: it is given.
        weights: how many weight arrays it keeps inside, or 1 if it is one.
        share: of a weight, or of a folded node's weights: the part of the loss's change under one small step of plain
            gradient descent that is theirs, |g|² / Σ|g|²; None: there are no weights.
    """

    name: str
    kind: str
    operation: str
    formula: str
    value: Any
    gradient: Any
    remark: str = ""
    operations: int = 0
    weights: int = 0
    share: float | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The value's shape."""
        return tuple(np.shape(self.value[0] if isinstance(self.value, tuple) else self.value))

    @property
    def mean_value(self) -> float:
        """The mean size of the value's numbers."""
        return _mean_size(self.value)

    @property
    def mean_gradient(self) -> float:
        """The mean size of the gradient's numbers; NaN: there is none."""
        return _mean_size(self.gradient)


@dataclasses.dataclass(frozen=True)
class Edge:
    """A use of one value in the computation of another.

    Args:
        source: the operand's name.
        target: the result's name.
        derivative: of the target with respect to the source: a number; an array of the operand's shape, where each
            number acts on its own place; a Jacobian, shape (target + source); None: `label` says it in words.
        label: the same, for people.
    """

    source: str
    target: str
    derivative: Any
    label: str


class Shown(NamedTuple):
    """The part of a computation that a graph shows."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    result: str
    notes: tuple[str, ...]


def show(
    computation: Computation,
    names: dict[int, str],
    roles: Sequence[str],
    paths: Sequence[Path],
    opened: Collection[Path],
) -> Shown:
    """Return the nodes and edges of a computation, with all groups folded that are not opened.

    Args:
        computation: with values and gradients.
        names: a name for each value.
        roles: for each argument "argument", "weight" or "state".
        paths: for each operation the groups that it may be folded into.
        opened: groups to be unfolded.
    """
    shown = groups(paths, opened)
    kinds = dict(zip(computation.leaves, [*roles, *["constant"] * len(computation.leaves)], strict=False))
    owners = _owners(computation, shown, kinds)
    slopes = {n: _squared(computation.gradients.get(n)) for n, kind in kinds.items() if kind == "weight"}
    total = sum(slopes.values())

    def share(inside: Sequence[int]) -> float | None:
        inner = [slopes[n] for n in inside if n in slopes]
        return sum(inner) / total if inner and total > 0 and np.isfinite(total) else None

    used = {number for operation in computation.operations for number in operation.operands}
    label = {n: names[n] for n in computation.leaves if n not in owners and (n in used or kinds[n] != "state")}
    nodes = [_leaf(computation, n, label[n], kinds[n], share([n])) for n in label]
    edges: dict[tuple[str, str], Edge] = {}
    for group in shown:
        inside = [n for n, owner in owners.items() if owner == group]
        for position in group.operations:
            operation = computation.operations[position]
            name = group.name if group.folded else names[operation.outputs[0]]
            texts = [] if group.folded else _texts(operation, label, names)
            if not group.folded:
                nodes.append(_single(computation, position, name, texts))
            for source, edge in _edges(computation, position, name, texts, group.folded):
                if source in label and label[source] != name:
                    _add(edges, dataclasses.replace(edge, source=label[source]))
            label.update(dict.fromkeys(operation.outputs, name))
        if group.folded:
            nodes.append(_folded(computation, group, share(inside), len(slopes.keys() & set(inside))))
    return Shown(tuple(nodes), tuple(edges.values()), label[computation.result], _notes(shown))


def _owners(computation: Computation, shown: Sequence[Group], kinds: dict[int, str]) -> dict[int, Group]:
    """Return the folded group that keeps each weight, state or constant: the first one to use it."""
    owners: dict[int, Group] = {}
    seen: set[int] = set()
    for group in shown:
        for position in group.operations:
            for number in computation.operations[position].operands:
                if number not in seen and kinds.get(number, "argument") != "argument":
                    seen.add(number)
                    if group.folded:
                        owners[number] = group
    return owners


def _leaf(computation: Computation, number: int, name: str, kind: str, share: float | None) -> Node:
    value = computation.values[number]
    remark, gradient = _remark(computation, number), _gradient(computation, [number])
    return Node(name, kind, "", name, _array(value), gradient, remark, 0, int(kind == "weight"), share)


def _single(computation: Computation, position: int, name: str, texts: Sequence[str]) -> Node:
    operation = computation.operations[position]
    values = [_array(computation.values[number]) for number in operation.outputs]
    remark = operations.remark(operation, _inputs(computation, operation), position in computation.blocked)
    return Node(
        name,
        "operation",
        operations.title(operation),
        operations.expression(operation, texts),
        values[0] if len(values) == 1 else tuple(values),
        _gradient(computation, operation.outputs),
        remark or _remark(computation, operation.outputs[0]),
        1,
    )


def _folded(computation: Computation, group: Group, share: float | None, weights: int) -> Node:
    last = computation.operations[group.operations[-1]].outputs[0]
    count = len(group.operations)
    formula = f"{count:,} operations folded" if count > 1 else "1 operation folded"
    return Node(
        group.name,
        "folded",
        "folded",
        formula,
        _array(computation.values[last]),
        _gradient(computation, [last]),
        _remark(computation, last),
        count,
        weights,
        share,
    )


def _texts(operation: Operation, label: dict[int, str], names: dict[int, str]) -> list[str]:
    """Return how an operation's inputs are written in its formula."""
    return [label.get(x, names.get(x, "")) if isinstance(x, int) else operations.array(x) for x in operation.inputs]


def _edges(
    computation: Computation, position: int, name: str, texts: Sequence[str], folded: bool
) -> list[tuple[int, Edge]]:
    """Return the edges into an operation with the numbers of the values that they start from."""
    operation = computation.operations[position]
    if folded:
        return [(number, Edge("", name, None, "")) for number in operation.operands]
    slopes = operations.local_derivatives(
        operation, _inputs(computation, operation), texts, computation.rules, position in computation.blocked
    )
    return [
        (source, Edge("", name, slope, words))
        for source, (slope, words) in zip(operation.inputs, slopes, strict=True)
        if isinstance(source, int)
    ]


def _add(edges: dict[tuple[str, str], Edge], edge: Edge) -> None:
    """Add an edge; two uses of the same operand, as in x · x, are one edge with the sum of both derivatives."""
    key = (edge.source, edge.target)
    before = edges.get(key)
    if before is not None and before.derivative is not None and edge.derivative is not None:
        both = before.derivative + edge.derivative
        edge = dataclasses.replace(edge, derivative=both, label=operations.array(both))
    elif before is not None and before.label != edge.label:
        edge = dataclasses.replace(edge, derivative=None, label=f"{before.label} + {edge.label}")
    edges[key] = edge


def _notes(shown: Sequence[Group]) -> tuple[str, ...]:
    blocks = [group for group in shown if group.folded and "operations" in group.path[-1]]
    if not blocks:
        return ()
    count = sum(len(group.operations) for group in blocks)
    return (f"{count:,} operations are folded into {len(blocks)} nodes; unfold one by its name.",)


def _inputs(computation: Computation, operation: Operation) -> list[Any]:
    return [computation.values[x] if isinstance(x, int) else x for x in operation.inputs]


def _gradient(computation: Computation, numbers: Sequence[int]) -> Any:
    gradients = [computation.gradients.get(number) for number in numbers]
    if all(gradient is None for gradient in gradients):
        return None
    arrays = [None if gradient is None else np.asarray(gradient) for gradient in gradients]
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def _remark(computation: Computation, number: int) -> str:
    if number in computation.undefined:
        return "gradient undefined: an operation behind it has none"
    return "" if is_real(computation.values[number]) else "gradient undefined: no real number"


def _array(value: Any) -> Any:
    return value if is_key(value) else np.asarray(value)


def _squared(gradient: Any) -> float:
    return 0.0 if gradient is None else float(np.square(np.asarray(gradient, np.float64)).sum())


def _mean_size(values: Any) -> float:
    parts = [part for part in (values if isinstance(values, tuple) else (values,)) if part is not None]
    numbers = [np.abs(np.asarray(part, np.float64)).ravel() for part in parts if not is_key(part)]
    joined = np.concatenate(numbers) if numbers else np.empty(0)
    return float(joined.mean()) if joined.size else float("nan")
