"""Paths drawn on the surface that they go down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from amalthea.insight import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from amalthea.insight.gradient_descent.descent import Path

RISE = 2.0
"""Points that rose by more than this many times the height of the start do not widen the picture."""

DEPTH = 1e-6
"""Losses below this part of the first one are not drawn on a logarithmic axis."""

PIXELS = 121
"""Points of a surface in each direction."""

Window = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def figure(
    paths: Mapping[str, Path],
    theme: str = "light",
    title: str = "",
    caption: str = "",
    window: Sequence[Sequence[float]] | None = None,
    names: Sequence[str] = ("w₁", "w₂"),
    shared: bool = True,
) -> Figure:
    """Return paths side by side: each on its surface, and below it the loss at each step.

    Args:
        paths: by what each is called; all of one weight, or all of two.
        theme: "light" or "dark".
        title: the heading.
        caption: sentences below it.
        window: the smallest and largest of each weight that is shown, shape (weights, 2); None: where the paths are.
        names: of the weights.
        shared: one window for all, to compare paths on the same surface.

    Raises:
        MissingDependencyError: Matplotlib is not installed.
    """
    look = figures.theme(theme)
    drawn, panels = figures.panels(2, len(paths), look, ({1: 6.0, 2: 4.6, 3: 4.0}.get(len(paths), 3.3), 3.0))
    windows = {name: _window([path], window) for name, path in paths.items()}
    common = _window(list(paths.values()), window)
    for column, (name, path) in enumerate(paths.items()):
        within = common if shared else windows[name]
        draw = _curve if path.weights.shape[1] == 1 else _map
        draw(panels[0][column], path, within, look)
        ended = f"diverged after {path.steps} steps" if path.diverged else ""
        heading = "\n".join(part for part in (name, ended) if part)
        labels = (names[0] if len(within[0]) > 1 else names[0].rstrip("₁"), names[1] if len(within[0]) > 1 else "loss")
        figures.write(panels[0][column], look, heading, *labels)
    figures.legend(panels[0][0], look)
    groups = [list(range(len(paths)))] if shared else [[column] for column in range(len(paths))]
    for group in groups:
        chosen = [panels[1][column] for column in group]
        _losses(chosen, [list(paths.values())[column] for column in group], look)
        figures.align(chosen)
    figures.frame(drawn, look, title, caption)
    return drawn


def _window(paths: Sequence[Path], given: Sequence[Sequence[float]] | None) -> Window:
    """Return the least and the largest of each weight to be shown."""
    if given is not None:
        bounds = np.asarray(given, float)
        return bounds[:, 0], bounds[:, 1]
    bottom = min(float(path.losses.min()) for path in paths)
    kept = []
    for path in paths:
        height = path.losses[0] - bottom
        inside = path.losses - path.losses[0] <= RISE * max(height, abs(path.losses[0]))
        kept.append(path.weights[inside])
    points = np.concatenate(kept).astype(float)
    if len(points) == len(paths):  # all left at once: look around the start
        around = 2 * max(1.0, np.abs(points).max())
        points = np.concatenate([points - around, points + around])
    least, most = points.min(0), points.max(0)
    margin = np.maximum(0.2 * (most - least), 0.05 * np.max(most - least) + 1e-3)
    return least - margin, most + margin


def _curve(axes: Axes, path: Path, window: Window, look: figures.Theme) -> None:
    """Draw a path of one weight on its curve."""
    (least,), (most,) = window
    across = np.linspace(least, most, 4 * PIXELS, dtype=np.float32)
    heights = np.asarray(path.surface(across[:, None]))
    axes.plot(across, heights, color=look.colours[1], linewidth=2)
    weights = path.weights[:, 0]
    axes.plot(weights, path.losses, color=look.colours[0], marker="o", markersize=3.5, linewidth=1, alpha=0.8)
    _ends(axes, weights, path.losses, look)
    axes.set_xlim(least, most)
    shown = heights[np.isfinite(heights)]
    if shown.size:
        spare = 0.08 * (shown.max() - shown.min()) + 1e-9
        axes.set_ylim(shown.min() - spare, shown.max() + spare)


def _map(axes: Axes, path: Path, window: Window, look: figures.Theme) -> None:
    """Draw a path of two weights on a map of its surface; lines of equal height are closer at the bottom."""
    least, most = window
    first, second = (np.linspace(least[k], most[k], PIXELS, dtype=np.float32) for k in (0, 1))
    grid = np.stack(np.meshgrid(first, second), -1)
    heights = np.asarray(path.surface(grid.reshape(-1, 2)), float).reshape(PIXELS, PIXELS)
    shown = heights[np.isfinite(heights)]
    bottom, top = (shown.min(), shown.max()) if shown.size else (0.0, 0.0)
    levels = bottom + (top - bottom) * np.linspace(0, 1, 15) ** 2
    if top > bottom:
        heights = np.where(np.isfinite(heights), heights, np.nan)
        axes.contourf(first, second, heights, levels=levels, cmap=look.surface, alpha=0.75)
        axes.contour(first, second, heights, levels=levels, colors=look.ink, linewidths=0.7, alpha=0.6)
    axes.plot(*path.weights.T, color=look.colours[0], marker="o", markersize=3, linewidth=1.3)
    _ends(axes, path.weights[:, 0], path.weights[:, 1], look)
    axes.set_xlim(least[0], most[0])
    axes.set_ylim(least[1], most[1])
    axes.grid(False)


def _ends(axes: Axes, x: Any, y: Any, look: figures.Theme) -> None:
    """Mark the start, a ring, and the end, a star."""
    axes.plot(x[:1], y[:1], "o", markersize=9, markerfacecolor=look.ground, markeredgecolor=look.ink, label="start")
    axes.plot(x[-1:], y[-1:], "*", markersize=13, color=look.colours[4], markeredgecolor=look.ink, label="end")


def _losses(row: Sequence[Axes], paths: Sequence[Path], look: figures.Theme) -> None:
    """Draw the loss at each step, at the same heights for all paths."""
    joined = np.concatenate([path.losses for path in paths])
    logarithmic = joined.min() > 0 and joined.max() > 50 * joined.min()
    for axes, path in zip(row, paths, strict=True):
        axes.plot(path.losses, color=look.colours[0], marker="o", markersize=2.5, linewidth=1.2)
        if logarithmic:
            axes.set_yscale("log")
            axes.set_ylim(bottom=max(0.8 * joined.min(), DEPTH * max(other.losses[0] for other in paths)))
        figures.write(axes, look, x="step", y="loss")
