"""A network of the user's own in place of a domain's: found, fitted with an entrance and an exit, compiled."""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from amalthea import backend
from amalthea.datasets.dataset import Target
from amalthea.datasets.messages import shortened
from amalthea.domains.networks import optimizer
from amalthea.domains.protocol import Defaults, Featurizer
from amalthea.errors import DataError


def wrap_user_model(
    text: str,
    featurizer: Featurizer,
    targets: Sequence[Target],
    defaults: Defaults,
    steps: int,
    choices: Sequence[str] = (),
) -> Any:
    """Return the user's network, ready to be trained on a domain's features.

    In front of it stands what every network here needs: pixels as numbers from 0 to 1, in the network's own shape
    (unless it begins with a `Rescaling` of its own); numbers scaled, with gaps filled. A network that is compiled keeps
    its optimizer and its loss, and for classes must end in softmax. One that is not gets the domain's optimizer; if it
    ends without an activation, it also gets the exit of the domain's networks, which scales regressions.

    Args:
        text: a file that Keras saved, or `module:function`, called as `function(shape, outputs)` with the shape of one
            example and the number of outputs.
        featurizer: gives the inputs.
        targets: give the outputs: one for a regression, one a class for a classification.
        defaults: the optimizer and its learning rate.
        steps: the number of training steps.
        choices: the names of the domain's networks, for the message.

    Raises:
        DataError: there is no such network, or it does not fit.
    """
    backend.prepare()
    import keras

    from amalthea.training.layers import TargetHeads, TargetModel

    widths = [target.width for target in targets]
    user_model = _opened(text, featurizer.shape, sum(widths), choices)
    inputs = keras.Input(featurizer.shape, name="features", dtype=featurizer.dtype)
    answers = _answers(user_model, text, featurizer, inputs, sum(widths))
    _check_savable(user_model, text)
    linear, compiled = _last_activation(user_model) == "linear", user_model.compiled
    for inner in _models(
        user_model
    ):  # what stands inside another model is not compiled a second time when it is copied
        inner.compiled = False
    if not compiled and linear:
        model: Any = TargetModel(inputs, TargetHeads(widths, name="answers")(answers))
        model.compile(optimizer=optimizer(defaults, steps))
        return model
    classes = targets[0].task == "classification"
    if len(targets) > 1 or (classes and _last_activation(user_model) != "softmax"):
        raise DataError(
            f"the network {text} must end in softmax to answer with probabilities of classes; or leave it without an "
            "activation at its end and without compile, and Amalthea adds what is needed."
        )
    model = keras.Model(inputs, answers)
    if compiled:
        _compile_as(user_model, text, model, classes)
    else:
        loss = "sparse_categorical_crossentropy" if classes else "mse"
        model.compile(optimizer=optimizer(defaults, steps), loss=loss)
    return model


def _answers(user_model: Any, text: str, featurizer: Featurizer, inputs: Any, width: int) -> Any:
    """Return what the user's network makes of the inputs, `width` numbers for each example."""
    import keras

    try:
        answers = user_model(_entrance(user_model, featurizer, inputs))
    except Exception as error:  # whatever the user's layers raise
        raise DataError(
            f"the network {text} does not take examples of shape {featurizer.shape}: {_reason(error)}"
        ) from error
    if not isinstance(answers, keras.KerasTensor):
        raise DataError(f"the network {text} must have one output. Received: {shortened(repr(answers), 80)}")
    if answers.shape != (None, width):
        raise DataError(
            f"the network {text} must answer with {width} numbers for each example: one for a regression, one a class. "
            f"Received: shape {tuple(answers.shape)}"
        )
    return answers


def _compile_as(user_model: Any, text: str, model: Any, classes: bool) -> None:
    """Give the model the optimizer and the loss that the user's network was compiled with."""
    from amalthea.training.trainer import compile_like

    if classes and not _reads_codes(user_model.loss):
        raise DataError(
            f"the network {text} must be compiled with sparse_categorical_crossentropy: classes are given to it as "
            f"numbers 0, 1, ... Received: loss={shortened(str(getattr(user_model.loss, 'name', user_model.loss)), 60)}"
        )
    compile_like(model, user_model)


def open_user_model(text: str, shape: tuple[int, ...], outputs: int) -> Any:
    """Return a network of the user's that stands inside another, built and checked.

    Args:
        text: a file that Keras saved, `module:function`, or a file of Python whose function is called `network`.
        shape: of one example.
        outputs: numbers that it answers with for each.

    Raises:
        DataError: there is no such network, or it does not fit.
    """
    backend.prepare()
    import keras

    model = _opened(text, shape, outputs, ())
    _check_savable(model, text)
    try:
        answered = model(keras.Input(shape)).shape
    except Exception as error:  # whatever the user's layers raise
        raise DataError(f"the network {text} does not take examples of shape {shape}: {_reason(error)}") from error
    if tuple(answered)[1:] != (outputs,):
        raise DataError(
            f"the network {text} must answer with {outputs} numbers for each example. Received: shape {answered}"
        )
    return model


def _opened(text: str, shape: tuple[int, ...], outputs: int, choices: Sequence[str]) -> Any:
    import keras

    if text.endswith((".keras", ".h5")):
        if not os.path.isfile(text):
            raise DataError(f"no such network: {text}. Save it with model.save('NAME.keras').")
        try:
            with warnings.catch_warnings(action="ignore"):  # of the optimizer's state, which is not used
                model = keras.saving.load_model(text, safe_mode=True)
        except Exception as error:  # Keras raises whatever a file provokes
            raise DataError(
                f"{text} cannot be opened as a Keras model ({_reason(error)}). "
                "A network with classes of your own is given as module:function."
            ) from error
    else:
        model = _called(text, shape, outputs, choices)
    if not isinstance(model, keras.Model):
        raise DataError(f"{text} gave no Keras model but {shortened(repr(model), 80)}.")
    return model


def _called(text: str, shape: tuple[int, ...], outputs: int, choices: Sequence[str]) -> Any:
    module, colon, name = f"{text}:network".partition(":") if text.endswith(".py") else text.partition(":")
    if not colon or not module or not name:
        raise DataError(
            f"there is no network {text!r}. There are: {', '.join(choices)}; or name one of your own: a file that "
            "Keras saved (NAME.keras), or module:function; or a baseline: --model linear, kernel or boosting."
        )
    try:
        with _importable_here():
            function = getattr(importlib.import_module(module.removesuffix(".py")), name)
    except (ImportError, AttributeError) as error:
        raise DataError(f"{text} cannot be found: {error}. Looked in {Path.cwd()} too.") from error
    except Exception as error:  # whatever the user's module raises
        raise DataError(f"{text} cannot be imported: {_reason(error)}") from error
    try:
        return function(shape, outputs)
    except Exception as error:  # whatever the user's function raises
        raise DataError(f"{text}, called as function({shape}, {outputs}), failed: {_reason(error)}") from error


@contextlib.contextmanager
def _importable_here() -> Iterator[None]:
    """Let modules of the current folder be imported, as `python -m` does."""
    sys.path.insert(0, os.getcwd())
    try:
        yield
    finally:
        sys.path.remove(os.getcwd())


def _entrance(user_model: Any, featurizer: Featurizer, inputs: Any) -> Any:
    import keras

    from amalthea.training.layers import InputScaling

    if featurizer.dtype == "float32":
        return InputScaling(featurizer.quantities)(inputs)
    scales = any(isinstance(layer, keras.layers.Rescaling) for model in _models(user_model) for layer in model.layers)
    pixels = inputs if scales else keras.layers.Rescaling(1 / 255)(inputs)
    wanted = user_model.input_shape[1:] if user_model.built and user_model.inputs else featurizer.shape
    if tuple(wanted) == featurizer.shape or None in wanted or math.prod(wanted) != math.prod(featurizer.shape):
        return pixels
    return keras.layers.Reshape(wanted)(pixels)


def _models(user_model: Any) -> Iterator[Any]:
    """Yield a model and those that are layers of it."""
    import keras

    yield user_model
    for layer in user_model.layers:
        if isinstance(layer, keras.Model):
            yield from _models(layer)


def _last_activation(user_model: Any) -> str:
    """Return the name of the function at a network's end; "linear" where it ends without one."""
    import keras

    if not user_model.layers:
        return "linear"
    last = user_model.layers[-1]
    if isinstance(last, keras.Model):
        return _last_activation(last)
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    return str(getattr(getattr(last, "activation", None), "__name__", "linear"))


def _check_savable(user_model: Any, text: str) -> None:
    import keras

    try:
        keras.saving.serialize_keras_object(user_model)
    except Exception as error:  # Keras raises whatever a class of the user's provokes
        raise DataError(
            f"the network {text} cannot be saved with the model: give each Keras class of your own a `get_config`."
        ) from error


def _reads_codes(loss: Any) -> bool:
    """Say whether a loss takes classes as numbers 0, 1, ...; of a loss that is not Keras's this is believed."""
    import keras

    function = keras.losses.get(loss) if isinstance(loss, str) else loss
    name = getattr(function, "__name__", type(function).__name__)
    from_keras = type(function).__module__.startswith("keras.") or getattr(function, "__module__", "").startswith(
        "keras."
    )
    return not from_keras or name in ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy")


def _reason(error: Exception) -> str:
    """Return what an error says, in one line; Keras begins with where it happened, in bold letters."""
    lines = [re.sub(r"\x1b\[\d*m", "", line).strip() for line in str(error).splitlines()]
    sentences = [line for line in lines if line and not line.startswith("Exception encountered")]
    return f"{type(error).__name__}: {shortened(sentences[0], 200)}" if sentences else type(error).__name__
