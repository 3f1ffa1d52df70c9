"""Layers whose weights are statistics of a member's own training rows, and the loss in the targets' own scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from amalthea.datasets.class_balance import has_rare_class, relative_sizes

LARGEST = 1e15
"""Standard deviations beyond which all quantities are alike: the square must stay a float32."""

MOST_WEIGHT = 30.0
"""How much each row of a rare class may weigh."""

FEWEST_ROWS = 3
"""Training rows in which a count must differ from its median to be looked at."""


@keras.saving.register_keras_serializable("amalthea")
class InputScaling(keras.layers.Layer):
    """Fills gaps with the median, standardizes quantities and bends far values in, and centres counts.

    A quantity becomes z / sqrt(1 + (z / bend)²) with z = (x - mean) / standard deviation: z itself near the middle, and
    never beyond ± bend, so that no far value rules the network. A count becomes x - mean. Columns that tell a member
    nothing, because they are constant or, for counts, differ from their median in fewer than 3 of its training rows,
    become 0.

    Input and output: shape (batch, features).

    Args:
        quantities: the number of leading columns that are quantities; the others are counts. None: all.
        bend: the magnitude, in standard deviations, that no quantity passes.
    """

    def __init__(self, quantities: int | None = None, bend: float = 2.0, **options: Any) -> None:
        super().__init__(**options)
        self.quantities, self.bend = quantities, bend

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights, one of each a feature."""
        shape = (input_shape[-1],)
        self.median = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="median")
        self.center = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="center")
        self.inverse_scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="inverse_scale")

    def call(self, inputs: Any) -> Any:
        """Scale a batch."""
        filled = ops.where(ops.isnan(inputs), ops.convert_to_tensor(self.median), inputs)
        scaled = (filled - self.center) * self.inverse_scale
        if self.quantities == 0:
            return scaled
        bent = ops.clip(scaled[:, : self.quantities], -LARGEST, LARGEST)
        bent = bent / ops.sqrt(1.0 + ops.square(bent / self.bend))
        return bent if self.quantities is None else ops.concatenate([bent, scaled[:, self.quantities :]], axis=-1)

    def statistics(self, values: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Return this layer's weights, as the training rows `values`, shape (n, features), demand."""
        values = np.asarray(values, np.float64)
        known = ~np.isnan(values)
        gaps = not known.all()
        median = _column_medians(values, known) if gaps else np.zeros(values.shape[1])
        filled = np.where(known, values, median) if gaps else values
        center, scale = filled.mean(axis=0), filled.std(axis=0)
        scale[scale <= 1e-7 * np.abs(center)] = 0.0
        if self.quantities is not None:
            counts = filled[:, self.quantities :]
            telling = (counts != np.median(counts, axis=0)).sum(axis=0) >= FEWEST_ROWS
            scale[self.quantities :] = telling
        inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
        return [median.astype(np.float32), center.astype(np.float32), inverse.astype(np.float32)]

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), "quantities": self.quantities, "bend": self.bend}


def _column_medians(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return each column's median over what is known; 0 where nothing is."""
    medians = np.zeros(values.shape[1])
    some = known.any(axis=0)
    medians[some] = np.nanmedian(values[:, some], axis=0)
    return medians


@keras.saving.register_keras_serializable("amalthea")
class TargetHeads(keras.layers.Layer):
    """Turns raw outputs into answers: a regression's into the target's own unit, a classification's into probabilities.

    Input: shape (batch, sum of widths). Output: the same shape.

    Args:
        widths: for each target 1 (a regression) or its number of classes.
        label_smoothing: what share of a label is spread over all classes in training (Szegedy et al., CVPR 2016,
            section 7).
        balanced: let the classes of a target weigh alike in training where one of them is rare among a member's own
            rows. The probabilities are then those of the weighted classes divided by the weights, so that they stay
            what they are without (Elkan, IJCAI 2001, theorem 2).
    """

    def __init__(
        self, widths: Sequence[int], label_smoothing: float = 0.0, balanced: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.label_smoothing, self.balanced = label_smoothing, balanced
        self.widths = tuple(int(width) for width in widths)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the mean and the standard deviation of each target (0 and 1 for classes)."""
        if input_shape[-1] != sum(self.widths):
            raise ValueError(f"TargetHeads needs {sum(self.widths)} inputs. Received: shape {tuple(input_shape)}")
        shape = (len(self.widths),)
        self.center = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="center")
        self.scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="scale")
        if self.balanced:
            self.log_weights = self.add_weight(
                shape=(sum(self.widths),), initializer="zeros", trainable=False, name="log_weights"
            )

    def call(self, inputs: Any) -> Any:
        """Answer for a batch."""
        if self.balanced:
            inputs = inputs - self.log_weights
        heads = [
            head * self.scale[index] + self.center[index] if width == 1 else ops.softmax(head)
            for index, (width, head) in enumerate(zip(self.widths, self._split(inputs), strict=True))
        ]
        return ops.concatenate(heads, axis=-1)

    def loss(self, truth: Any, answers: Any, weight: Any = None, training: bool = True) -> Any:
        """Return the mean over the labelled examples, summed over the targets, of squared errors and cross-entropies.

        A regression's errors count in units of its standard deviation, so that no unit of a target is too small or
        too large to learn. A missing label (NaN) counts for nothing.

        Args:
            truth: numbers and codes of classes, shape (batch, targets).
            answers: what `call` returned, shape (batch, sum of widths).
            weight: each example's weight, shape (batch,); None: all 1.
            training: labels are smoothed in training only.
        """
        truth = ops.reshape(truth, (-1, len(self.widths)))
        total = 0.0
        for index, (width, head) in enumerate(zip(self.widths, self._split(answers), strict=True)):
            label = truth[:, index]
            known = ops.isfinite(label)
            label = ops.where(known, label, 0.0)
            if width == 1:
                each = ops.square((head[:, 0] - label) / self.scale[index])
            else:
                smoothing = self.label_smoothing if training else 0.0
                hot = ops.one_hot(ops.cast(label, "int32"), width)
                weights = 1.0
                if self.balanced and training:
                    here = ops.exp(self._split(self.log_weights)[index])
                    head = head * here
                    head = head / ops.sum(head, axis=-1, keepdims=True)
                    weights = ops.sum(hot * here, axis=-1)
                shares = hot * (1.0 - smoothing) + smoothing / width
                each = -weights * ops.sum(shares * ops.log(head + 1e-7), axis=-1)
            known = ops.cast(known, each.dtype)
            counted = each * known if weight is None else each * known * ops.reshape(weight, (-1,))
            total = total + ops.sum(counted) / ops.maximum(ops.sum(known), 1.0)
        return total

    def accuracy(self, truth: Any, answers: Any) -> Any:
        """Return the share of labels that are the likeliest class, over all targets that are classes.

        Args:
            truth: numbers and codes of classes, shape (batch, targets).
            answers: what `call` returned, shape (batch, sum of widths).
        """
        truth = ops.reshape(truth, (-1, len(self.widths)))
        heads = enumerate(zip(self.widths, self._split(answers), strict=True))
        pairs = [(truth[:, index], ops.argmax(head, axis=-1)) for index, (width, head) in heads if width > 1]
        right = sum(
            ops.sum(ops.cast(ops.equal(label, ops.cast(answer, label.dtype)), "float32")) for label, answer in pairs
        )
        known = sum(ops.sum(ops.cast(ops.isfinite(label), "float32")) for label, _ in pairs)
        return right / ops.maximum(known, 1.0)

    def statistics(self, values: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Return this layer's weights, as the training rows' targets `values`, shape (n, targets), demand."""
        values = np.reshape(values, (-1, len(self.widths)))
        center, scale = np.zeros(len(self.widths)), np.ones(len(self.widths))
        for index, width in enumerate(self.widths):
            known = values[:, index][np.isfinite(values[:, index])].astype(np.float64)
            if width == 1 and len(known):
                center[index] = known.mean()
                scale[index] = known.std() or 1.0
        weights = [center.astype(np.float32), scale.astype(np.float32)]
        if self.balanced:
            logs = [
                _log_class_weights(column, width) if width > 1 else np.zeros(1)
                for column, width in zip(values.T, self.widths, strict=True)
            ]
            weights.append(np.concatenate(logs).astype(np.float32))
        return weights

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        config = {**super().get_config(), "widths": list(self.widths), "label_smoothing": self.label_smoothing}
        return {**config, "balanced": True} if self.balanced else config

    def _split(self, values: Any) -> list[Any]:
        ends = np.cumsum(self.widths)
        return [values[..., end - width : end] for end, width in zip(ends.tolist(), self.widths, strict=True)]


def _log_class_weights(labels: NDArray[Any], width: int) -> NDArray[np.float64]:
    """Return the logarithm of each class's weight, shape (width,): 0 where no class is rare.

    A class weighs as much as the others together would if all had the same number of rows, at most `MOST_WEIGHT`.
    """
    sizes = relative_sizes(labels, width)
    if not has_rare_class(labels, width):
        return np.zeros(width)
    return np.log(np.where(sizes > 0, np.minimum(1 / np.maximum(sizes, 1e-9), MOST_WEIGHT), 1.0))


@keras.saving.register_keras_serializable("amalthea")
class TargetModel(keras.Model):
    """A functional model that ends in `TargetHeads` and learns by their loss.

    Example:
        >>> inputs = keras.Input((3,))
        >>> raw = keras.layers.Dense(1)(InputScaling()(inputs))
        >>> model = TargetModel(inputs, TargetHeads([1])(raw))
        >>> model.compile(optimizer="adam")
        >>> model.predict(np.zeros((2, 3)), verbose=0).shape
        (2, 1)
    """

    def compute_loss(
        self,
        x: Any = None,  # noqa: ARG002  (Keras's signature)
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the heads' loss and the layers' penalties."""
        heads = next(layer for layer in self.layers if isinstance(layer, TargetHeads))
        return sum(self.losses, start=heads.loss(ops.cast(y, y_pred.dtype), y_pred, sample_weight, training))
