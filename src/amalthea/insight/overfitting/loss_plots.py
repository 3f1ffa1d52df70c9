"""Losses of training and validation drawn as bands, the learning curve, and networks of three sizes."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from amalthea.insight import figures
from amalthea.insight.overfitting.overfitting_onset import BY_HEART, Turn, gap, turn_of
from amalthea.training.history import History, quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from amalthea.insight.overfitting.generalization import Generalization
    from amalthea.validation.learning_curve import LearningCurve

NAMES = {
    "small": "a small network",
    "own size": "the model's own size",
    "large": "a large network",
}

SHARE = 1.25
"""How many times the best losses of the three sizes both losses of a network are that underfits, at least."""


def figure(shown: Generalization, theme: str, title: str, caption: str) -> Figure:
    """Return three panels above (losses, learning curve, lowest and last losses by size) and the three sizes below.

    Args:
        shown: what there is to be shown; what is missing is left out, or says why.
        theme: "light" or "dark".
        title: the heading.
        caption: sentences below it.
    """
    look = figures.theme(theme)
    sizes = {(True, True): (2, 3), (True, False): (2, 3), (False, True): (1, 2), (False, False): (1, 1)}
    rows, columns = sizes[shown.networks is not None, shown.curve is not None]
    drawn, panels = figures.panels(rows, columns, look, (6.5 if columns == 1 else 4.6, 3.3))
    if shown.history is not None:
        bands(panels[0][0], shown.history, look, shown.turn)
    figures.write(panels[0][0], look, "Losses of all networks", "epoch", "loss")
    if shown.curve is not None:
        _curve(panels[0][1], shown.curve, look)
        heading = f"Error of {textwrap.shorten(shown.curve.target, 40)}"
        figures.write(panels[0][1], look, heading, "training examples", shown.curve.measure)
    elif columns > 1:
        _say(panels[0][1], shown.missing.get("curve", ""), look)
    if shown.networks is not None:
        _sizes(panels[0][2], shown.networks, look)
        _three(panels[1], shown.networks, look)
    figures.frame(drawn, look, title, caption)
    return drawn


def bands(axes: Axes, history: History, look: figures.Theme, turn: Turn | None = None) -> None:
    """Draw the median loss of all members, and the band that holds nine tenths of them.

    Args:
        axes: a panel.
        history: losses by member and epoch.
        look: its colours.
        turn: where they part; None: it is not marked.
    """
    from matplotlib.ticker import MaxNLocator

    for number, (key, name) in enumerate((("loss", "training"), ("val_loss", "validation"))):
        if key not in history.members:
            continue
        low, middle, high = quantiles(history.members[key])
        epochs = np.arange(1, len(middle) + 1)
        colour = look.colours[(1, 0)[number]]
        axes.fill_between(epochs, low, high, color=colour, alpha=0.22, linewidth=0)
        axes.plot(epochs, middle, color=colour, linewidth=1.8, linestyle=("-", "--")[number], label=name)
    if _steep([history]):
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(1, max(2, len(history.epoch)))
    marks = [] if turn is None else [(turn.parting, "they part", look.colours[3], ":")]
    if turn is not None and turn.kind != "falling":
        marks.append((turn.epoch, "validation lowest", look.colours[2], "-"))
    for epoch, label, colour, style in marks:
        if math.isfinite(epoch.value):
            error = max(epoch.error, 0.25) if math.isfinite(epoch.error) else 0.25
            axes.axvspan(epoch.value - error, epoch.value + error, color=colour, alpha=0.2, linewidth=0)
            axes.axvline(epoch.value, color=colour, linewidth=1.5, linestyle=style, label=label)
    figures.legend(axes, look)


def _steep(histories: Sequence[History]) -> bool:
    """Say whether losses are all positive and spread over more than a factor of 20."""
    curves = [curve for history in histories for curve in map(history.members.get, ("loss", "val_loss"))]
    joined = np.concatenate([curve.ravel() for curve in curves if curve is not None])
    joined = joined[np.isfinite(joined)]
    return bool(joined.size and joined.min() > 0 and joined.max() > 20 * joined.min())


def _curve(axes: Axes, curve: LearningCurve, look: figures.Theme) -> None:
    values, errors = ([getattr(figure, part) for figure in curve.errors] for part in ("value", "error"))
    axes.errorbar(
        curve.sizes, values, errors, color=look.colours[1], marker="o", markersize=5, capsize=3, label="measured"
    )
    gain = curve.doubling
    if math.isfinite(gain.value):
        after, spread = values[-1] * (1 - gain.value), values[-1] * gain.error
        ends = [curve.sizes[-1], 2 * curve.sizes[-1]]
        axes.plot(ends, [values[-1], after], ":", color=look.colours[0], linewidth=1.6)
        axes.errorbar(
            ends[1:], [after], [spread], color=look.colours[0], marker="o", markerfacecolor=look.ground, capsize=3,
            linestyle="", label="twice as many, if the trend goes on",
        )  # fmt: skip
        figures.legend(axes, look)
    axes.set_xscale("log", base=2)
    ticks = [*curve.sizes.tolist(), 2 * int(curve.sizes[-1])]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_ylim(bottom=0)


def _sizes(axes: Axes, networks: dict[str, History], look: figures.Theme) -> None:
    """Draw the last losses of the three sizes, medians over the members, side by side."""
    positions = np.arange(len(networks))
    for number, (key, name) in enumerate((("loss", "training"), ("val_loss", "validation"))):
        heights = [quantiles(history.members[key])[1][-1] for history in networks.values()]
        colour = look.colours[(1, 0)[number]]
        bars = axes.bar(positions + 0.4 * number - 0.2, heights, 0.38, color=colour, label=f"{name}, last epoch")
        axes.bar_label(bars, labels=[f"{height:.2g}" for height in heights], color=look.ink, fontsize=9, padding=2)
    best = [float(np.nanmin(quantiles(history.members["val_loss"])[1])) for history in networks.values()]
    axes.hlines(best, positions + 0.01, positions + 0.39, color=look.ink, linewidth=2, label="validation, lowest")
    axes.set_xticks(positions, list(networks))
    axes.margins(y=0.35)
    figures.write(axes, look, "Three sizes of the network", y="loss")
    figures.legend(axes, look)


def _three(row: Sequence[Axes], networks: dict[str, History], look: figures.Theme) -> None:
    steep = _steep(list(networks.values()))
    for column, (name, history) in enumerate(networks.items()):
        bands(row[column], history, look, turn_of(history))
        heading = ": ".join(filter(None, (NAMES[name].capitalize(), judged(name, networks))))
        figures.write(row[column], look, heading, "epoch", "loss" if column == 0 else "")
        row[column].set_yscale("log" if steep else "linear")
    figures.align(row)


def judged(name: str, networks: dict[str, History]) -> str:
    """Return what the losses of one of several networks say: it overfits, underfits, learns by heart; or nothing.

    Args:
        name: of the network.
        networks: losses by name, validation among them.
    """
    ends = {
        key: {each: float(quantiles(history.members[key])[1][-1]) for each, history in networks.items()}
        for key in ("loss", "val_loss")
    }
    turn = turn_of(networks[name])
    if turn is not None and turn.kind == "rising":
        return "it overfits"
    if all(losses[name] > SHARE * min(losses.values()) > 0 for losses in ends.values()):
        return "it underfits"
    return "it learns by heart" if gap(networks[name]) > BY_HEART else ""


def _say(axes: Axes, sentence: str, look: figures.Theme) -> None:
    """Write in a panel's place why there is nothing to be seen."""
    axes.set_axis_off()
    wrapped = "\n".join(textwrap.wrap(sentence, 44))
    axes.text(0.5, 0.5, wrapped, transform=axes.transAxes, ha="center", va="center", color=look.ink, fontsize=9)
