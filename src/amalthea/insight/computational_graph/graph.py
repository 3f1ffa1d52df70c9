"""The computational graph of a function or a model, with its numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from amalthea.errors import AmaltheaError
from amalthea.insight import models
from amalthea.insight.computational_graph import grouping as folding
from amalthea.insight.computational_graph import labels as naming
from amalthea.insight.computational_graph import text as writing
from amalthea.insight.computational_graph.nodes import Edge, Node, Shown, show
from amalthea.insight.computational_graph.tracing import Computation, is_real, trace


@dataclasses.dataclass(frozen=True, repr=False)
class Graph:
    """A computation as nodes with values and gradients, and edges with local derivatives.

    Args:
        nodes: in the order of computation, arguments first.
        edges: from each operand to what is computed with it.
        result: the name of the last node.
        notes: what a reader should know: what was folded, what has no gradient.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    result: str
    notes: tuple[str, ...]
    _traced: Traced
    _opened: frozenset[folding.Path]

    def __getitem__(self, name: str) -> Node:
        """Return a node by its name."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise AmaltheaError(f"The graph shows no node {name!r}. It shows: {_listed(node.name for node in self.nodes)}.")

    def edge(self, source: str, target: str) -> Edge:
        """Return the edge between two nodes."""
        for edge in self.edges:
            if (edge.source, edge.target) == (source, target):
                return edge
        raise AmaltheaError(f"The graph shows no edge from {source!r} to {target!r}.")

    def unfold(self, *names: str) -> Graph:
        """Return the graph with folded nodes opened.

        Args:
            *names: of folded nodes, as they are shown; none: every one that is shown.

        Raises:
            AmaltheaError: there is no such folded node.
        """
        shown = {node.name for node in self.nodes if node.kind == "folded"}
        opened = set(self._opened)
        known = {"/".join(path[:n]): path[:n] for path in self._traced.paths for n in range(1, len(path) + 1)}
        for name in names or sorted(shown):
            if name not in known:
                raise AmaltheaError(
                    f"There is no folded node {name!r}. Folded are: {_listed(sorted(shown)) or 'none'}."
                )
            opened.update(known[name][:n] for n in range(1, len(known[name]) + 1))
        return _view(self._traced, frozenset(opened))

    def text(self) -> str:
        """Return the graph as text: a line for each node, with the local derivatives of what it is computed from."""
        return writing.text(self.nodes, self.edges, self.notes)

    def svg(self, title: str = "Computational graph", caption: str = "") -> str:
        """Return the graph as a picture, in light and dark as the reader's screen is.

        Args:
            title: its heading, and what a screen reader says.
            caption: sentences below it.
        """
        from amalthea.insight.computational_graph import svg as drawing

        return drawing.svg(self.nodes, self.edges, self.result, title, caption or " ".join(self.notes))

    def data(self) -> dict[str, Any]:
        """Return the graph as plain numbers, lists and dicts, for JSON; numbers that are not finite are null."""
        return writing.data(self.nodes, self.edges, self.result, self.notes)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return self.text()


@dataclasses.dataclass(frozen=True)
class Traced:
    """What a graph is made from: the whole computation, however little of it is shown.

    Args:
        computation: with values and gradients.
        names: a name for each value.
        roles: for each argument "argument", "weight" or "state".
        paths: for each operation the groups that it may be folded into.
        notes: what holds however it is folded.
    """

    computation: Computation
    names: dict[int, str]
    roles: tuple[str, ...]
    paths: list[folding.Path]
    notes: tuple[str, ...]


def graph(function: Callable[..., Any], *arguments: Any, unfold: Iterable[str] = ()) -> Graph:
    """Return the computational graph of a function or a Keras model for one real example.

    Every node has its value and the gradient of the result with respect to it, every edge its local derivative: the
    chain rule, to be followed by eye [1]_. A model's graph has one node a layer, as has a run of very many operations.

    Args:
        function: a JAX function that returns one array; of an array of several numbers, the gradients are those of
            its sum. Or a Keras model, built or not.
        *arguments: what the function is called with. For a model: x, one example or a batch; and y, to go on to the
            loss that it was compiled with.
        unfold: names of folded nodes to be opened, layers for instance.

    Raises:
        AmaltheaError: the result is not one array, or a model does not fit its arguments.

    Example:
        >>> def error(w, b, y):
        ...     x1 = 2 * w
        ...     x2 = x1 + b
        ...     return abs(y - x2)
        >>> shown = graph(error, 3.0, 1.0, 5.0)
        >>> float(shown["w"].gradient), float(shown.edge("w", shown.nodes[3].name).derivative)
        (2.0, 2.0)

    .. [1] A. G. Baydin et al., "Automatic differentiation in machine learning: a survey", J. Mach. Learn. Res. 18
       (2018), section 3.2: reverse accumulation.
    """
    import keras

    if isinstance(function, keras.Model):
        traced = _trace_model(function, arguments)
    else:
        traced = _trace_function(function, arguments)
    view = _view(traced, frozenset())
    names = [unfold] if isinstance(unfold, str) else list(unfold)
    return view.unfold(*names) if names else view


def _trace_function(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Traced:
    for leaf in jax.tree.leaves(arguments):
        if np.asarray(leaf).dtype.kind not in "fiubcV":
            raise AmaltheaError(f"The arguments must be numbers or arrays. Received: {leaf!r}.")
    source, statements = naming.written(function)
    computation = trace(function, arguments, source)
    given = naming.argument_names(function, arguments)
    names = naming.value_names(computation, given, statements)
    roles = ("argument",) * computation.arguments
    return Traced(computation, names, roles, folding.paths(computation, fold=False), _notes(computation))


def _trace_model(model: Any, arguments: tuple[Any, ...]) -> Traced:
    asked = models.question(model, arguments)
    computation = trace(asked.function, asked.arguments)
    names = naming.value_names(computation, asked.names, [])
    paths = models.paths(folding.paths(computation, fold=True), loss=len(arguments) == 2)
    return Traced(computation, names, asked.roles, paths, (*asked.notes, *_notes(computation)))


def _notes(computation: Computation) -> tuple[str, ...]:
    value = computation.values[computation.result]
    notes = []
    if not is_real(value):
        notes.append(f"The result is {value.dtype}, no real number: nothing has a gradient.")
    elif np.size(value) > 1:
        notes.append(f"The result has {np.size(value):,} numbers: gradients are those of their sum.")
    return tuple(notes)


def _view(traced: Traced, opened: frozenset[folding.Path]) -> Graph:
    shown: Shown = show(traced.computation, traced.names, traced.roles, traced.paths, opened)
    return Graph(shown.nodes, shown.edges, shown.result, (*traced.notes, *shown.notes), traced, opened)


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
