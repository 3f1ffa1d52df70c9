"""Cross-validation inside every fold's training part, for choices that no held-out row may influence."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from amalthea.errors import DataError
from amalthea.progress import Verbosity
from amalthea.training.assignment import Assignment, MemberLayout
from amalthea.training.ensemble import Ensemble


def nested_cv_predictions(
    model: keras.Model,
    x: NDArray[Any],
    y: NDArray[Any],
    fold_ids: NDArray[np.int64],
    *,
    members: int = 2,
    epochs: int = 100,
    batch_size: int = 32,
    seed: int = 0,
    verbose: Verbosity = "auto",
) -> NDArray[np.float32]:
    """Predict, for each fold, the rows of its training part with networks that saw neither them nor the fold.

    For every pair of folds a few networks learn from all other folds. What they say of the rows of one fold of the
    pair may be used when the other one is held out: K (K - 1) / 2 pairs serve all K folds.

    Args:
        model: a compiled model with one output.
        x: inputs, shape (n, d).
        y: targets, shape (n, ...).
        fold_ids: shape (n,), 0 to K - 1, with K at least 3.
        members: networks for each pair.
        epochs: passes through the training rows.
        batch_size: rows in one step.
        seed: everything random follows from it.
        verbose: "auto" shows progress on a terminal.

    Returns:
        Shape (K, n, width): the mean of what the networks say of row i when fold k is held out; NaN where row i is in
        fold k itself.

    Raises:
        DataError: there are fewer than three folds.
        KeyboardInterrupt: the user stopped it; nothing was learned that could be kept.
    """
    folds = int(fold_ids.max()) + 1
    if folds < 3:
        raise DataError(f"Choosing inside the training part needs at least 3 folds. Received: {folds}.")
    pairs = list(combinations(range(folds), 2))
    # Each pair has members of its own, as a fold has in an ensemble.
    layout = MemberLayout(len(pairs), members)
    numbered = [pairs[layout.fold_of(member)] for member in range(len(layout))]
    rows = np.arange(len(fold_ids))
    assignment = Assignment(
        folds=1,
        members=len(numbered),
        fold_ids=np.zeros(len(rows), np.int64),
        training=tuple(rows[~np.isin(fold_ids, pair)] for pair in numbered),
        validation=tuple(rows[:0] for _ in numbered),
    )
    ensemble = Ensemble(model, folds=1, members=len(numbered), seed=seed)
    history = ensemble.fit_assigned(x, y, assignment, epochs=epochs, batch_size=batch_size, verbose=verbose)
    if history.interrupted:
        raise KeyboardInterrupt
    answers = layout.by_fold(ensemble.predict(x).members.reshape(len(numbered), len(rows), -1)).mean(axis=1)
    predictions = np.full((folds, *answers.shape[1:]), np.nan, np.float32)
    for pair, answer in zip(pairs, answers, strict=True):
        for held_out, other in (pair, pair[::-1]):
            predictions[held_out, fold_ids == other] = answer[fold_ids == other]
    return predictions
