"""Methods: the network and its training, as text for a methods section."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from amalthea.datasets.dataset import Target
from amalthea.domains import domain
from amalthea.domains.protocol import Featurizer
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Block, Paragraph, Table, Text
from amalthea.reporting.context import Context
from amalthea.reporting.translate import feature, noun
from amalthea.tasks.protocol import Part


def method_blocks(context: Context, text: str, layers: Sequence[Table], command: str, works: str) -> list[Block]:
    """Return the text of a methods section, the layers, the command and the citations.

    Args:
        context: the model.
        text: for a paper.
        layers: a table for each network.
        command: what trains the model again.
        works: BibTeX.
    """
    words = context.words
    blocks: list[Block] = [Text(words("Methods"), text)]
    if context.predictor.provenance.settings is None:
        blocks.append(Paragraph(words("The settings of the training were not kept in this model."), "care"))
    blocks += [*layers, Text(words("The command that reproduces it"), command)]
    return [*blocks, Text(words("Citations (BibTeX)"), works)]


def text(
    context: Context,
    targets: str,
    features: Sequence[str],
    more: Sequence[str] = (),
    judged: Sequence[str] | None = None,
) -> str:
    """Return what was trained on what, how, and how it was judged, as sentences for a paper.

    Args:
        context: the model.
        targets: what was learned.
        features: what it was learned from.
        more: sentences on the networks and what was minimized.
        judged: sentences on how the answers were judged; None: in folds of examples.
    """
    words, predictor = context.words, context.predictor
    known, settings = predictor.validation, predictor.provenance.chosen
    sentences = [
        words(
            "{networks} neural networks ({parameters} parameters each) were trained with Amalthea {amalthea} (Keras "
            "{keras} on JAX {jax}) to predict {targets} from {examples} (data: {data}).",
            networks=sum(len(part.ensemble) for part in predictor.parts),
            parameters=" / ".join(words.count(part.ensemble.model.count_params()) for part in predictor.parts),
            targets=targets,
            examples=noun(words, domain(predictor.domain).nouns, known.examples),
            data=_data(predictor),
            **{name: predictor.provenance.versions.get(name, "?") for name in ("amalthea", "keras", "jax")},
        ),
        words("Features: {features}.", features="; ".join(features)),
        *more,
    ]
    if settings:
        sentences.append(
            words(
                "Each network was trained for at most {epochs} epochs in mini-batches of {batch} with {optimizer} "
                "(largest learning rate {rate}); random seed {seed}.",
                epochs=settings.get("epochs"),
                batch=settings.get("batch_size"),
                optimizer=settings.get("optimizer"),
                rate=words.number(float(settings.get("learning_rate") or 0), 3),
                seed=settings.get("seed", context.seed),
            )
        )
    return " ".join([*sentences, *(_validation(context, settings) if judged is None else judged)])


def _validation(context: Context, settings: Any) -> list[str]:
    words, predictor = context.words, context.predictor
    known = predictor.validation
    if not any(summary.metrics for summary in known.targets):
        return [words("No examples were held out.")]
    split = settings.get("split", "random")
    kinds = {
        "random": words("random split"),
        "scaffold": words("split by scaffold"),
        "cluster": words("split by cluster"),
        "group": words("split by group"),
        "time": words("split by time: the past predicts the future"),
        "column": words("split by a column"),
    }
    sentences = [
        words(
            "Predictions were judged in {folds}-fold cross-validation ({split}; copies of an example share a fold) "
            "with {members} networks a fold; no network was judged on examples it had learned from, and scales "
            "and medians came from each network's own training rows.",
            folds=known.folds,
            members=known.members,
            split=kinds.get(split, split),
        )
        if known.folds > 1
        else words("Predictions were judged on the most recent examples, by networks that learned from the others."),
        words("Standard errors are from a bootstrap over groups of copies."),
    ]
    if any(target.task == "regression" for target in predictor.targets):
        sentences.append(
            words(
                "Intervals are mean ± q·sqrt(a² + (b·s^p)²)·d^g, s the spread of the networks, d the distance to the "
                "training set; a, b, p, g and the conformal factor q were fitted to errors of held-out examples, and "
                "judged with each fold left out."
            )
        )
    if any(target.task == "classification" for target in predictor.targets):
        sentences.append(words("Probabilities were calibrated by temperature, and judged with each fold left out."))
    return sentences


def features_in_words(context: Context, featurizer: Featurizer) -> str:
    """Return what features are, with their number."""
    words, count = context.words, context.words.count(len(getattr(featurizer, "feature_names", ())))
    details = getattr(featurizer, "details", "")
    if details:
        return words(details, **{**featurizer.state(), "count": count})
    return f"{feature(words, featurizer)} ({count})"


def _data(predictor: Predictor) -> str:
    fingerprint = predictor.provenance.fingerprint
    return f"{predictor.provenance.data}, SHA-256 {fingerprint[:16]}" if fingerprint else str(predictor.provenance.data)


def layer_table(context: Context, part: Part, rows: Sequence[Sequence[str]]) -> Table:
    """Return the layers of a network: name, kind, output, activation, parameters."""
    words = context.words
    header = [words("layer"), words("kind"), words("output"), words("activation"), words("parameters")]
    caption = words("The network for the features “{features}”.", features=feature(words, part.featurizer))
    return Table(header, rows, caption)


def command(predictor: Predictor, usual: Mapping[str, Any], targets: Sequence[Target] = ()) -> str:
    """Return the command that trains the model again, as far as the model knows it.

    Args:
        predictor: the model.
        usual: settings that the command need not say.
        targets: those that it must say.
    """
    settings = predictor.provenance.chosen_for(bool(predictor.parts))
    parts = ["amalthea", "train", predictor.provenance.data]
    for target in targets:
        parts += ["--target", target.name]
        if target.threshold is not None:
            parts += ["--threshold", f"{target.threshold:g}"]
    for name, value in settings.items():
        if name == "validation_fraction":  # the domain decides; the command has no such option
            continue
        if value is None or value is False or (name in usual and value == usual[name]):
            continue
        parts.append(f"--{name.replace('_', '-')}")
        if value is not True:
            parts.append(f"{value:g}" if isinstance(value, float) else str(value))
    return " ".join(shlex.quote(part) for part in parts)
