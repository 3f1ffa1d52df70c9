"""Models as Keras's users write them: masks, losses that layers add, losses and metrics of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from networks import CLASSES, FEATURES, FOLD_IDS, OTHER_FEATURES, ROWS, Case, am, assert_close, train_alone, weights_of

import keras  # isort: skip
from keras import layers, ops  # isort: skip

SENTENCES = np.random.default_rng(8).integers(0, 5, size=(ROWS, 6))
TAGS = np.random.default_rng(9).integers(0, 3, size=(ROWS, 6))
ONE_HOT = np.eye(3, dtype=np.float32)[CLASSES]


def compiled(model: keras.Model, **options: Any) -> keras.Model:
    """The model, compiled for plain gradient descent."""
    model.compile(**{"optimizer": keras.optimizers.SGD(0.05), "loss": "mse", **options})
    return model


def chain(*parts: Any, shape: tuple[int, ...] = (3,), **options: Any) -> keras.Model:
    """A compiled Sequential model."""
    return compiled(keras.Sequential([keras.Input(shape), *parts]), **options)


@keras.saving.register_keras_serializable("kinds")
class Divergence(layers.Layer):
    """Passes codes on, and adds a loss that pulls them to zero."""

    def call(self, codes: Any) -> Any:
        """Add the loss."""
        self.add_loss(0.1 * ops.mean(ops.square(codes)))
        return codes


@keras.saving.register_keras_serializable("kinds")
class Balanced(keras.Model):
    """Its loss looks at the inputs, its metrics have one more figure."""

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The error, and how far the answer is from the inputs' sum."""
        usual = super().compute_loss(x, y, y_pred, sample_weight, training)
        return usual + ops.mean(ops.square(ops.sum(x, axis=1, keepdims=True) - y_pred))

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """One more figure of the last batch."""
        return {**super().compute_metrics(x, y, y_pred, sample_weight), "bias": ops.mean(y_pred - y)}


def autoencoder(**options: Any) -> keras.Model:
    """3-2-3 with a layer that adds a loss."""
    return chain(layers.Dense(2), Divergence(), layers.Dense(3), **options)


def balanced() -> keras.Model:
    """A functional model of a class with a loss of its own."""
    inputs = keras.Input((3,))
    return compiled(Balanced(inputs, layers.Dense(1)(inputs)), metrics=["mae"])


def tagger() -> keras.Model:
    """A class for each word, where words that are 0 are only filled in."""
    return chain(
        layers.Embedding(5, 4, mask_zero=True),
        layers.LSTM(3, return_sequences=True),
        layers.Dense(3, activation="softmax"),
        shape=(6,),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )


def sorter(**options: Any) -> keras.Model:
    """Three classes."""
    return chain(layers.Dense(3, activation="softmax"), **options)


SERVED: dict[str, Case] = {
    "masks": Case(tagger, SENTENCES, TAGS),
    "add_loss_alone": Case(lambda: autoencoder(loss=None), FEATURES, None),
    "add_loss": Case(autoencoder, FEATURES, FEATURES),
    "activity_penalty": Case(
        lambda: chain(layers.Dense(4, activity_regularizer="l2", kernel_regularizer="l2"), layers.Dense(1)),
    ),
    "compute_loss_of_inputs": Case(balanced),
    "metric_of_several_numbers": Case(
        lambda: sorter(loss="categorical_crossentropy", metrics=[keras.metrics.F1Score()]), FEATURES, ONE_HOT
    ),
}
"""Kinds that are served as they are."""


class Embedded(layers.Layer):
    """A layer without `get_config`, of an argument that has no configuration."""

    def __init__(self, table: object) -> None:
        super().__init__()
        self.table = table

    def build(self, shape: Any) -> None:
        """Create the kernel."""
        self.kernel = self.add_weight(shape=(shape[-1], 4), initializer="glorot_uniform", name="kernel")

    def call(self, inputs: Any) -> Any:
        """Answer for a batch."""
        return ops.tanh(inputs @ self.kernel)


class Distiller(keras.Model):
    """A student that learns from the targets, and from a teacher that knows more."""

    def __init__(self, student: keras.Model, teacher: keras.Model) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher

    def call(self, inputs: Any) -> Any:
        """What the student answers."""
        return self.student(inputs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The error, and the distance from the teacher."""
        usual = super().compute_loss(x, y, y_pred, sample_weight, training)
        return usual + ops.mean(ops.square(self.teacher(x, training=False) - y_pred))


def distiller() -> keras.Model:
    """A compiled distiller whose teacher stays as it is."""
    teacher = keras.Sequential([keras.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    teacher.trainable = False
    return compiled(Distiller(keras.Sequential([keras.Input((3,)), layers.Dense(1)]), teacher))


def siamese() -> keras.Model:
    """The distance of two inputs, by a Lambda layer."""
    first, second, shared = keras.Input((3,)), keras.Input((2,)), layers.Dense(2)
    both = [layers.Dense(2)(second), shared(layers.Dense(3)(first))]
    return compiled(keras.Model([first, second], layers.Dense(1)(layers.Lambda(lambda t: ops.abs(t[0] - t[1]))(both))))


MADE: dict[str, tuple[Case, str]] = {
    "lambda": (Case(siamese, (FEATURES, OTHER_FEATURES)), "lambda"),
    "activation": (
        Case(lambda: chain(layers.Dense(4, activation=lambda v: v * ops.sigmoid(v), name="swish"), layers.Dense(1))),
        "swish",
    ),
    "layer_without_config": (Case(lambda: chain(Embedded(object()), layers.Dense(1))), "embedded"),
    "distiller": (Case(distiller), "distiller"),
}
"""Kinds that are served by the function that makes them, and the layer that a refusal of the model itself names."""


def assert_as_alone(case: Case, model: keras.Model | Callable[[], keras.Model], **options: Any) -> am.Ensemble:
    """Check that members are what the network is alone: weights after training, answers, loss and metrics."""
    ensemble = am.Ensemble(model, folds=2, members=2, seed=3)
    ensemble.fit(case.x, case.y, epochs=3, batch_size=4, fold_ids=FOLD_IDS, **options)
    alone = train_alone(case, [3], fold_ids=FOLD_IDS, folds=2, members=2, seed=3)
    assert_close(weights_of(ensemble, 3), alone[3])
    member, evaluation = ensemble[3], ensemble.evaluate(case.x, case.y, batch_size=8)
    np.testing.assert_allclose(
        ensemble.predict(case.x).members[3], member.predict(case.x, verbose=0), rtol=1e-4, atol=1e-5
    )
    for name, values in member.evaluate(case.x, case.y, batch_size=8, verbose=0, return_dict=True).items():
        ours = [evaluation.members[key][3] for key in evaluation.members if key == name or key[: -len("_0")] == name]
        np.testing.assert_allclose(ours, np.ravel(values), rtol=1e-4, atol=1e-6, err_msg=name)
    return ensemble
