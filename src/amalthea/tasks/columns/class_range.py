"""Classes outside of what was learned: what the networks' hidden layers say of an example."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Target
from amalthea.tasks.protocol import Part
from amalthea.training.prediction import Prediction
from amalthea.validation.class_density import ClassDensity
from amalthea.validation.cross_fitting import cross_fit
from amalthea.validation.temperature import toward

Floats = NDArray[np.float64]

CELLS = 3
"""The sides of the grid that outputs of convolutions are averaged on."""

AT_ONCE = 1_000
FEWEST_HELD_OUT = 200
"""Held-out rows without which the one in sixty that is least usual cannot be told."""


@dataclasses.dataclass(frozen=True, eq=False)
class ClassRange:
    """What is usual for the classes of a target.

    Args:
        density: in the outputs of one network, by which new examples are judged.
        member: its number.
        share: shape (n,): how much of the base rate the probabilities of the training rows get, each by a network that
            never saw it and by quantiles of the other folds; 0 where there is no such network.
    """

    density: ClassDensity
    member: int
    share: Floats

    @classmethod
    def of(cls, density: ClassDensity, member: int, scores: Floats, folds: NDArray[np.int64]) -> ClassRange:
        """Return the range from scores of the training rows, shape (n,), NaN where there is none, and their folds."""
        known, share = np.isfinite(scores), np.zeros(len(scores))
        density = density.with_scores(scores[known])
        judged = cross_fit(
            lambda others: density.with_scores(scores[known][others]),
            lambda fitted, rows: fitted.weight(scores[known][rows]),
            folds[known],
        )
        share[known] = density.weight(scores[known]) if judged is None else judged
        return cls(density, member, share)

    def apply(self, probabilities: Floats, rows: NDArray[np.bool_]) -> Floats:
        """Return what calibrated probabilities of training rows (a mask) become."""
        return toward(probabilities, self.density.base, self.share[rows])


def class_ranges(dataset: Dataset, part: Part, x: NDArray[Any], probabilities: Floats | None) -> dict[str, ClassRange]:
    """Return what is usual for each target of classes, by its name; none where a network's layers cannot be seen.

    Args:
        dataset: the training examples.
        part: the networks that are looked into.
        x: their inputs.
        probabilities: out of fold, shape (n, sum of the targets' widths); None with one fold.
    """
    ensemble, ends = part.ensemble, np.cumsum([target.width for target in dataset.targets]).tolist()
    folds = np.zeros(len(dataset), np.int64) if ensemble.fold_ids is None else ensemble.fold_ids
    ranges = {}
    for index, (target, end) in enumerate(zip(dataset.targets, ends, strict=True)):
        if target.task != "classification":
            continue
        codes, scores = dataset.values[:, index], np.full(len(dataset), np.nan)
        first = None
        for fold in range(ensemble.folds):
            judged = _of_fold(part, x, fold, codes, slice(end - target.width, end), probabilities)
            if judged is not None:
                density, member, rows, scores[rows] = judged
                first = first or (density, member)
        if first is not None and np.isfinite(scores).sum() >= FEWEST_HELD_OUT:
            counts = np.bincount(codes[np.isfinite(codes)].astype(np.int64), minlength=target.width)
            density = dataclasses.replace(first[0], base=counts / counts.sum())
            ranges[target.name] = ClassRange.of(density, first[1], scores, folds)
    return ranges


def _of_fold(
    part: Part, x: NDArray[Any], fold: int, codes: Floats, columns: slice, probabilities: Floats | None
) -> tuple[ClassDensity, int, NDArray[np.intp], Floats] | None:
    """Return the density in the first network of a fold, its number, the rows that it never saw, and their scores."""
    ensemble = part.ensemble
    members = np.intersect1d(ensemble.layout.of_fold(fold), ensemble.used)
    if not len(members):
        return None
    member, labelled = int(members[0]), np.isfinite(codes)
    aside = np.zeros(len(codes), bool)
    if ensemble.validation_rows:
        aside[ensemble.validation_rows[member]] = True
    # With one fold what the network set aside is held out; else its fold is, and what it set aside is left alone.
    held_out = aside & labelled if ensemble.folds == 1 else (ensemble.fold_ids == fold) & labelled
    known = labelled & ~aside & ~held_out
    model = looked_into(ensemble[member])
    if model is None or not held_out.any() or not known.any():
        return None
    outputs, unseen = (layer_outputs(model, x[rows]) for rows in (known, held_out))
    if probabilities is None:
        answers = np.asarray(ensemble[member].predict(x[held_out], batch_size=AT_ONCE, verbose=0))[:, columns]
    else:
        answers = probabilities[held_out][:, columns]
    named, classes = answers.argmax(axis=1), columns.stop - columns.start
    density = ClassDensity.fit(outputs, codes[known].astype(np.int64), unseen, named, classes, int(ensemble.seed))
    return density, member, np.flatnonzero(held_out), density.score(unseen, named)


def looked_into(model: Any) -> Any | None:
    """Return a network that answers with the outputs of the middle and the last hidden layer; None for what has none.

    Hidden layers are counted by their activations.
    """
    import keras

    activations = (keras.layers.ReLU, keras.layers.Activation, keras.layers.LeakyReLU, keras.layers.ELU)

    def bends(layer: Any) -> bool:
        named = getattr(getattr(layer, "activation", None), "__name__", "linear")
        return named != "linear" or isinstance(layer, activations)

    try:
        answers, inputs = {id(output) for output in model.outputs}, model.inputs
        outputs = [layer.output for layer in model.layers if bends(layer)]
    except (AttributeError, ValueError):  # a model of the user's that is no graph of layers
        return None
    hidden = [output for output in outputs if id(output) not in answers and len(output.shape) in (2, 4)]
    if not hidden or len(inputs) != 1:
        return None
    return keras.Model(inputs[0], [hidden[(len(hidden) - 1) // 2], hidden[-1]])


def layer_outputs(model: Any, x: NDArray[Any]) -> list[Floats]:
    """Return the outputs of `looked_into`, shape (n, d) each; those of convolutions averaged on 3 x 3."""
    parts: list[list[Floats]] = [[], []]
    for start in range(0, len(x), AT_ONCE):
        for part, outputs in zip(parts, model(x[start : start + AT_ONCE], training=False), strict=True):
            part.append(_averaged(np.asarray(outputs)))
    return [np.concatenate(part) for part in parts]


def _averaged(outputs: NDArray[Any]) -> Floats:
    if outputs.ndim == 2:
        return outputs.astype(np.float64)
    rows = np.array_split(np.arange(outputs.shape[1]), min(CELLS, outputs.shape[1]))
    columns = np.array_split(np.arange(outputs.shape[2]), min(CELLS, outputs.shape[2]))
    cells = [outputs[:, r[0] : r[-1] + 1, c[0] : c[-1] + 1].mean(axis=(1, 2)) for r in rows for c in columns]
    return np.concatenate(cells, axis=1).astype(np.float64)


def packed(ranges: Mapping[str, ClassRange]) -> dict[str, NDArray[Any]]:
    """Return what a model must remember of the ranges of its targets."""
    arrays: dict[str, NDArray[Any]] = {}
    for target, each in ranges.items():
        stored = {**each.density.arrays(), "member": np.array([each.member])}
        arrays |= {f"classes/{target}/{name}": values for name, values in stored.items()}
    return arrays


def unpacked(arrays: Mapping[str, NDArray[Any]], targets: Sequence[Target]) -> dict[str, tuple[ClassDensity, int]]:
    """Return the densities that `packed` described, and the numbers of their networks, by target."""
    densities = {}
    for target in targets:
        start = f"classes/{target.name}/"
        stored = {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}
        if stored:
            densities[target.name] = ClassDensity.from_arrays(stored), int(stored["member"][0])
    return densities


def mixed_out_of_fold(prediction: Prediction, ranges: Mapping[str, ClassRange]) -> Prediction:
    """Return calibrated answers out of fold with probabilities that go to the base rate."""
    everyone = np.ones(len(prediction), bool)
    if isinstance(prediction.mean, dict):
        means = {name: each.apply(prediction.mean[name], everyone) for name, each in ranges.items()}
        return dataclasses.replace(prediction, mean={**prediction.mean, **means})
    for each in ranges.values():
        prediction = dataclasses.replace(prediction, mean=each.apply(prediction.mean, everyone))
    return prediction


def mixed_with_base_rate(
    prediction: Prediction,
    densities: Mapping[str, tuple[ClassDensity, int]],
    part: Part,
    x: NDArray[Any],
    rows: NDArray[np.intp],
) -> tuple[Prediction, NDArray[np.bool_]]:
    """Return answers with probabilities that go to the base rate where layers are unusual, and which are outside.

    Args:
        prediction: calibrated answers for n examples.
        densities: by target, with the numbers of the networks that are looked into.
        part: these networks.
        x: their inputs, for the rows that could be read.
        rows: these, of the n.
    """
    outside = np.zeros(len(prediction), bool)
    if not densities or not len(rows):
        return prediction, outside
    means = dict(prediction.mean) if isinstance(prediction.mean, dict) else {next(iter(densities)): prediction.mean}
    for target, (density, member) in densities.items():
        outputs = layer_outputs(looked_into(part.ensemble[member]), x)
        means[target] = mean = means[target].copy()
        scores = density.score(outputs, mean[rows].argmax(axis=1))
        mean[rows] = density.apply(mean[rows], scores)
        outside[rows] |= scores > density.largest
    mean = means if isinstance(prediction.mean, dict) else next(iter(means.values()))
    return dataclasses.replace(prediction, mean=mean), outside
