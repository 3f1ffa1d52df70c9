"""The members' paths drawn on the loss of training examples and, beside it, of held-out ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amalthea.insight import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from amalthea.insight.weight_trajectories.trajectories import Trajectories

MARKERS = "osD^vPX*<>"
"""Of the ends: one for each seed."""

LEVELS = 14


def figure(paths: Trajectories, theme: str, title: str, caption: str) -> Figure:
    """Return the paths on the loss surface, one panel for training examples, one for held-out ones.

    Args:
        paths: paths and surface.
        theme: "light" or "dark".
        title: the heading.
        caption: sentences below it.
    """
    look = figures.theme(theme)
    named = {"examples that it learned from": paths.surface.training, "held-out examples": paths.surface.held_out}
    shown = {name: heights for name, heights in named.items() if heights is not None}
    drawn, ((*panels,),) = figures.panels(1, len(shown), look, (6.2, 5.4))
    levels = _levels(list(shown.values()))
    for column, (name, heights) in enumerate(shown.items()):
        axes = panels[column]
        colours = _heights(axes, paths, heights, levels, look)
        _paths(axes, paths, look)
        axes.set_xlim(float(paths.surface.across[0]), float(paths.surface.across[-1]))
        axes.set_ylim(float(paths.surface.up[0]), float(paths.surface.up[-1]))
        axes.set_aspect("equal", adjustable="box")
        axes.grid(False)
        label = "second principal component" if column == 0 else ""
        figures.write(axes, look, f"Loss of the bold network: {name}", "first principal component", label)
        _tell(axes, f"this plane shows {paths.share:.0%} of the movement", look)
    if levels is not None:
        bar = drawn.colorbar(colours, ax=panels, shrink=0.8, pad=0.02)
        bar.set_label("loss", color=look.ink)
        bar.ax.tick_params(colors=look.ink, labelsize=9)
        bar.ax.set_yticks(levels[::2], [f"{level:.3g}" for level in levels[::2]])
        bar.outline.set_edgecolor(look.ink)
    _legend(drawn, paths, look)
    figures.frame(drawn, look, title, caption)
    return drawn


def _levels(surfaces: list[NDArray[Any]]) -> NDArray[np.float64] | None:
    """Return heights at which all surfaces are cut, closer at the bottom; None where nothing is finite."""
    joined = np.concatenate([heights.ravel() for heights in surfaces]).astype(float)
    joined = joined[np.isfinite(joined)]
    if not joined.size or joined.min() == joined.max():
        return None
    bottom, top = joined.min(), np.quantile(joined, 0.97)
    if bottom > 0 and top > 5 * bottom:
        return np.geomspace(bottom, top, LEVELS)
    levels: NDArray[np.float64] = bottom + (max(top, bottom + 1e-9) - bottom) * np.linspace(0, 1, LEVELS) ** 1.5
    return levels


def _heights(
    axes: Axes, paths: Trajectories, heights: NDArray[Any], levels: NDArray[np.float64] | None, look: figures.Theme
) -> Any:
    if levels is None:
        return None
    from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap

    slopes = LinearSegmentedColormap.from_list("slopes", [look.ground, look.hill])
    filled = np.where(np.isfinite(heights), heights, levels[-1] * (1 + 1e-6) + 1e-9)
    across, up = paths.surface.across, paths.surface.up
    axes.contour(across, up, filled, levels=levels, colors=look.ink, linewidths=0.7, alpha=0.6)
    return axes.contourf(across, up, filled, levels=levels, cmap=slopes, norm=BoundaryNorm(levels, 256), extend="max")


def _paths(axes: Axes, paths: Trajectories, look: figures.Theme) -> None:
    """Draw each member's path: colour by fold, the end's mark by seed, the reference member in bold."""
    from matplotlib.patheffects import withStroke

    crowded = len(paths.folds) > 12
    for member, path in enumerate(paths.positions):
        colour = look.colours[paths.folds[member] % len(look.colours)]
        bold = member == paths.reference
        width = 2.6 if bold else 0.9 if crowded else 1.4
        style = "-" if paths.plane.used[member] else ":"
        halo = [withStroke(linewidth=width + 1.4, foreground=look.ground)]
        top = 5 if bold else 3
        axes.plot(*path.T, style, color=colour, linewidth=width, zorder=top, path_effects=halo)
        axes.plot(*path[0], ".", color=look.ink, markersize=4, zorder=top)
        axes.plot(
            *path[-1],
            MARKERS[paths.seeds[member] % len(MARKERS)],
            color=colour,
            markersize=11 if bold else 6 if crowded else 8,
            markeredgecolor=look.ink,
            markeredgewidth=0.8,
            zorder=top + 1,
        )


def _tell(axes: Axes, sentence: str, look: figures.Theme) -> None:
    box = {"facecolor": look.ground, "edgecolor": look.faint, "boxstyle": "round,pad=0.3", "alpha": 0.9}
    axes.text(0.02, 0.98, sentence, transform=axes.transAxes, va="top", color=look.ink, fontsize=9, bbox=box, zorder=9)


def _legend(drawn: Figure, paths: Trajectories, look: figures.Theme) -> None:
    from matplotlib.lines import Line2D

    folds, seeds = int(paths.folds.max()) + 1, int(paths.seeds.max()) + 1
    entries = [
        Line2D([], [], color=look.colours[fold % len(look.colours)], linewidth=2, label=f"fold {fold} held out")
        for fold in range(folds)
        if folds > 1
    ]
    entries += [
        Line2D([], [], color=look.ink, marker=MARKERS[seed % len(MARKERS)], linestyle="", label=f"seed {seed}: its end")
        for seed in range(seeds)
    ]
    entries.append(Line2D([], [], color=look.ink, marker=".", linestyle="", label="start"))
    entries.append(Line2D([], [], color=look.ink, linewidth=2.6, label="bold: whose surface it is"))
    entries.append(Line2D([], [], color=look.ink, linewidth=1.0, label="thin: shadows on it"))
    drawn.legend(
        handles=entries,
        loc="outside right center",
        fontsize=9,
        labelcolor=look.ink,
        facecolor=look.ground,
        edgecolor=look.faint,
    )
