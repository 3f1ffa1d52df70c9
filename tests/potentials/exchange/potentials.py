"""Potentials of two elements that were never trained: random weights, with all that a trained one has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ase.build
import numpy as np
import pandas as pd

from amalthea.datasets.dataset import Target
from amalthea.potentials.metrics import UNITS
from amalthea.potentials.networks.potential_network import PotentialNetwork
from amalthea.potentials.networks.training_arrays import surroundings
from amalthea.potentials.potential import PotentialState
from amalthea.potentials.symmetry_functions.extrapolation import Ranges
from amalthea.potentials.symmetry_functions.featurizer import SymmetryFunctions
from amalthea.potentials.symmetry_functions.functions import Angular, Cutoff, Functions, Radial, reach
from amalthea.potentials.symmetry_functions.kernels import plan, values
from amalthea.predictor.predictor import Predictor
from amalthea.predictor.provenance import Provenance
from amalthea.tasks.protocol import Part
from amalthea.training.ensemble import Ensemble
from amalthea.training.history import History
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.summary import TargetSummary, Validation

ENDS = Cutoff(4.5, "poly2", 0.1)

WATER: Functions = {  # neither elements nor functions are in n2p2's order
    "O": (
        Angular(("H", "H"), 0.05, -1.0, 2.0, ENDS, 0.2),
        Radial("H", 0.4, 1.1, ENDS),
        Radial("O", 0.1, 0.0, ENDS),
    ),
    "H": (
        Radial("O", 0.3, 0.9, ENDS),
        Angular(("O", "H"), 0.02, 1.0, 4.0, ENDS, closed=True),
        Radial("H", 0.2, 0.0, ENDS),
        Radial("O", 0.1, 0.0, ENDS),
    ),
}


def structures() -> list[Any]:
    """Return a molecule alone and a small crystal of it."""
    molecule = ase.build.molecule("H2O")
    crystal = molecule.copy()
    crystal.set_cell([4.7, 4.9, 5.1])
    crystal.pbc = True
    crystal = crystal * (2, 1, 1)
    crystal.rattle(0.1, seed=3)
    return [molecule, crystal]


def potential(
    activation: str | Mapping[str, Sequence[str]] = "softplus",
    functions: Functions = WATER,
    hidden: Any = (6, 5),
    members: int = 3,
    left_out: tuple[int, ...] = (),
    examples: bool = True,
    known: Sequence[Any] = (),
) -> Predictor:
    """Return a potential of one fold with random weights.

    The first function of the first element is one that was constant in training.
    """
    known = list(known) or structures()
    network = PotentialNetwork(tuple(functions), max(map(len, functions.values())), hidden, activation)
    network.compile(optimizer="adam")
    ensemble = Ensemble(network, folds=1, members=members)
    featurizer = SymmetryFunctions(functions)
    ensemble.restore(
        _weights(network, members),
        np.zeros((1, *featurizer.shape), np.float32),
        np.zeros(len(known), np.int64),
        History({"loss": np.ones((members, 1), np.float32)}, np.ones(members, np.int64), left_out),
        None,
    )
    alone = dict.fromkeys(functions, -3.25)
    nothing = pd.Series([None] * len(known), dtype=object)
    table = pd.DataFrame({"#row": np.arange(len(known)), "atoms": pd.Series(known, dtype=object)})
    table = table.assign(energy=np.nan, forces=nothing, stress=nothing)
    return Predictor(
        domain="structures",
        task="potential",
        targets=(Target("energy", "regression", unit="eV"),),
        parts=(Part(featurizer, ensemble, np.ones((1, 1))),),
        calibrations=(None,),
        applicability=Applicability.fit(np.zeros((1, *featurizer.shape), np.float32), "euclidean", [0]),
        input_state={},
        state=PotentialState.of(functions, _ranges(functions, known), alone, None),
        validation=Validation(
            (TargetSummary("energy", "potential", "", "force_mae", {}, {}, {}, None, units=UNITS),), 1, members, 2
        ),
        out_of_fold=pd.DataFrame({"row": [1, 2], "fold": [0, 0], "target": [0.0, 0.0]}),
        provenance=Provenance("made"),
        examples=table if examples else table[["#row"]],
    )


def _weights(network: Any, members: int) -> dict[str, Any]:
    random = np.random.default_rng(5)
    variables = [*network.trainable_variables, *network.non_trainable_variables]
    weights = {}
    for index, variable in enumerate(variables):
        drawn = random.normal(size=(members, *variable.shape)).astype(np.float32)
        if variable.path.endswith(("inverse_scale", "unit")):
            drawn = np.abs(drawn) + np.float32(0.3)
        if variable.path.endswith("inverse_scale"):
            drawn[:, 0, 0] = 0.0
        weights[f"{index:05d}/{variable.path}"] = drawn
    return weights


def _ranges(functions: Functions, known: Sequence[Any]) -> Ranges:
    elements, kinds, of_structures = tuple(functions), [], []
    for atoms in known:
        around = surroundings(atoms, elements, reach(functions))
        pairs = around.neighbours
        kinds.append(around.kinds)
        of_structures.append(
            values(plan(functions, elements), around.kinds, pairs.first, pairs.neighbour, pairs.vector)
        )
    return Ranges.of(functions, kinds, of_structures)
