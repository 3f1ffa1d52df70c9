"""Places for a graph's nodes: in layers, with few crossings, without a program from outside."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

SWEEPS = 12
"""Passes over the layers that order them, and again that move them."""


class Layout(NamedTuple):
    """Where nodes and edges lie; the first coordinate is along the layers, the second within a layer.

    Args:
        centres: of each node.
        routes: for each edge the points that it passes: its source's centre, where it enters and leaves each layer
            between, its target's centre. It bends between the layers only.
        extent: the size of the whole.
    """

    centres: list[tuple[float, float]]
    routes: list[list[tuple[float, float]]]
    extent: tuple[float, float]


def lay_out(
    sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], gaps: tuple[float, float]
) -> Layout:
    """Lay out an acyclic graph in layers [1]_.

    Args:
        sizes: of each node, along the layers and within a layer.
        edges: (source, target) as numbers of nodes; sources come before targets.
        gaps: between layers and within a layer.

    Example:
        >>> lay_out([(10, 10)] * 2, [(0, 1)], (20, 5)).centres
        [(5.0, 5.0), (35.0, 5.0)]

    .. [1] K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures", IEEE
       Trans. Syst. Man Cybern. 11, 109 (1981): longest-path layers, barycentric order.
    """
    # Each node gets a layer behind all that it is computed from.
    layer = _layers(len(sizes), edges)
    widths = [size for _, size in sizes]
    chains = []
    for source, target in edges:  # a long edge passes a point of no size in each layer between
        chain = [source]
        for depth in range(layer[source] + 1, layer[target]):
            chain.append(len(layer))
            layer.append(depth)
            widths.append(0.0)
        chains.append([*chain, target])
    # Within the layers, nodes are ordered so that few edges cross.
    links = [pair for chain in chains for pair in itertools.pairwise(chain)]
    across = _across(layer, widths, links, gaps[1])
    # A layer is as thick as its thickest node.
    starts, thickness, along = [], [], 0.0
    for depth in range(max(layer, default=0) + 1):
        thickest = max((sizes[node][0] for node in range(len(sizes)) if layer[node] == depth), default=0.0)
        starts.append(along)
        thickness.append(thickest)
        along += thickest + gaps[0]
    centres = [(starts[layer[n]] + thickness[layer[n]] / 2, across[n]) for n in range(len(layer))]
    # An edge runs from node to node, straight through the layers between.
    routes = []
    for chain in chains:
        route = [centres[chain[0]], (starts[layer[chain[0]]] + thickness[layer[chain[0]]], across[chain[0]])]
        for node in chain[1:-1]:
            enters = starts[layer[node]]
            route += [(enters, across[node]), (enters + thickness[layer[node]], across[node])]
        route += [(starts[layer[chain[-1]]], across[chain[-1]]), centres[chain[-1]]]
        routes.append(route)
    breadth = max((across[n] + widths[n] / 2 for n in range(len(layer))), default=0.0)
    return Layout(centres[: len(sizes)], routes, (along - gaps[0], breadth))


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return each node's layer: after all its sources, and as near to its first use as that shortens its edges."""
    layer = [0] * count
    sources: list[set[int]] = [set() for _ in range(count)]
    targets: list[set[int]] = [set() for _ in range(count)]
    # The longest path from a source decides.
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        layer[target] = max(layer[target], layer[source] + 1)
        sources[target].add(source)
        targets[source].add(target)
    # Then nodes move towards their first use, where that shortens more edges than it lengthens.
    for node in reversed(range(count)):
        if targets[node] and len(sources[node]) <= len(targets[node]):
            layer[node] = min(layer[target] for target in targets[node]) - 1
    least = min(layer, default=0)
    return [depth - least for depth in layer]


def _across(layer: Sequence[int], widths: Sequence[float], links: Sequence[tuple[int, int]], gap: float) -> list[float]:
    """Return each node's place within its layer."""
    rows: list[list[int]] = [[] for _ in range(max(layer, default=0) + 1)]
    for node, depth in enumerate(layer):
        rows[depth].append(node)
    neighbours: tuple[list[list[int]], list[list[int]]] = ([[] for _ in layer], [[] for _ in layer])
    for source, target in links:
        neighbours[0][target].append(source)
        neighbours[1][source].append(target)
    at = [0.0] * len(layer)
    for row in rows:
        _spread(row, at, [0.0] * len(row), widths, gap)
    # Sweeps to and fro pull each node to the mean of its neighbours; the first half also changes the order.
    for sweep in range(2 * SWEEPS):
        forward = sweep % 2 == 0
        for row in rows if forward else reversed(rows):
            wanted = {node: _mean([at[other] for other in neighbours[not forward][node]], at[node]) for node in row}
            if sweep < SWEEPS:
                row.sort(key=wanted.__getitem__)
            _spread(row, at, [wanted[node] for node in row], widths, gap)
    least = min((at[node] - widths[node] / 2 for node in range(len(layer))), default=0.0)
    return [coordinate - least for coordinate in at]


def _spread(row: Sequence[int], at: list[float], wanted: Sequence[float], widths: Sequence[float], gap: float) -> None:
    """Move a layer's nodes as near as possible (least squares) to where they want to be, without an overlap."""
    # Side by side without gaps, each node has an offset from the first.
    offsets, total = [], 0.0
    for position, node in enumerate(row):
        total += (widths[row[position - 1]] + widths[node]) / 2 + gap if position else 0.0
        offsets.append(total)
    # Isotonic regression of the shifts (pool adjacent violators): nobody overtakes a neighbour.
    blocks: list[tuple[float, int]] = []  # pools of neighbours that touch: mean shift, count
    for position, offset in enumerate(offsets):
        blocks.append((wanted[position] - offset, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (first, n), (second, m) = blocks[-2:]
            blocks[-2:] = [((first * n + second * m) / (n + m), n + m)]
    shifts = [shift for shift, count in blocks for _ in range(count)]
    for node, offset, shift in zip(row, offsets, shifts, strict=True):
        at[node] = offset + shift


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
