"""A saved model, `NAME.amalthea`: one zip that can be read without Amalthea, and from which no code is run."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from amalthea import backend
from amalthea.datasets import archive
from amalthea.datasets.messages import shortened
from amalthea.domains import domain
from amalthea.errors import AmaltheaError, MissingDependencyError, ModelFileError
from amalthea.predictor.card import ApplicabilityRecord, Card, TextColumns, TrainingRecord
from amalthea.predictor.predictor import Predictor
from amalthea.tasks import task
from amalthea.tasks.protocol import Calibration, Part
from amalthea.training.history import History
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.calibration import IntervalCalibration
from amalthea.validation.temperature import Temperature

ENSEMBLE_PART = "ensemble.json"
"""The part that the file of an ensemble by itself has alone."""

if TYPE_CHECKING:
    from amalthea.training.ensemble import Ensemble

FORMAT = 2
"""Of the files that are written; older ones are brought to it as they are opened."""


def save(predictor: Predictor, path: Path, *, examples: bool) -> None:
    """Write a predictor to one file, whole or not at all; see `Predictor.save`."""
    import keras

    table, pictures = domain(predictor.domain).pack(predictor.examples)
    first = predictor.parts[0].ensemble if predictor.parts else None
    card = Card(
        format=FORMAT,
        domain=predictor.domain,
        task=predictor.task,
        targets=predictor.targets,
        featurizers={part.featurizer.name: part.featurizer.state() for part in predictor.parts},
        folds=first.folds if first else predictor.validation.folds,
        members=first.members if first else 0,
        seed=predictor.seed,
        shares={part.featurizer.name: part.shares.tolist() for part in predictor.parts},
        training={part.featurizer.name: TrainingRecord.of(_history(part.ensemble)) for part in predictor.parts},
        calibrations=tuple(_packed(calibration) for calibration in predictor.calibrations),
        applicability=ApplicabilityRecord(predictor.applicability.metric, predictor.applicability.features),
        input_state=predictor.input_state,
        validation=predictor.validation,
        provenance=predictor.provenance,
        state=None if predictor.state is None else _adapter(predictor.task).dump_python(predictor.state),
        text=TextColumns(archive.text_columns(predictor.out_of_fold), archive.text_columns(table)),
    )
    parts = {
        "model.json": archive.pack_json(dataclasses.asdict(card)),
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
                or [pd.DataFrame({"features": pd.Series(dtype="str")})]
            )
        ),
        "validation_rows.safetensors": archive.pack_arrays(
            {part.featurizer.name: _validation_rows(part.ensemble) for part in predictor.parts}
        ),
        "applicability.safetensors": archive.pack_arrays(predictor.applicability.arrays()),
    }
    if predictor.arrays:
        parts["state.safetensors"] = archive.pack_arrays(predictor.arrays)
    if examples:
        parts["examples.csv"] = archive.pack_table(table)
        parts |= {f"examples/{name}": content for name, content in pictures.items()}
    archive.write_parts(path, parts)


def opened(model: str | os.PathLike[str] | Predictor) -> Predictor:
    """Return a model, or that in a file.

    Raises:
        ModelFileError: the file cannot be opened.
    """
    predictor = load_model(model) if isinstance(model, str | os.PathLike) else model
    if not isinstance(predictor, Predictor):
        raise ModelFileError(
            f"{model} holds an ensemble of arrays alone: ask it in Python, am.load_model(path).predict(x)."
        )
    return predictor


def load_model(
    path: str | os.PathLike[str],
    *,
    custom_objects: Mapping[str, Any] | None = None,
    model: Callable[[], Any] | None = None,
) -> Any:
    """Open a saved `Predictor`, or an `Ensemble` that was saved by itself; no code from the file is run.

    Args:
        path: the file.
        custom_objects: the Keras classes of your own that the network uses, by name.
        model: for an ensemble of a function that makes the model, that function.

    Raises:
        ModelFileError: there is no such file, it is damaged or no model, or it needs a newer version or your classes.
    """
    parts = archive.read_parts(Path(path))
    try:
        if ENSEMBLE_PART in parts:
            backend.prepare()
            from amalthea.training import saving

            return saving.opened(parts, custom_objects, model)
        return _open(archive.checked(Card, _upgraded(_description(parts)), "model.json"), parts, custom_objects)
    except MissingDependencyError:
        raise
    except AmaltheaError as error:
        raise ModelFileError(f"{path} cannot be opened: {error}") from error
    except Exception as error:  # whatever a damaged or hostile file provokes
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        raise ModelFileError(f"{path} is not a saved model, or is damaged ({shortened(reason, 200)}).") from error


def read_card(path: str | os.PathLike[str]) -> Card:
    """Return the description of a saved model; its networks stay where they are.

    Args:
        path: the file.

    Raises:
        ModelFileError: there is no such file, it is damaged or no model, or it needs a newer version.
    """
    parts = archive.read_parts(Path(path))
    if ENSEMBLE_PART in parts:
        raise ModelFileError(f"{path} holds an ensemble of arrays alone, which has no description.")
    try:
        card: Card = archive.checked(Card, _upgraded(_description(parts)), "model.json")
    except MissingDependencyError:
        raise
    except (AmaltheaError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} cannot be opened: {error}") from error
    return card


def _description(parts: Mapping[str, bytes]) -> Any:
    """Return what model.json says, once it is certain that this version can read it."""
    card = json.loads(parts["model.json"])
    version = card["format"]
    if type(version) is not int or version < 1:
        raise ModelFileError(f"there is no format {version!r}. Save the model again, or copy it anew.")
    if version > FORMAT:
        writer = shortened(str(card["provenance"]["versions"]["amalthea"]), 20)
        raise ModelFileError(
            f"Amalthea {writer} wrote it in format {version}; this version reads up to {FORMAT}. Install a newer one."
        )
    return card


def _upgraded(card: Any) -> Any:
    """Return the description of a model as this version writes it."""
    if card["format"] == FORMAT:
        return card
    card = {"task": domain(card["domain"]).task, "state": None, **card, "format": FORMAT}
    card["provenance"] = card.pop("facts")
    return task(card["task"]).upgrade(card)


def _open(card: Card, parts: Mapping[str, bytes], custom_objects: Mapping[str, Any] | None) -> Predictor:
    out_of_fold = archive.unpack_table(parts["out_of_fold.csv"], card.text.out_of_fold)
    kind = domain(card.domain)
    archive.checked(kind.input_state_type, card.input_state, "model.json, input_state")
    loaded = _parts(card, parts, out_of_fold, sum(target.width for target in card.targets), custom_objects)
    examples = pd.DataFrame()
    if "examples.csv" in parts:
        table = archive.unpack_table(parts["examples.csv"], card.text.examples)
        files = {name.removeprefix("examples/"): part for name, part in parts.items() if name.startswith("examples/")}
        examples = kind.unpack(table, files)
    predictor = Predictor(
        domain=card.domain,
        task=card.task,
        targets=card.targets,
        parts=loaded,
        calibrations=tuple(_unpacked(stored) for stored in card.calibrations),
        applicability=Applicability.from_arrays(
            archive.unpack_arrays(parts["applicability.safetensors"]),
            card.applicability.metric,
            card.applicability.features,
        ),
        input_state=card.input_state,
        validation=card.validation,
        out_of_fold=out_of_fold,
        provenance=card.provenance,
        examples=examples,
        state=None if card.state is None else archive.checked(task(card.task).state_type, card.state, "state"),
        arrays=archive.unpack_arrays(parts["state.safetensors"]) if "state.safetensors" in parts else {},
    )
    features = [math.prod(part.featurizer.shape) for part in loaded]
    if len(card.targets) != len(predictor.calibrations) or features[:1] not in (
        [],
        [predictor.applicability.features],
    ):
        raise ModelFileError("the parts of model.json do not fit each other.")
    _ = predictor.ready  # raises where its parts do not fit
    return predictor


def _parts(
    card: Card,
    parts: Mapping[str, bytes],
    out_of_fold: pd.DataFrame,
    width: int,
    custom_objects: Mapping[str, Any] | None,
) -> tuple[Part, ...]:
    """Return the featurizers with their ensembles, checked against each other."""
    arrays = archive.unpack_arrays(parts["weights.safetensors"])
    history = archive.unpack_table(parts["history.csv"], {"features": False})
    networks = json.loads(parts["network.json"])
    apart = parts.get("validation_rows.safetensors")
    validation_rows = {} if apart is None else archive.unpack_arrays(apart)
    loaded = []
    for name, state in card.featurizers.items():
        featurizer = domain(card.domain).restore(state)
        weights = {key.removeprefix(f"{name}/"): v for key, v in arrays.items() if key.startswith(f"{name}/")}
        frame = history[history["features"] == name].drop(columns="features")
        frame = frame.dropna(axis=1, how="all") if len(frame) else frame
        past = _past(frame, card.folds * card.members, card.training[name])
        _check_weights(weights, past)
        ensemble = _ensemble(card, networks[name], custom_objects, name)
        example = np.zeros((1, *featurizer.shape), featurizer.dtype)
        rows = tuple(validation_rows[name]) if name in validation_rows else None
        ensemble.restore(weights, example, out_of_fold["fold"].to_numpy(np.int64), past, None, validation_rows=rows)
        shares = np.array(card.shares[name], np.float64)
        if shares.shape != (ensemble.folds, width) or not np.isfinite(shares).all():
            raise ModelFileError(f"the shares of {name!r} do not fit the folds and the targets.")
        loaded.append(Part(featurizer, ensemble, shares))
    return tuple(loaded)


def _ensemble(card: Card, network: Any, custom_objects: Mapping[str, Any] | None, name: str) -> Ensemble:
    backend.prepare()
    import keras

    _register(card.domain, card.task)
    from amalthea.training.ensemble import Ensemble

    try:
        model = keras.saving.deserialize_keras_object(network, custom_objects=custom_objects, safe_mode=True)
    except Exception as error:  # Keras raises whatever a config provokes
        raise ModelFileError(
            f"the network of {name!r} cannot be rebuilt ({shortened(str(error).partition(chr(10))[0], 200)}). If it "
            "uses Keras classes of your own, pass them: load_model(path, custom_objects={...})."
        ) from error
    if not isinstance(model, keras.Model):
        raise ModelFileError(f"the network of {name!r} is no Keras model but {shortened(repr(model), 60)}.")
    return Ensemble(model, folds=card.folds, members=card.members, seed=card.seed)


def _register(kind: str, answer: str) -> None:
    """Import the classes of ours that Keras must know to rebuild the networks of a domain and a task."""
    for module in ("amalthea.training.layers", *domain(kind).keras_modules, *task(answer).keras_modules):
        importlib.import_module(module)


def _adapter(name: str) -> Any:
    """Return what turns a task's state to plain values and back."""
    from pydantic import TypeAdapter

    return TypeAdapter(task(name).state_type)


def _validation_rows(ensemble: Ensemble) -> np.ndarray[Any, Any]:
    """Return the rows that each member set aside, shape (members, v): equally many for each."""
    rows = ensemble.validation_rows
    return np.stack(rows).astype(np.int64) if rows else np.empty((len(ensemble), 0), np.int64)


def _past(frame: pd.DataFrame, members: int, stored: TrainingRecord) -> History:
    """Return the history of a training from its table and the rest of it."""
    last = frame[["member", "epoch"]].max().fillna(-1)
    if last["member"] >= members or last["epoch"] >= max(1, len(frame)) or len(stored.epochs) != members:
        raise ModelFileError("history.csv does not fit the members.")
    return dataclasses.replace(
        History.from_frame(frame, members, stored.left_out),
        epochs=np.array(stored.epochs, np.int64),
        notes=stored.notes,
        interrupted=stored.interrupted,
    )


def _check_weights(weights: Mapping[str, Any], past: History) -> None:
    """Refuse weights that are not finite in a member that answers."""
    used = np.delete(np.arange(len(past.epochs)), list(past.left_out))
    for name, values in weights.items():
        if len(values) != len(past.epochs):
            raise ModelFileError(f"the weights {name!r} are those of {len(values)} members, not of {len(past.epochs)}.")
        if not np.isfinite(values[used]).all():
            raise ModelFileError(f"the weights {name!r} are damaged: not all are finite numbers.")


def _history(ensemble: Ensemble) -> History:
    assert ensemble.history is not None
    return ensemble.history


def _packed(calibration: Calibration) -> dict[str, Any] | None:
    return None if calibration is None else {"kind": type(calibration).__name__, **dataclasses.asdict(calibration)}


def _unpacked(stored: Mapping[str, Any] | None) -> Calibration:
    if stored is None:
        return None
    kinds = {kind.__name__: kind for kind in (IntervalCalibration, Temperature)}
    constants = {name: value for name, value in stored.items() if name != "kind"}
    calibration: Calibration = archive.checked(kinds[stored["kind"]], constants, "calibrations")
    return calibration
