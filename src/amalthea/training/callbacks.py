"""Callbacks: what they hear of a training of many networks, and which of them cannot be served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError
from amalthea.training.history import mean_by_epoch

BATCH_EVENTS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")

_BEST_WEIGHTS = "patience=... keeps each member's best weights; save what is trained after fit"
_SCHEDULE = "compile the model with a schedule of keras.optimizers.schedules as its learning_rate, or use patience=..."

INSTEAD = {
    "EarlyStopping": "patience=... stops each member by itself and keeps its best weights",
    "ModelCheckpoint": _BEST_WEIGHTS,
    "OrbaxCheckpoint": _BEST_WEIGHTS,
    "BackupAndRestore": _BEST_WEIGHTS,
    "ReduceLROnPlateau": _SCHEDULE,
    "LearningRateScheduler": _SCHEDULE,
    "SwapEMAWeights": "compile the model with an optimizer that has use_ema=True",
    "TerminateOnNaN": "leave it out: a member whose loss becomes NaN stops by itself, and history.notes says so",
}
"""Keras's callbacks that read or change one model while it learns, and what serves their purpose for many."""


class Listeners:
    """All callbacks of one training: each hears each event once, though members may learn group after group.

    An epoch's mean over all members is known once the last group has learned it, so epochs are heard while that one
    learns; `logs` are the values of `History.history`.

    Args:
        callbacks: Keras's callbacks, or objects with any of the four events' methods.
        model: the ensemble's model, given to Keras's callbacks; one that sets its `stop_training` stops the training.
        params: what Keras's callbacks learn by `set_params`.

    Raises:
        AmaltheaError: a callback asks for what a training of many networks does not have.
    """

    def __init__(self, callbacks: Sequence[Any], model: keras.Model, params: Mapping[str, Any]) -> None:
        callbacks = (callbacks,) if isinstance(callbacks, keras.callbacks.Callback) else callbacks
        for callback in callbacks:
            _refuse_unserved(callback)
        self._callbacks, self._model = callbacks, model
        self._scores: list[list[Mapping[str, NDArray[np.float32]]]] = []  # by epoch, of each group
        self._begun = self._ended = 0
        self._logs: dict[str, float] = {}
        self._live = False
        self.stop_requested = False
        """Whether a callback has set the model's `stop_training`."""
        for callback in callbacks:
            if isinstance(callback, keras.callbacks.Callback):
                callback.set_params(dict(params))
                callback.set_model(model)

    @property
    def in_step(self) -> bool:
        """Whether an epoch may begin only after the one before was heard of."""
        return self._live and any(_hears(callback, "on_epoch_begin") for callback in self._callbacks)

    def train_begin(self) -> None:
        """Announce the training."""
        if self._callbacks:
            self._model.stop_training = False
        self._call("on_train_begin", {})

    def group_begin(self, last: bool) -> None:
        """Note that a group of members begins; of its epochs callbacks hear at once if it is the last."""
        self._live = last

    def epoch_begin(self, epoch: int) -> None:
        """Announce an epoch, unless it was announced before."""
        if epoch == self._begun:
            self._begun += 1
            self._call("on_epoch_begin", epoch, {})

    def epoch_end(self, epoch: int, scores: Mapping[str, NDArray[np.float32]]) -> None:
        """Note a group's scores of an epoch, by name, shape (members,)."""
        if epoch == len(self._scores):
            self._scores.append([])
        self._scores[epoch].append(scores)
        if self._live:
            self._announce(epoch)
            self.stop_requested |= bool(self._callbacks) and self._model.stop_training

    def train_end(self) -> None:
        """Announce the epochs that only earlier groups have learned, and the end."""
        for epoch in range(self._ended, len(self._scores)):
            self._announce(epoch)
        self._call("on_train_end", self._logs)

    def _announce(self, epoch: int) -> None:
        groups = self._scores[epoch]
        means = {
            name: mean_by_epoch(np.concatenate([scores[name] for scores in groups])[:, None])[0] for name in groups[0]
        }
        self.epoch_begin(epoch)
        self._ended, self._logs = epoch + 1, means
        self._call("on_epoch_end", epoch, means)

    def _call(self, event: str, *arguments: Any) -> None:
        for callback in self._callbacks:
            if isinstance(callback, keras.callbacks.Callback):
                getattr(callback, event)(*arguments)
            elif hasattr(callback, event):
                # Other objects are given logs where there is something in them: at the end of an epoch.
                getattr(callback, event)(*(arguments if event == "on_epoch_end" else arguments[:-1]))


def _refuse_unserved(callback: Any) -> None:
    name = type(callback).__name__
    for kind, instead in INSTEAD.items():
        if isinstance(callback, getattr(keras.callbacks, kind, ())):
            raise AmaltheaError(f"{name} works on one model while it learns, and here many learn at once: {instead}.")
    events = [event for event in BATCH_EVENTS if _hears(callback, event)]
    if events:
        raise AmaltheaError(
            f"{name} has {events[0]}, but many networks learn in one compiled program, which nothing leaves between "
            "batches: use on_epoch_begin or on_epoch_end."
        )


def _hears(callback: Any, event: str) -> bool:
    """Return whether a callback does something at an event."""
    if not isinstance(callback, keras.callbacks.Callback):
        return hasattr(callback, event)
    return event in vars(callback) or getattr(type(callback), event) is not getattr(keras.callbacks.Callback, event)
