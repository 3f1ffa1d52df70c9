"""How a network learns: its computational graph, its gradients, its path."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amalthea.insight.computational_graph.graph import graph as graph
    from amalthea.insight.explanation import explain as explain
    from amalthea.insight.gradient_descent.descent import descent as descent
    from amalthea.insight.gradient_descent.optimizer_steps import step as step
    from amalthea.insight.gradient_descent.optimizer_steps import steps as steps
    from amalthea.insight.overfitting.generalization import generalization as generalization
    from amalthea.insight.weight_trajectories.trajectories import trajectories as trajectories

# No module may bear the name of a function: once imported, it would take the function's place.
_HOMES = {
    "descent": "gradient_descent.descent",
    "explain": "explanation",
    "generalization": "overfitting.generalization",
    "graph": "computational_graph.graph",
    "step": "gradient_descent.optimizer_steps",
    "steps": "gradient_descent.optimizer_steps",
    "trajectories": "weight_trajectories.trajectories",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'amalthea.insight' has no attribute {name!r}")
    return getattr(importlib.import_module(f"amalthea.insight.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
