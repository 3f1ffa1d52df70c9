"""The parts that figures are made of, as Plotly's own dictionaries.

Series differ in colour, symbol and dash, so that nothing hangs on colour alone. The colours are those of Okabe and Ito
(2008), which the colour-blind can tell apart; the page has a palette of them for each theme.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

COLOURS = ("blue", "orange", "green", "purple", "sky", "red")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
MANY_DECADES = 100
"""From this ratio on between the largest and the smallest value, a logarithmic axis has marks at powers of ten only."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def label(text: str, width: int = 44) -> str:
    """Return a text as Plotly must be given it: its markup escaped, and broken into lines.

    Example:
        >>> label("<b>log P</b>")
        '&lt;b&gt;log P&lt;/b&gt;'
    """
    lines = textwrap.wrap(text, width, max_lines=3, placeholder=" ...") or [""]
    return "<br>".join(html.escape(line) for line in lines)


def numbers(values: Any, digits: int = 6) -> list[Any]:
    """Return numbers with so many significant digits, None where they are not finite.

    Example:
        >>> numbers([1 / 3, float("nan")])
        [0.333333, None]
    """
    flat = np.asarray(values, np.float64).ravel()
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in flat]


def axis(title: str, width: int = 44, **options: Any) -> dict[str, Any]:
    """Return an axis with a title, broken into lines of so many letters."""
    return {"title": {"text": label(title, width)}, **options}


def names_axis(names: Sequence[str], width: int = 22, **options: Any) -> dict[str, Any]:
    """Return an axis that has names for 0, 1, 2, ..., broken into lines of so many letters."""
    ticks = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": [label(n, width) for n in names]}
    return {"automargin": True, "zeroline": False, **options, **ticks}


def diagonal(truth: Any, mean: Any, **options: Any) -> list[dict[str, Any]]:
    """Return the traces of predicted against true values, and of the line where both are equal."""
    ends = [float(min(truth.min(), mean.min())), float(max(truth.max(), mean.max()))]
    return [points(truth, mean, **options), guide(ends, ends)]


def points(x: Any, y: Any, name: str = "", style: int = 0, **options: Any) -> dict[str, Any]:
    """Return a trace of points in the style of a number."""
    marker = {"color": f"@{COLOURS[style % 6]}", "symbol": SYMBOLS[style % 6], "size": 7, **options.pop("marker", {})}
    trace = {"type": "scatter", "mode": "markers", "x": numbers(x), "y": numbers(y), "marker": marker}
    return {**trace, "name": label(name), "showlegend": bool(name), **options}


def line(x: Any, y: Any, name: str = "", style: int = 0, **options: Any) -> dict[str, Any]:
    """Return a trace of a line in the style of a number."""
    drawn = {"color": f"@{COLOURS[style % 6]}", "dash": DASHES[style % 6], "width": 2, **options.pop("line", {})}
    trace = {"type": "scatter", "mode": "lines", "x": numbers(x), "y": numbers(y), "line": drawn}
    return {**trace, "name": label(name), "showlegend": bool(name), **options}


def band(x: Any, lower: Any, upper: Any, name: str = "", style: int = 0) -> dict[str, Any]:
    """Return a trace that fills the space between two lines."""
    low, high = np.asarray(lower, np.float64), np.asarray(upper, np.float64)
    known = np.isfinite(low) & np.isfinite(high)
    along = np.asarray(x, np.float64)[known]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(np.concatenate([along, along[::-1]])),
        "y": numbers(np.concatenate([high[known], low[known][::-1]])),
        "fill": "toself",
        "fillcolor": f"@{COLOURS[style % 6]}/22",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "name": label(name),
        "showlegend": bool(name),
    }


def guide(x: Sequence[float], y: Sequence[float], name: str = "") -> dict[str, Any]:
    """Return a thin line that shows where points should lie."""
    style = {"color": "@muted", "dash": "dash", "width": 1.5}
    return line(x, y, name, line=style, hoverinfo="skip")


def error_bars(errors: Any, along: str = "y", colour: str = "@ink") -> dict[str, Any]:
    """Return the error bars of a trace of points."""
    return {f"error_{along}": {"type": "data", "array": numbers(errors), "color": colour, "thickness": 1.5, "width": 4}}


def layout(x: Mapping[str, Any], y: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return the layout of a figure with two axes."""
    return {"xaxis": dict(x), "yaxis": dict(y), **options}


def log_ticks(values: Any) -> dict[str, Any]:
    """Return the options of a logarithmic axis: marks at 1, 2 and 5 times the powers of ten, or at these alone.

    Example:
        >>> log_ticks([0.03, 0.4])["tickvals"], log_ticks([0.03, 40])["tickvals"]
        ([0.02, 0.05, 0.1, 0.2, 0.5], [0.1, 1.0, 10.0])
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known) & (known > 0)]
    low, high = np.floor(np.log10(known.min())), np.ceil(np.log10(known.max()))
    steps = (1, 2, 5) if known.max() < MANY_DECADES * known.min() else (1,)
    marks = [float(f"{m * 10.0**power:.0e}") for power in np.arange(low, high + 1) for m in steps]
    seen = [mark for mark in marks if known.min() / 2.5 < mark < known.max() * 2.5]
    return {"type": "log", "tickmode": "array", "tickvals": seen, "tickformat": "~g"}
