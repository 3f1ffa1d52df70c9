"""A saved model, `NAME.amalthea`: one zip that can be read without Amalthea, and from which no code is run."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from amalthea.data import archive
from amalthea.data.dataset import Target
from amalthea.domains import domain
from amalthea.errors import ModelFileError
from amalthea.predictor.answers import Calibration
from amalthea.predictor.predictor import Part, Predictor
from amalthea.training.history import History
from amalthea.validation.applicability import Applicability
from amalthea.validation.calibration import IntervalCalibration, Temperature
from amalthea.validation.summary import Validation

if TYPE_CHECKING:
    from amalthea.training.ensemble import Ensemble

FORMAT = 1


def save(predictor: Predictor, path: Path, *, examples: bool) -> None:
    """Write a predictor to one file, whole or not at all; see `Predictor.save`."""
    import keras

    parts = {
        "model.json": archive.pack_json(
            {
                "format": FORMAT,
                "domain": predictor.domain,
                "targets": [dataclasses.asdict(target) for target in predictor.targets],
                "featurizers": {part.featurizer.name: part.featurizer.state() for part in predictor.parts},
                "folds": predictor.parts[0].ensemble.folds,
                "members": predictor.parts[0].ensemble.members,
                "seed": predictor.parts[0].ensemble.seed,
                "left_out": {p.featurizer.name: _history(p.ensemble).left_out for p in predictor.parts},
                "calibrations": [_packed(calibration) for calibration in predictor.calibrations],
                "applicability": predictor.applicability.state(),
                "input_state": predictor.input_state,
                "validation": predictor.validation.state(),
                "facts": predictor.facts,
            }
        ),
        "network.json": archive.pack_json(
            {p.featurizer.name: keras.saving.serialize_keras_object(p.ensemble.model) for p in predictor.parts}
        ),
        "weights.safetensors": archive.pack_arrays(
            {
                f"{part.featurizer.name}/{name}": values
                for part in predictor.parts
                for name, values in part.ensemble.weights.items()
            }
        ),
        "out_of_fold.csv": archive.pack_table(predictor.out_of_fold),
        "history.csv": archive.pack_table(
            pd.concat(
                [_history(part.ensemble).frame().assign(features=part.featurizer.name) for part in predictor.parts]
            )
        ),
        "applicability.safetensors": archive.pack_arrays(predictor.applicability.arrays()),
    }
    if examples:
        parts["examples.csv"] = archive.pack_table(predictor.examples)
    archive.write_parts(path, parts)


def load_model(path: str | os.PathLike[str], *, custom_objects: Mapping[str, Any] | None = None) -> Predictor:
    """Open a saved model; no code from the file is run.

    Args:
        path: the file.
        custom_objects: the Keras classes of your own that the network uses, by name.

    Raises:
        ModelFileError: there is no such file, it is damaged or no model, or it needs a newer version or your classes.
    """
    parts = archive.read_parts(Path(path))
    try:
        card = json.loads(parts["model.json"])
        if card["format"] > FORMAT:
            raise ModelFileError(
                f"{path} was written by Amalthea {card['facts'].get('versions', {}).get('amalthea', '?')} in format "
                f"{card['format']}; this version reads up to {FORMAT}. Install a newer one."
            )
        return _open(card, parts, custom_objects)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ModelFileError(f"{path} is not a saved model, or is damaged: {error!r}.") from error


def _open(card: Any, parts: Mapping[str, bytes], custom_objects: Mapping[str, Any] | None) -> Predictor:
    targets = tuple(Target(**{**stored, "classes": tuple(stored["classes"])}) for stored in card["targets"])
    out_of_fold = archive.unpack_table(parts["out_of_fold.csv"])
    arrays = archive.unpack_arrays(parts["weights.safetensors"])
    history = archive.unpack_table(parts["history.csv"])
    networks = json.loads(parts["network.json"])
    home = domain(card["domain"])
    loaded = []
    for name, state in card["featurizers"].items():
        featurizer = home.restore(state)
        ensemble = _ensemble(card, networks[name], custom_objects, name)
        own = {key.removeprefix(f"{name}/"): values for key, values in arrays.items() if key.startswith(f"{name}/")}
        frame = history[history["features"] == name].drop(columns="features").dropna(axis=1, how="all")
        ensemble.restore(
            own,
            np.zeros((1, len(featurizer.feature_names)), np.float32),
            out_of_fold["fold"].to_numpy(np.int64),
            History.from_frame(frame, len(ensemble), card["left_out"][name]),
            None,
        )
        loaded.append(Part(featurizer, ensemble))
    return Predictor(
        domain=card["domain"],
        targets=targets,
        parts=tuple(loaded),
        calibrations=tuple(_unpacked(stored) for stored in card["calibrations"]),
        applicability=Applicability.from_arrays(
            archive.unpack_arrays(parts["applicability.safetensors"]), card["applicability"]
        ),
        input_state=card["input_state"],
        validation=Validation.from_state(card["validation"]),
        out_of_fold=out_of_fold,
        facts=card["facts"],
        examples=archive.unpack_table(parts["examples.csv"]) if "examples.csv" in parts else pd.DataFrame(),
    )


def _ensemble(card: Any, network: Any, custom_objects: Mapping[str, Any] | None, name: str) -> Ensemble:
    import keras

    from amalthea.training import layers  # noqa: F401  (registers our layers with Keras)
    from amalthea.training.ensemble import Ensemble

    try:
        model = keras.saving.deserialize_keras_object(network, custom_objects=custom_objects, safe_mode=True)
    except (TypeError, ValueError) as error:
        raise ModelFileError(
            f"The network of {name!r} cannot be rebuilt: {str(error).splitlines()[0]} If it uses Keras classes of your "
            "own, pass them: load_model(path, custom_objects={...})."
        ) from error
    return Ensemble(model, folds=card["folds"], members=card["members"], seed=card["seed"])


def _history(ensemble: Ensemble) -> History:
    assert ensemble.history is not None
    return ensemble.history


def _packed(calibration: Calibration) -> dict[str, Any] | None:
    return None if calibration is None else {"kind": type(calibration).__name__, **calibration.state()}


def _unpacked(stored: Mapping[str, Any] | None) -> Calibration:
    if stored is None:
        return None
    kinds: dict[str, Any] = {"IntervalCalibration": IntervalCalibration, "Temperature": Temperature}
    state = {name: value for name, value in stored.items() if name != "kind"}
    calibration: Calibration = kinds[stored["kind"]].from_state(state)
    return calibration
