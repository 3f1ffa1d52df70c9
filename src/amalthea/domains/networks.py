"""The dense networks that domains propose, and how long they are to be trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from amalthea import backend
from amalthea.datasets.dataset import Target
from amalthea.domains.protocol import Defaults

if TYPE_CHECKING:
    from amalthea.domains.protocol import Featurizer

WEIGHT_DECAY = 0.3
SMOOTHING = 0.05


def defaults_for(targets: Sequence[Target], rows: int) -> Defaults:
    """Return how dense networks are trained on so many examples.

    Few examples are seen more often than many: the number of steps grows with the square root of the number of rows.

    Args:
        targets: classifications, which begin to be too sure of themselves early, are trained for fewer epochs.
        rows: the number of examples n.

    Example:
        >>> [defaults_for([Target("y", "regression")], rows).epochs for rows in (100, 1128, 100_000)]
        [84, 25, 8]
    """
    usual = 15 if all(target.task == "classification" for target in targets) else 25
    epochs = round(usual * math.sqrt(1128 / max(rows, 1)))
    return Defaults(epochs=min(max(epochs, 8), 200), optimizer="adamw", learning_rate=1e-3)


def dense(
    featurizer: Featurizer,
    targets: Sequence[Target],
    defaults: Defaults,
    steps: int,
    input_dropout: float = 0.0,
    dropout: float = 0.0,
) -> Any:
    """Return a compiled dense network for a featurizer's features.

    Args:
        featurizer: gives the number of inputs, and which of them are quantities and which counts.
        targets: give the outputs.
        defaults: optimizer and learning rate.
        steps: the number of training steps, over which the learning rate falls to nothing along a cosine
            (Loshchilov and Hutter, ICLR 2017, equation 5).
        input_dropout: the share of the features that a training step does not see.
        dropout: the share of each hidden layer that a training step does not see.
    """
    backend.prepare()
    import keras

    from amalthea.training.layers import InputScaling, TargetHeads, TargetModel

    inputs = keras.Input((len(featurizer.feature_names),), name="features")
    hidden = InputScaling(featurizer.quantities, name="scaling")(inputs)
    if input_dropout:
        hidden = keras.layers.Dropout(input_dropout)(hidden)
    for number, width in enumerate((128, 64), start=1):
        hidden = keras.layers.Dense(width, activation="relu", name=f"hidden_{number}")(hidden)
        if dropout:
            hidden = keras.layers.Dropout(dropout)(hidden)
    widths = [target.width for target in targets]
    outputs = keras.layers.Dense(sum(widths), name="output")(hidden)
    balanced = any(width > 1 for width in widths)
    answers = TargetHeads(widths, SMOOTHING, balanced, name="answers")(outputs)
    model = TargetModel(inputs, answers)
    model.compile(optimizer=optimizer(defaults, steps))
    return model


def optimizer(
    defaults: Defaults, steps: int, constant: bool = False, warm_up: float = 0.0, weight_decay: float = WEIGHT_DECAY
) -> Any:
    """Return the optimizer by its Keras name, its learning rate falling along a cosine over `steps` steps.

    Args:
        defaults: the optimizer's name and the largest learning rate.
        steps: the number of training steps.
        constant: keep the learning rate as it is.
        warm_up: the share of the steps in which the learning rate first rises from a twenty-fifth.
        weight_decay: for "adamw".

    Raises:
        DataError: Keras has no such optimizer.
    """
    import keras

    from amalthea.errors import DataError

    rising = round(steps * warm_up)
    rate = defaults.learning_rate
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 25 if rising else rate,
        decay_steps=max(1, steps - rising),
        warmup_target=rate if rising else None,
        warmup_steps=rising,
    )
    config: dict[str, Any] = {"learning_rate": rate if constant else schedule}
    if defaults.optimizer == "adamw":  # decoupled weight decay: Loshchilov and Hutter, ICLR 2019
        config["weight_decay"] = weight_decay
    try:
        made = keras.optimizers.get({"class_name": defaults.optimizer, "config": config})
    except ValueError as error:
        raise DataError(
            f"Keras has no optimizer {defaults.optimizer!r}. There are adam, adamw, sgd, rmsprop, adagrad, nadam, ..."
        ) from error
    if defaults.optimizer == "adamw":
        made.exclude_from_weight_decay(var_names=["bias"])
    return made
