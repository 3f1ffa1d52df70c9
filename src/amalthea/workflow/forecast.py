"""What a model says of the future of its series."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pandas as pd

from amalthea.predictor.predictor import Predictor
from amalthea.predictor.serialization import opened


def forecast(
    model: str | os.PathLike[str] | Predictor, newer: Any = None, *, levels: Sequence[float] = ()
) -> pd.DataFrame:
    """Return what follows the last known step of each series, one row a step.

    Args:
        model: a trained model, or its file.
        newer: a file or a table with steps later than those that it learned from; rows without a value tell what is
            known of the future in advance. None: the forecast follows the training data.
        levels: of further intervals beside that of 90 %: 0.8 gives `lower_80`, `upper_80`.

    Returns:
        The time column, series, step, mean, lower, upper, warning, problem; of several targets, each by its name.

    Raises:
        ModelFileError: the file cannot be opened.
        DataError: the model is none of series, or the rows cannot be used.
    """
    return opened(model).forecast(newer, levels)
