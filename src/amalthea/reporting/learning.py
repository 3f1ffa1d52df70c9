"""Learning: how the losses of the networks fell."""

from __future__ import annotations

from typing import Any

import numpy as np

from amalthea.reporting import plots
from amalthea.reporting.blocks import Block, Paragraph, Plot
from amalthea.reporting.context import Context
from amalthea.reporting.translate import feature
from amalthea.tasks.protocol import Part
from amalthea.training.history import History, best_epochs, quantiles


def loss_blocks(context: Context, unvalidated: str) -> list[Block]:
    """Return the losses of all networks.

    Args:
        context: the model.
        unvalidated: why there is no validation loss, where there is none.
    """
    blocks: list[Block] = []
    for index, part in enumerate(context.predictor.parts):
        history = part.ensemble.history
        if history is None or "loss" not in history.members or len(history.epoch) < 2:
            blocks.append(Paragraph(context.words("The losses of the training were not kept.")))
            continue
        sentence = _parting(context, history) if _validated(history) else unvalidated
        blocks += [_losses(context, part, history, index), Paragraph(sentence)]
    return blocks


def _losses(context: Context, part: Part, history: History, index: int) -> Plot:
    words = context.words
    name = feature(words, part.featurizer)
    traces, table = [], {"epoch": [epoch + 1 for epoch in history.epoch]}
    for style, (key, title) in enumerate((("loss", words("training")), ("val_loss", words("validation")))):
        if key not in history.members:
            continue
        low, middle, high = quantiles(history.members[key])
        epochs = np.arange(1, len(middle) + 1)
        traces += [
            plots.band(epochs, low, high, words("{what}, 90 % of the networks", what=title), style),
            plots.line(epochs, middle, words("{what}, median", what=title), style, hoverinfo="x+y"),
        ]
        table |= {f"{key}_05": plots.numbers(low), key: plots.numbers(middle), f"{key}_95": plots.numbers(high)}
    losses = history.members["loss"]
    positive = bool(np.nanmin(losses) > 0)
    steep = positive and np.nanmax(losses) > 20 * np.nanmin(losses)
    _, middle, _ = quantiles(losses)
    return Plot(
        f"losses-{index + 1}",
        words("Losses while learning from {features}", features=name),
        words("The line is the median of all networks, the band holds nine tenths of them."),
        traces,
        plots.layout(
            plots.axis(
                words("epoch (passes through the training rows)"), **({"dtick": 1} if len(middle) <= 10 else {})
            ),
            plots.axis(words("loss"), **(plots.log_ticks(losses) if steep else {})),
            **_marked(context, history),
        ),
        words(
            "The median training loss goes from {first} to {last} in {count} epochs.",
            first=words.number(float(middle[0]), 3),
            last=words.number(float(middle[-1]), 3),
            count=len(middle),
        ),
        table,
    )


def _parted(history: History) -> tuple[float, float, float]:
    """Return the 5, 50 and 95 % quantiles of the epoch in which a network's validation loss is lowest."""
    low, middle, high = np.quantile(best_epochs(history), [0.05, 0.5, 0.95])
    return float(low), float(middle), float(high)


def _validated(history: History) -> bool:
    return "val_loss" in history.members and bool(np.isfinite(history.members["val_loss"]).any())


def _marked(context: Context, history: History) -> dict[str, Any]:
    """Return the parts of a layout that mark the epoch after which networks overfit, and its uncertainty."""
    if not _validated(history):
        return {}
    low, middle, high = _parted(history)
    if middle >= len(history.epoch):
        return {}
    upright = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    text = context.words("lowest validation loss")
    note = {"x": middle, "y": 1, "yref": "paper", "text": text, "showarrow": False, "font": {"size": 12}}
    side = "left" if middle < len(history.epoch) / 2 else "right"
    return {
        "shapes": [
            {**upright, "type": "rect", "x0": low, "x1": high, "fillcolor": "@purple/22", "line": {"width": 0}},
            {**upright, "type": "line", "x0": middle, "x1": middle, "line": {"color": "@purple", "dash": "dot"}},
        ],
        "annotations": [{**note, "xanchor": side, "yanchor": "top", "xshift": 4 if side == "left" else -4}],
    }


def _parting(context: Context, history: History) -> str:
    words = context.words
    low, middle, high = _parted(history)
    if middle >= len(history.epoch):
        return words("The validation loss still fell in the last epoch: more epochs may help.")
    return words(
        "The validation loss is lowest in epoch {middle} (nine tenths of the networks: {low} to {high}); after that "
        "they overfit.",
        middle=round(middle),
        low=round(low),
        high=round(high),
    )
