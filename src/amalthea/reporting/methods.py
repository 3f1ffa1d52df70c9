"""Section 8: the network and its training, as text for a methods section."""

from __future__ import annotations

import shlex
from typing import Any

from amalthea.potentials.potential import PotentialState
from amalthea.potentials.report.methods import imported_sentences, potential_layers, potential_sentences
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Block, Paragraph, Section, Table, Text
from amalthea.reporting.citations import bibtex
from amalthea.reporting.context import Context
from amalthea.reporting.summary import learned
from amalthea.reporting.translate import feature, noun
from amalthea.tasks.protocol import Part

USUAL = {"features": "auto", "network": "auto", "split": "random", "validation_fraction": 0.0}
"""Settings that the command need not say."""


def methods(context: Context) -> Section:
    """Return the text, the layers, the command and the citations."""
    words, predictor = context.words, context.predictor
    blocks: list[Block] = [Text(words("Methods"), _text(context))]
    if context.elsewhere:
        blocks.append(Paragraph(words("It was trained elsewhere: no command of Amalthea's trains it again.")))
    elif predictor.provenance.settings is None:
        blocks.append(Paragraph(words("The settings of the training were not kept in this model."), "care"))
    blocks += [_layers(context, part) for part in predictor.parts]
    if not context.elsewhere:
        blocks.append(Text(words("The command that reproduces it"), command(predictor)))
    blocks.append(Text(words("Citations (BibTeX)"), bibtex(predictor)))
    reading = words("Text to be pasted into a paper, with what is needed to do it all again.")
    return Section("methods", words("The network and its training"), reading, blocks)


def _text(context: Context) -> str:
    words, predictor = context.words, context.predictor
    known, ensemble = predictor.validation, predictor.parts[0].ensemble
    settings = predictor.provenance.chosen
    if context.elsewhere:
        return " ".join(imported_sentences(context))
    sentences = [
        words(
            "{networks} neural networks ({parameters} parameters each) were trained with Amalthea {amalthea} (Keras "
            "{keras} on JAX {jax}) to predict {targets} from {examples} (data: {data}).",
            networks=known.folds * known.members * len(predictor.parts),
            parameters=" / ".join(words.count(part.ensemble.model.count_params()) for part in predictor.parts),
            targets=learned(context)
            if predictor.domain == "structures"
            else ", ".join(with_task(context, index) for index in range(len(predictor.targets))),
            examples=noun(words, predictor.domain, known.examples),
            data=_data(predictor),
            **{name: predictor.provenance.versions.get(name, "?") for name in ("amalthea", "keras", "jax")},
        ),
        words("Features: {features}.", features="; ".join(_features(context, part) for part in predictor.parts)),
    ]
    if isinstance(predictor.state, PotentialState):
        sentences += potential_sentences(words, predictor)
    if settings:
        sentences.append(
            words(
                "Each network was trained for at most {epochs} epochs in mini-batches of {batch} with {optimizer} "
                "(largest learning rate {rate}); random seed {seed}.",
                epochs=settings.get("epochs"),
                batch=settings.get("batch_size"),
                optimizer=settings.get("optimizer"),
                rate=words.number(float(settings.get("learning_rate") or 0), 3),
                seed=settings.get("seed", ensemble.seed),
            )
        )
    return " ".join([*sentences, *_validation(context, settings)])


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
                "Intervals are mean ± q·sqrt(a² + (b·s^p)²), s the spread of the networks; a, b, p and the conformal "
                "factor q were fitted to out-of-fold errors, and judged with each fold left out."
            )
        )
    if any(target.task == "classification" for target in predictor.targets):
        sentences.append(words("Probabilities were calibrated by temperature, and judged with each fold left out."))
    return sentences


def with_task(context: Context, index: int) -> str:
    """Return a target's name with what kind of quantity it is."""
    words, target = context.words, context.predictor.targets[index]
    if target.task == "classification":
        told = words.plural("{n} class", "{n} classes", len(target.classes))
        if target.threshold is not None:
            told += words(", value ≥ {threshold}", threshold=words.number(target.threshold))
        return f"{target.name} ({told})"
    return f"{target.name} ({target.unit})" if target.unit else target.name


def _features(context: Context, part: Part) -> str:
    words, state = context.words, part.featurizer.state()
    count = words.count(len(getattr(part.featurizer, "feature_names", ())))
    match part.featurizer.name:
        case "descriptors":
            return words("{count} RDKit descriptors", count=count)
        case "morgan":
            return words("Morgan counts of radius {radius}, hashed to {count}", radius=state.get("radius"), count=count)
        case "symmetry functions":
            return words("atom-centred symmetry functions")
        case name:
            return f"{feature(words, name)} ({count})"


def _data(predictor: Predictor) -> str:
    fingerprint = predictor.provenance.fingerprint
    return f"{predictor.provenance.data}, SHA-256 {fingerprint[:16]}" if fingerprint else str(predictor.provenance.data)


def _layers(context: Context, part: Part) -> Table:
    words = context.words
    rows = potential_layers(words, part) if context.predictor.domain == "structures" else []
    for layer in part.ensemble.model.layers if not rows else []:
        shape = getattr(getattr(layer, "output", None), "shape", "")
        activation = getattr(getattr(layer, "activation", None), "__name__", "")
        sizes = "\u00a0×\u00a0".join(str(size) for size in shape[1:] if size is not None) if shape else ""
        rows.append([layer.name, type(layer).__name__, sizes, activation, words.count(layer.count_params())])
    header = [words("layer"), words("kind"), words("output"), words("activation"), words("parameters")]
    return Table(
        header, rows, words("The network for the features “{features}”.", features=feature(words, part.featurizer.name))
    )


def command(predictor: Predictor) -> str:
    """Return the command that trains the model again, as far as the model knows it."""
    settings = predictor.provenance.chosen
    parts = ["amalthea", "train", predictor.provenance.data]
    potential = predictor.domain == "structures"
    usual = {**USUAL, "network": "potential"} if potential else USUAL
    for target in () if potential else predictor.targets:
        parts += ["--target", target.name]
        if target.threshold is not None:
            parts += ["--threshold", f"{target.threshold:g}"]
    for name, value in settings.items():
        if value is None or value is False or (name in usual and value == usual[name]):
            continue
        parts.append(f"--{name.replace('_', '-')}")
        if value is not True:
            parts.append(f"{value:g}" if isinstance(value, float) else str(value))
    return " ".join(shlex.quote(part) for part in parts)
