"""Columns of numbers and classes, learned from features, one row an example."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Refusal
from amalthea.datasets.messages import listed
from amalthea.datasets.splits import row_digests, together
from amalthea.domains import domain
from amalthea.domains.protocol import Domain, Featurizer, Featurizing
from amalthea.predictor.predictions import answer_all, columns, raw_answers
from amalthea.progress import Bar, Verbosity
from amalthea.tasks.columns.class_range import ClassRange, class_ranges, mixed_out_of_fold, packed
from amalthea.tasks.columns.cross_validation import fit_parts, held_out_by_cluster, networks_apart, out_of_fold
from amalthea.tasks.columns.feature_selection import choose_features, different, side_by_side
from amalthea.tasks.columns.hidden_groups import note_on_hidden_groups
from amalthea.tasks.columns.simple import SimpleModel, is_simple
from amalthea.tasks.columns.simple import out_of_fold as simple_out_of_fold
from amalthea.tasks.protocol import Calibration, Clock, Fitted, Part
from amalthea.training.prediction import Prediction
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.cross_fitting import Apart
from amalthea.validation.cross_validated import calibrations_aside, judge
from amalthea.workflow.settings import Settings
from amalthea.workflow.splitting import Split, split_rows


def fit(dataset: Dataset, kind: Domain, settings: Settings, clock: Clock) -> Fitted:
    """Learn targets that are columns of numbers and classes; see `Task.fit`."""
    seed = settings.seed
    if settings.defaults.augment:
        settings.say(
            f"In training, {kind.nouns.many} are turned, stretched and moved a little; --no-augment switches that off."
        )
    assert isinstance(kind, Featurizing)  # `Columns.defaults` has seen to it
    with clock("featurize"):
        featurizers = kind.featurizers(dataset, settings.features)
        dataset, arrays = _featurize(dataset, featurizers, settings.verbose)
        if settings.defaults.network not in kind.network_choices:  # the user's own, the same for equal features
            used = different(arrays)
            featurizers, arrays = tuple(featurizers[i] for i in used), [arrays[i] for i in used]
        dataset = _with_same_features_together(dataset, kind, arrays, settings)
        divided = split_rows(dataset, kind, settings)
        everything = side_by_side(arrays)
        if settings.by_chance and divided.folds > 1 and (note := note_on_hidden_groups(dataset, everything, seed)):
            settings.say(note)
    with clock("train"):
        learned = _learn(dataset, kind, featurizers, arrays, divided, settings)
        featurizers, arrays, parts, raw = learned.featurizers, learned.arrays, learned.parts, learned.raw
        beside = getattr(featurizers[0], "beside_columns", 0)
        applicability = Applicability.fit(arrays[0], featurizers[0].metric, dataset.groups, seed, beside)
        clusters = held_out_by_cluster(dataset, arrays[0], learned.ask, divided, applicability, seed)
    with clock("validate"), Bar("baselines", verbose=settings.verbose) as bar:
        apart = Apart(*applicability.held_out(arrays[0], divided.fold_ids, seed))
        means = None if raw is None else np.asarray(raw.mean)
        ranges = class_ranges(dataset, parts[0], arrays[0], means) if parts else {}
        verdict = judge(
            dataset,
            raw,
            side_by_side(arrays),
            divided.fold_ids,
            divided.units,
            settings.defaults.members,
            seed,
            bar.reach,
            ranges,
            apart,
            clusters,
            answering="network" if learned.state is None else learned.state.name,
        )
        if raw is None and parts:
            verdict = dataclasses.replace(verdict, calibrations=calibrations_aside(dataset, parts[0].ensemble.aside))
        for note in verdict.notes:
            settings.say(note)
    return Fitted(
        dataset=dataset,
        split=divided,
        parts=parts,
        calibrations=verdict.calibrations,
        applicability=applicability,
        validation=verdict.validation,
        out_of_fold=_out_of_fold_table(
            dataset, divided, raw, verdict.calibrations, arrays[0], applicability, ranges, apart
        ),
        state=learned.state,
        arrays=packed(ranges),
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _Learned:
    """What answers: networks, or a baseline.

    Args:
        featurizers: of the sets of features in use.
        arrays: their values.
        parts: the networks; none of a baseline.
        raw: what is said of each row by those that never saw it; None with one fold.
        ask: returns the same in other folds, where there are to be such answers.
        state: which baseline it is; None: networks answer.
    """

    featurizers: tuple[Featurizer, ...]
    arrays: list[NDArray[Any]]
    parts: tuple[Part, ...]
    raw: Prediction | None
    ask: Callable[[Split], Prediction | None]
    state: SimpleModel | None = None


def _learn(
    dataset: Dataset,
    kind: Featurizing,
    featurizers: tuple[Featurizer, ...],
    arrays: list[NDArray[Any]],
    split: Split,
    settings: Settings,
) -> _Learned:
    """Train the networks, or the baseline that was asked for in their place."""
    name, seed = settings.defaults.network, settings.seed
    if name not in kind.network_choices and is_simple(name, dataset.targets):
        ask = functools.partial(simple_out_of_fold, dataset, side_by_side(arrays), name=name, seed=seed)
        return _Learned(featurizers, arrays, (), ask(split), ask, SimpleModel.of(name, featurizers, split, seed))
    shares = choose_features(dataset, kind, featurizers, arrays, split, settings)
    used = np.flatnonzero(shares.any(axis=(1, 2))).tolist()
    featurizers, arrays = tuple(featurizers[i] for i in used), [arrays[i] for i in used]
    parts = fit_parts(dataset, kind, featurizers, arrays, shares[used], split, settings)
    raw = out_of_fold(dataset, kind, arrays, parts, split, settings)
    return _Learned(
        featurizers,
        arrays,
        parts,
        raw,
        lambda clusters: networks_apart(dataset, kind, arrays, parts, clusters, settings),
    )


def _featurize(
    dataset: Dataset, featurizers: Sequence[Featurizer], verbose: Verbosity
) -> tuple[Dataset, list[NDArray[Any]]]:
    """Return the features of every example that has them all; the others are refused."""
    arrays, problem = [], np.full(len(dataset), "", object)
    for featurizer in featurizers:
        with Bar(f"features: {featurizer.name}", len(dataset), verbose) as bar:
            values, reasons = featurizer.transform(dataset.examples, bar.reach)
        arrays.append(values)
        problem = np.where(problem == "", reasons, problem)
    good = problem == ""
    if good.all():
        return dataset, arrays
    bad = np.flatnonzero(~good)
    refused = tuple(
        Refusal(int(dataset.rows[row]), text, str(problem[row]))
        for row, text in zip(bad, domain(dataset.domain).describe(dataset.examples.iloc[bad]), strict=True)
    )
    return dataset.take(np.flatnonzero(good), refused), [values[good] for values in arrays]


def _with_same_features_together(
    dataset: Dataset, kind: Domain, arrays: Sequence[NDArray[Any]], settings: Settings
) -> Dataset:
    """Return the data set with its groups joined where examples have the same features: to a network they are copies.

    Otherwise a held-out example would be answered from its twin.
    """
    twins = pd.factorize(np.array(row_digests(arrays), dtype=object))[0]
    groups = together(dataset.groups, twins)
    if len(np.unique(groups)) == len(np.unique(dataset.groups)):
        return dataset
    texts = pd.Series(kind.describe(dataset.examples)).groupby(twins).unique()
    several = [list(each) for each in texts if len(each) > 1]
    option = kind.suggestions.get("apart", "")
    count = f"{len(several):,} sets of {kind.nouns.many}" if len(several) > 1 else f"One set of {kind.nouns.many}"
    settings.say(
        f"{count} ({sum(map(len, several)):,} in all) cannot be told apart by these features: "
        f"{listed((' and '.join(each[:2]) for each in several), 3)}. They share a fold, as copies do"
        + (f"; {option} may tell them apart." if option else ".")
    )
    return dataclasses.replace(dataset, groups=groups)


def _out_of_fold_table(
    dataset: Dataset,
    split: Split,
    raw: Prediction | None,
    calibrations: Sequence[Calibration],
    features: NDArray[Any],
    applicability: Applicability,
    ranges: Mapping[str, ClassRange],
    apart: Apart,
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
    answers = answer_all(dataset.targets, calibrations, raw.mean, raw.std, raw.members, apart)
    answered = dataclasses.replace(
        mixed_out_of_fold(answers, ranges),
        applicability=applicability.percentile(features, dataset.groups),
        problems=nothing,
        warnings=nothing,
    )
    raw_columns = raw_answers(dataset.targets, np.asarray(raw.mean), np.asarray(raw.std), table.index, apart)
    for name, each in ranges.items():
        raw_columns["raw_base_share" if single else f"{name}_raw_base_share"] = each.share
    return pd.concat([table, columns(answered, dataset.targets, table.index), raw_columns], axis=1)
