"""What can be judged of networks without folds: the examples that each of them set aside while it learned."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.splits import random_folds
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.out_of_fold import FIFTHS, Judged
from amalthea.validation.metrics import bootstrap
from amalthea.validation.temperature import calibrated_probabilities

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


def set_aside(predictor: Predictor) -> tuple[Judged, ...]:
    """Return the answers to the examples that networks of one fold set aside, each by those that did so.

    None are returned where the model kept no examples, or not who set which aside, or is not one classification from
    one set of features.

    Args:
        predictor: a model with one fold.
    """
    if not predictor.parts:
        return ()
    target, ensemble = predictor.targets[0], predictor.parts[0].ensemble
    one = len(predictor.targets) == len(predictor.parts) == ensemble.folds == 1
    rows = ensemble.validation_rows
    if not (one and len(predictor.examples) and sum(map(len, rows))) or target.task != "classification":
        return ()
    if ensemble.history is not None and ensemble.history.left_out:
        return ()
    places = np.unique(np.concatenate(rows))
    groups = np.unique(predictor.examples["#group"], return_inverse=True)[1].astype(np.int64)[places]
    codes = {label: code for code, label in enumerate(target.classes)}
    labels = predictor.out_of_fold["target"].to_numpy(object)[places]
    truth = np.array([codes[str(label)] for label in labels], np.int64)
    features, _ = predictor.parts[0].featurizer.transform(predictor.examples.iloc[places].reset_index(drop=True))
    # nobody learned from what it set aside, so each example is answered by these members alone
    members = np.asarray(ensemble.predict(features).members, np.float64)
    askable = np.stack([np.isin(places, apart) for apart in rows])
    raw = np.nanmean(np.where(askable[..., None], members, np.nan), axis=0)
    parts = random_folds(len(places), min(FIFTHS, len(np.unique(groups))), int(ensemble.seed), groups=groups)
    fitted = calibrated_probabilities(raw, truth, parts)
    probabilities = raw if fitted is None else fitted
    figures = bootstrap("classification", truth.astype(np.float64), {"network": probabilities}, groups)
    nothing = np.full(len(places), np.nan)
    judged = Judged(
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
        distance=nothing,
        excess=np.zeros(len(nothing)),
        spread=np.zeros(len(places)),
        lower=nothing,
        upper=nothing,
        probabilities=probabilities,
        applicability=nothing,
        aside=True,
        askable=askable,
    )
    return (judged,)
