"""What is told of the networks behind columns: targets, features and layers."""

from __future__ import annotations

from collections.abc import Sequence

from amalthea.datasets.dataset import Target
from amalthea.reporting.blocks import Table
from amalthea.reporting.context import Context
from amalthea.reporting.methods import layer_table
from amalthea.reporting.translate import baseline

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


def simple_text(context: Context, targets: str, features: Sequence[str]) -> str:
    """Return what a baseline learned from what, and how it was judged, as sentences for a paper."""
    words, known = context.words, context.predictor.validation
    sentences = [
        words(
            "A simple model of scikit-learn (“{model}”, random seed {seed}) learned {targets} from {data}.",
            model=baseline(words, known.targets[0].answering),
            seed=context.seed,
            targets=targets,
            data=context.predictor.provenance.data,
        ),
        words("Features: {features}.", features="; ".join(features)),
    ]
    if known.folds > 1:
        sentence = words(
            "{folds} models, each judged on the fold that it had not learned from, answer with their mean; copies of "
            "an example share a fold.",
            folds=known.folds,
        )
        sentences.append(sentence)
    return " ".join(sentences)


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
