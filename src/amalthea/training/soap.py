"""The optimizer SOAP: Adam, in the directions in which the gradients of a layer vary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
from keras import ops


@keras.saving.register_keras_serializable("amalthea")
class Soap(keras.optimizers.Optimizer):
    """Adam in the slowly turning eigenbasis of Shampoo's preconditioner.

    Of the gradients G of each matrix the moving averages L of G Gᵀ and R of Gᵀ G are kept. Adam works on the gradient
    rotated into the eigenvectors of L and R, which one step of the QR algorithm brings up to date every few steps.
    Vectors follow plain Adam. For the small, smooth networks of potentials it learns several times faster than Adam.

    Args:
        learning_rate: a number or a schedule.
        beta_1: the decay of the mean of the gradients.
        beta_2: the decay of the mean of their squares.
        beta_3: the decay of L and R.
        epsilon: keeps the division finite.
        refresh: steps between two turns of the bases.
        name: of the optimizer.
        **options: those of every Keras optimizer.

    Source: Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", ICLR 2025, algorithm 3.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer=Soap(learning_rate=0.01), loss="mse")
        >>> history = model.fit(ops.ones((8, 3)), ops.ones((8, 1)), epochs=3, verbose=0)
        >>> history.history["loss"][-1] < history.history["loss"][0]
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.003,
        beta_1: float = 0.95,
        beta_2: float = 0.95,
        beta_3: float = 0.95,
        epsilon: float = 1e-8,
        refresh: int = 10,
        name: str = "soap",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **options)
        self.beta_1, self.beta_2, self.beta_3 = beta_1, beta_2, beta_3
        self.epsilon, self.refresh = epsilon, refresh

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Create the moving averages, and the bases of each matrix."""
        if self.built:
            return
        super().build(variables)
        self._mean = self.add_optimizer_variables(variables, "mean")
        self._square = self.add_optimizer_variables(variables, "square")
        self._sides = [
            [self._side(variable, axis) for axis in range(2)] if len(variable.shape) == 2 else []
            for variable in variables
        ]

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Change a variable by one step."""
        number = self._get_variable_index(variable)
        mean, square, sides = self._mean[number], self._square[number], self._sides[number]
        rate, gradient = (ops.cast(values, variable.dtype) for values in (learning_rate, gradient))
        step = ops.cast(self.iterations + 1, variable.dtype)
        self.assign(mean, self.beta_1 * mean + (1 - self.beta_1) * gradient)
        self.assign(square, self.beta_2 * square + (1 - self.beta_2) * ops.square(_rotate(gradient, sides)))
        corrected = ops.sqrt(square / (1 - self.beta_2**step)) + self.epsilon
        direction = _rotate(mean / (1 - self.beta_1**step), sides) / corrected
        self.assign_sub(variable, rate * _rotate(direction, sides, back=True))
        due = ops.equal(self.iterations % self.refresh, 0)
        for axis, (statistic, basis) in enumerate(sides):
            rotated = gradient if axis == 0 else ops.transpose(gradient)
            latest = self.beta_3 * statistic + (1 - self.beta_3) * (rotated @ ops.transpose(rotated))
            self.assign(statistic, latest)
            if basis.shape[0] > 1:
                turned = ops.cond(due, lambda s=latest, b=basis: orthonormal(s @ b), lambda b=basis: b + 0.0)
                self.assign(basis, turned)

    def get_config(self) -> dict[str, Any]:
        """Return the optimizer's arguments."""
        names = ("beta_1", "beta_2", "beta_3", "epsilon", "refresh")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _side(self, variable: keras.Variable, axis: int) -> tuple[keras.Variable, keras.Variable]:
        """Return the moving average of one side of a matrix, and its basis."""
        shape, side = (variable.shape[axis],) * 2, ("left", "right")[axis]
        statistic = self.add_variable(shape, "zeros", variable.dtype, name=f"{side}_{variable.name}")
        basis = self.add_variable(shape, "identity", variable.dtype, name=f"{side}_basis_{variable.name}")
        return statistic, basis


def orthonormal(matrix: Any) -> Any:
    """Return Q of the QR decomposition of a square matrix, by Householder's reflections.

    LAPACK's, as XLA calls it on CPUs, waits for threads that never come free where several devices call it at once.

    Args:
        matrix: shape (n, n), of any rank.

    Example:
        >>> q = orthonormal(jnp.array([[1.0, 2.0], [0.0, 0.0]]))
        >>> bool(jnp.allclose(q.T @ q, jnp.eye(2)))
        True
    """
    size = matrix.shape[0]
    rows = jnp.arange(size)

    def reflect(column: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        rest, q = state
        vector = jnp.where(rows >= column, jax.lax.dynamic_index_in_dim(rest, column, 1, keepdims=False), 0.0)
        head = vector[column]
        length = jnp.linalg.norm(vector)
        vector = vector + jnp.where(rows == column, jnp.where(head < 0, -length, length), 0.0)
        square = vector @ vector
        factor = jnp.where(square > 0, 2.0 / jnp.where(square > 0, square, 1.0), 0.0)
        rest = rest - jnp.outer(factor * vector, vector @ rest)
        return rest, q - jnp.outer(q @ vector, factor * vector)

    scaled = matrix / jnp.maximum(jnp.abs(matrix).max(), 1e-30)
    return jax.lax.fori_loop(0, size, reflect, (scaled, jnp.eye(size, dtype=matrix.dtype)))[1]


def _rotate(values: Any, sides: Sequence[Any], back: bool = False) -> Any:
    """Return a matrix in the bases of its two sides, or back from them; a vector as it is."""
    if not sides:
        return values
    left, right = (ops.convert_to_tensor(basis) for _, basis in sides)
    return left @ values @ ops.transpose(right) if back else ops.transpose(left) @ values @ right
