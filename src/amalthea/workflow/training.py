"""Read, featurize, split, train, validate: the story on one page."""

from __future__ import annotations

import dataclasses
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import amalthea
from amalthea.data import splits
from amalthea.data.dataset import Dataset, Refusal
from amalthea.domains import domain
from amalthea.domains.protocol import Defaults, Domain, Featurizer
from amalthea.errors import AmaltheaError, DataError, TrainingWarning
from amalthea.predictor.answers import Calibration, answer_all, columns
from amalthea.predictor.predictor import Part, Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.training.prediction import Prediction
from amalthea.validation import judge
from amalthea.validation.applicability import Applicability
from amalthea.workflow.reading import align, read

Say = Callable[[str], None]
"""Called with each sentence that the user should hear."""


def train(
    data: str | os.PathLike[str] | pd.DataFrame | Dataset,
    target: str | Sequence[str] = (),
    *,
    test: str | os.PathLike[str] | pd.DataFrame | None = None,
    features: str = "auto",
    split: str = "random",
    group: str | None = None,
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
        data: a file, a table, a catalogue name, or what `read` returned.
        target: as for `read`.
        test: a labelled test set of one's own, judged apart.
        features: one of the domain's choices; "auto" lets the domain choose.
        split: "random", "scaffold", "group" or "column".
        group: the column whose equal values share a fold (split "group").
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
    clock, say = _Clock(), say or _nobody
    with clock("read"):
        kept_apart = tuple(name for name in (group, fold_column) if name)
        dataset = data if isinstance(data, Dataset) else read(data, target, ignore=kept_apart, **reading)
        held_back = None if test is None else _test_set(test, dataset, reading)
    home = domain(dataset.domain)
    chosen: dict[str, Any] = {
        "folds": folds,
        "members": members,
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
    }
    defaults = dataclasses.replace(home.defaults(dataset), **{k: v for k, v in chosen.items() if v is not None})
    with clock("featurize"):
        featurizers = home.featurizers(dataset, features)
        dataset, arrays = _featurize(dataset, featurizers, verbose)
        for note in dataset.notes:
            say(note)
        fold_ids, units = _split(dataset, home, split, group, fold_column, defaults, seed)
        defaults = dataclasses.replace(defaults, folds=int(fold_ids.max()) + 1)
    with clock("train"):
        parts = _fit(dataset, home, featurizers, arrays, fold_ids, defaults, patience, seed, verbose, say)
    with clock("validate"):
        everything = np.concatenate(arrays, axis=1)
        with Bar("baselines", verbose=verbose) as bar:
            verdict = judge.judge(
                dataset, _out_of_fold(parts), everything, fold_ids, units, defaults.members, seed, bar.reach
            )
        for note in verdict.notes:
            say(note)
        applicability = Applicability.fit(arrays[0], featurizers[0].metric, dataset.groups, seed=seed)
        out_of_fold = _out_of_fold_table(dataset, fold_ids, parts, verdict.calibrations, arrays[0], applicability)
    predictor = Predictor(
        domain=dataset.domain,
        targets=dataset.targets,
        parts=parts,
        calibrations=verdict.calibrations,
        applicability=applicability,
        input_state=home.input_state(dataset),
        validation=verdict.validation,
        out_of_fold=out_of_fold,
        facts=_facts(dataset, defaults, features, split, seed, patience, clock.seconds, parts),
        examples=_examples(dataset, fold_ids),
    )
    held_back = held_back or dataset.test
    return predictor if held_back is None else judge_on_test(predictor, held_back)


def judge_on_test(predictor: Predictor, test: Dataset) -> Predictor:
    """Return the predictor with its figures on a test set beside the out-of-fold ones."""
    figures = predictor.evaluate(test)
    summaries = tuple(
        dataclasses.replace(summary, test=figures[summary.target]) for summary in predictor.validation.targets
    )
    return dataclasses.replace(predictor, validation=dataclasses.replace(predictor.validation, targets=summaries))


def _test_set(test: Any, dataset: Dataset, reading: dict[str, Any]) -> Dataset:
    held_back = read(test, [target.name for target in dataset.targets], **reading)
    return align(held_back, dataset.targets)


def _featurize(
    dataset: Dataset, featurizers: Sequence[Featurizer], verbose: Verbosity
) -> tuple[Dataset, list[NDArray[np.float32]]]:
    """Return the features of every example that has them all; the others are refused."""
    arrays, problem = [], np.full(len(dataset), "", object)
    for featurizer in featurizers:
        with Bar(f"features: {featurizer.name}", len(dataset), verbose) as bar:
            values, found = featurizer.transform(dataset.examples, bar.reach)
        arrays.append(values)
        problem = np.where(problem == "", found, problem)
    good = problem == ""
    if good.all():
        return dataset, arrays
    refused = tuple(
        Refusal(int(dataset.rows[row]), " ".join(map(str, dataset.examples.iloc[row]))[:80], str(problem[row]))
        for row in np.flatnonzero(~good)
    )
    return dataset.take(np.flatnonzero(good), refused), [values[good] for values in arrays]


def _split(
    dataset: Dataset,
    home: Domain,
    split: str,
    group: str | None,
    fold_column: str | None,
    defaults: Defaults,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each row's fold, and the units that the bootstrap resamples: copies, or larger groups."""
    if fold_column or split == "column":
        return splits.column_folds(_column(dataset, fold_column, "--fold-column")), dataset.groups
    if group or split == "group":
        units = splits.together(dataset.groups, splits.codes(_column(dataset, group, "--group")))
    elif split == "random":
        only = dataset.targets[0] if len(dataset.targets) == 1 else None
        classes = dataset.values[:, 0] if only is not None and only.task == "classification" else None
        ids = splits.random_folds(len(dataset), defaults.folds, seed, groups=dataset.groups, classes=classes)
        return ids, dataset.groups
    else:
        units = splits.together(dataset.groups, home.groups(dataset, split))
    return splits.group_folds(units, defaults.folds, seed), units


def _column(dataset: Dataset, name: str | None, option: str) -> pd.Series[Any]:
    if name not in dataset.columns:
        raise DataError(f"{option} {name}: no such column. There are: {', '.join(map(str, dataset.columns))}.")
    return dataset.columns[name]


def _fit(
    dataset: Dataset,
    home: Domain,
    featurizers: Sequence[Featurizer],
    arrays: Sequence[NDArray[np.float32]],
    fold_ids: NDArray[np.int64],
    defaults: Defaults,
    patience: int | None,
    seed: int,
    verbose: Verbosity,
    say: Say,
) -> tuple[Part, ...]:
    from amalthea.training.ensemble import Ensemble

    parts: list[Part] = []
    rows = len(dataset) * (defaults.folds - 1) // defaults.folds if defaults.folds > 1 else len(dataset)
    steps = defaults.epochs * max(1, -(-rows // defaults.batch_size))
    for featurizer, x in zip(featurizers, arrays, strict=True):
        model = home.network(featurizer, dataset.targets, defaults, steps)
        ensemble = Ensemble(model, folds=defaults.folds, members=defaults.members, seed=seed)
        with warnings.catch_warnings(action="ignore", category=TrainingWarning):  # said below
            history = ensemble.fit(
                x,
                dataset.values,
                epochs=defaults.epochs,
                batch_size=defaults.batch_size,
                groups=dataset.groups,
                fold_ids=fold_ids,
                patience=patience,
                verbose=verbose,
            )
        for note in history.notes:
            say(note)
        if history.interrupted and len(parts) + 1 < len(featurizers):
            raise AmaltheaError("Stopped on request before all sets of features were learned: nothing to keep.")
        parts.append(Part(featurizer, ensemble))
    return tuple(parts)


def _out_of_fold(parts: Sequence[Part]) -> Prediction | None:
    """Return the mean over the parts of what their members say out of fold, and its spread."""
    if parts[0].ensemble.folds == 1:
        return None
    members = np.mean([part.ensemble.out_of_fold.members for part in parts], axis=0)
    known = np.isfinite(members)
    count = known.sum(axis=0)
    total = np.where(known, members, 0).sum(axis=0, dtype=np.float64)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    squares = np.where(known, (members - mean) ** 2, 0).sum(axis=0)
    std = np.sqrt(np.divide(squares, count - 1, out=np.zeros_like(squares), where=count > 1))
    return Prediction(mean=mean, std=std, members=members)


def _out_of_fold_table(
    dataset: Dataset,
    fold_ids: NDArray[np.int64],
    parts: Sequence[Part],
    calibrations: Sequence[Calibration],
    features: NDArray[np.float32],
    applicability: Applicability,
) -> pd.DataFrame:
    raw = _out_of_fold(parts)
    single = len(dataset.targets) == 1
    named = {
        "target" if single else f"{target.name}_target": dataset.labels(index)
        for index, target in enumerate(dataset.targets)
    }
    table = pd.DataFrame({"row": dataset.rows, "fold": fold_ids, **named})
    if raw is None:
        return table
    answered = answer_all(dataset.targets, calibrations, raw.mean, raw.std, raw.members)
    nothing = np.full(len(dataset), "", object)
    answered = dataclasses.replace(
        answered,
        applicability=applicability.percentile(features, dataset.groups),
        problems=nothing,
        warnings=nothing,
    )
    return pd.concat([table, columns(answered, dataset.targets, table.index)], axis=1)


def _examples(dataset: Dataset, fold_ids: NDArray[np.int64]) -> pd.DataFrame:
    kept = dataset.examples.reset_index(drop=True)
    return pd.concat([pd.DataFrame({"row": dataset.rows, "fold": fold_ids, "group": dataset.groups}), kept], axis=1)


def _facts(
    dataset: Dataset,
    defaults: Defaults,
    features: str,
    split: str,
    seed: int,
    patience: int | None,
    seconds: dict[str, float],
    parts: Sequence[Part],
) -> dict[str, Any]:
    import jax
    import keras

    return {
        "data": dataset.name,
        "fingerprint": dataset.fingerprint,
        "examples": len(dataset),
        "refused": [dataclasses.asdict(refusal) for refusal in dataset.refused],
        "notes": [*dataset.notes, *(n for part in parts if part.ensemble.history for n in part.ensemble.history.notes)],
        "settings": {
            **dataclasses.asdict(defaults),
            "features": features,
            "split": split,
            "patience": patience,
            "seed": seed,
        },
        "seconds": seconds,
        "versions": {"amalthea": amalthea.__version__, "keras": keras.__version__, "jax": jax.__version__},
    }


def _nobody(sentence: str) -> None:
    """Hear a sentence and say nothing."""


class _Clock:
    """Wall time of each stage, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - start, 3)
