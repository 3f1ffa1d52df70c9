"""A model judged on new labelled data."""

from __future__ import annotations

import os
from typing import Any

from amalthea.predictor.evaluation import Evaluation
from amalthea.predictor.predictor import Predictor
from amalthea.predictor.serialization import opened


def evaluate(model: str | os.PathLike[str] | Predictor, data: Any) -> Evaluation:
    """Judge a model on labelled data that it was not trained on, beside baselines.

    Args:
        model: a trained model, or its file.
        data: a file, a table, a catalogue name or a `Dataset`, with the model's target columns.

    Raises:
        ModelFileError: the file cannot be opened.
        DataError: the data cannot be used, or no row has a value and a prediction.
    """
    return opened(model).evaluate(data)
