"""A trained model at work: what it answers, how sure it is, and how it is saved and opened."""

from amalthea.predictor.model_file import load_model
from amalthea.predictor.predictor import Part, Predictor

__all__ = ["Part", "Predictor", "load_model"]
