"""The learning curve: the error against the number of training examples, from networks trained on parts of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amalthea.reporting import plots
from amalthea.reporting.blocks import Paragraph, Plot
from amalthea.reporting.context import Context
from amalthea.validation.metrics import Figure


def not_asked(context: Context) -> Paragraph:
    """Return how to ask for a learning curve."""
    return Paragraph(context.words("The learning curve needs new training: ask for it with --learning-curve."))


def curve_plot(
    context: Context,
    name: str,
    title: str,
    labels: tuple[str, str],
    sizes: NDArray[np.int64],
    errors: Sequence[Figure],
    gain: Figure,
    how: str,
) -> Plot:
    """Return a learning curve.

    Args:
        context: the model.
        name: of the figure, unique in the page.
        title: what it shows.
        labels: of the two axes.
        sizes: shape (sizes,): how many examples a network learned from.
        errors: of each size.
        gain: the share by which twice the examples would lower the error.
        how: how the networks were trained and judged.
    """
    words = context.words
    y, bars = [each.value for each in errors], [each.error for each in errors]
    doubled = words(
        "If the trend goes on, twice the examples would lower the error by {gain} %.",
        gain=words.figure(Figure(100 * gain.value, 100 * gain.error)),
    )
    return Plot(
        name,
        title,
        f"{doubled} {how}",
        [
            plots.line(
                sizes,
                y,
                mode="lines+markers",
                marker={"size": 9, "color": "@blue"},
                hoverinfo="x+y",
                **plots.error_bars(bars),
            )
        ],
        plots.layout(
            plots.axis(labels[0], type="log", dtick=math.log10(2), tickvals=sizes.tolist()),
            plots.axis(labels[1], rangemode="tozero"),
        ),
        words(
            "The error goes from {low} to {high} with all examples.",
            low=words.number(y[0], 3),
            high=words.number(y[-1], 3),
        ),
        {"examples": sizes.tolist(), "error": plots.numbers(y), "standard_error": plots.numbers(bars)},
    )
