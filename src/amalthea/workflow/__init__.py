"""The story from a file to a trained model, and from a trained model to answers."""

from amalthea.workflow.asking import Evaluation, count, evaluate, labelled, predict_file, predictions
from amalthea.workflow.reading import align, read
from amalthea.workflow.training import train

__all__ = [
    "Evaluation",
    "align",
    "count",
    "evaluate",
    "labelled",
    "predict_file",
    "predictions",
    "read",
    "train",
]
