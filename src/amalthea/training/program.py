"""The compiled program: one epoch of many networks."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
from keras.src.backend import get_keras_mask, set_keras_mask  # in no public module

from amalthea.training.buckets import Several, take
from amalthea.training.convolution import fast_convolutions
from amalthea.training.initialization import normalizations
from amalthea.training.sharding import Placement
from amalthea.training.windows import take as rows_of

SCORED_AT_ONCE = 256
"""Validation rows that a member scores in one step."""

Variables = list[Any]
Scores = dict[str, jax.Array]


class Learner(NamedTuple):
    """Everything that changes while one member learns; stacked, every array has a leading member axis."""

    trainable: Variables  # the weights
    others: Variables  # the model's non-trainable variables: statistics, random states
    optimizer: Variables  # the optimizer's variables
    # (trainable, others) of the epoch with the lowest validation loss; empty without patience
    best: tuple[Variables, Variables] | tuple[()]
    best_loss: Any  # that loss
    best_epoch: Any  # that epoch, from 0
    waited: Any  # epochs since then
    epochs: Any  # epochs done
    learning: Any  # False once the member has stopped
    diverged: Any  # True if its loss was not finite


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

        def step(state: Any, rows: jax.Array) -> tuple[Any, Any]:
            return self._learn(state, rows_of(data, rows))

        def step_of_a_class(state: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, Any]:
            def learn(state: Any, rows: jax.Array, number: int) -> tuple[Any, Any]:
                return self._learn(state, take(data.parts[number], rows))

            which, rows = given
            ways = [functools.partial(learn, number=number) for number in range(len(data.parts))]
            learned, scored = jax.lax.switch(which, ways, state, rows)
            # A member that has nothing of this class stays as it is.
            there = (rows >= 0).any()
            return jax.tree.map(lambda new, old: jnp.where(there, new, old), learned, state), scored

        # 1. One pass over the mini-batches, in the order that was drawn for this epoch.
        start = (learner.trainable, learner.others, learner.optimizer, _fresh_metrics(self.model))
        several = isinstance(data, Several)
        steps: Any = (step_of_a_class, (data.which, order)) if several else (step, order)
        (trainable, others, optimizer_variables, metrics), (losses, added) = jax.lax.scan(steps[0], start, steps[1])
        # Batches of several shapes are not all full; their losses are sums over rows, divided by a whole batch.
        filled = jnp.maximum((order >= 0).mean(), 1 / order.size) if several else 1.0
        scores = {**_results(self.model, metrics, _last(added)), "loss": losses.mean() / filled}
        learned = learner._replace(
            trainable=trainable, others=others, optimizer=optimizer_variables, epochs=learner.epochs + 1
        )
        # 2. The member's own validation rows, and whether it has improved.
        if validation.size:
            # Whole blocks in a loop, the rest in one smaller step: no row counts twice.
            whole = len(validation) // SCORED_AT_ONCE * SCORED_AT_ONCE
            blocks = validation[:whole].reshape(-1, SCORED_AT_ONCE)
            measured = score(self.model, (trainable, others), data, (blocks, validation[whole:]))
            scores |= {f"val_{name}": value for name, value in measured.items()}
            learned = self._judge(learned, scores["val_loss"])
        # The last step of an epoch can lose the weights without having been counted in its loss.
        finite = jnp.stack([jnp.isfinite(values).all() for values in (scores["loss"], *trainable)]).all()
        # 3. Who has stopped, or lost its weights now, stays as it was: all members go through the same program.
        kept = learner._replace(learning=jnp.array(False), diverged=learner.diverged | (learner.learning & ~finite))
        following = jax.tree.map(lambda new, old: jnp.where(learner.learning & finite, new, old), learned, kept)
        return following, {name: jnp.where(learner.learning, value, jnp.nan) for name, value in scores.items()}

    def _learn(self, state: Any, batch: Any) -> tuple[Any, Any]:
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
        metrics, added = _count(self.model, metrics, x, y, answer, weight)  # 6. keep the score
        return (trainable, others, optimizer_variables, metrics), (value, added)

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

    def _finish(self, learner: Learner) -> tuple[Variables, Variables]:
        """One member's final weights: the best, or the last (averaged where the optimizer keeps an average)."""
        if learner.best:
            return learner.best
        model = [*self.model.trainable_variables, *self.optimizer.variables]
        with keras.StatelessScope(zip(model, [*learner.trainable, *learner.optimizer], strict=True)) as scope:
            self.optimizer.finalize_variable_values(self.model.trainable_variables)
        return [scope.get_current_value(variable) for variable in self.model.trainable_variables], learner.others


def answers(model: keras.Model, placement: Placement) -> Callable[..., Any]:
    """Return the program by which members answer: ((trainable, others), rows, x) -> predictions.

    `rows`, shape (members, steps, batch), says which rows of `x` each member is asked; predictions have the shape
    (members, steps, batch, ...).
    """

    def ask(variables: tuple[Variables, Variables], rows: jax.Array, x: Any) -> Any:
        return jax.lax.map(lambda member_rows: model.predict_step(variables, (rows_of(x, member_rows),))[0], rows)

    return for_members(ask, model, placement)


def judges(model: keras.Model, placement: Placement) -> Callable[..., tuple[Scores, Scores]]:
    """Return the program that judges members: ((trainable, others), data) -> their scores, and the mean's.

    `data` is (x, y, sample weights) of n rows, the mean's answers to them, and the rows as `score` takes them.
    """

    def judge(variables: tuple[Variables, Variables], given: Any) -> tuple[Scores, Scores]:
        data, mean, rows = given
        return score(model, variables, data, rows), score(model, variables, data, rows, mean)

    return for_members(judge, model, placement)


def score(
    model: keras.Model,
    variables: tuple[Variables, Variables],
    data: Any,
    rows: tuple[jax.Array, jax.Array],
    instead: Any = None,
) -> Scores:
    """Return the loss and metrics of one member on some rows, as `keras.Model.evaluate` does.

    Args:
        model: a compiled model.
        variables: the member's trainable and other variables.
        data: (x, y, sample weights), arrays of n rows.
        rows: those of equal batches, shape (batches, size), and those of a last, smaller one, shape (rest,).
        instead: answers of n rows that are judged in place of the member's, with its masks and penalties.
    """
    blocks, rest = rows

    def step(metrics: Variables, rows: jax.Array) -> tuple[Variables, Any]:
        x, y, weight = rows_of(data, rows)
        if instead is None:
            _, (value, answer, _, metrics) = model.compute_loss_and_updates(
                *variables, metrics, x, y, weight, training=False
            )
        else:
            training = {"training": False} if model._call_has_training_arg else {}
            answer, _, penalties = model.stateless_call(*variables, x, return_losses=True, **training)
            answer = jax.tree.map(_masked_alike, rows_of(instead, rows), answer)
            model._losses_override = penalties
            value, (_, _, metrics) = model.stateless_compute_loss(
                *variables, metrics, x=x, y=y, y_pred=answer, sample_weight=weight, training=False
            )
            model._losses_override = []
        metrics, added = _count(model, metrics, x, y, answer, weight)
        return metrics, (value, added)

    metrics, (losses, added) = jax.lax.scan(step, _fresh_metrics(model), blocks)
    total, latest = losses.sum() * blocks.shape[1], _last(added) if len(blocks) else {}
    if len(rest):
        metrics, (last, latest) = step(metrics, rest)
        total = total + last * len(rest)
    return {**_results(model, metrics, latest), "loss": total / (blocks.size + len(rest))}


def _masked_alike(values: jax.Array, answer: jax.Array) -> jax.Array:
    """Give values the mask that an answer bears: losses and metrics heed it."""
    if get_keras_mask(answer) is not None:
        set_keras_mask(values, get_keras_mask(answer))
    return values


def _fresh_metrics(model: keras.Model) -> Variables:
    with keras.StatelessScope() as scope:
        model.reset_metrics()
    return [scope.get_current_value(variable) for variable in model.metrics_variables]


def _count(model: keras.Model, metrics: Variables, x: Any, y: Any, answer: Any, weight: Any) -> tuple[Variables, Any]:
    """Return the metrics' variables after a batch, and the figures that a `compute_metrics` adds to them."""
    with keras.StatelessScope(zip(model.metrics_variables, metrics, strict=True)) as scope:
        figures = model.compute_metrics(x, y, answer, weight)
        known = model.get_metrics_result()
    added = {name: value for name, value in figures.items() if name not in known}
    return [scope.get_current_value(variable) for variable in model.metrics_variables], added


def _results(model: keras.Model, metrics: Variables, added: Mapping[str, Any]) -> Scores:
    """Return all figures of one number; those of several are numbered: `f1_score_0`, `f1_score_1`, ..."""
    with keras.StatelessScope(zip(model.metrics_variables, metrics, strict=True)):
        figures = {**model.get_metrics_result(), **added}
    scores: Scores = {}
    for name, value in figures.items():
        values = jnp.asarray(value)
        parts = enumerate(values.ravel())
        scores |= {f"{name}_{index}": part for index, part in parts} if values.ndim else {name: values}
    return scores


def _last(values: Any) -> Any:
    return jax.tree.map(lambda each: each[-1], values)


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
