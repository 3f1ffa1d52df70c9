"""The story from a file to a trained model, and from a trained model to answers."""

from amalthea.workflow.asking import Evaluation, evaluate, predict_file
from amalthea.workflow.reading import align, read
from amalthea.workflow.training import train

__all__ = ["Evaluation", "align", "evaluate", "predict_file", "read", "train"]
