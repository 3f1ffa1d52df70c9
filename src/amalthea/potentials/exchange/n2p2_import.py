"""A potential that was trained elsewhere, from n2p2's files.

It answers like any other potential, but nothing is known of its errors: no figures, no uncertainty, no training set to
be far from. What n2p2 does tell, the range of each symmetry function in training, is used to warn of extrapolation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea import backend
from amalthea.errors import DataError
from amalthea.potentials import n2p2
from amalthea.potentials.domain import ENERGY, Structures
from amalthea.potentials.exchange.n2p2_export import OTHER_NAMES
from amalthea.potentials.metrics import UNITS
from amalthea.potentials.n2p2.keywords import Keywords
from amalthea.potentials.n2p2.units import EnergyUnit, LengthUnit
from amalthea.potentials.potential import PotentialState
from amalthea.potentials.symmetry_functions.extrapolation import Ranges
from amalthea.potentials.symmetry_functions.featurizer import SymmetryFunctions
from amalthea.predictor.predictions import columns
from amalthea.predictor.predictor import Predictor
from amalthea.predictor.provenance import Provenance
from amalthea.tasks.protocol import Part
from amalthea.training.history import History
from amalthea.training.prediction import Prediction
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.summary import TargetSummary, Validation

Floats = NDArray[np.float64]


CHARGES = ("use_electrostatics", "electrostatic_type", "fixed_charge", "use_vdw", "vdw_type")
"""Keywords of RuNNer and n2p2 that add what a sum of atomic energies alone does not give."""


def import_n2p2(
    folder: str | os.PathLike[str], length_unit: LengthUnit = "bohr", energy_unit: EnergyUnit = "hartree"
) -> Predictor:
    """Return the potential in a folder of n2p2's or RuNNer's files: `input.nn`, `scaling.data`, `weights.*.data`.

    Units become Å and eV with the constants of CODATA 2018, as `ase.units.create_units("2018")` has them.

    Args:
        folder: that with the files.
        length_unit: the files' unit of length, "bohr" or "angstrom": they do not say it themselves.
        energy_unit: the files' unit of energy, "hartree" or "ev".

    Raises:
        DataError: a file is missing or cannot be understood, or the potential uses what is not known here: charges,
            fourth generation, an output layer that is not linear.
    """
    folder = _existing_folder(Path(folder))
    _refuse_charges(Keywords(folder / "input.nn"))
    settings = n2p2.read_input(folder / "input.nn", length_unit=length_unit, energy_unit=energy_unit)
    statistics = n2p2.read_scaling(folder / "scaling.data", settings)
    if strange := [element for element in settings.elements if settings.activations[element][-1] != "linear"]:
        raise DataError(
            f"{folder / 'input.nn'}: the output of {strange[0]}'s network is not linear ('l'), as it must be."
        )
    arrays = _arrays(folder, settings, statistics)
    if wrong := [name for name, values in arrays.items() if not np.isfinite(values).all()]:
        raise DataError(f"{folder} holds numbers that are not finite ({wrong[0]}). Copy its files anew.")
    low, high = _padded(settings, statistics, "minimum"), _padded(settings, statistics, "maximum")
    kind, functions = Structures(), dict(settings.functions)
    featurizer = SymmetryFunctions(functions)
    offsets = {element: settings.offset(element) for element in settings.elements}
    return Predictor(
        domain=kind.name,
        task=kind.task,
        targets=(ENERGY,),
        parts=(Part(featurizer, _ensemble(settings, arrays, featurizer), np.ones((1, 1))),),
        calibrations=(None,),
        # one example alone has no distance to others: every percentile is unknown
        applicability=Applicability.fit(np.zeros((1, *featurizer.shape), np.float32), "euclidean", [0]),
        input_state={"length_unit": length_unit, "energy_unit": energy_unit},
        validation=Validation(
            (TargetSummary("energy", kind.task, "", "force_mae", {}, {}, {}, None, units=UNITS),), 1, 1, 0
        ),
        out_of_fold=_no_rows(),
        provenance=_provenance(folder, settings),
        examples=pd.DataFrame({"#row": np.empty(0, np.int64)}),
        state=PotentialState.of(functions, Ranges(functions, low, high), offsets, None),
    )


def _existing_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder. Give the one that holds input.nn, scaling.data and weights.*.data.")
    members = sorted(path.parent.name for path in folder.glob("member_*/input.nn"))
    if members and not (folder / "input.nn").exists():
        raise DataError(
            f"{folder} holds several potentials, one a member. Give one of them, such as {folder / members[0]}."
        )
    if not (folder / "input.nn").is_file():
        raise DataError(f"{folder} has no input.nn. Give the folder of a potential of n2p2 or RuNNer.")
    return folder


def _refuse_charges(words: Keywords) -> None:
    """Refuse what is not a sum of atoms' energies: potentials of the third and fourth generation.

    Raises:
        DataError: the keyword, and its line.
    """
    for line, values in words.every("nnp_type"):
        if values and "2" not in values[0]:
            raise words.error(line, f"nnp_type {values[0]} has charges; only potentials of the type 2G can be imported")
    for keyword in CHARGES:
        for line, _ in words.every(keyword):
            raise words.error(line, f"'{keyword}' adds energies beside the networks', which cannot be imported")


def _arrays(
    folder: Path, settings: n2p2.Settings, statistics: Mapping[str, n2p2.Statistics]
) -> dict[str, NDArray[np.float64]]:
    """Return the weights of a `PotentialNetwork` by the ends of their names."""
    width = max(map(len, settings.functions.values()))
    center, inverse = np.zeros((2, len(settings.elements), width))
    arrays: dict[str, Floats] = {}
    for number, element in enumerate(settings.elements):
        count = len(settings.functions[element])
        # factor G + offset, n2p2's form of every scaling, is (G - center) inverse_scale, which the networks here have.
        factor, offset = n2p2.linear_scaling(settings, statistics[element])
        center[number, :count], inverse[number, :count] = -offset / factor, factor
        layers = n2p2.read_weights(folder / n2p2.weights_name(element), settings.sizes(element))
        names = [*(f"hidden_{n}" for n in range(1, len(layers))), "energy"]
        for name, (kernel, bias) in zip(names, layers, strict=True):
            # Where arguments are divided by the number of inputs, the weights take that division in.
            inputs = len(kernel) if settings.normalize_nodes else 1
            arrays[f"element_{element}/{name}/kernel"] = kernel / inputs
            arrays[f"element_{element}/{name}/bias"] = bias / inputs
        first = arrays[f"element_{element}/{names[0]}/kernel"]
        arrays[f"element_{element}/{names[0]}/kernel"] = np.pad(first, [(0, width - count), (0, 0)])
    return arrays | {
        "scaling/center": center,
        "scaling/inverse_scale": inverse,
        "energies/atoms": np.zeros(len(settings.elements)),
        "energies/unit": np.array(settings.network_energy),
    }


def _padded(settings: n2p2.Settings, statistics: Mapping[str, n2p2.Statistics], field: str) -> Floats:
    width = max(map(len, settings.functions.values()))
    rows = [getattr(statistics[element], field) for element in settings.elements]
    return np.stack([np.pad(row, (0, width - len(row))) for row in rows])


def _ensemble(settings: n2p2.Settings, arrays: Mapping[str, Floats], featurizer: SymmetryFunctions) -> Any:
    """Return a trained ensemble of one member; its weights keep all digits, which Keras's own variables would not."""
    backend.prepare()
    from amalthea.potentials.networks.potential_network import PotentialNetwork
    from amalthea.training.ensemble import Ensemble

    ours = {theirs: name for name, theirs in OTHER_NAMES.items()}
    model = PotentialNetwork(
        settings.elements,
        featurizer.width,
        {element: list(settings.hidden[element]) for element in settings.elements},
        {e: [ours.get(name, name) for name in settings.activations[e][:-1]] for e in settings.elements},
    )
    model.compile(optimizer="adam")
    ensemble = Ensemble(model, folds=1, members=1)
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    stacked = {}
    for index, variable in enumerate(variables):
        (values,) = [values for end, values in arrays.items() if variable.path.endswith(end)]
        stacked[f"{index:05d}/{variable.path}"] = values[None]
    example = np.zeros((1, *featurizer.shape), featurizer.dtype)
    ensemble.restore(stacked, example, np.empty(0, np.int64), History({}, np.zeros(1, np.int64)), None)
    return ensemble


def _no_rows() -> pd.DataFrame:
    """Return the table of out-of-fold predictions of no training examples."""
    nothing, words = np.empty(0), np.empty(0, object)
    answers = Prediction(nothing, nothing, None, applicability=nothing, problems=words, warnings=words)
    rows = pd.DataFrame({"row": np.empty(0, np.int64), "fold": np.empty(0, np.int64), "target": nothing})
    return pd.concat([rows, columns(answers, (ENERGY,), rows.index)], axis=1)


def _provenance(folder: Path, settings: n2p2.Settings) -> Provenance:
    note = (
        f"Imported from n2p2's files in the folder {folder.resolve().name}, read in {settings.length_unit} and "
        f"{settings.energy_unit} (CODATA 2018). It was trained elsewhere: there are no figures of its errors, no "
        "uncertainties, and no distances to its training set."
    )
    return Provenance.of(folder.resolve().name, notes=(note,))
