"""One step of learning: the gradient, what the optimizer makes of it, and what becomes of the loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np

from amalthea import backend
from amalthea.errors import AmaltheaError
from amalthea.insight.computational_graph.text import plain
from amalthea.insight.gradient_descent import optimizers
from amalthea.progress import Bar, Verbosity
from amalthea.training.arrays import as_arrays, count_rows, whole_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arrays = tuple[np.ndarray[Any, Any], ...]

FOUR = ("sgd", "rmsprop", "adagrad", "adam")
"""The optimizers of every lecture."""


@dataclasses.dataclass(frozen=True)
class Step:
    """What one mini-batch changed.

    Args:
        optimizer: its name.
        learning_rate: the optimizer's.
        weights: the weights' names.
        gradient: of the loss with respect to each weight array.
        update: what was added to each.
        state: what the optimizer remembers afterwards, by Keras's names: momentum, velocity (mean squared gradient).
        loss: before the step.
        predicted_change: of the loss, to first order: the gradient times the update.
        actual_change: of the loss of the same mini-batch.
    """

    optimizer: str
    learning_rate: float
    weights: tuple[str, ...]
    gradient: Arrays
    update: Arrays
    state: dict[str, np.ndarray[Any, Any]]
    loss: float
    predicted_change: float
    actual_change: float

    @property
    def scaling(self) -> Arrays:
        """For each weight the step length: the update divided by the negative gradient; NaN where that is zero.

        For plain gradient descent it is the learning rate everywhere.
        """
        pairs = zip(self.update, self.gradient, strict=True)
        return tuple(
            np.divide(-update, gradient, out=np.full_like(update, np.nan), where=gradient != 0)
            for update, gradient in pairs
        )

    def figure(self, theme: str = "light", title: str = "", caption: str = "") -> Figure:
        """Return the step as a figure.

        Args:
            theme: "light" or "dark".
            title: the heading.
            caption: sentences below it.

        Raises:
            MissingDependencyError: Matplotlib is not installed.
        """
        return figure({self.optimizer: self}, theme, title, caption)

    def data(self) -> dict[str, Any]:
        """Return the step as plain numbers and lists, for JSON; numbers that are not finite are null."""
        return {
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "loss": self.loss,
            "predicted_change": self.predicted_change,
            "actual_change": self.actual_change,
            "weights": {
                name: {"gradient": gradient.tolist(), "update": update.tolist(), "scaling": plain(scaling)}
                for name, gradient, update, scaling in zip(
                    self.weights, self.gradient, self.update, self.scaling, strict=True
                )
            },
            "state": {name: value.tolist() for name, value in self.state.items()},
        }

    def __repr__(self) -> str:
        return (
            f"{self.optimizer}: loss {self.loss:.4g}, change predicted {self.predicted_change:+.3g}, "
            f"actual {self.actual_change:+.3g}"
        )


def step(model: keras.Model, x: Any, y: Any, optimizer: Any = None, previous: int = 0) -> Step:
    """Take one step on a mini-batch, look at it, and leave the model as it was.

    Args:
        model: built or not, and compiled with a loss.
        x: inputs of the mini-batch, shape (rows, ...).
        y: its targets.
        optimizer: any Keras optimizer, or its name; None: the model's own. A copy of it starts anew.
        previous: steps on the same mini-batch that come before it, for the optimizer to have something to remember.

    Raises:
        AmaltheaError: the model has no loss, or the step is made from something that is not finite.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, None, False, kernel_initializer="ones")])
        >>> model.compile("sgd", "mean_squared_error")
        >>> taken = step(model, np.ones((4, 1)), np.zeros(4), keras.optimizers.SGD(0.25))
        >>> taken.gradient[0].tolist(), taken.update[0].tolist(), taken.predicted_change, taken.actual_change
        ([[2.0]], [[-0.5]], -1.0, -0.75)
    """
    whole_number("previous", previous, least=0)
    return _step(_Slope(model, x, y), optimizer, previous)


def _step(slope: _Slope, optimizer: Any, previous: int) -> Step:
    model = slope.model
    built = optimizers.fresh(model.optimizer if optimizer is None else optimizer, model.trainable_variables)
    rate = float(np.asarray(built.learning_rate))
    loss, after, before, following, gradient, remembered = jax.tree.map(np.asarray, _take(slope, built, previous))
    if not np.isfinite(loss) or not all(np.isfinite(values).all() for values in gradient):
        raise AmaltheaError("The loss or its gradient is not finite on this mini-batch: are x and y finite and scaled?")
    update = tuple(new - old for new, old in zip(following, before, strict=True))
    predicted = sum(float(np.vdot(g, u)) for g, u in zip(gradient, update, strict=True))
    names = tuple(variable.path.removeprefix(f"{model.name}/") for variable in model.trainable_variables)
    state = optimizers.state(built, remembered)
    return Step(
        type(built).__name__,
        rate,
        names,
        tuple(gradient),
        update,
        state,
        float(loss),
        predicted,
        float(after) - float(loss),
    )


class _Slope:
    """The loss of a mini-batch and its gradient, compiled once for all optimizers."""

    def __init__(self, model: keras.Model, x: Any, y: Any) -> None:
        backend.prepare()
        x, y = as_arrays(x, "x"), as_arrays(y, "y")
        count_rows(x=x, y=y)
        if not model.built:
            model(x)
        if not (model.compiled and model.optimizer):
            raise AmaltheaError("The model has no loss: call model.compile(optimizer=..., loss=...).")
        others = [variable.value for variable in model.non_trainable_variables]
        metrics = [variable.value for variable in model.metrics_variables]
        unused = [variable.value for variable in model.optimizer.variables]

        def loss(weights: Any) -> Any:
            return model.compute_loss_and_updates(  # the same random state each time: dropout leaves out the same units
                weights, others, metrics, x, y, None, training=True, optimizer_variables=unused
            )[0]

        self.model = model
        self.of = jax.jit(jax.value_and_grad(loss))


def _take(slope: _Slope, built: Any, previous: int) -> Any:
    """Return the loss before and after a step, the weights before and after, the gradient, the optimizer's state."""
    apply = jax.jit(built.stateless_apply)
    weights = [variable.value for variable in slope.model.trainable_variables]
    remembered = [variable.value for variable in built.variables]
    for _ in range(previous):
        weights, remembered = apply(remembered, slope.of(weights)[1], weights)
    value, gradient = slope.of(weights)
    following, remembered = apply(remembered, gradient, weights)
    return value, slope.of(following)[0], weights, following, gradient, remembered


def steps(
    model: keras.Model,
    x: Any,
    y: Any,
    optimizers: Sequence[Any] = FOUR,
    previous: int = 0,
    verbose: Verbosity = "auto",
) -> dict[str, Step]:
    """Take the same step with several optimizers, each from the model's weights as they are.

    Args:
        model: built or not, and compiled with a loss.
        x: inputs of the mini-batch, shape (rows, ...).
        y: its targets.
        optimizers: Keras optimizers, or their names.
        previous: steps on the same mini-batch that come before it.
        verbose: "auto" shows a progress bar on a terminal only, 1 always, 0 never.

    Raises:
        AmaltheaError: the model has no loss, or a step is made from something that is not finite.
    """
    whole_number("previous", previous, least=0)
    by_name: dict[str, Step] = {}
    with Bar("steps", total=len(optimizers), verbose=verbose) as bar:
        slope = _Slope(model, x, y)
        for optimizer in optimizers:
            taken = _step(slope, optimizer, previous)
            name = optimizer if isinstance(optimizer, str) else taken.optimizer
            by_name[name if name not in by_name else f"{name} {len(by_name) + 1}"] = taken
            bar.advance(name)
    return by_name


def figure(taken: dict[str, Step], theme: str = "light", title: str = "", caption: str = "") -> Figure:
    """Return steps side by side: every weight's update against its gradient, and what the loss did.

    Args:
        taken: steps by what they are called.
        theme: "light" or "dark".
        title: the heading.
        caption: sentences below it.

    Raises:
        MissingDependencyError: Matplotlib is not installed.
    """
    from amalthea.insight.gradient_descent.step_plots import figure as draw

    return draw(taken, theme, title, caption)
