"""The symmetry functions of a potential, as the featurizer that is saved with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.protocol import Metric, Progress
from amalthea.potentials.networks.training_arrays import surroundings
from amalthea.potentials.symmetry_functions.descriptors import structure_features
from amalthea.potentials.symmetry_functions.functions import Functions, reach
from amalthea.potentials.symmetry_functions.serialization import as_json, describe, from_json


class SymmetryFunctions:
    """The symmetry functions of each element; a whole structure's features are their means and spreads.

    Args:
        functions: of each element.
    """

    name: str = "symmetry functions"
    metric: Metric = "euclidean"
    dtype: Literal["float32", "uint8"] = "float32"

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.width = max(map(len, functions.values()))
        names = [f"share of {element}" for element in functions]
        for element, listed in functions.items():
            described = [*map(describe, listed), *map(str, range(len(listed), self.width))]
            names += [f"{what} over {element}: {each}" for what in ("mean", "spread") for each in described]
        self.feature_names: Sequence[str] = names
        self.quantities = len(self.feature_names)

    @property
    def shape(self) -> tuple[int, ...]:
        """One number a feature."""
        return (len(self.feature_names),)

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
        """Return the features of n structures; see `Featurizer.transform`."""
        from amalthea.potentials.symmetry_functions import kernels

        elements = tuple(self.functions)
        plan, cutoff = kernels.plan(self.functions, elements), reach(self.functions)
        features = np.full((len(examples), *self.shape), np.nan, np.float32)
        problems = np.full(len(examples), "", object)
        for row, atoms in enumerate(examples["atoms"]):
            if atoms is None:
                problems[row] = "no structure"
            else:
                structure = surroundings(atoms, elements, cutoff)
                pairs = structure.neighbours
                values = kernels.values(plan, structure.kinds, pairs.first, pairs.neighbour, pairs.vector)
                features[row] = structure_features(structure.kinds, values, len(elements))
            if progress is not None:
                progress(row + 1, len(examples))
        return features, problems

    def state(self) -> dict[str, Any]:
        """Return what makes the same featurizer again."""
        return {"name": self.name, "functions": as_json(self.functions)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> SymmetryFunctions:
        """Return the featurizer that `state` described."""
        return cls(from_json(state["functions"]))
