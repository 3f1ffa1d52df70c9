"""How a network learns: its computational graph, its gradients, its path."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amalthea.insight.explaining import explain as explain
    from amalthea.insight.graphs import graph as graph
    from amalthea.insight.overfitting import generalization as generalization
    from amalthea.insight.paths import descent as descent
    from amalthea.insight.trails import trajectories as trajectories
    from amalthea.insight.updates import step as step
    from amalthea.insight.updates import steps as steps

# No module may bear the name of a function: once imported, it would take the function's place.
_HOMES = {
    "descent": "paths",
    "explain": "explaining",
    "generalization": "overfitting",
    "graph": "graphs",
    "step": "updates",
    "steps": "updates",
    "trajectories": "trails",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'amalthea.insight' has no attribute {name!r}")
    return getattr(importlib.import_module(f"amalthea.insight.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
