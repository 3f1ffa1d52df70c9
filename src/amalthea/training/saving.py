"""A trained ensemble by itself as a file: one zip that can be read without Amalthea, and from which no code is run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np

from amalthea.datasets import archive
from amalthea.errors import ModelFileError
from amalthea.training.ensemble import Ensemble
from amalthea.training.history import History
from amalthea.training.prediction import Prediction
from amalthea.training.trained import TrainedEnsemble

FORMAT = 1

PART = "ensemble.json"
"""The part that no other model's file has."""


def save(ensemble: TrainedEnsemble, path: Path, example: Any, out_of_fold: Prediction | None) -> None:
    """Write a trained ensemble to one file, whole or not at all.

    Args:
        ensemble: a trained one.
        path: the file.
        example: one row of the inputs.
        out_of_fold: its answers out of fold; None where there are none.
    """
    history, leaves = ensemble.history, jax.tree.leaves(example)
    assert history is not None
    card = {
        "format": FORMAT,
        **{name: getattr(ensemble, name) for name in ("folds", "members", "seed")},
        **{name: getattr(history, name) for name in ("epochs", "left_out", "notes", "interrupted")},
        # The form in which the model takes its inputs, with the leaves' numbers.
        "inputs": jax.tree.unflatten(jax.tree.structure(example), range(len(leaves))),
    }
    arrays: dict[str, Any] = {"fold_ids": ensemble.fold_ids, "validation_rows": np.array(ensemble.validation_rows)}
    held_out = None if out_of_fold is None else (out_of_fold.mean, out_of_fold.std, out_of_fold.members)
    for name, values in (("input", leaves), ("out_of_fold", jax.tree.leaves(held_out))):
        arrays |= {f"{name}/{index}": leaf for index, leaf in enumerate(values)}
    network = None if ensemble.from_function else keras.saving.serialize_keras_object(ensemble.model)
    parts = {
        PART: archive.pack_json(card),
        "network.json": json.dumps(network).encode(),
        "weights.safetensors": archive.pack_arrays(ensemble.weights),
        "history.csv": archive.pack_table(history.frame()),
        "rows.safetensors": archive.pack_arrays(arrays),
    }
    archive.write_parts(path, parts)


def opened(
    parts: Mapping[str, bytes], custom_objects: Mapping[str, Any] | None, model: Callable[[], Any] | None
) -> Ensemble:
    """Return the ensemble that `save` wrote.

    Args:
        parts: of the file.
        custom_objects: Keras classes of the user's own, by name.
        model: the function that makes the model, where the ensemble was made of one.

    Raises:
        ModelFileError: the network cannot be rebuilt, or the file is of a newer version.
    """
    card, network = json.loads(parts[PART]), json.loads(parts["network.json"])
    if card["format"] != FORMAT:
        raise ModelFileError(f"it has format {card['format']!r}; this version reads {FORMAT}. Install a newer one.")
    if model is None and network is None:
        raise ModelFileError("a function made its network: give it, load_model(path, model=make_model).")
    try:
        made = model or keras.saving.deserialize_keras_object(network, custom_objects=custom_objects, safe_mode=True)
    except (TypeError, ValueError) as error:
        raise ModelFileError(
            "its network cannot be rebuilt; pass Keras classes of your own, load_model(path, custom_objects={...}), or "
            "the function that makes it, load_model(path, model=make_model)."
        ) from error
    ensemble = Ensemble(made, folds=card["folds"], members=card["members"], seed=card["seed"])
    arrays = archive.unpack_arrays(parts["rows.safetensors"])
    example = jax.tree.map(lambda index: arrays[f"input/{index}"], card["inputs"])
    past = History.from_frame(archive.unpack_table(parts["history.csv"], {}), len(ensemble), card["left_out"])
    history = History(past.members, np.array(card["epochs"]), past.left_out, tuple(card["notes"]), card["interrupted"])
    weights = archive.unpack_arrays(parts["weights.safetensors"])
    rows = tuple(arrays["validation_rows"]) or None
    ensemble.restore(weights, example, arrays["fold_ids"], history, None, rows)
    if "out_of_fold/0" in arrays:
        # The answers have the form that the model gives them.
        form: Any = jax.tree.structure((ensemble.predict(example).mean,) * 3)
        held_out = jax.tree.unflatten(form, [arrays[f"out_of_fold/{index}"] for index in range(form.num_leaves)])
        ensemble.restore(weights, example, arrays["fold_ids"], history, Prediction(*held_out), rows)
    return ensemble
