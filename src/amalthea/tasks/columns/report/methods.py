"""What is told of the networks behind columns: targets, features and layers."""

from __future__ import annotations

from amalthea.datasets.dataset import Target
from amalthea.reporting.blocks import Table
from amalthea.reporting.context import Context
from amalthea.reporting.methods import layer_table

USUAL = {"features": "auto", "network": "auto", "split": "random"}
"""Settings that the command need not say."""


def with_classes(context: Context, target: Target) -> str:
    """Return a target's name with its unit, or with the number of its classes."""
    words = context.words
    if target.task == "classification":
        classes = words.plural("{n} class", "{n} classes", len(target.classes))
        if target.threshold is not None:
            classes += words(", value ≥ {threshold}", threshold=words.number(target.threshold))
        return f"{target.name} ({classes})"
    return f"{target.name} ({target.unit})" if target.unit else target.name


def layers(context: Context) -> list[Table]:
    """Return the layers of each part's network."""
    tables = []
    for part in context.predictor.parts:
        rows = []
        for layer in part.ensemble.model.layers:
            shape = getattr(getattr(layer, "output", None), "shape", "")
            activation = getattr(getattr(layer, "activation", None), "__name__", "")
            sizes = "\u00a0×\u00a0".join(str(size) for size in shape[1:] if size is not None) if shape else ""
            parameters = context.words.count(layer.count_params())
            rows.append([layer.name, type(layer).__name__, sizes, activation, parameters])
        tables.append(layer_table(context, part, rows))
    return tables
