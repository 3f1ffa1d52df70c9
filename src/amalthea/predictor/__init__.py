"""A trained model at work: what it answers, how sure it is, and how it is saved and opened."""

from amalthea.predictor.predictor import Part, Predictor
from amalthea.predictor.serialization import load_model

__all__ = ["Part", "Predictor", "load_model"]
