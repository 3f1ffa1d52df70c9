"""Symmetry functions in words, as a table, and as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from amalthea.potentials.symmetry_functions.functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Cutoff,
    Functions,
    Radial,
    SymmetryFunction,
    WeightedAngular,
    WeightedRadial,
)

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Radial, Angular, WeightedRadial, WeightedAngular, CompactRadial, CompactAngular)
}


def describe(function: SymmetryFunction) -> str:
    """Return a symmetry function in words.

    Example:
        >>> describe(Radial("Si", 0.5, 2.0, Cutoff(5.5)))
        'G2(Si, eta=0.5, Rs=2)'
    """
    if isinstance(function, Radial):
        return f"G2({function.neighbour}, eta={function.eta:.4g}, Rs={function.shift:.4g})"
    if isinstance(function, Angular):
        name, pair = "G4" if function.closed else "G5", "-".join(function.neighbours)
        return (
            f"{name}({pair}, eta={function.eta:.4g}, Rs={function.shift:.4g}, lambda={function.lambda_:g}, "
            f"zeta={function.zeta:g})"
        )
    fields = {name: value for name, value in dataclasses.asdict(function).items() if name != "cutoff"}
    return f"{type(function).__name__}({', '.join(f'{name}={value}' for name, value in fields.items())})"


def as_table(functions: Functions) -> pd.DataFrame:
    """Return the symmetry functions as a table: how many of each kind, with the range of their parameters.

    Example:
        >>> as_table({"Si": (Radial("Si", 0.5, 2.0, Cutoff(5.5)), Radial("Si", 0.5, 3.0, Cutoff(5.5)))})
          element function neighbours  number  eta   Rs zeta cutoff
        0      Si       G2         Si       2  0.5  2-3         5.5
    """
    rows = []
    for element, listed in functions.items():
        for function in listed:
            pair = getattr(function, "neighbours", None) or (getattr(function, "neighbour", "all"),)
            kind = {"Radial": "G2", "Angular": "G4" if getattr(function, "closed", False) else "G5"}
            rows.append(
                {
                    "element": element,
                    "function": kind.get(type(function).__name__, type(function).__name__),
                    "neighbours": "-".join(pair),
                    "eta": getattr(function, "eta", None),
                    "Rs": getattr(function, "shift", None),
                    "zeta": getattr(function, "zeta", None),
                    "cutoff": function.right if hasattr(function, "right") else function.cutoff.radius,
                }
            )
    frame = pd.DataFrame(rows)
    grouped = frame.groupby(["element", "function", "neighbours"], sort=False)
    table = grouped.size().rename("number").reset_index()
    for name in ("eta", "Rs", "zeta", "cutoff"):
        table[name] = [_span(rows_of_kind[name]) for _, rows_of_kind in grouped]
    return table


def as_json(functions: Functions) -> dict[str, list[dict[str, Any]]]:
    """Return the symmetry functions in JSON's own types."""
    return {
        element: [{"kind": type(function).__name__, **dataclasses.asdict(function)} for function in listed]
        for element, listed in functions.items()
    }


def from_json(stored: dict[str, Any]) -> Functions:
    """Return the symmetry functions that `as_json` described.

    Example:
        >>> functions = {"H": (Angular(("H", "O"), 0.1, -1.0, 4.0, Cutoff(6.0), closed=True),)}
        >>> from_json(as_json(functions)) == functions
        True
    """
    return {element: tuple(map(_function, listed)) for element, listed in stored.items()}


def _function(stored: dict[str, Any]) -> SymmetryFunction:
    fields = {name: value for name, value in stored.items() if name != "kind"}
    if "cutoff" in fields:
        fields["cutoff"] = Cutoff(**fields["cutoff"])
    if "neighbours" in fields:
        fields["neighbours"] = tuple(fields["neighbours"])
    function: SymmetryFunction = _KINDS[stored["kind"]](**fields)
    return function


def _span(values: pd.Series[Any]) -> str:
    known = values.dropna()
    if known.empty:
        return ""
    low, high = float(known.min()), float(known.max())
    return f"{low:.3g}" if low == high else f"{low:.3g}-{high:.3g}"
