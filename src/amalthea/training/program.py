"""The compiled program: one epoch of many networks."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

from amalthea.training.buckets import Several, take
from amalthea.training.convolution import fast_convolutions
from amalthea.training.initialization import normalizations
from amalthea.training.sharding import Placement

SCORED_AT_ONCE = 256
"""Validation rows that a member scores in one step."""

Variables = list[Any]
Scores = dict[str, jax.Array]


class Learner(NamedTuple):
    """Everything that changes while one member learns; stacked, every array has a leading member axis.

    Args:
        trainable: the weights.
        others: the model's non-trainable variables: statistics, random states.
        optimizer: the optimizer's variables.
        best: (trainable, others) of the epoch with the lowest validation loss; empty without patience.
        best_loss: that loss.
        best_epoch: that epoch, from 0.
        waited: epochs since then.
        epochs: epochs done.
        learning: False once the member has stopped.
        diverged: True if its loss was not finite.
    """

    trainable: Variables
    others: Variables
    optimizer: Variables
    best: tuple[Variables, Variables] | tuple[()]
    best_loss: Any
    best_epoch: Any
    waited: Any
    epochs: Any
    learning: Any
    diverged: Any


class Program:
    """A compiled model's training and answering, for many members at once.

    Args:
        model: a compiled and built `keras.Model`; tracing leaves it as it is.
        optimizer: an optimizer of its own, built on the model's trainable variables.
        placement: where the members lie.
        patience: epochs without a lower validation loss after which a member stops; None: never.
    """

    def __init__(self, model: keras.Model, optimizer: Any, placement: Placement, patience: int | None) -> None:
        self.model, self.optimizer, self.placement, self.patience = model, optimizer, placement, patience
        self.epoch = for_members(self._epoch, model, placement, donate=True)
        self.finish = for_members(self._finish, model, placement)

    def _epoch(self, learner: Learner, order: jax.Array, validation: jax.Array, data: Any) -> tuple[Learner, Scores]:
        """One epoch of one member.

        Args:
            learner: the member.
            order: its mini-batches, row indices, shape (steps, batch).
            validation: its validation rows, shape (rows,).
            data: (x, y, sample weights), arrays of n rows; or `Several` such, of examples of several shapes.
        """

        def step(state: Any, rows: jax.Array) -> tuple[Any, jax.Array]:
            return self._learn(state, _take(data, rows))

        def step_of_a_class(state: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, jax.Array]:
            def learn(state: Any, rows: jax.Array, number: int) -> tuple[Any, jax.Array]:
                return self._learn(state, take(data.parts[number], rows))

            which, rows = given
            ways = [functools.partial(learn, number=number) for number in range(len(data.parts))]
            learned, loss = jax.lax.switch(which, ways, state, rows)
            # A member that has nothing of this class stays as it is.
            there = (rows >= 0).any()
            return jax.tree.map(lambda new, old: jnp.where(there, new, old), learned, state), loss

        # 1. One pass over the mini-batches, in the order that was drawn for this epoch.
        start = (learner.trainable, learner.others, learner.optimizer, self._metrics())
        several = isinstance(data, Several)
        steps: Any = (step_of_a_class, (data.which, order)) if several else (step, order)
        (trainable, others, optimizer_variables, metrics), losses = jax.lax.scan(steps[0], start, steps[1])
        # Batches of several shapes are not all full; their losses are sums over rows, divided by a whole batch.
        filled = jnp.maximum((order >= 0).mean(), 1 / order.size) if several else 1.0
        scores = {**self._results(metrics), "loss": losses.mean() / filled}
        learned = learner._replace(
            trainable=trainable, others=others, optimizer=optimizer_variables, epochs=learner.epochs + 1
        )
        # 2. The member's own validation rows, and whether it has improved.
        if validation.size:
            measured = self._score(trainable, others, validation, data)
            scores |= {f"val_{name}": value for name, value in measured.items()}
            learned = self._judge(learned, scores["val_loss"])
        # The last step of an epoch can lose the weights without having been counted in its loss.
        finite = jnp.stack([jnp.isfinite(values).all() for values in (scores["loss"], *trainable)]).all()
        # 3. Who has stopped, or lost its weights now, stays as it was: all members go through the same program.
        kept = learner._replace(learning=jnp.array(False), diverged=learner.diverged | (learner.learning & ~finite))
        following = jax.tree.map(lambda new, old: jnp.where(learner.learning & finite, new, old), learned, kept)
        return following, {name: jnp.where(learner.learning, value, jnp.nan) for name, value in scores.items()}

    def _learn(self, state: Any, batch: Any) -> tuple[Any, jax.Array]:
        """One step of one member."""
        trainable, others, optimizer_variables, metrics = state
        x, y, weight = batch  # 1. a mini-batch
        loss = jax.value_and_grad(self.model.compute_loss_and_updates, has_aux=True)
        (_, (value, answer, others, metrics)), gradients = loss(  # 2. forward pass, 3. loss, 4. backward pass
            trainable, others, metrics, x, y, weight, training=True, optimizer_variables=optimizer_variables
        )
        trainable, optimizer_variables = self.optimizer.stateless_apply(  # 5. a step down the gradient
            optimizer_variables, gradients, trainable
        )
        metrics = self._count(metrics, x, y, answer, weight)  # 6. keep the score
        return (trainable, others, optimizer_variables, metrics), value

    def _judge(self, learner: Learner, loss: jax.Array) -> Learner:
        """Keep a member's best weights, and stop it when its patience is at an end."""
        if self.patience is None:
            return learner
        better = loss < learner.best_loss
        now = (learner.trainable, learner.others)
        waited = jnp.where(better, 0, learner.waited + 1)
        return learner._replace(
            best=jax.tree.map(lambda new, old: jnp.where(better, new, old), now, learner.best),
            best_loss=jnp.where(better, loss, learner.best_loss),
            best_epoch=jnp.where(better, learner.epochs - 1, learner.best_epoch),
            waited=waited,
            learning=waited < self.patience,
        )

    def _score(self, trainable: Variables, others: Variables, rows: jax.Array, data: Any) -> Scores:
        """Loss and metrics of one member on some rows, without learning from them."""

        def step(metrics: Variables, rows: jax.Array) -> tuple[Variables, jax.Array]:
            x, y, weight = _take(data, rows)
            _, (value, answer, _, metrics) = self.model.compute_loss_and_updates(
                trainable, others, metrics, x, y, weight, training=False
            )
            return self._count(metrics, x, y, answer, weight), value

        # Whole blocks in a loop, the rest in one smaller step: no row counts twice.
        whole = len(rows) // SCORED_AT_ONCE * SCORED_AT_ONCE
        metrics, losses = jax.lax.scan(step, self._metrics(), rows[:whole].reshape(-1, SCORED_AT_ONCE))
        total = losses.sum() * SCORED_AT_ONCE
        if whole < len(rows):
            metrics, last = step(metrics, rows[whole:])
            total = total + last * (len(rows) - whole)
        return {**self._results(metrics), "loss": total / len(rows)}

    def _finish(self, learner: Learner) -> tuple[Variables, Variables]:
        """One member's final weights: the best, or the last (averaged where the optimizer keeps an average)."""
        if learner.best:
            return learner.best
        model = [*self.model.trainable_variables, *self.optimizer.variables]
        with keras.StatelessScope(zip(model, [*learner.trainable, *learner.optimizer], strict=True)) as scope:
            self.optimizer.finalize_variable_values(self.model.trainable_variables)
        return [scope.get_current_value(variable) for variable in self.model.trainable_variables], learner.others

    def _metrics(self) -> Variables:
        with keras.StatelessScope() as scope:
            self.model.reset_metrics()
        return [scope.get_current_value(variable) for variable in self.model.metrics_variables]

    def _count(self, metrics: Variables, x: Any, y: Any, answer: Any, weight: Any) -> Variables:
        with keras.StatelessScope(zip(self.model.metrics_variables, metrics, strict=True)) as scope:
            self.model.compute_metrics(x, y, answer, weight)
        return [scope.get_current_value(variable) for variable in self.model.metrics_variables]

    def _results(self, metrics: Variables) -> Scores:
        with keras.StatelessScope(zip(self.model.metrics_variables, metrics, strict=True)):
            results = self.model.get_metrics_result()
        return {name: jnp.asarray(value) for name, value in results.items()}


def answers(model: keras.Model, placement: Placement) -> Callable[..., Any]:
    """Return the program by which members answer: ((trainable, others), rows, x) -> predictions.

    `rows`, shape (members, steps, batch), says which rows of `x` each member is asked; predictions have the shape
    (members, steps, batch, ...).
    """

    def ask(variables: tuple[Variables, Variables], rows: jax.Array, x: Any) -> Any:
        return jax.lax.map(lambda member_rows: model.predict_step(variables, (_take(x, member_rows),))[0], rows)

    return for_members(ask, model, placement)


def loss_of(model: keras.Model) -> Callable[..., jax.Array]:
    """Return the loss of one member, (trainable, others, x, y) -> loss as it answers, to be traced by the caller."""

    def loss(trainable: Variables, others: Variables, x: Any, y: Any) -> jax.Array:
        metrics = [variable.value for variable in model.metrics_variables]
        with fast_convolutions(model), _member_statistics(model, (trainable, others)):
            outputs = model.compute_loss_and_updates(trainable, others, metrics, x, y, None, training=False)
        value: jax.Array = outputs[0]
        return value

    return loss


def for_members(
    function: Callable[..., Any], model: keras.Model, placement: Placement, donate: bool = False
) -> Callable[..., Any]:
    """Return `function` of one member, compiled for all: portions in turn on each device, devices in parallel.

    Args:
        function: its first argument is a member (a `Learner`, or its trainable and other variables). Where it takes
            several, the last one is the data, which all members share; the others are each member's own.
        model: the model that it uses.
        placement: where the members lie.
        donate: let the result take the memory of the first argument.
    """

    def on_device(*arguments: Any) -> Any:
        stacked, shared = (arguments[:-1], arguments[-1:]) if len(arguments) > 1 else (arguments, ())

        def alone(member: Any) -> Any:
            with fast_convolutions(model), _member_statistics(model, member[0]):
                return function(*member, *shared)

        return jax.lax.map(alone, stacked, batch_size=None if placement.portion == 1 else placement.portion)

    def everywhere(*arguments: Any) -> Any:
        by_member, shared = placement.by_member.spec, placement.everywhere.spec
        given = (by_member,) * (len(arguments) - 1) + (shared,) if len(arguments) > 1 else (by_member,)
        return jax.shard_map(on_device, mesh=placement.mesh, in_specs=given, out_specs=by_member, check_vma=False)(
            *arguments
        )

    return jax.jit(everywhere, donate_argnums=(0,) if donate else ())


@contextlib.contextmanager
def _member_statistics(model: keras.Model, member: Any) -> Iterator[None]:
    """While tracing, let each `Normalization` use the member's own statistics, which it keeps in plain attributes."""
    others = member[1]  # of a `Learner` as of a pair (trainable, others)
    index_of = {id(variable): index for index, variable in enumerate(model.non_trainable_variables)}
    layers = normalizations(model)
    before = [(layer.mean, layer.variance) for layer in layers]
    try:
        for layer in layers:
            mean, variance = (others[index_of[id(v)]] for v in (layer.adapt_mean, layer.adapt_variance))
            layer.mean = jnp.reshape(mean, layer._broadcast_shape).astype(layer.compute_dtype)
            layer.variance = jnp.reshape(variance, layer._broadcast_shape).astype(layer.compute_dtype)
        yield
    finally:
        for layer, (mean, variance) in zip(layers, before, strict=True):
            layer.mean, layer.variance = mean, variance


def _take(data: Any, rows: jax.Array) -> Any:
    return jax.tree.map(lambda values: values[rows], data)
