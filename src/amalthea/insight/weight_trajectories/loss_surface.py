"""The loss of one network on a plane through its weights."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from amalthea.insight.weight_trajectories.principal_plane import Plane
from amalthea.training.program import loss_of
from amalthea.training.weight_history import Recording

SIDE_BY_SIDE = 8
"""Points of the plane at which the loss is computed at the same time."""


def surface(
    model: keras.Model,
    recording: Recording,
    plane: Plane,
    member: int,
    rows: NDArray[np.int64],
    points: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return the mean loss over some rows at points of the plane through a member's end.

    Statistics that layers keep, as batch normalization does, change along with the weights, and stay within what was
    recorded.

    Args:
        model: the network.
        recording: the weights.
        plane: through whose directions the weights change.
        member: through whose end it is laid.
        rows: numbers of rows of the recording.
        points: shape (n, 2), in the coordinates of `plane.positions`.

    Source: Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018, equation 1 in two dimensions.
    """
    loss = loss_of(model)
    base, others = ([values[member, -1] for values in part] for part in (recording.trainable, recording.others))
    x, y = jax.tree.map(lambda values: values[rows], (recording.x, recording.y))
    used = [values[plane.used] for values in recording.others]
    bounds = [(values.min(axis=(0, 1)), values.max(axis=(0, 1))) for values in used]

    @jax.jit
    def everywhere(steps: Any, base: Any, directions: Any, others: Any, companions: Any, bounds: Any, data: Any) -> Any:
        def at(step: Any) -> Any:
            weights = [
                value + jnp.tensordot(step, way, 1).astype(value.dtype)
                for value, way in zip(base, directions, strict=True)
            ]
            states = [
                value if way is None else jnp.clip(value + jnp.tensordot(step, way, 1).astype(value.dtype), *within)
                for value, way, within in zip(others, companions, bounds, strict=True)
            ]
            return loss(weights, states, *data)

        return jax.lax.map(at, steps, batch_size=SIDE_BY_SIDE)

    steps = (points - plane.positions[member, -1]).astype(np.float32)
    losses = everywhere(steps, base, plane.directions, others, plane.companions, bounds, (x, y))
    return np.asarray(losses, np.float32)
