"""What can be judged of networks without folds: the examples that each of them set aside while it learned."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.datasets.splits import random_folds
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.out_of_fold import FIFTHS, Judged
from amalthea.training.assignment import assign
from amalthea.validation.calibration import calibrated_probabilities
from amalthea.validation.metrics import bootstrap

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

TOLERANCE = 0.1
"""The share by which a validation loss may differ from the one that was kept while learning."""

USUAL_FRACTION = 0.1
"""What `Ensemble.fit` sets aside with `patience`, where nothing else is said."""


def set_aside(predictor: Predictor) -> tuple[Judged, ...]:
    """Return the answers to the examples that networks of one fold set aside, each by those that did so.

    Which ones they were follows from the seed; that they are found again is seen by the validation losses. None are
    returned where the model kept no examples, set none aside, or is not one classification from one set of features.

    Args:
        predictor: a model with one fold.
    """
    target, ensemble = predictor.targets[0], predictor.parts[0].ensemble
    settings = predictor.facts.get("settings", {})
    patient = settings.get("patience") is not None
    fraction = settings.get("validation_fraction") or (USUAL_FRACTION if patient else 0.0)
    one = len(predictor.targets) == len(predictor.parts) == ensemble.folds == 1
    past = ensemble.history
    if not (one and fraction > 0 and len(predictor.examples) and past and "val_loss" in past.members):
        return ()
    if target.task != "classification" or past.left_out:
        return ()
    groups = np.unique(predictor.examples["#group"], return_inverse=True)[1].astype(np.int64)
    count = len(groups)
    rows = assign(np.zeros(count, np.int64), 1, ensemble.members, fraction, groups, int(ensemble.seed)).validation
    places = np.unique(np.concatenate(rows))
    codes = {label: code for code, label in enumerate(target.classes)}
    labels = predictor.out_of_fold["target"].to_numpy(object)[places]
    truth = np.array([codes[str(label)] for label in labels], np.int64)
    features, _ = predictor.parts[0].featurizer.transform(predictor.examples.iloc[places].reset_index(drop=True))
    members = np.asarray(ensemble.predict(features).members, np.float64)
    own = np.stack([np.isin(places, apart) for apart in rows])
    if not _known_again(members, own, truth, past.members["val_loss"], patient):
        return ()
    return (_judged(predictor, target, places, truth, members, own, groups[places]),)


def _known_again(
    members: Array, own: NDArray[np.bool_], truth: Numbers, losses: NDArray[np.float32], patient: bool
) -> bool:
    """Say whether each member's loss on the rows that are said to be its own is the one that it kept."""
    likelihood = np.maximum(members[:, np.arange(len(truth)), truth], 1e-7)
    found = np.array([-np.log(said[mine]).mean() for said, mine in zip(likelihood, own, strict=True)])
    kept = np.array([np.nanmin(line) if patient else line[np.isfinite(line)][-1] for line in losses])
    return bool(np.allclose(found, kept, rtol=TOLERANCE, atol=1e-4))


def _judged(
    predictor: Predictor,
    target: Target,
    places: Numbers,
    truth: Numbers,
    members: Array,
    own: NDArray[np.bool_],
    groups: Numbers,
) -> Judged:
    said = np.where(own[..., None], members, np.nan)
    raw = np.nanmean(said, axis=0)
    parts = random_folds(
        len(places), min(FIFTHS, len(np.unique(groups))), int(predictor.parts[0].ensemble.seed), groups=groups
    )
    fitted = calibrated_probabilities(raw, truth, parts)
    probabilities = raw if fitted is None else fitted
    figures = bootstrap("classification", truth.astype(np.float64), {"network": probabilities}, groups)
    nothing = np.full(len(places), np.nan)
    return Judged(
        target=target,
        summary=dataclasses.replace(predictor.validation.targets[0], metrics=figures.figures["network"]),
        places=places,
        rows=predictor.out_of_fold["row"].to_numpy(np.int64)[places],
        folds=np.zeros(len(places), np.int64),
        parts=parts,
        groups=groups,
        truth=truth.astype(np.float64),
        mean=probabilities[np.arange(len(truth)), truth],
        std=nothing,
        spread=np.zeros(len(places)),
        lower=nothing,
        upper=nothing,
        probabilities=probabilities,
        applicability=nothing,
        aside=True,
        askable=own,
    )
