"""A graph as a picture: SVG in light and dark, readable by a screen reader, in colours that all can tell apart."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from amalthea.insight.computational_graph import text as writing
from amalthea.insight.computational_graph.layout import Layout, lay_out
from amalthea.insight.computational_graph.nodes import Edge, Node

LETTER, LINE, MARGIN = 7.3, 18.0, 20.0
LONGEST = 42
"""Letters of a line in a node; the whole text is its tooltip."""

WIDEST = 1200.0
"""A graph runs from left to right up to this width, else downwards."""

# Okabe-Ito colours, darkened or lightened until text in them can be read on its ground.
STYLE = """
.amalthea-graph{font:13px system-ui,"Segoe UI",Helvetica,Arial,sans-serif;background:#fff}
.amalthea-graph text{fill:#1c1c1c}
.amalthea-graph .heading{font-size:17px;font-weight:600}
.amalthea-graph .name{font-weight:600}
.amalthea-graph .value{fill:#005a8c}
.amalthea-graph .gradient{fill:#a84300}
.amalthea-graph .local{fill:#00664b;font-size:12px}
.amalthea-graph .ground{fill:#fff}
.amalthea-graph .edge{fill:none;stroke:#8a8a8a;stroke-width:1.4}
.amalthea-graph .arrow{fill:#8a8a8a}
.amalthea-graph .box{fill:#fff;stroke:#6b6b6b;stroke-width:1.2}
.amalthea-graph .argument .box,.amalthea-graph .constant .box,.amalthea-graph .state .box{fill:#eef5fa;stroke:#0072b2}
.amalthea-graph .weight .box{fill:#fdf5e6;stroke:#c98500}
.amalthea-graph .result .box{stroke-width:2.6}
.amalthea-graph .share{fill:#e69f00}
@media (prefers-color-scheme:dark){
.amalthea-graph{background:#16181d}
.amalthea-graph text{fill:#ececec}
.amalthea-graph .value{fill:#84c9f2}
.amalthea-graph .gradient{fill:#ffa763}
.amalthea-graph .local{fill:#56d3ab}
.amalthea-graph .ground{fill:#16181d}
.amalthea-graph .edge{stroke:#8d929c}
.amalthea-graph .arrow{fill:#8d929c}
.amalthea-graph .box{fill:#1f232b;stroke:#8d929c}
.amalthea-graph .argument .box,.amalthea-graph .constant .box,.amalthea-graph .state .box{fill:#152a3a;stroke:#56b4e9}
.amalthea-graph .weight .box{fill:#332812;stroke:#e69f00}
}
"""


def svg(nodes: Sequence[Node], edges: Sequence[Edge], result: str, title: str, caption: str) -> str:
    """Return a graph as an SVG picture.

    Args:
        nodes: in the order of computation.
        edges: between them.
        result: the name of the last node.
        title: the heading.
        caption: sentences below it.
    """
    lines = [_lines(node) for node in nodes]
    boxes = [(max(len(text) for _, text in written) * LETTER + 20, len(written) * LINE + 16) for written in lines]
    numbers = {node.name: number for number, node in enumerate(nodes)}
    links = [(numbers[edge.source], numbers[edge.target]) for edge in edges]
    layout, down = _arrange(boxes, links, edges)
    extent = layout.extent[::-1] if down else layout.extent
    width = max(extent[0] + 2 * MARGIN, len(title) * 10 + 2 * MARGIN, 480)
    sentences = textwrap.wrap(caption, int((width - 2 * MARGIN) / LETTER))
    top = MARGIN + 34
    height = top + extent[1] + MARGIN + (len(sentences) * LINE + 8 if sentences else 0)
    left = (width - extent[0]) / 2

    def at(point: tuple[float, float]) -> tuple[float, float]:
        across, along = (point[1], point[0]) if down else point
        return left + across, top + along

    parts = [_edge(edge, [at(p) for p in route], boxes[link[0]], boxes[link[1]], down)
             for edge, route, link in zip(edges, layout.routes, links, strict=True)]  # fmt: skip
    labels = _labels(edges, [_ends([at(p) for p in route], boxes[link[0]], boxes[link[1]], down)
                             for route, link in zip(layout.routes, links, strict=True)])  # fmt: skip
    drawn = [_node(node, written, at(centre), box, node.name == result)
             for node, written, centre, box in zip(nodes, lines, layout.centres, boxes, strict=True)]  # fmt: skip
    foot = [f'<text x="{MARGIN}" y="{top + extent[1] + MARGIN + 12 + row * LINE:.1f}">{escape(line)}</text>'
            for row, line in enumerate(sentences)]  # fmt: skip
    description = f"{len(nodes)} nodes, {len(edges)} edges. " + "; ".join(_description(node) for node in nodes[:40])
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="amalthea-graph" role="img" aria-label={quoteattr(title)} '
            f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(description)}</desc>",
            f"<style>{STYLE}</style>",
            f'<text class="heading" x="{MARGIN}" y="{MARGIN + 12}">{escape(title)}</text>',
            *parts,
            *drawn,
            *labels,
            *foot,
            "</svg>",
        ]
    )


def _arrange(
    boxes: Sequence[tuple[float, float]], links: Sequence[tuple[int, int]], edges: Sequence[Edge]
) -> tuple[Layout, bool]:
    """Return the layout, and whether it runs downwards."""
    longest = max((len(_short(edge.label)) for edge in edges), default=0) * LETTER
    layout = lay_out(boxes, links, (max(60.0, longest + 30), 18.0))
    if layout.extent[0] <= WIDEST:
        return layout, False
    turned = [(height, width) for width, height in boxes]
    return lay_out(turned, links, (52.0, max(24.0, longest / 2))), True


def _lines(node: Node) -> list[tuple[str, str]]:
    """Return the lines of a node's text, each with its class."""
    title = f"{node.name} = {node.formula}" if node.kind == "operation" else node.name
    lines = [("name", title)]
    if node.kind in ("weight", "state", "folded"):
        lines.append(("kind", node.formula if node.kind == "folded" else node.kind))
    lines += [("value", f"= {writing.value(node)}"), ("gradient", f"∂ {writing.gradient(node)}")]
    return [
        (kind, line) for kind, text in lines for line in textwrap.wrap(text, LONGEST, max_lines=3, placeholder=" …")
    ]


def _description(node: Node) -> str:
    return f"{writing.heading(node)}: value {writing.value(node)}, gradient {writing.gradient(node)}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _node(
    node: Node, lines: Sequence[tuple[str, str]], centre: tuple[float, float], box: tuple[float, float], result: bool
) -> str:
    left, top = centre[0] - box[0] / 2, centre[1] - box[1] / 2
    round_ = 14 if node.kind in ("argument", "constant", "state") else 5
    parts = [
        f'<g class="node {node.kind}{" result" if result else ""}" data-name={quoteattr(node.name)}>',
        f"<title>{escape(_description(node) + (f'. {node.remark}' if node.remark else ''))}</title>",
        f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{box[0]:.1f}" height="{box[1]:.1f}" rx="{round_}"/>',
    ]
    if node.share is not None:
        parts.append(
            f'<rect class="share" x="{left + 4:.1f}" y="{top + box[1] - 6:.1f}" height="4" rx="2" '
            f'width="{(box[0] - 8) * node.share:.1f}"/>'
        )
    for row, (kind, text) in enumerate(lines):
        y = top + 20 + row * LINE
        parts.append(f'<text class="{kind}" x="{centre[0]:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>')
    return "\n".join([*parts, "</g>"])


def _ends(
    route: Sequence[tuple[float, float]], source: tuple[float, float], target: tuple[float, float], down: bool
) -> list[tuple[float, float]]:
    """Return a route from the border of its first node to an arrow's length before its last."""
    (x0, y0), (x1, y1) = route[0], route[-1]
    if down:
        return [(x0, y0 + source[1] / 2), *route[1:-2], (x1, route[-2][1] - 7), (x1, y1 - target[1] / 2 - 7)]
    return [(x0 + source[0] / 2, y0), *route[1:-2], (route[-2][0] - 7, y1), (x1 - target[0] / 2 - 7, y1)]


def _edge(
    edge: Edge,
    route: Sequence[tuple[float, float]],
    source: tuple[float, float],
    target: tuple[float, float],
    down: bool,
) -> str:
    points = _ends(route, source, target, down)
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        middle = (y0 + y1) / 2 if down else (x0 + x1) / 2
        first, second = ((x0, middle), (x1, middle)) if down else ((middle, y0), (middle, y1))
        path += f"C{first[0]:.1f} {first[1]:.1f} {second[0]:.1f} {second[1]:.1f} {x1:.1f} {y1:.1f}"
    x, y = points[-1]
    tip = f"{x - 4:.1f},{y:.1f} {x + 4:.1f},{y:.1f} {x:.1f},{y + 7:.1f}"
    if not down:
        tip = f"{x:.1f},{y - 4:.1f} {x:.1f},{y + 4:.1f} {x + 7:.1f},{y:.1f}"
    name = quoteattr(f"{edge.source} → {edge.target}")
    return f'<path class="edge" data-name={name} d="{path}"/><polygon class="arrow" points="{tip}"/>'


def _labels(edges: Sequence[Edge], routes: Sequence[Sequence[tuple[float, float]]]) -> list[str]:
    """Return the edges' local derivatives, each where its edge bends towards its target, clear of the others."""
    parts: list[str] = []
    taken: list[tuple[float, float, float]] = []
    for edge, route in zip(edges, routes, strict=True):
        if not edge.label:
            continue
        (x0, y0), (x1, y1) = route[-3:-1]
        x, y, text = (x0 + x1) / 2, (y0 + y1) / 2, _short(edge.label)
        width = len(text) * LETTER * 0.92 + 4
        free = (
            y + shift
            for shift in (0, 13, -13)
            if all(abs(x - a) > (width + w) / 2 or abs(y + shift - b) >= 13 for a, b, w in taken)
        )
        y = next(free, y)
        taken.append((x, y, width))
        parts += [
            f'<rect class="ground" x="{x - width / 2:.1f}" y="{y - 7:.1f}" width="{width:.1f}" height="14"/>',
            f'<text class="local" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{escape(text)}</text>',
        ]
    return parts
