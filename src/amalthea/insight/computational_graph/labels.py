"""What a computation's values are called: by the function's own words where they can be read."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax

from amalthea.insight.computational_graph.tracing import Computation, Source


class Statement(NamedTuple):
    """Lines `first` to `last` of a file give a value its name."""

    first: int
    last: int
    name: str


def written(function: Callable[..., Any]) -> tuple[Source | None, list[Statement]]:
    """Return where a function is written and its assignments to single names; (None, []) where there is no source."""
    if getattr(function, "__name__", "") == "<lambda>":  # its line is somebody else's statement
        return None, []
    try:
        function = inspect.unwrap(function)
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
        source = Source(inspect.getsourcefile(function) or "", first, first + len(lines) - 1)
    except (OSError, TypeError, SyntaxError):  # typed in, written in C, or part of a longer expression
        return None, []
    assignments = []
    for node in ast.walk(tree):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and isinstance(target, ast.Name):
            last = node.end_lineno or node.lineno
            assignments.append(Statement(node.lineno + first - 1, last + first - 1, target.id))
    return source, assignments


def argument_names(function: Callable[..., Any], arguments: Sequence[Any]) -> list[str]:
    """Return a name for each array among a function's arguments.

    Example:
        >>> argument_names(lambda x, weights: x, (1.0, {"W": 2.0, "b": 3.0}))
        ['x', 'weights.W', 'weights.b']
    """
    try:
        parameters = list(inspect.signature(function).bind(*arguments).arguments.items())
    except (TypeError, ValueError):  # no signature, as of some functions written in C
        parameters = [(f"x{number + 1}", value) for number, value in enumerate(arguments)]
    kinds = {} if not callable(function) else _kinds(function)
    named: list[tuple[str, Any]] = []
    for name, value in parameters:
        if kinds.get(name) == inspect.Parameter.VAR_POSITIONAL:
            named += [(f"{name}{number + 1}", item) for number, item in enumerate(value)]
        else:
            named.append((name, value))
    names = []
    for name, value in named:
        for path, _ in jax.tree_util.tree_flatten_with_path(value)[0]:
            parts = [str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key)))) for key in path]
            names.append(".".join([name, *parts]))
    return names


def _kinds(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return {name: parameter.kind for name, parameter in inspect.signature(function).parameters.items()}
    except (TypeError, ValueError):
        return {}


def value_names(computation: Computation, given: Sequence[str], statements: Sequence[Statement]) -> dict[int, str]:
    """Return a name of its own for each value.

    The last operation of a statement `x1 = 2 * w` is called x1; what has no name is called t1, t2, ...

    Args:
        computation: the computation.
        given: the arguments' names, in their order.
        statements: the function's assignments.
    """
    taken: set[str] = set()
    names: dict[int, str] = {}

    def call(number: int, wanted: str) -> None:
        name, again = wanted, 1
        while name in taken:
            again += 1
            name = f"{wanted}'{again}"
        taken.add(name)
        names[number] = name

    for number, name in zip(computation.leaves, given, strict=False):
        call(number, name)
    for index, number in enumerate(computation.leaves[computation.arguments :]):
        call(number, f"constant{index + 1}")
    written = [_statement(operation.line, statements) for operation in computation.operations]
    unnamed = 0
    for index, operation in enumerate(computation.operations):
        statement = written[index]
        last = statement is not None and (index + 1 == len(written) or written[index + 1] != statement)
        if last and statement is not None:
            call(operation.outputs[0], statement.name)
        elif computation.result in operation.outputs:
            call(operation.outputs[0], "result")
        else:
            unnamed += 1
            call(operation.outputs[0], f"t{unnamed}")
    return names


def _statement(line: int | None, statements: Sequence[Statement]) -> Statement | None:
    """Return the innermost statement that a line lies in."""
    if line is None:
        return None
    return max((s for s in statements if s.first <= line <= s.last), key=lambda s: s.first, default=None)
