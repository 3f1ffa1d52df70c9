"""The path of one or two weights down the surface of a loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from amalthea.errors import AmaltheaError
from amalthea.insight.gradient_descent import optimizers
from amalthea.training.arrays import whole_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Path:
    """Where an optimizer went.

    Args:
        weights: at each step, the start first, shape (steps + 1, weights).
        losses: there; with batches the mean over all of them, shape (steps + 1,).
        gradients: those that each step was made from, shape (steps, weights).
        diverged: the path ended early, as what followed was no finite number.
        surface: the loss as a function of the weights, shape (weights,).
    """

    weights: np.ndarray[Any, Any]
    losses: np.ndarray[Any, Any]
    gradients: np.ndarray[Any, Any]
    diverged: bool
    surface: Callable[[Any], Any]

    @property
    def steps(self) -> int:
        """The number of steps that were taken."""
        return len(self.gradients)

    def figure(self, theme: str = "light", title: str = "", caption: str = "") -> Figure:
        """Return the path on its surface, and the loss at each step.

        Args:
            theme: "light" or "dark".
            title: the heading.
            caption: sentences below it.

        Raises:
            MissingDependencyError: Matplotlib is not installed.
        """
        from amalthea.insight.gradient_descent.descent_plots import figure

        return figure({"": self}, theme, title, caption)

    def data(self) -> dict[str, Any]:
        """Return the path as plain numbers and lists, for JSON."""
        return {
            "weights": self.weights.tolist(),
            "losses": self.losses.tolist(),
            "gradients": self.gradients.tolist(),
            "diverged": self.diverged,
        }


def descent(function: Callable[..., Any], optimizer: Any, start: Any, steps: int, batches: Any = None) -> Path:
    """Follow an optimizer down a loss of one or two weights.

    Args:
        function: the loss, of the weights in the shape of `start`; with batches, of weights and a batch.
        optimizer: any Keras optimizer, or its name; a copy of it starts anew.
        start: one or two weights.
        steps: how many.
        batches: arrays whose first axis counts batches, which the steps take in turn, again and again; None: none.

    Raises:
        AmaltheaError: there are more than two weights, or the function does not return one real number.

    Example:
        >>> path = descent(lambda w: w**2, keras.optimizers.SGD(0.25), start=4.0, steps=3)
        >>> path.weights[:, 0].tolist(), path.losses.tolist()
        ([4.0, 2.0, 1.0, 0.5], [16.0, 4.0, 1.0, 0.25])
    """
    whole_number("steps", steps, least=1)
    first = np.asarray(start, np.float32)
    if first.size not in (1, 2) or not np.isfinite(first).all():
        raise AmaltheaError(f"The start must be one or two finite weights. Received: {start!r}.")
    count = 1 if batches is None else len(jax.tree.leaves(batches)[0])

    def loss(weights: Any, batch: Any) -> Any:
        return jnp.reshape(function(weights) if batches is None else function(weights, batch), ())

    def mean_loss(weights: Any) -> Any:
        if batches is None:
            return loss(weights, None)
        return jax.vmap(loss, in_axes=(None, 0))(weights, batches).mean()

    given = () if batches is None else (jax.tree.map(lambda values: jnp.asarray(values)[0], batches),)
    _check(function, first, *given)
    order = jnp.arange(steps) % count
    weights, losses, gradients = _run(loss, mean_loss, optimizer, first, batches, order)
    lost = ~(np.isfinite(weights).all(1) & np.isfinite(losses))
    end = int(lost.argmax()) if lost.any() else steps + 1
    if end == 0:
        raise AmaltheaError("The loss is not finite at the start.")
    surface = jax.vmap(lambda point: mean_loss(point.reshape(first.shape)))
    return Path(weights[:end], losses[:end], gradients[: end - 1], bool(lost.any()), surface)


def _run(
    loss: Callable[..., Any], mean_loss: Callable[..., Any], optimizer: Any, first: Any, batches: Any, order: Any
) -> tuple[Any, Any, Any]:
    """Return weights and losses before each step and after the last, and the gradients of the steps."""
    variable = keras.Variable(first, name="weights")
    built = optimizers.fresh(optimizer, [variable])

    def step(state: Any, turn: Any) -> tuple[Any, Any]:
        weights, remembered = state
        batch = None if batches is None else jax.tree.map(lambda values: jnp.asarray(values)[turn], batches)
        gradient = jax.grad(loss)(weights, batch)
        (following,), remembered = built.stateless_apply(remembered, [gradient], [weights])
        return (following, remembered), (following, gradient)

    @jax.jit
    def walk(weights: Any, remembered: Any) -> Any:
        _, (passed, gradients) = jax.lax.scan(step, (weights, remembered), order)
        passed = jnp.concatenate([weights[None], passed])
        return passed, jax.lax.map(mean_loss, passed), gradients

    walked = walk(jnp.asarray(first), [variable.value for variable in built.variables])
    passed, losses, gradients = (np.asarray(values, np.float32) for values in walked)
    return passed.reshape(len(passed), -1), losses.reshape(-1), gradients.reshape(len(gradients), -1)


def _check(function: Callable[..., Any], *given: Any) -> None:
    """Refuse a loss that is not one real number."""
    returned = jax.tree.leaves(jax.eval_shape(function, *given))
    if len(returned) != 1 or returned[0].size != 1 or not jnp.issubdtype(returned[0].dtype, jnp.floating):
        received = ", ".join(f"{one.dtype} of shape {one.shape}" for one in returned) or "nothing"
        raise AmaltheaError(f"The function must return one real number, the loss. Received: {received}.")
