"""Neural networks for scientists, with Keras: cross-validated ensembles whose error bars were earned."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from amalthea import backend

if TYPE_CHECKING:
    from amalthea import insight as insight
    from amalthea.datasets.dataset import Dataset as Dataset
    from amalthea.errors import AmaltheaError as AmaltheaError
    from amalthea.potentials.simulation.calculator import Calculator as Calculator
    from amalthea.predictor import Predictor as Predictor
    from amalthea.predictor import load_model as load_model
    from amalthea.training.ensemble import Ensemble as Ensemble
    from amalthea.training.prediction import Prediction as Prediction
    from amalthea.workflow import read as read
    from amalthea.workflow import train as train

__version__ = "0.1.0"

_HOMES = {
    "AmaltheaError": "errors",
    "Calculator": "simulation.calculator",
    "Dataset": "data.dataset",
    "Ensemble": "training.ensemble",
    "Prediction": "training.prediction",
    "Predictor": "predictor",
    "load_model": "predictor",
    "read": "workflow",
    "train": "workflow",
}

_PACKAGES = ("insight",)

__all__ = sorted([*_HOMES, *_PACKAGES, "__version__"])

backend.announce()


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used: Keras takes seconds to load."""
    if name in _PACKAGES:
        return importlib.import_module(f"amalthea.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'amalthea' has no attribute {name!r}")
    return getattr(importlib.import_module(f"amalthea.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_PACKAGES])
