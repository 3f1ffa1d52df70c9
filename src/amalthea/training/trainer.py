"""The training of all members, group after group, epoch after epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError
from amalthea.progress import Verbosity
from amalthea.training.arrays import size_in_bytes
from amalthea.training.assignment import Assignment, Rows, batches_by_epoch
from amalthea.training.buckets import Several, Shapes, class_batches_by_epoch, some
from amalthea.training.callbacks import Listeners
from amalthea.training.convolution import flowing_bytes
from amalthea.training.display import Display
from amalthea.training.held_out import HeldOut
from amalthea.training.history import History, far_above
from amalthea.training.initialization import Maker, draw_trainable, fit_scalers, scalers, start_others
from amalthea.training.interruption import StopRequest, stop_on_request
from amalthea.training.program import Learner, Program
from amalthea.training.sharding import Placement, choose_placement
from amalthea.training.weight_history import Recorder


@dataclasses.dataclass(frozen=True)
class Settings:
    """How the members are trained; the words of `Ensemble.fit`, and what makes a model like the ensemble's."""

    make: Maker
    epochs: int
    batch_size: int
    patience: int | None
    seed: int
    callbacks: Sequence[Any] = ()
    verbose: Verbosity = "auto"
    recorder: Recorder | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Trained:
    """What training leaves."""

    trainable: list[NDArray[Any]]  # the weights, one array a variable, shape (members, ...)
    others: list[NDArray[Any]]  # the model's non-trainable variables, likewise
    history: History  # losses and metrics


@dataclasses.dataclass(frozen=True, eq=False)
class _Group:
    """A group's end: its members' numbers, weights, scores (epochs of name to shape (members,)) and last state."""

    numbers: Rows
    trainable: list[NDArray[Any]]
    others: list[NDArray[Any]]
    scores: list[dict[str, NDArray[np.float32]]]
    epochs: NDArray[np.int64]
    lost: NDArray[np.bool_]
    stopped_at: NDArray[np.int64]


def train(
    model: keras.Model, x: Any, y: Any, sample_weight: Any, assignment: Assignment, settings: Settings
) -> Trained:
    """Train all members of an assignment.

    Args:
        model: a built and compiled model.
        x: inputs, arrays of n rows; or `Shapes`, inputs and targets of several shapes.
        y: targets; None with `Shapes`.
        sample_weight: weights of the rows, or None.
        assignment: who trains on what.
        settings: how.

    Raises:
        AmaltheaError: all members of a fold diverged.
        KeyboardInterrupt: interrupted before anything was learned.
    """
    # Every member takes as many steps: those with fewer rows fill their last batch from their own.
    batch = min(settings.batch_size, min(map(len, assignment.training)))
    steps = -(-max(map(len, assignment.training)) // batch)
    params = {"epochs": settings.epochs, "steps": None if isinstance(x, Shapes) else steps, "verbose": 0}
    listeners = Listeners(settings.callbacks, model, params)
    optimizer = fresh_optimizer(model)
    weights = [model.trainable_variables, model.non_trainable_variables]
    # While they learn, members have their weights and gradients, with patience also their best weights.
    copies = 2 if settings.patience is None else 3
    size = copies * size_in_bytes(weights) + size_in_bytes(optimizer.variables) + flowing_bytes(model)
    placement = choose_placement(len(assignment.training), size)
    program = Program(model, optimizer, placement, settings.patience)
    parts = tuple((*part, None) for part in x.parts) if isinstance(x, Shapes) else (x, y, sample_weight)
    # The rows go to the devices once; members pick theirs by number.
    data = jax.device_put(parts, placement.everywhere)
    statistics = scalers(model, x, y)
    # Group after group, as many members at a time as fit.
    groups = []
    turns = -(-len(assignment.training) // placement.group)
    display = Display(len(assignment.training), turns, settings.epochs, settings.verbose)
    held_out = None if isinstance(x, Shapes) or not display.shown else HeldOut.of(model, placement, assignment, data)
    with stop_on_request() as request, display:
        listeners.train_begin()
        for turn, numbers in enumerate(_in_turn(assignment, placement.group), start=1):
            start = _start(model, optimizer, numbers, x, statistics, assignment, settings, placement)
            everyone = placement.fill(numbers)
            orders: Iterator[tuple[Any, Any]]
            if isinstance(x, Shapes):
                orders = class_batches_by_epoch(assignment, everyone, x, settings.batch_size, settings.seed)
            else:
                of_rows = batches_by_epoch(assignment, everyone, steps, batch, settings.seed)
                orders = ((None, rows) for rows in of_rows)
            listeners.group_begin(last=turn == turns)
            display.group_begin(len(numbers))
            watch = _Watch(listeners, display, held_out, numbers)
            groups.append(_train_group(program, start, numbers, assignment, settings, orders, data, request, watch))
            if request.stop:
                break
        listeners.train_end()
    return _gather(groups, assignment, settings, request.stop)


def fresh_optimizer(model: keras.Model) -> Any:
    """Return an optimizer like the model's, built on its trainable variables, with a state of its own."""
    optimizer = _copy_optimizer(model.optimizer)
    if hasattr(model.optimizer, "_exclude_from_weight_decay"):  # by the variables themselves
        optimizer._exclude_from_weight_decay = model.optimizer._exclude_from_weight_decay
    optimizer.build(model.trainable_variables)
    return optimizer


def compile_like(member: keras.Model, model: keras.Model, optimizer: Any = None) -> None:
    """Compile a model as another one is, with optimizer (None: a copy of the other's) and metrics of its own."""
    config = dict(model._compile_config.config)
    config["optimizer"] = _copy_optimizer(model.optimizer) if optimizer is None else optimizer
    for name in ("metrics", "weighted_metrics"):
        config[name] = keras.tree.map_structure(
            lambda kind: type(kind).from_config(kind.get_config()) if isinstance(kind, keras.Metric) else kind,
            config[name],
        )
    member.compile(**config)


def _copy_optimizer(original: Any) -> Any:
    config = original.get_config()
    if not isinstance(original._learning_rate, keras.Variable):
        config["learning_rate"] = original._learning_rate  # a schedule need not be serializable
    optimizer = original.__class__.from_config(config)
    if hasattr(original, "_exclude_from_weight_decay_pattern"):  # not in Keras's configuration
        optimizer._exclude_from_weight_decay_pattern = original._exclude_from_weight_decay_pattern
    return optimizer


def member_seeds(seed: int, numbers: Rows) -> NDArray[np.uint32]:
    """Return each member's own seed, which depends on its number and the ensemble's seed alone."""
    return np.array([np.random.SeedSequence([seed, int(n), 2]).generate_state(1)[0] for n in numbers], np.uint32)


@dataclasses.dataclass(frozen=True, eq=False)
class _Watch:
    """Who follows a group of members while it learns: callbacks, and the display."""

    listeners: Listeners
    display: Display
    held_out: HeldOut | None
    numbers: Rows

    def look(self, learner: Learner) -> dict[str, jax.Array]:
        """Return what is measured for the display alone, where it is time to do so again."""
        if self.held_out is None or not self.display.due():
            return {}
        return self.held_out.scores((learner.trainable, learner.others), self.numbers)

    def note(
        self, latest: tuple[dict[str, jax.Array], dict[str, jax.Array]], scores: list[dict[str, NDArray[np.float32]]]
    ) -> bool:
        """Write an epoch's scores down and announce them; False once nobody learns any more."""
        read, looked = (
            {name: np.asarray(values)[: len(self.numbers)] for name, values in part.items()} for part in latest
        )
        learning = np.isfinite(read["loss"])
        if not learning.any() and scores:
            return False
        scores.append(read)
        if not learning.any():
            return False
        self.display.epoch_end({name: float(values[learning].mean()) for name, values in (read | looked).items()})
        self.listeners.epoch_end(len(scores) - 1, read)
        return True


def _in_turn(assignment: Assignment, size: int) -> Iterator[Rows]:
    """Yield the members' numbers in groups, the first members of all folds first: cut short, all folds have some."""
    every = assignment.layout.by_fold(np.arange(len(assignment.layout))).T.ravel()
    for start in range(0, len(every), size):
        yield every[start : start + size]


def _start(
    model: keras.Model,
    optimizer: Any,
    numbers: Rows,
    x: Any,
    statistics: list[Any],
    assignment: Assignment,
    settings: Settings,
    placement: Placement,
) -> Learner:
    everyone = placement.fill(numbers)
    seeds = member_seeds(settings.seed, everyone)
    trainable = draw_trainable(model, some(x), seeds, settings.make)
    others = start_others(model, seeds)
    fit_scalers(model, others, statistics, [assignment.training[number] for number in everyone])
    count = len(everyone)
    learner = Learner(
        trainable=trainable,
        others=others,
        optimizer=[np.repeat(np.asarray(variable)[None], count, axis=0) for variable in optimizer.variables],
        # Memory of its own, for the program gives back that of the first weights.
        best=() if settings.patience is None else ([*map(np.copy, trainable)], [*map(np.copy, others)]),
        best_loss=np.full(count, np.inf, np.float32),
        best_epoch=np.full(count, -1, np.int32),
        waited=np.zeros(count, np.int32),
        epochs=np.zeros(count, np.int32),
        learning=np.ones(count, bool),
        diverged=np.zeros(count, bool),
    )
    placed: Learner = jax.device_put(learner, placement.by_member)
    return placed


def _train_group(
    program: Program,
    learner: Learner,
    numbers: Rows,
    assignment: Assignment,
    settings: Settings,
    orders: Iterator[tuple[Any, Any]],
    data: Any,
    request: StopRequest,
    watch: _Watch,
) -> _Group:
    placement, listeners = program.placement, watch.listeners
    aside = np.stack([assignment.validation[number] for number in placement.fill(numbers)]).astype(np.int32)
    validation = jax.device_put(aside, placement.by_member)
    scores: list[dict[str, NDArray[np.float32]]] = []
    pending = None
    for epoch in range(settings.epochs):
        if listeners.in_step:
            # Who hears an epoch begin has heard before that the last one ended: nothing runs ahead.
            if pending is not None:
                watch.note(pending, scores)
                pending = None
            if request.stop or listeners.stop_requested or not np.asarray(learner.learning).any():
                break
            listeners.epoch_begin(epoch)
        if settings.recorder is not None:
            settings.recorder.see(epoch, numbers, learner.trainable, learner.others)
        which, order = next(orders)
        order = jax.device_put(order, placement.by_member)
        drawn = data if which is None else Several(data, jax.device_put(which, placement.everywhere))
        learner, latest = program.epoch(learner, order, validation, drawn)
        # The scores of the epoch before are read while this one runs.
        if pending is not None and not watch.note(pending, scores):
            pending = None
            break
        pending = latest, watch.look(learner)
        if request.stop or listeners.stop_requested:
            break
    if pending is not None:
        watch.note(pending, scores)
    request.stop |= listeners.stop_requested
    if settings.recorder is not None:
        settings.recorder.end(numbers, learner.trainable, learner.others)
    trainable, others = program.finish(learner)
    size = len(numbers)
    # With patience a member has its best weights, whatever came later; without, its last ones are not worth keeping.
    lost = np.asarray(learner.diverged if settings.patience is None else learner.best_epoch < 0)
    return _Group(
        numbers,
        [np.asarray(values)[:size] for values in trainable],
        [np.asarray(values)[:size] for values in others],
        scores,
        np.asarray(learner.epochs)[:size].astype(np.int64),
        lost[:size],
        np.where(np.asarray(learner.diverged), np.asarray(learner.epochs), -1)[:size],
    )


def _gather(groups: list[_Group], assignment: Assignment, settings: Settings, interrupted: bool) -> Trained:
    """Put the groups together, members in their own order; who did not begin or diverged is left out."""
    total = len(assignment.training)
    numbers = np.concatenate([group.numbers for group in groups])
    # Who did not begin, or lost its weights, is left out, and everybody put in its own position.
    begun = np.concatenate([group.epochs for group in groups]) > 0
    if interrupted and not begun.any():
        raise KeyboardInterrupt
    left_out = np.ones(total, bool)
    left_out[numbers] = np.concatenate([group.lost for group in groups]) | ~begun
    epochs = np.zeros(total, np.int64)
    epochs[numbers] = np.concatenate([group.epochs for group in groups])
    # Scores are NaN from where a member stopped.
    length = max((len(group.scores) for group in groups), default=0)
    names = groups[0].scores[0] if groups[0].scores else {}
    scores = {name: np.full((total, length), np.nan, np.float32) for name in names}
    for group in groups:
        for epoch, latest in enumerate(group.scores):
            for name, values in latest.items():
                scores[name][group.numbers, epoch] = values
    notes = _notes(groups, left_out, assignment, settings, interrupted, length)
    if "val_loss" in scores:
        notes += _far_above(np.where(left_out[:, None], np.nan, scores["val_loss"]), settings.patience is not None)
    history = History(scores, epochs, tuple(np.flatnonzero(left_out).tolist()), notes, interrupted)
    trainable, others = (
        [_scatter([getattr(group, part)[index] for group in groups], numbers, total) for index in range(len(first))]
        for part, first in (("trainable", groups[0].trainable), ("others", groups[0].others))
    )
    return Trained(trainable, others, history)


def _far_above(losses: NDArray[np.float32], best: bool) -> tuple[str, ...]:
    numbers, ends = far_above(losses, best)
    if not len(numbers):
        return ()
    listed = ", ".join(f"{number} ({ends[number]:.3g})" for number in numbers[:5])
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return (
        f"The validation loss of {len(numbers)} member(s) ended far above the others' (median "
        f"{np.nanmedian(ends):.3g}): {listed}{more}. ensemble.leave_out({numbers.tolist()}) lets them answer no more.",
    )


def _scatter(parts: list[NDArray[Any]], numbers: Rows, total: int) -> NDArray[Any]:
    values = np.concatenate(parts)
    everyone = np.zeros((total, *values.shape[1:]), values.dtype)
    everyone[numbers] = values
    return everyone


def _notes(
    groups: list[_Group],
    left_out: NDArray[np.bool_],
    assignment: Assignment,
    settings: Settings,
    interrupted: bool,
    length: int,
) -> tuple[str, ...]:
    notes = []
    ends = [pair for group in groups for pair in zip(group.numbers, group.stopped_at, strict=True)]
    diverged = {int(number): int(epoch) for number, epoch in ends if epoch >= 0}
    if diverged:
        listed = ", ".join(f"{number} (epoch {epoch + 1})" for number, epoch in sorted(diverged.items())[:5])
        more = f" and {len(diverged) - 5} more" if len(diverged) > 5 else ""
        notes.append(f"The loss became NaN or infinite and stopped {len(diverged)} member(s): {listed}{more}.")
    never = sorted(set(np.flatnonzero(left_out).tolist()) - set(diverged))
    waiting = len(assignment.training) - sum(len(group.numbers) for group in groups)
    if interrupted:
        notes.append(
            f"Stopped on request after {length} of {settings.epochs} epochs"
            + (f"; {waiting} member(s) had not begun and are left out." if waiting else ".")
        )
    elif never:
        notes.append(f"The validation loss of {len(never)} member(s) was never a number; they are left out.")
    for fold in range(assignment.folds):
        if left_out[assignment.layout.of_fold(fold)].all():
            if not interrupted:
                raise AmaltheaError(
                    f"All {assignment.members} members of fold {fold} diverged: their loss became NaN or infinite. "
                    "Lower the learning rate, and look for infinite or very large values in the data."
                )
            notes.append(f"No member of fold {fold} was trained: its rows have no out-of-fold prediction.")
    return tuple(notes)
