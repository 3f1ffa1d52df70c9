"""Steps drawn: each weight's update against its gradient, and the change of the loss as predicted and as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from amalthea.insight import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from amalthea.insight.gradient_descent.optimizer_steps import Step

ROOM = 0.35
"""The part of the panel's height that is added above the points, for the legend."""

MOST = 3000
"""Weights that are drawn, evenly chosen of all."""


def figure(taken: Mapping[str, Step], theme: str, title: str, caption: str) -> Figure:
    """Return steps side by side.

    Args:
        taken: steps by what they are called.
        theme: "light" or "dark".
        title: the heading.
        caption: sentences below it.
    """
    look = figures.theme(theme)
    drawn, panels = figures.panels(2, len(taken), look, (3.6 if len(taken) > 1 else 6.0, 3.0))
    for column, (name, step) in enumerate(taken.items()):
        _updates(panels[0][column], step, look)
        heading = step.optimizer if name == step.optimizer.lower() else name
        figures.write(
            panels[0][column], look, heading, "size of the gradient", "size of the update" if column == 0 else ""
        )
        _changes(panels[1][column], step, look)
    for row in panels:
        figures.align(row)
    for axes in panels[0]:
        low, high = axes.get_ylim()
        if axes.get_yscale() == "log" and axes.get_legend():
            axes.set_ylim(low, high * (high / low) ** ROOM)
            figures.legend(axes, look, "upper left")
    for axes in panels[0]:
        left, right = (pick(other.get_xlim()[end] for other in panels[0]) for end, pick in ((0, min), (1, max)))
        axes.set_xlim(left, right)
    figures.frame(drawn, look, title, caption)
    return drawn


def _updates(axes: Axes, step: Step, look: figures.Theme) -> None:
    gradient = np.concatenate([np.abs(values).ravel() for values in step.gradient])
    update = np.concatenate([np.abs(values).ravel() for values in step.update])
    seen = (gradient > 0) & (update > 0)
    chosen = np.flatnonzero(seen)[:: max(1, int(seen.sum()) // MOST)]
    axes.set_xscale("log")
    axes.set_yscale("log")
    if not chosen.size:
        axes.text(0.5, 0.5, "no weight moved", transform=axes.transAxes, ha="center", color=look.ink)
        return
    looks: dict[str, Any] = {"markersize": 3, "color": look.colours[1], "alpha": 0.6, "rasterized": True}
    axes.plot(gradient[chosen], update[chosen], ".", label="a weight", **looks)
    ends = np.array([gradient[chosen].min(), gradient[chosen].max()])
    plain = f"learning rate {step.learning_rate:g} × gradient"
    axes.plot(ends, step.learning_rate * ends, "--", color=look.colours[0], linewidth=1.3, label=plain)
    figures.legend(axes, look)


def _changes(axes: Axes, step: Step, look: figures.Theme) -> None:
    changes = [step.predicted_change, step.actual_change]
    bars = axes.bar(["predicted", "actual"], changes, color=[look.colours[1], look.colours[0]], width=0.6)
    axes.bar_label(
        bars, labels=[f"{change:+.3g}".replace("-", "−") for change in changes], color=look.ink, fontsize=9, padding=3
    )
    axes.axhline(0, color=look.ink, linewidth=0.8)
    axes.margins(y=0.2)
    figures.write(axes, look, y="change of the loss")
