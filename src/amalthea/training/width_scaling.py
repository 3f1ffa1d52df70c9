"""A network like another one, but narrower or wider."""

from __future__ import annotations

import itertools
from typing import Any

import keras

from amalthea.errors import AmaltheaError
from amalthea.training.trainer import compile_like

LEAST = 2
"""Units or filters that a hidden layer keeps."""

WIDTHS = ("units", "filters")


def resized(model: keras.Model, factor: float, free: bool = False) -> keras.Model:
    """Return a compiled network whose hidden layers have another number of units or filters.

    Labels are not smoothed, so that losses of training and of validation can be compared.

    Args:
        model: compiled, Sequential or functional.
        factor: by which every hidden width is multiplied; at least two units are left.
        free: take away what keeps a network from overfitting: dropout, penalties on weights, weight decay, and a
            learning rate that falls; Adam at its usual rate of 0.001 is used.

    Raises:
        AmaltheaError: the network cannot be made anew from its configuration, or has no hidden layer.

    Example:
        >>> layers = [keras.Input((3,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)]
        >>> model = keras.Sequential(layers)
        >>> model.compile("adam", "mse")
        >>> [layer.units for layer in resized(model, 4).layers]
        [64, 1]
    """
    config = _without_shapes(keras.saving.serialize_keras_object(model))
    layers = list(_layers(config["config"]))
    widths = itertools.product([layer["config"] for layer in layers], WIDTHS)
    wide = [(settings, name) for settings, name in widths if name in settings]
    if len(wide) < 2:
        raise AmaltheaError(f"{model.name!r} has no hidden layer whose width could be changed.")
    for layer, name in wide[:-1]:  # the last one answers
        layer[name] = max(LEAST, round(layer[name] * factor))
    for layer in layers:
        _loosen(layer["config"], free)
    try:
        made = keras.saving.deserialize_keras_object(config)
        if not made.built:
            made.build(model.input_shape)
    except (TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise AmaltheaError(f"{model.name!r} cannot be made with other widths: {reason}") from error
    compile_like(made, model, keras.optimizers.Adam() if free else None)
    return made


def _layers(config: Any) -> Any:
    """Yield the configurations of all layers, those of networks within the network too."""
    if not isinstance(config, dict) or "layers" not in config:
        raise AmaltheaError("Only Sequential and functional networks can be made with other widths.")
    for layer in config["layers"]:
        if "layers" in layer["config"]:
            yield from _layers(layer["config"])
        else:
            yield layer


def _without_shapes(config: Any) -> Any:
    """Return a configuration without the shapes that layers were built for, and without how it was compiled."""
    if isinstance(config, dict):
        dropped = ("build_config", "compile_config")
        return {name: _without_shapes(part) for name, part in config.items() if name not in dropped}
    return [_without_shapes(part) for part in config] if isinstance(config, list) else config


def _loosen(config: dict[str, Any], free: bool) -> None:
    if "label_smoothing" in config:
        config["label_smoothing"] = 0.0
    if free:
        if "rate" in config and "noise_shape" in config:  # Dropout and its like
            config["rate"] = 0.0
        for name in config:
            if name.endswith("_regularizer"):
                config[name] = None
