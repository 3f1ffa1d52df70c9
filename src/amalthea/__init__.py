"""Neural networks for scientists, with Keras: cross-validated ensembles whose error bars were earned."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from amalthea import backend

if TYPE_CHECKING:
    from amalthea import insight as insight
    from amalthea.datasets.catalogue import data as data
    from amalthea.datasets.dataset import Dataset as Dataset
    from amalthea.domains.reading import read as read
    from amalthea.errors import AmaltheaError as AmaltheaError
    from amalthea.insight.explanation import explain as explain
    from amalthea.potentials.exchange.export import export as export
    from amalthea.potentials.exchange.import_model import import_model as import_model
    from amalthea.potentials.simulation.calculator import Calculator as Calculator
    from amalthea.potentials.simulation.label import label as label
    from amalthea.potentials.simulation.md import md as md
    from amalthea.potentials.simulation.select import select as select
    from amalthea.predictor.predictor import Predictor as Predictor
    from amalthea.predictor.serialization import load_model as load_model
    from amalthea.reporting.page import report as report
    from amalthea.training.ensemble import Ensemble as Ensemble
    from amalthea.training.prediction import Prediction as Prediction
    from amalthea.workflow.evaluate import evaluate as evaluate
    from amalthea.workflow.forecast import forecast as forecast
    from amalthea.workflow.train import train as train

__version__ = "0.1.0"

_MODULES = {
    "AmaltheaError": "errors",
    "Calculator": "potentials.simulation.calculator",
    "Dataset": "datasets.dataset",
    "Ensemble": "training.ensemble",
    "Prediction": "training.prediction",
    "Predictor": "predictor.predictor",
    "data": "datasets.catalogue",
    "evaluate": "workflow.evaluate",
    "explain": "insight.explanation",
    "export": "potentials.exchange.export",
    "forecast": "workflow.forecast",
    "info": "predictor.info",
    "import_model": "potentials.exchange.import_model",
    "label": "potentials.simulation.label",
    "load_model": "predictor.serialization",
    "md": "potentials.simulation.md",
    "read": "domains.reading",
    "report": "reporting.page",
    "select": "potentials.simulation.select",
    "train": "workflow.train",
}
"""Where each public name stands, imported when it is first asked for: Keras takes seconds to load."""

_PACKAGES = ("insight",)

__all__ = sorted([*_MODULES, *_PACKAGES, "__version__"])

backend.announce()


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used: Keras takes seconds to load."""
    if name in _PACKAGES:
        return importlib.import_module(f"amalthea.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module 'amalthea' has no attribute {name!r}")
    return getattr(importlib.import_module(f"amalthea.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES, *_PACKAGES])
