"""Read, featurize, split, train, validate: the story on one page."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import amalthea
from amalthea.datasets.dataset import Dataset, Refusal
from amalthea.datasets.messages import counted
from amalthea.domains import domain
from amalthea.domains.protocol import Domain, Featurizer
from amalthea.errors import DataError
from amalthea.predictor.predictions import Calibration, answer_all, columns
from amalthea.predictor.predictor import Predictor
from amalthea.progress import Bar, Verbosity
from amalthea.tasks.columns.cross_validation import fit_parts, out_of_fold
from amalthea.tasks.columns.feature_selection import choose_features
from amalthea.training.prediction import Prediction
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.cross_validated import calibrations_aside, judge
from amalthea.workflow.predict import labelled
from amalthea.workflow.read import read
from amalthea.workflow.settings import Say, Settings, nobody
from amalthea.workflow.splitting import Split, split_rows


def train(
    data: str | os.PathLike[str] | pd.DataFrame | Dataset | Sequence[str | os.PathLike[str]],
    target: str | Sequence[str] = (),
    *,
    test: str | os.PathLike[str] | pd.DataFrame | None = None,
    features: str = "auto",
    network: str = "auto",
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
    clock, say = _Clock(), say or nobody
    with clock("read"):
        kept_apart = tuple(name for name in (group, time_column, fold_column) if name)
        dataset = data if isinstance(data, Dataset) else read(data, target, ignore=kept_apart, **reading)
        home = domain(dataset.domain)
        state = home.input_state(dataset)
        held_back = dataset.test if test is None else labelled(test, dataset.domain, dataset.targets, state)
    asked: dict[str, Any] = {
        "folds": folds,
        "members": members,
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "augment": augment,
    }
    proposed = home.defaults(dataset, network if network in home.network_choices else "auto")
    if network not in home.network_choices:
        asked["network"] = network
        proposed = dataclasses.replace(proposed, augment=False)
    if augment and (network not in home.network_choices or not home.defaults(dataset, "auto").augment):
        raise DataError("--augment is for pictures and the networks named by --network; build it into one of your own.")
    defaults = dataclasses.replace(proposed, **{k: v for k, v in asked.items() if v is not None})
    settings = Settings(
        defaults, features, split, group, time_column, fold_column, patience, seed, verbose=verbose, say=say
    )
    predictor = _learn(dataset, home, settings, clock)
    return predictor if held_back is None else judge_on_test(predictor, held_back, say)


def _learn(dataset: Dataset, home: Domain, settings: Settings, clock: _Clock) -> Predictor:
    """Featurize, split, train and validate what was read; write down what was said meanwhile."""
    heard: list[str] = []
    tell = settings.say

    def say(sentence: str) -> None:
        heard.append(sentence)
        tell(sentence)

    settings = dataclasses.replace(settings, say=say)
    for note in dataset.notes:
        say(note)
    from amalthea.potentials.fit import learn_potential

    learn = learn_potential if dataset.domain == "structures" else learn_columns
    predictor, dataset, divided = learn(dataset, home, settings, clock)
    return dataclasses.replace(
        predictor,
        facts=_facts(dataset, settings, clock.seconds, heard),
        examples=_examples(dataset, divided),
    )


def learn_columns(
    dataset: Dataset, home: Domain, settings: Settings, clock: _Clock
) -> tuple[Predictor, Dataset, Split]:
    """Learn targets that are columns of numbers and classes: from features, one row an example.

    Returns:
        The predictor, still without facts and examples; the examples that were used; how they were split.
    """
    members, seed = settings.defaults.members, settings.seed
    if settings.defaults.augment:
        settings.say("In training, pictures are turned, stretched and moved a little; --no-augment switches that off.")
    with clock("featurize"):
        featurizers = home.featurizers(dataset, settings.features)
        dataset, arrays = _featurize(dataset, featurizers, settings.verbose)
        divided = split_rows(dataset, home, settings)
    with clock("train"):
        shares = choose_features(dataset, home, featurizers, arrays, divided, settings)
        used = np.flatnonzero(shares.any(axis=(1, 2)))
        featurizers, arrays = tuple(featurizers[i] for i in used), [arrays[i] for i in used]
        parts = fit_parts(dataset, home, featurizers, arrays, shares[used], divided, settings)
        raw = out_of_fold(dataset, home, arrays, parts, divided, settings)
    with clock("validate"), Bar("baselines", verbose=settings.verbose) as bar:
        everything = np.concatenate([values.reshape(len(values), -1) for values in arrays], axis=1)
        verdict = judge(dataset, raw, everything, divided.fold_ids, divided.units, members, seed, bar.reach)
        if raw is None:
            verdict = dataclasses.replace(verdict, calibrations=calibrations_aside(dataset, parts[0].ensemble.aside))
        for note in verdict.notes:
            settings.say(note)
        applicability = Applicability.fit(arrays[0], featurizers[0].metric, dataset.groups, seed=seed)
    predictor = Predictor(
        domain=dataset.domain,
        targets=dataset.targets,
        parts=parts,
        calibrations=verdict.calibrations,
        applicability=applicability,
        input_state=home.input_state(dataset),
        validation=verdict.validation,
        out_of_fold=_out_of_fold_table(dataset, divided, raw, verdict.calibrations, arrays[0], applicability),
        facts={},
        examples=pd.DataFrame(),
    )
    return predictor, dataset, divided


def judge_on_test(predictor: Predictor, test: Dataset, say: Say) -> Predictor:
    """Return the predictor with its figures on a test set beside the out-of-fold ones."""
    figures = predictor.evaluate(test)
    known = int(predictor.trained_on(test).sum())
    if known:
        say(
            f"{counted(known, 'example')} of the test set are training examples as well: its figures flatter the model."
        )
    summaries = tuple(
        dataclasses.replace(summary, test=figures[summary.target]) for summary in predictor.validation.targets
    )
    return dataclasses.replace(predictor, validation=dataclasses.replace(predictor.validation, targets=summaries))


def _featurize(
    dataset: Dataset, featurizers: Sequence[Featurizer], verbose: Verbosity
) -> tuple[Dataset, list[NDArray[Any]]]:
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


def _out_of_fold_table(
    dataset: Dataset,
    split: Split,
    raw: Prediction | None,
    calibrations: Sequence[Calibration],
    features: NDArray[Any],
    applicability: Applicability,
) -> pd.DataFrame:
    single = len(dataset.targets) == 1
    named = {
        "target" if single else f"{target.name}_target": dataset.labels(index)
        for index, target in enumerate(dataset.targets)
    }
    table = pd.DataFrame({"row": dataset.rows, "fold": split.fold_ids, **named})
    if raw is None:
        return table
    nothing = np.full(len(dataset), "", object)
    answered = dataclasses.replace(
        answer_all(dataset.targets, calibrations, raw.mean, raw.std, raw.members),
        applicability=applicability.percentile(features, dataset.groups),
        problems=nothing,
        warnings=nothing,
    )
    return pd.concat([table, columns(answered, dataset.targets, table.index)], axis=1)


def _examples(dataset: Dataset, split: Split) -> pd.DataFrame:
    numbered = pd.DataFrame({"#row": dataset.rows, "#fold": split.fold_ids, "#group": dataset.groups})
    return pd.concat([numbered, dataset.examples.reset_index(drop=True)], axis=1)


def _facts(dataset: Dataset, settings: Settings, seconds: dict[str, float], heard: Sequence[str]) -> dict[str, Any]:
    import jax
    import keras

    return {
        "data": dataset.name,
        "fingerprint": dataset.fingerprint,
        "examples": len(dataset),
        "refused": [dataclasses.asdict(refusal) for refusal in dataset.refused],
        "notes": list(heard),
        "settings": settings.state(),
        "seconds": seconds,
        "versions": {"amalthea": amalthea.__version__, "keras": keras.__version__, "jax": jax.__version__},
    }


class _Clock:
    """Wall time of each stage, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - start, 3)
