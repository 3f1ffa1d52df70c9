"""Tiny networks of every kind that the engine promises to train, with data, and the plain loop that it must equal."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

import amalthea as am  # before Keras: it chooses the backend
from amalthea.training.assignment import assign, batches_by_epoch
from amalthea.training.initialization import draw_trainable, fit_scalers, scalers, start_others
from amalthea.training.layers import InputScaling, TargetHeads, TargetModel
from amalthea.training.trainer import member_seeds

import keras  # isort: skip
from keras import layers  # isort: skip

ROWS = 22
FOLD_IDS = np.arange(ROWS) % 2
RANDOM = np.random.default_rng(7)
FEATURES = RANDOM.normal(size=(ROWS, 3)).astype(np.float32)
OTHER_FEATURES = RANDOM.normal(size=(ROWS, 2)).astype(np.float32)
TARGET = (FEATURES @ [[1.0], [-2.0], [0.5]] + 0.3).astype(np.float32)
CLASSES = RANDOM.integers(0, 3, size=ROWS)
WEIGHTS = RANDOM.uniform(0.1, 3.0, size=ROWS).astype(np.float32)
WORDS = RANDOM.integers(0, 5, size=(ROWS, 4))
IMAGES = RANDOM.integers(0, 256, size=(ROWS, 4, 4, 1)).astype(np.uint8)


@dataclasses.dataclass(frozen=True)
class Case:
    """A model, made anew at each call, and what it learns from."""

    build: Callable[[], keras.Model]
    x: Any = dataclasses.field(default_factory=lambda: FEATURES)
    y: Any = dataclasses.field(default_factory=lambda: TARGET)
    sample_weight: Any = None


def dense(optimizer: Any = "sgd", **options: Any) -> keras.Model:
    """A compiled network 3-4-1."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(1)])
    model.compile(optimizer=optimizer, **{"loss": "mse", **options})
    return model


def stack(*parts: Any, shape: Sequence[int] | None = (3,), **options: Any) -> Callable[[], keras.Model]:
    """The builder of a Sequential model of layers that are made anew at each call."""

    def build() -> keras.Model:
        start = [] if shape is None else [keras.Input(tuple(shape))]
        model = keras.Sequential([*start, *(part() for part in parts)])
        model.compile(**{"optimizer": keras.optimizers.SGD(0.05), "loss": "mse", **options})
        return model

    return build


def functional(make: Callable[[], tuple[Any, Any]], **options: Any) -> Callable[[], keras.Model]:
    """The builder of a functional model from a function that returns its inputs and outputs."""

    def build() -> keras.Model:
        model = keras.Model(*make())
        model.compile(**{"optimizer": keras.optimizers.SGD(0.05), "loss": "mse", **options})
        return model

    return build


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """A network with dropout, BatchNormalization and a `call` of its own."""

    def __init__(self, width: int = 4, **options: Any) -> None:
        super().__init__(**options)
        self.width = width
        self.hidden = layers.Dense(width, activation="tanh")
        self.norm = layers.BatchNormalization()
        self.dropout = layers.Dropout(0.2)
        self.out = layers.Dense(1)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Answer for a batch."""
        hidden = self.norm(self.hidden(inputs), training=training)
        return self.out(self.dropout(hidden, training=training) + hidden)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "width": self.width}


def subclassed(built: bool) -> Callable[[], keras.Model]:
    """The builder of a subclassed model."""

    def build() -> keras.Model:
        model = Subclassed()
        model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
        if built:
            model(FEATURES[:2])
        return model

    return build


def scaled() -> keras.Model:
    """Our own scaling of inputs and targets."""
    inputs = keras.Input((3,))
    model = TargetModel(
        inputs, TargetHeads([1])(layers.Dense(1)(layers.Dense(4, activation="relu")(InputScaling()(inputs))))
    )
    model.compile(optimizer=keras.optimizers.SGD(0.05))
    return model


def normalized() -> keras.Model:
    """Keras's own scaling of inputs and targets, not adapted."""
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Normalization(),
            layers.Dense(4, activation="tanh"),
            layers.Dense(1),
            layers.Normalization(invert=True),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    return model


def frozen() -> keras.Model:
    """A network whose first layer keeps its weights."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(1)])
    model.layers[0].set_weights([np.linspace(-1, 1, 12).reshape(3, 4), np.full(4, 0.1)])
    model.layers[0].trainable = False
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    return model


def _two_inputs() -> tuple[Any, Any]:
    first, second = keras.Input((3,), name="zeta"), keras.Input((2,), name="alpha")
    joined = layers.Concatenate()([layers.Dense(3, activation="tanh")(first), layers.Dense(2)(second)])
    return [first, second], layers.Dense(1)(joined)


def _two_inputs_by_name() -> tuple[Any, Any]:
    inputs, output = _two_inputs()
    return {"zeta": inputs[0], "alpha": inputs[1]}, output


def _two_outputs() -> tuple[Any, Any]:
    inputs = keras.Input((3,))
    hidden = layers.Dense(4, activation="tanh")(inputs)
    number = layers.Dense(1, name="number")(hidden)
    return inputs, (number, layers.Dense(3, activation="softmax", name="kind")(hidden))


def _two_outputs_by_name() -> tuple[Any, Any]:
    inputs, (number, kind) = _two_outputs()
    return inputs, {"number": number, "kind": kind}


def _shared() -> tuple[Any, Any]:
    first, second = keras.Input((2,)), keras.Input((2,))
    shared = layers.Dense(3, activation="tanh")
    return [first, second], layers.Dense(1)(layers.Subtract()([shared(first), shared(second)]))


def _nested() -> tuple[Any, Any]:
    inputs = keras.Input((3,))
    inner_inputs = keras.Input((4,))
    inner = keras.Model(inner_inputs, layers.BatchNormalization()(layers.Dense(3, activation="tanh")(inner_inputs)))
    fixed = keras.Sequential([keras.Input((3,)), layers.Dense(3, kernel_initializer="ones")])
    fixed.trainable = False
    hidden = inner(layers.Dense(4)(inputs))
    return inputs, layers.Dense(1)(fixed(hidden))


def _attention() -> tuple[Any, Any]:
    inputs = keras.Input((4,), dtype="int32")
    words = layers.Embedding(5, 4)(inputs)
    seen = layers.LayerNormalization()(words + layers.MultiHeadAttention(2, 2, dropout=0.1)(words, words))
    return inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(seen))


NETWORKS: dict[str, Case] = {
    "sequential": Case(dense),
    "unbuilt": Case(stack(lambda: layers.Dense(4, activation="tanh"), lambda: layers.Dense(1), shape=None)),
    "subclassed": Case(subclassed(built=True)),
    "subclassed_unbuilt": Case(subclassed(built=False)),
    "inputs_in_a_tuple": Case(functional(_two_inputs), x=(FEATURES, OTHER_FEATURES)),
    "inputs_in_a_dict": Case(functional(_two_inputs_by_name), x={"zeta": FEATURES, "alpha": OTHER_FEATURES}),
    "list_model_fed_by_name": Case(functional(_two_inputs), x={"zeta": FEATURES, "alpha": OTHER_FEATURES}),
    "outputs_in_a_tuple": Case(
        functional(_two_outputs, loss=("mse", "sparse_categorical_crossentropy"), loss_weights=[1.0, 0.3]),
        y=(TARGET, CLASSES),
    ),
    "outputs_in_a_dict": Case(
        functional(
            _two_outputs_by_name,
            loss={"number": "mae", "kind": "sparse_categorical_crossentropy"},
            metrics={"kind": ["accuracy"]},
        ),
        y={"number": TARGET, "kind": CLASSES},
    ),
    "dropout_and_noise": Case(
        stack(
            lambda: layers.Dense(6, activation="tanh"),
            lambda: layers.Dropout(0.3),
            lambda: layers.Dense(6),
            lambda: layers.GaussianNoise(0.2),
            lambda: layers.Dropout(0.3),
            lambda: layers.Dense(1),
        )
    ),
    "batch_normalization": Case(
        stack(lambda: layers.Dense(4), layers.BatchNormalization, layers.ReLU, lambda: layers.Dense(1))
    ),
    "layer_normalization": Case(stack(lambda: layers.Dense(4), layers.LayerNormalization, lambda: layers.Dense(1))),
    "gru": Case(
        stack(
            lambda: layers.Embedding(5, 3, mask_zero=True),
            lambda: layers.GRU(3, dropout=0.2),
            lambda: layers.Dense(1),
            shape=(4,),
        ),
        x=WORDS,
    ),
    "lstm": Case(
        stack(
            lambda: layers.Embedding(5, 3),
            lambda: layers.Bidirectional(layers.LSTM(2)),
            lambda: layers.Dense(3, activation="softmax"),
            shape=(4,),
            loss="sparse_categorical_crossentropy",
        ),
        x=WORDS,
        y=CLASSES,
    ),
    "images": Case(
        stack(
            lambda: layers.Rescaling(1 / 255),
            lambda: layers.Conv2D(2, 3, activation="relu"),
            layers.Flatten,
            lambda: layers.Dense(3),
            shape=(4, 4, 1),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        ),
        x=IMAGES,
        y=CLASSES,
    ),
    "one_hot": Case(
        stack(lambda: layers.Dense(3, activation="softmax"), loss="categorical_crossentropy", metrics=["accuracy"]),
        y=np.eye(3, dtype=np.float32)[CLASSES],
    ),
    "penalties": Case(
        stack(
            lambda: layers.Dense(4, kernel_regularizer=keras.regularizers.L2(0.3), activity_regularizer="l1"),
            lambda: layers.ActivityRegularization(l2=0.1),
            lambda: layers.Dense(1, bias_regularizer="l1l2"),
        )
    ),
    "constraints": Case(
        stack(
            lambda: layers.Dense(4, kernel_constraint="max_norm"), lambda: layers.Dense(1, kernel_constraint="non_neg")
        )
    ),
    "kernel_penalty": Case(stack(lambda: layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1.0)))),
    "sample_weights": Case(dense, sample_weight=WEIGHTS),
    "frozen": Case(frozen),
    "shared": Case(functional(_shared), x=(FEATURES[:, :2], OTHER_FEATURES)),
    "nested": Case(functional(_nested)),
    "scaled": Case(scaled, x=FEATURES * 50 + 3, y=TARGET * 1000 + 40),
    "normalized": Case(normalized, x=FEATURES * 50 + 3, y=TARGET * 1000 + 40),
    "attention": Case(functional(_attention), x=WORDS),
}


def own_loss(truth: Any, answer: Any) -> Any:
    """A loss that Keras does not know."""
    return keras.ops.mean(keras.ops.abs(truth - answer) ** 1.5, axis=-1)


def take(values: Any, rows: Any) -> Any:
    """Rows of an array, or of all arrays in a dict or tuple."""
    return jax.tree.map(lambda array: array[rows], values)


def train_alone(
    case: Case,
    numbers: Sequence[int],
    *,
    fold_ids: np.ndarray,
    folds: int,
    members: int,
    seed: int = 0,
    epochs_: int = 3,
    batch_size: int = 4,
) -> dict[int, list[np.ndarray]]:
    """Train some members one after the other, as plain Keras does it, and return the weights of each.

    They start where the members start and meet the same mini-batches; all else is `train_on_batch`.
    """
    model = case.build()
    if not model.built:
        model(take(case.x, slice(0, 2)))
    assignment = assign(fold_ids, folds, members, 0.0, None, seed)
    model.optimizer.build(model.trainable_variables)
    fresh = [np.asarray(variable.value) for variable in model.optimizer.variables]
    found = scalers(model, case.x, case.y)
    seeds = member_seeds(seed, np.array(numbers))
    trainable = draw_trainable(model, take(case.x, slice(0, 2)), seeds, case.build)
    others = start_others(model, seeds)
    fit_scalers(model, others, found, [assignment.training[number] for number in numbers])
    weights = {}
    for place, number in enumerate(numbers):
        for variables, values in (
            (model.trainable_variables, [stacked[place] for stacked in trainable]),
            (model.non_trainable_variables, [stacked[place] for stacked in others]),
            (model.optimizer.variables, fresh),
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        for layer in model.layers:
            if isinstance(layer, layers.Normalization):
                layer.finalize_state()
        model.make_train_function(force=True)
        batch = min(batch_size, min(len(rows) for rows in assignment.training))
        steps = -(-max(len(rows) for rows in assignment.training) // batch)
        orders = batches_by_epoch(assignment, np.array([number]), steps, batch, seed)
        for rows in itertools.chain.from_iterable(order[0] for order in itertools.islice(orders, epochs_)):
            weight = None if case.sample_weight is None else case.sample_weight[rows]
            model.train_on_batch(take(case.x, rows), take(case.y, rows), sample_weight=weight)
        model.optimizer.finalize_variable_values(model.trainable_variables)
        weights[number] = [
            np.asarray(variable.value) for variable in [*model.trainable_variables, *model.non_trainable_variables]
        ]
    return weights


def weights_of(ensemble: am.Ensemble, number: int) -> list[np.ndarray]:
    """A member's variables, in the model's order."""
    return [stacked[number] for stacked in ensemble.weights.values()]


def assert_same(some: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> None:
    """Check that two lists of arrays are the same bit by bit."""
    assert len(some) == len(others) > 0
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


def assert_close(
    some: Sequence[np.ndarray], others: Sequence[np.ndarray], rtol: float = 1e-4, atol: float = 1e-5
) -> None:
    """Check that two lists of arrays are the same up to rounding."""
    assert len(some) == len(others) > 0
    for one, other in zip(some, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)
