"""Read, featurize, split, train, validate: the story on one page."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd

from amalthea.datasets.dataset import Dataset
from amalthea.domains import domain
from amalthea.domains.reading import read
from amalthea.errors import DataError
from amalthea.predictor.evaluation import labelled
from amalthea.predictor.predictor import Predictor
from amalthea.predictor.provenance import Provenance
from amalthea.progress import Verbosity
from amalthea.tasks import task
from amalthea.workflow.settings import Say, Settings, ignore
from amalthea.workflow.splitting import Split

MOST_LISTED = 5
"""Refused rows of a test set that are told one by one."""


def train(
    data: str | os.PathLike[str] | pd.DataFrame | Dataset | Sequence[str | os.PathLike[str]],
    target: str | Sequence[str] = (),
    *,
    test: str | os.PathLike[str] | pd.DataFrame | Dataset | None = None,
    features: str = "auto",
    network: str = "auto",
    model: str | None = None,
    augment: bool | None = None,
    split: str = "random",
    group: str | None = None,
    time_column: str | None = None,
    fold_column: str | None = None,
    folds: int | None = None,
    members: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    patience: int | None = None,
    seed: int = 0,
    verbose: Verbosity = "auto",
    say: Say | None = None,
    **reading: Any,
) -> Predictor:
    """Train a cross-validated ensemble and judge it on rows that the answering members never saw.

    Args:
        data: a file, several, a folder, a table, a catalogue name, or what `read` returned.
        target: as for `read`.
        test: a labelled test set of one's own, judged apart.
        features: one of the domain's choices; "auto" lets the domain choose.
        network: one of the domain's choices; or a network of one's own: a file that Keras saved, or `module:function`,
            called as `function(shape, outputs)`.
        model: a simple model to be saved instead of networks, by its name among the baselines ("boosting", "theta");
            it needs its examples when it is asked.
        augment: change pictures a little in every training step; None: the domain's default.
        split: "random"; molecules also "scaffold" and "cluster"; "group", "time" and "column" need the column.
        group: the column whose equal values share a fold (split "group").
        time_column: the column that says when an example was measured: the past predicts the future (split "time");
            the model that is returned has learned from both.
        fold_column: the column of the user's own folds (split "column").
        folds: the number of folds, 1 for none; here and below None stands for the domain's default.
        members: networks a fold.
        epochs: passes through the training rows.
        batch_size: rows in one step.
        optimizer: the name of a Keras optimizer.
        learning_rate: the largest learning rate.
        patience: epochs without improvement after which a member stops by itself; None: never.
        seed: everything random follows from it.
        verbose: "auto" shows progress on a terminal.
        say: called with each sentence that the user should hear.
        **reading: the other arguments of `read`.

    Returns:
        The trained model, with its figures in `validation`.

    Raises:
        AmaltheaError: the data or the settings cannot be used.
    """
    clock, say = _Clock(), say or ignore
    if model is not None and network != "auto":
        raise DataError("give network or model, not both: a simple model has no network.")
    with clock("read"):
        kept_apart = tuple(name for name in (group, time_column, fold_column) if name)
        dataset = data if isinstance(data, Dataset) else read(data, target, ignore=kept_apart, **reading)
        kind = domain(dataset.domain)
        held_back = dataset.test
        if test is not None:
            held_back = labelled(dataset.domain, dataset.targets, kind.input_state(dataset), test)
    asked: dict[str, Any] = {
        "folds": folds,
        "members": members,
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "augment": augment,
    }
    proposed = task(dataset.task or kind.task).defaults(dataset, kind, model or network, augment)
    defaults = dataclasses.replace(proposed, **{k: v for k, v in asked.items() if v is not None})
    settings = Settings(
        defaults, features, split, group, time_column, fold_column, patience, seed, verbose=verbose, say=say
    )
    predictor = _learn(dataset, settings, clock)
    return predictor if held_back is None else judge_on_test(predictor, held_back, say)


def _learn(dataset: Dataset, settings: Settings, clock: _Clock) -> Predictor:
    """Featurize, split, train and judge what was read; write down what was said meanwhile."""
    sentences: list[str] = []
    tell = settings.say

    def say(sentence: str) -> None:
        sentences.append(sentence)
        tell(sentence)

    for note in dataset.notes:
        say(note)
    kind = domain(dataset.domain)
    answer = task(dataset.task or kind.task)
    fitted = answer.fit(dataset, kind, dataclasses.replace(settings, say=say), clock)
    used = fitted.dataset
    provenance = Provenance.of(
        used.name,
        fingerprint=used.fingerprint,
        examples=len(used),
        refused=used.refused,
        notes=tuple(sentences),
        settings=settings.record,
        seconds=clock.seconds,
    )
    return Predictor(
        domain=kind.name,
        task=answer.name,
        targets=used.targets,
        parts=fitted.parts,
        calibrations=fitted.calibrations,
        applicability=fitted.applicability,
        input_state=kind.input_state(used),
        validation=fitted.validation,
        out_of_fold=fitted.out_of_fold,
        provenance=provenance,
        examples=_examples(used, fitted.split),
        state=fitted.state,
        arrays=fitted.arrays,
    )


def judge_on_test(predictor: Predictor, test: Dataset, say: Say) -> Predictor:
    """Return the predictor with its figures on a test set beside the out-of-fold ones."""
    evaluation = predictor.evaluate(test)
    for note in evaluation.notes:
        say(f"Of the test set: {note}")
    for refusal in evaluation.refused[:MOST_LISTED]:
        say(f"Of the test set, row {refusal.row} is left out: {refusal.reason} ({refusal.example})")
    if len(evaluation.refused) > MOST_LISTED:
        say(f"Of the test set, {len(evaluation.refused) - MOST_LISTED} more rows are left out; the model lists them.")
    summaries = tuple(
        dataclasses.replace(
            summary,
            test=evaluation.figures[summary.target],
            test_baselines=evaluation.baselines.get(summary.target, {}),
        )
        for summary in predictor.validation.targets
    )
    validation = dataclasses.replace(predictor.validation, targets=summaries, test_refused=evaluation.refused)
    return dataclasses.replace(predictor, validation=validation)


def _examples(dataset: Dataset, split: Split) -> pd.DataFrame:
    numbered = pd.DataFrame({"#row": dataset.rows, "#fold": split.fold_ids, "#group": dataset.groups})
    return pd.concat([numbered, dataset.examples.reset_index(drop=True)], axis=1)


class _Clock:
    """Wall time of each stage, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - start, 3)
