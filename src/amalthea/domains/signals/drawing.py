"""Traces as lines, and the stretches of one on which an answer hangs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.protocol import Featurizer
from amalthea.domains.signals.shaping import Trace, averaged, filled

WIDTH, HEIGHT = 220, 120

STRETCHES = 24
"""Parts of a trace that are taken away one by one."""

MOST_DRAWN = 200
"""Places of a line."""

MOST_CHANNELS = 6

READING = (
    "{target}: blue stretches raise {what}, orange ones lower it: each was replaced by a straight line, and the "
    "networks that never saw the sequence were asked again. The darker, the more."
)

COLOURS = ("#333333", "#7a7a7a", "#009e73", "#cc79a7", "#0072b2", "#d55e00")
"""Of channels; after Okabe and Ito."""

UP, DOWN = "#56b4e9", "#e69f00"


def line(trace: Trace, behind: str = "") -> str:
    """Return a trace drawn as SVG, each channel as a line in one frame.

    Args:
        trace: shape (places, channels); gaps stay open.
        behind: SVG to be drawn first.

    Example:
        >>> line(np.array([[0.0], [1.0], [0.5]], np.float32)).count("<polyline")
        1
    """
    seen = averaged(trace, -(-len(trace) // MOST_DRAWN))[:, :MOST_CHANNELS]
    known = seen[np.isfinite(seen)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    x = np.linspace(2, WIDTH - 2, len(seen))
    y = HEIGHT - 4 - (seen - low) / ((high - low) or 1.0) * (HEIGHT - 8)
    lines = [_channel(x, channel, COLOURS[number]) for number, channel in enumerate(y.T)]
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
    return f"{frame}{behind}{''.join(lines)}</svg>"


def _channel(x: NDArray[np.float64], y: NDArray[np.float32], colour: str) -> str:
    known = np.isfinite(y)
    pieces = np.split(np.arange(len(y)), np.flatnonzero(np.diff(known)) + 1)
    return "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.2" points="'
        + " ".join(f"{x[place]:.1f},{y[place]:.1f}" for place in piece)
        + '"/>'
        for piece in pieces
        if known[piece[0]]
    )


def without_stretches(featurizer: Featurizer, example: pd.Series[Any]) -> NDArray[np.float32]:
    """Return the features of a trace, and then those with each stretch made straight, shape (1 + stretches, d)."""
    trace = filled(np.asarray(example["trace"], np.float32))
    variants = [np.asarray(example["trace"], np.float32)]
    for stretch in _stretches(len(trace)):
        changed = trace.copy()
        # From the value before to the value behind: no step is added.
        first, last = max(stretch[0] - 1, 0), min(stretch[-1] + 1, len(trace) - 1)
        share = np.linspace(0, 1, last - first + 1)[:, None]
        changed[first : last + 1] = (1 - share) * trace[first] + share * trace[last]
        variants.append(changed)
    table = pd.DataFrame({"trace": pd.Series(variants, dtype=object)})
    features: NDArray[np.float32] = featurizer.transform(table)[0]
    return features


def coloured(example: pd.Series[Any], contributions: NDArray[np.float64], point: str) -> str:  # noqa: ARG001
    """Return a trace over the colours of its stretches, as SVG."""
    trace = np.asarray(example["trace"], np.float32)
    largest = float(np.abs(contributions).max()) or 1.0
    edges = [stretch[0] / len(trace) for stretch in _stretches(len(trace))]
    bars = [
        f'<rect x="{edge * WIDTH:.1f}" y="0" width="{(end - edge) * WIDTH:.1f}" height="{HEIGHT}" '
        f'fill="{UP if value > 0 else DOWN}" fill-opacity="{0.8 * abs(value) / largest:.2f}"/>'
        for edge, end, value in zip(edges, [*edges[1:], 1.0], contributions, strict=True)
    ]
    return line(trace, "".join(bars))


def _stretches(places: int) -> list[NDArray[np.int64]]:
    return np.array_split(np.arange(places), min(STRETCHES, places))
