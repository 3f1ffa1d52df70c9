"""A network without hidden layers, whose weights are solved from a member's own training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.domains.networks import optimizer
from amalthea.domains.protocol import Defaults, Featurizer
from amalthea.training.layers import InputScaling, TargetHeads, TargetModel

STRENGTH = 0.1
"""The inverse of the penalty on the squares of a logistic regression's weights, in units of one row's loss."""

BEND = 10.0
"""Of `InputScaling`: far values are where rare classes are, and a linear answer cannot straighten what is bent."""

PENALTIES = np.logspace(-1, 5, 13)

Solution = tuple[NDArray[np.float64], NDArray[np.float64]]


@keras.saving.register_keras_serializable("amalthea")
class LinearSolution(keras.layers.Layer):
    """Ridge regressions of numbers and logistic regressions of classes on scaled inputs; only a bias is trained.

    Input: shape (batch, d). Output: shape (batch, sum of widths), as `TargetHeads` takes it.

    Args:
        widths: for each target 1 (a regression) or its number of classes.
        quantities: of the `InputScaling` in front.
    """

    def __init__(self, widths: Sequence[int], quantities: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.widths, self.quantities = tuple(int(width) for width in widths), quantities

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the solution and a bias."""
        outputs = (sum(self.widths),)
        shape = (input_shape[-1], *outputs)
        self.solution = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="solution")
        self.offset = self.add_weight(shape=outputs, initializer="zeros", trainable=False, name="offset")
        self.bias = self.add_weight(shape=outputs, initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Answer for a batch."""
        return ops.matmul(inputs, self.solution) + self.offset + self.bias

    def statistics(self, values: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Return this layer's weights, as training rows demand.

        Args:
            values: shape (n, d + targets): features before they are scaled, and behind them the targets.
        """
        features, labels = np.split(values, [-len(self.widths)], axis=1)
        scaling = InputScaling(self.quantities, BEND)
        scaling.build(features.shape)
        scaling.set_weights(scaling.statistics(features))
        scaled = np.asarray(scaling(features), np.float64)
        solutions = [_solve(scaled, label, width) for label, width in zip(labels.T, self.widths, strict=True)]
        weights, offsets = zip(*solutions, strict=True)
        return [np.concatenate(weights, axis=1).astype(np.float32), np.concatenate(offsets).astype(np.float32)]

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), "widths": list(self.widths), "quantities": self.quantities}


@keras.saving.register_keras_serializable("amalthea")
class LinearModel(TargetModel):
    """A functional model of `InputScaling`, `LinearSolution` and `TargetHeads`."""

    def scalers(self, x: Any, y: Any) -> list[tuple[keras.layers.Layer, NDArray[Any]]]:
        """Return the layers that are given statistics, each with what it meets."""
        features, labels = np.asarray(x, np.float32), np.reshape(np.asarray(y, np.float32), (len(y), -1))
        meets = {
            InputScaling: features,
            LinearSolution: np.concatenate([features, labels], axis=1),
            TargetHeads: labels,
        }
        return [(layer, meets[type(layer)]) for layer in self.layers if type(layer) in meets]


def linear(featurizer: Featurizer, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:
    """Return a compiled network without hidden layers; the arguments are those of `dense`."""
    widths = [target.width for target in targets]
    inputs = keras.Input(featurizer.shape, name="features")
    scaled = InputScaling(featurizer.quantities, BEND, name="scaling")(inputs)
    raw = LinearSolution(widths, featurizer.quantities, name="output")(scaled)
    model = LinearModel(inputs, TargetHeads(widths, name="answers")(raw))
    model.compile(optimizer=optimizer(defaults, steps))
    return model


def _solve(x: NDArray[np.float64], label: NDArray[Any], width: int) -> Solution:
    """Return weights, shape (d, width), and offsets, shape (width,): numbers in standard deviations, or logits."""
    from sklearn.linear_model import LogisticRegression, RidgeCV

    known = np.isfinite(label)
    rows, wanted = x[known], label[known].astype(np.float64)
    weights, offset = np.zeros((x.shape[1], width)), np.zeros(width)
    if not len(wanted) or np.ptp(wanted) == 0:
        return weights, offset
    if width == 1:
        ridge = RidgeCV(PENALTIES).fit(rows, (wanted - wanted.mean()) / wanted.std())
        return ridge.coef_[:, None], np.atleast_1d(ridge.intercept_)
    fitted = LogisticRegression(C=STRENGTH, max_iter=1_000).fit(rows, wanted)
    classes = fitted.classes_.astype(np.int64)
    # Of two classes only the second one's logit is fitted; a class that is not there is next to impossible.
    there = classes[1:] if len(classes) == 2 else classes
    offset[np.setdiff1d(np.arange(width), classes)] = -10.0
    weights[:, there], offset[there] = fitted.coef_.T, fitted.intercept_
    return weights, offset
