"""What a model says of the future of its series."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pandas as pd

from amalthea.errors import DataError
from amalthea.predictor.predictor import Predictor
from amalthea.predictor.serialization import opened


def forecast(
    model: str | os.PathLike[str] | Predictor,
    newer: Any = None,
    *,
    levels: Sequence[float] = (),
    anomalies: bool = False,
    alarms: float = 1.0,
) -> pd.DataFrame:
    """Return what follows the last known step of each series, one row a step.

    Args:
        model: a trained model, or its file.
        newer: a file or a table with steps later than those that it learned from; rows without a value tell what is
            known of the future in advance. None: the forecast follows the training data.
        levels: of further intervals beside that of 90 %: 0.8 gives `lower_80`, `upper_80`.
        anomalies: judge the newer values instead: which lie so far from what was foretold that few do by chance.
        alarms: false alarms of these that are put up with, a month and series.

    Returns:
        The time column, series, step, mean, lower, upper, warning, problem; of several targets, each by its name. Of
        anomalies: the time column, series, target, value, mean, lower, upper, score, anomaly.

    Raises:
        ModelFileError: the file cannot be opened.
        DataError: the model is none of series, or the rows cannot be used.
    """
    predictor = opened(model)
    if not anomalies:
        return predictor.forecast(newer, levels)
    if newer is None:
        raise DataError("anomalies are looked for in newer values: give them.")
    return predictor.anomalies(newer, alarms)
