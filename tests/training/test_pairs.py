"""Cross-validation inside the training parts: no held-out row takes part in what is decided for its fold."""

from __future__ import annotations

import numpy as np
import pytest
from networks import FEATURES, TARGET, am, dense

from amalthea.training.nested_cross_validation import nested_cv_predictions

FOLDS = np.arange(len(FEATURES)) % 4


def predictions(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return nested_cv_predictions(dense(), x, y, FOLDS, members=2, epochs=3, batch_size=4, seed=5)


def test_every_row_of_the_training_part_is_predicted_and_none_of_the_fold() -> None:
    said = predictions(FEATURES, TARGET)
    assert said.shape == (4, len(FEATURES), 1)
    for fold in range(4):
        assert np.isnan(said[fold, fold == FOLDS]).all()
        assert np.isfinite(said[fold, fold != FOLDS]).all()


def test_no_held_out_row_influences_what_is_said_of_its_training_part() -> None:
    wild_x, wild_y = FEATURES.copy(), TARGET.copy()
    wild_x[FOLDS == 1] *= -100
    wild_y[FOLDS == 1] += 1000
    before, after = predictions(FEATURES, TARGET), predictions(wild_x, wild_y)
    np.testing.assert_array_equal(before[1], after[1])
    assert (before[0, FOLDS == 2] != after[0, FOLDS == 2]).any()


def test_a_row_is_predicted_by_networks_that_never_saw_it() -> None:
    """Move one row's target far away: nothing that is said of it changes."""
    wild = TARGET.copy()
    wild[0] += 1000
    before, after = predictions(FEATURES, TARGET), predictions(FEATURES, wild)
    np.testing.assert_array_equal(before[:, 0], after[:, 0])


def test_two_folds_are_too_few() -> None:
    with pytest.raises(am.AmaltheaError, match="at least 3 folds"):
        nested_cv_predictions(dense(), FEATURES, TARGET, np.arange(len(FEATURES)) % 2)
