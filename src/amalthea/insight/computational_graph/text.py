"""A graph as text and as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from amalthea.insight.computational_graph import derivatives as operations
from amalthea.insight.computational_graph.nodes import Edge, Node
from amalthea.insight.computational_graph.tracing import is_key


def text(nodes: Sequence[Node], edges: Sequence[Edge], notes: Sequence[str]) -> str:
    """Return a line for each node: formula, value, gradient, and the local derivatives of what it is computed from."""
    rows = [("node", "value", "gradient", "local derivatives")]
    for node in nodes:
        incoming = [edge for edge in edges if edge.target == node.name]
        if node.kind == "folded":
            local = "from " + ", ".join(edge.source for edge in incoming) if incoming else ""
        else:
            local = ", ".join(f"∂/∂{edge.source} {edge.label}" for edge in incoming)
        rows.append((heading(node), value(node), gradient(node), local))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    remarks = [f"{node.name}: {node.remark}." for node in nodes if node.remark]
    return "\n".join(line.rstrip() for line in [*lines, *remarks, *notes])


def heading(node: Node) -> str:
    """Return a node's name with what it is: `x1 = 2 × w`, `w (weight)`."""
    if node.kind == "folded":
        return f"{node.name} ({node.formula})"
    if node.kind == "operation":
        return f"{node.name} = {node.formula}"
    return f"{node.name} ({node.kind})"


def value(node: Node) -> str:
    """Return a node's value; of a folded one with many numbers the shape and mean size."""
    if _many(node, node.value):
        return f"{operations.shape(node.value)}, mean size {operations.number(node.mean_value)}"
    return _written(node, node.value)


def gradient(node: Node) -> str:
    """Return a node's gradient, or that it is undefined; with a folded node's share of the loss's change."""
    if node.gradient is None:
        return "undefined"
    present = _present(node.gradient)
    many = _many(node, present)
    written = f"mean size {operations.number(node.mean_gradient)}" if many else _written(node, present)
    return written if node.share is None else f"{written}, share {node.share:.0%}"


def _many(node: Node, numbers: Any) -> bool:
    """Say whether a folded node has too many numbers, or several arrays of them, to be written."""
    return node.kind == "folded" and (isinstance(numbers, tuple) or np.size(numbers) > operations.MOST_NUMBERS)


def _written(node: Node, numbers: Any) -> str:
    """Return numbers; a layer's, of one example, without the axis of the batch."""
    one = node.kind == "folded" and np.ndim(numbers) > 1 and np.shape(numbers)[0] == 1
    return operations.array(numbers[0] if one else numbers)


def _present(gradient: Any) -> Any:
    return tuple(part for part in gradient if part is not None) if isinstance(gradient, tuple) else gradient


def data(nodes: Sequence[Node], edges: Sequence[Edge], result: str, notes: Sequence[str]) -> dict[str, Any]:
    """Return a graph as numbers, lists and dicts; numbers that are not finite are null."""
    return {
        "result": result,
        "notes": list(notes),
        "nodes": [
            {
                "name": node.name,
                "kind": node.kind,
                "operation": node.operation,
                "formula": node.formula,
                "shape": list(node.shape),
                "value": plain(node.value),
                "gradient": plain(node.gradient),
                "mean_value": plain(node.mean_value),
                "mean_gradient": plain(node.mean_gradient),
                "share": plain(node.share),
                "remark": node.remark,
                "operations": node.operations,
            }
            for node in nodes
        ],
        "edges": [
            {"source": edge.source, "target": edge.target, "derivative": plain(edge.derivative), "label": edge.label}
            for edge in edges
        ],
    }


def plain(numbers: Any) -> Any:
    """Return numbers, arrays, and lists and dicts of them, as JSON's own types; what is not finite is None."""
    if isinstance(numbers, dict):
        return {str(name): plain(part) for name, part in numbers.items()}
    if numbers is None or isinstance(numbers, str | bool | int):
        return numbers
    if isinstance(numbers, list | tuple):
        return [plain(part) for part in numbers]
    if isinstance(numbers, float):
        return numbers if math.isfinite(numbers) else None
    if is_key(numbers):
        return None
    return plain(np.asarray(numbers).tolist())
