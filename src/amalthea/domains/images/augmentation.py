"""Pictures turned, moved and stretched a little, anew in every training step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("amalthea")
class RandomAffine(keras.layers.Layer):
    """Turns, stretches, shears and moves each picture of a training step by random amounts; else leaves it as it is.

    A pixel of the result shows what stands at A (p - c) + c + t in the picture, between pixels by bilinear
    interpolation (Szeliski, Computer Vision, 2nd edition, section 3.6), beyond the border what stands at the border.
    p is the pixel's place, c the picture's centre, t a random shift and A a random rotation times a stretch of each
    axis and a shear. Nothing is mirrored.

    Input and output: shape (batch, height, width, channels), floats.

    Args:
        rotation: the largest angle to either side, in degrees.
        stretch: the largest change of each axis' length, as a share.
        shear: the largest shear, a share of the height.
        shift: the largest shift along each axis, a share of the picture's size.
        seed: for the random amounts.

    Example:
        >>> layer = RandomAffine(rotation=15.0)
        >>> picture = keras.random.uniform((1, 8, 6, 3))
        >>> bool(ops.all(layer(picture) == picture)), layer(picture, training=True).shape
        (True, (1, 8, 6, 3))
    """

    def __init__(
        self,
        rotation: float = 12.0,
        stretch: float = 0.12,
        shear: float = 0.1,
        shift: float = 0.08,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.rotation, self.stretch, self.shear, self.shift, self.seed = rotation, stretch, shear, shift, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the pictures, changed in training."""
        if not training:
            return inputs
        down, right = self._sources(inputs)
        batch, (height, width, channels) = ops.shape(inputs)[0], inputs.shape[1:]
        down, right = ops.clip(down, 0.0, height - 1.0), ops.clip(right, 0.0, width - 1.0)
        row, column = ops.minimum(ops.floor(down), height - 2.0), ops.minimum(ops.floor(right), width - 2.0)
        below, beside = (down - row)[..., None], (right - column)[..., None]
        first = ops.reshape(ops.arange(batch) * (height * width), (-1, 1, 1))
        corner = first + ops.cast(row, "int32") * width + ops.cast(column, "int32")
        pixels = ops.reshape(inputs, (-1, channels))
        upper, lower = (
            ops.take(pixels, corner + line, axis=0) * (1.0 - beside)
            + ops.take(pixels, corner + line + 1, axis=0) * beside
            for line in (0, width)
        )
        return upper * (1.0 - below) + lower * below

    def _sources(self, inputs: Any) -> tuple[Any, Any]:
        """Return from which row and column each pixel of the result comes, shapes (batch, height, width)."""
        batch, (height, width) = ops.shape(inputs)[0], inputs.shape[1:3]
        amounts = keras.random.uniform((6, batch, 1, 1), -1.0, 1.0, seed=self.seed_generator)
        angle = amounts[0] * (self.rotation * 3.141592653589793 / 180.0)
        taller, wider = 1.0 + amounts[1] * self.stretch, 1.0 + amounts[2] * self.stretch
        down = ops.reshape(ops.arange(height, dtype=inputs.dtype), (1, -1, 1)) - (height - 1) / 2
        right = ops.reshape(ops.arange(width, dtype=inputs.dtype), (1, 1, -1)) - (width - 1) / 2
        sheared = right * wider + down * (amounts[3] * self.shear)
        longer = down * taller
        rows = longer * ops.cos(angle) - sheared * ops.sin(angle) + (height - 1) / 2
        columns = longer * ops.sin(angle) + sheared * ops.cos(angle) + (width - 1) / 2
        return rows + amounts[4] * (self.shift * height), columns + amounts[5] * (self.shift * width)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of the result: that of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        amounts = {name: getattr(self, name) for name in ("rotation", "stretch", "shear", "shift", "seed")}
        return {**super().get_config(), **amounts}
