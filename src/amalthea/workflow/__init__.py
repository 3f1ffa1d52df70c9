"""The story from a file to a trained model, and from a trained model to answers."""

from amalthea.workflow.predict import Evaluation, count, evaluate, labelled, predict_file, predictions
from amalthea.workflow.read import align, read
from amalthea.workflow.train import train

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
