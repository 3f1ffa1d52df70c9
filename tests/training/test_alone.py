"""Each member equals the same network trained alone on the same rows by a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from networks import (
    FEATURES,
    FOLD_IDS,
    NETWORKS,
    TARGET,
    Case,
    am,
    assert_close,
    dense,
    keras,
    own_loss,
    train_alone,
    weights_of,
)


def check(case: Case, fold_ids: np.ndarray = FOLD_IDS, **options: int) -> None:
    """Train an ensemble, and two of its members alone."""
    folds = int(fold_ids.max()) + 1
    ensemble = am.Ensemble(case.build(), folds=folds, members=2, seed=3)
    ensemble.fit(
        case.x, case.y, epochs=3, fold_ids=fold_ids, sample_weight=case.sample_weight, **{"batch_size": 4, **options}
    )
    alone = train_alone(
        case, [0, 2 * folds - 1], fold_ids=fold_ids, folds=folds, members=2, seed=3, **{"batch_size": 4, **options}
    )
    for number, weights in alone.items():
        assert_close(weights_of(ensemble, number), weights)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "attention" else name for name in NETWORKS]
)
def test_network(name: str) -> None:
    check(NETWORKS[name])


OPTIMIZERS = {
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "adam": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "schedule": lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)),
    "average": lambda: keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.8),
    "decay_of_some": lambda: _without_decay_of_biases(keras.optimizers.AdamW(0.05, weight_decay=0.5)),
}
MORE_OPTIMIZERS = {
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "adadelta": lambda: keras.optimizers.Adadelta(1.0),
    "adamax": lambda: keras.optimizers.Adamax(0.01),
    "nadam": lambda: keras.optimizers.Nadam(0.01),
    "ftrl": lambda: keras.optimizers.Ftrl(0.05),
    "lion": lambda: keras.optimizers.Lion(0.01),
    "lamb": lambda: keras.optimizers.Lamb(0.01),
    "adafactor": lambda: keras.optimizers.Adafactor(0.01),
    "muon": lambda: keras.optimizers.Muon(0.01),
    "clipnorm": lambda: keras.optimizers.SGD(0.05, clipnorm=0.1),
    "clipvalue": lambda: keras.optimizers.SGD(0.05, clipvalue=0.1),
    "global_clipnorm": lambda: keras.optimizers.SGD(0.05, global_clipnorm=0.1),
    "average_put_in_place": lambda: keras.optimizers.SGD(
        0.05, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=4
    ),
    "accumulation": lambda: keras.optimizers.SGD(0.05, gradient_accumulation_steps=2),
    "cosine": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.CosineDecay(0.01, 8, warmup_target=0.1, warmup_steps=3)
    ),
    "steps": lambda: keras.optimizers.SGD(keras.optimizers.schedules.PiecewiseConstantDecay([3, 6], [0.1, 0.01, 0.05])),
}


def _without_decay_of_biases(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer(name: str) -> None:
    check(Case(lambda: dense(OPTIMIZERS[name]())))


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE_OPTIMIZERS)
def test_more_optimizers(name: str) -> None:
    check(Case(lambda: dense(MORE_OPTIMIZERS[name]())))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("huber", TARGET),
        ("log_cosh", TARGET),
        ("mape", TARGET),
        (keras.losses.BinaryCrossentropy(from_logits=True), (TARGET > 0).astype(np.float32)),
        ("hinge", np.sign(TARGET)),
        (keras.losses.MeanSquaredError(reduction="sum"), TARGET),
        (own_loss, TARGET),
    ],
    ids=["huber", "log_cosh", "mape", "binary", "hinge", "sum", "own"],
)
def test_loss(loss: object, y: np.ndarray) -> None:
    check(Case(lambda: dense(loss=loss), y=y))


@pytest.mark.parametrize(
    ("batch_size", "fold_ids"),
    [(11, FOLD_IDS), (100, FOLD_IDS), (5, np.repeat([0, 1, 2], [12, 7, 3]))],
    ids=["whole", "larger_than_the_data", "unequal_folds"],
)
def test_batch_size(batch_size: int, fold_ids: np.ndarray) -> None:
    check(Case(dense), fold_ids, batch_size=batch_size)


def test_in_one_epoch_each_row_is_met() -> None:
    """With plain gradient steps on all rows at once, the order does not matter: gradient descent by hand."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    ensemble = am.Ensemble(model, folds=2, members=1)
    ensemble.fit(FEATURES, TARGET, epochs=5, batch_size=11, fold_ids=FOLD_IDS)
    for fold in range(2):
        x, y = (values[fold != FOLD_IDS].astype(np.float64) for values in (FEATURES, TARGET))
        kernel, bias = np.zeros((3, 1)), np.zeros(1)
        for _ in range(5):
            error = 2 * (x @ kernel + bias - y) / len(x)
            kernel, bias = kernel - 0.1 * x.T @ error, bias - 0.1 * error.sum(axis=0)
        assert_close(weights_of(ensemble, fold), [kernel, bias])
