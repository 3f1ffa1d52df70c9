"""A model judged on labelled data that it was not trained on: the one way there is."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from amalthea.datasets import catalogue, files
from amalthea.datasets.dataset import Dataset, Refusal, Target
from amalthea.datasets.messages import counted, listed
from amalthea.domains import domain
from amalthea.domains.reading import read
from amalthea.errors import DataError
from amalthea.tasks import task
from amalthea.validation.metrics import Figure

if TYPE_CHECKING:
    from amalthea.predictor.predictor import Predictor


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The figures of a model on new labelled data.

    Args:
        figures: by target, each metric with its standard error.
        baselines: by target and baseline, the same metrics of simple models that learned from the training examples;
            empty where the model was saved without them.
        differences: by target and baseline, how much better the model is in the main metric.
        examples: the number of examples judged.
        refused: the rows that could not be used.
        notes: what a reader of the figures must know, as sentences.
        trained_on: how many of the examples are copies of training examples.
        units: of the metrics that carry one of their own.
    """

    figures: Mapping[str, Mapping[str, Figure]]
    baselines: Mapping[str, Mapping[str, Mapping[str, Figure]]]
    differences: Mapping[str, Mapping[str, Figure]]
    examples: int
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...]
    trained_on: int = 0
    units: Mapping[str, str] = dataclasses.field(default_factory=dict)


def evaluate(predictor: Predictor, data: Any) -> Evaluation:
    """Judge a model on labelled data that it was not trained on.

    Args:
        predictor: the model.
        data: a file, a table, a catalogue name or a `Dataset`, with the model's target columns.

    Raises:
        DataError: the data cannot be used, a target's column is not there, or no row has a value and a prediction.
    """
    dataset = labelled(predictor.domain, predictor.targets, predictor.input_state, data)
    judged = task(predictor.task).judge(predictor, dataset)
    refused = tuple(sorted((*dataset.refused, *judged.refused), key=lambda refusal: refusal.row))
    examples = len(dataset) - len(judged.refused)
    known = 0 if judged.apart else int(predictor.trained_on(dataset).sum())
    notes = [*dataset.notes, *judged.notes]
    if known:
        notes.append(
            f"{known:,} of these {counted(len(dataset), 'example')} are training examples of this model: the figures "
            "flatter it. Judge it on others, or by its out-of-fold figures."
        )
    return Evaluation(
        judged.figures,
        judged.baselines,
        judged.differences,
        examples,
        refused,
        tuple(dict.fromkeys(notes)),
        known,
        predictor.validation.units,
    )


def labelled(kind: str, targets: Sequence[Target], input_state: Mapping[str, Any], data: Any) -> Dataset:
    """Return new labelled data as a model reads its inputs, with the codes of classes that the model's targets have.

    Args:
        kind: the name of the model's domain.
        targets: the model's.
        input_state: the model's.
        data: a file, a table, a catalogue name or a `Dataset`.

    Raises:
        DataError: these are other data than the model's, or a column or a class is not the model's.
    """
    if isinstance(data, str) and catalogue.known(data):
        data = _from_catalogue(data, targets)
    if not isinstance(data, Dataset):
        source = data if not isinstance(data, str | os.PathLike) else Path(data)
        if isinstance(source, Path) and not domain(kind).claims(source):
            files.existing_file(source)
        dataset = domain(kind).labelled(source, targets, dict(input_state))
        return dataclasses.replace(dataset, fingerprint=files.fingerprint(source) if isinstance(source, Path) else "")
    there, wanted = ([target.name for target in of] for of in (data.targets, targets))
    if there != wanted:
        raise DataError(f"these data have other targets than the model: {listed(there)}, not {listed(wanted)}.")
    if data.domain != kind:
        raise DataError(f"this model knows {kind}, and these data are {data.domain}.")
    return align(data, targets)


def align(dataset: Dataset, targets: Sequence[Target]) -> Dataset:
    """Return new labelled data with the codes of classes that a model's targets have.

    Examples of a class that the model does not know are refused, each with this reason.

    Raises:
        DataError: the data hold another kind of target, or no class that the model knows.
    """
    values, reasons = dataset.values.copy(), np.full(len(dataset), "", object)
    for index, (given, target) in enumerate(zip(dataset.targets, targets, strict=True)):
        if given.task != target.task:
            raise DataError(f"{target.name!r} is a {target.task} in the model and a {given.task} in these data.")
        if target.task != "classification" or given.classes == target.classes:
            continue
        codes = {label: code for code, label in enumerate(target.classes)}
        for row in np.flatnonzero(np.isfinite(values[:, index])).tolist():
            label = given.classes[int(values[row, index])]
            if label in codes:
                values[row, index] = codes[label]
            else:
                reasons[row] = f"the model does not know the class {label!r} of {target.name!r}"
    aligned = dataclasses.replace(dataset, values=values, targets=tuple(targets))
    if not (reasons != "").any():
        return aligned
    refused = tuple(
        Refusal(int(dataset.rows[row]), text, str(reasons[row]))
        for row, text in zip(*_described(dataset, np.flatnonzero(reasons != "")), strict=True)
    )
    good = np.flatnonzero(reasons == "")
    if not len(good):
        raise DataError(f"{dataset.name}: {refused[0].reason}. It knows: {listed(targets[0].classes)}.")
    return aligned.take(good, refused)


def _described(dataset: Dataset, rows: Any) -> tuple[list[int], list[str]]:
    examples: pd.DataFrame = dataset.examples.iloc[rows]
    return rows.tolist(), domain(dataset.domain).describe(examples)


def _from_catalogue(name: str, targets: Sequence[Target]) -> Dataset:
    thresholds = {target.threshold for target in targets}
    threshold = thresholds.pop() if len(thresholds) == 1 else None
    kind = targets[0].task if threshold is None else None
    return read(name, [target.name for target in targets], task=kind, threshold=threshold)
