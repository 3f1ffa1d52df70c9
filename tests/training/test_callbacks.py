"""Callbacks hear each event once, with the means over all members; what cannot be served is refused beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from networks import FEATURES, FOLD_IDS, TARGET, am, dense, keras

from amalthea.training import sharding, trainer


class Listener(keras.callbacks.Callback):
    """Writes down what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Write down."""
        self.heard.append(("begin", self.params["epochs"], self.model.name, logs))

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Write down."""
        self.heard.append(("end", logs))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write down."""
        self.heard.append(("epoch end", epoch, logs))


class EpochListener(Listener):
    """Hears when an epoch begins, too."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write down."""
        self.heard.append(("epoch begin", epoch, logs))


class Plain:
    """No callback of Keras, with every event that there is."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_train_begin(self) -> None:
        """Write down."""
        self.heard.append("begin")

    def on_epoch_begin(self, epoch: int) -> None:
        """Write down."""
        self.heard.append(("epoch begin", epoch))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Write down."""
        self.heard.append(("epoch end", epoch, logs))

    def on_train_end(self) -> None:
        """Write down."""
        self.heard.append("end")


@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.parametrize("in_groups", [False, True])
def test_each_event_is_heard_once(monkeypatch: pytest.MonkeyPatch, in_groups: bool, patience: int | None) -> None:
    if in_groups:
        monkeypatch.setattr(
            trainer, "choose_placement", lambda members, size: sharding.choose_placement(members, size, memory=1)
        )
    model = dense()
    quiet, listener, plain = Listener(), EpochListener(), Plain()
    ensemble = am.Ensemble(model, folds=2, members=2)
    history = ensemble.fit(
        FEATURES, TARGET, epochs=6, fold_ids=FOLD_IDS, patience=patience, callbacks=[listener, plain]
    )
    am.Ensemble(model, folds=2, members=2).fit(
        FEATURES, TARGET, epochs=6, fold_ids=FOLD_IDS, patience=patience, callbacks=[quiet]
    )
    logs = [
        {name: pytest.approx(values[epoch], rel=1e-5) for name, values in history.history.items()}
        for epoch in history.epoch
    ]
    assert listener.heard == [
        ("begin", 6, model.name, {}),
        *(event for e in history.epoch for event in (("epoch begin", e, {}), ("epoch end", e, logs[e]))),
        ("end", logs[-1]),
    ]
    assert quiet.heard == [event for event in listener.heard if event[0] != "epoch begin"]
    assert plain.heard == [
        "begin",
        *(event for e in history.epoch for event in (("epoch begin", e), ("epoch end", e, logs[e]))),
        "end",
    ]


def test_callbacks_of_keras_that_only_listen_work(tmp_path: Path) -> None:
    ends: list[int] = []
    callbacks = [
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(epoch)),  # noqa: ARG005
    ]
    history = am.Ensemble(dense(), folds=2, members=1).fit(
        FEATURES, TARGET, epochs=3, fold_ids=FOLD_IDS, callbacks=callbacks
    )
    assert ends == [0, 1, 2]
    assert pd.read_csv(tmp_path / "log.csv")["loss"].tolist() == pytest.approx(history.history["loss"], rel=1e-5)


def test_a_callback_may_stop_the_training() -> None:
    class Enough(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            del logs
            self.model.stop_training = epoch == 2

    with pytest.warns(UserWarning, match="Stopped on request"):
        history = am.Ensemble(dense(), folds=2, members=1).fit(
            FEATURES, TARGET, epochs=50, fold_ids=FOLD_IDS, callbacks=[Enough()]
        )
    assert 3 <= len(history.epoch) <= 5


class OfBatches(keras.callbacks.Callback):
    """Wants to hear of every batch."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("callback", "instead"),
    [
        (keras.callbacks.EarlyStopping(), "patience="),
        (keras.callbacks.ModelCheckpoint("best.keras"), "patience="),
        (keras.callbacks.ReduceLROnPlateau(), "schedules"),
        (keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate), "schedules"),  # noqa: ARG005
        (keras.callbacks.TerminateOnNaN(), "history.notes"),
        (OfBatches(), "on_epoch_end"),
        (keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None), "on_epoch_end"),  # noqa: ARG005
    ],
)
def test_what_cannot_be_served_is_refused_before_training(callback: Any, instead: str) -> None:
    ensemble, listener = am.Ensemble(dense(), folds=2, members=1), Listener()
    with pytest.raises(am.AmaltheaError, match=instead):
        ensemble.fit(FEATURES, TARGET, epochs=3, fold_ids=FOLD_IDS, callbacks=[listener, callback])
    assert listener.heard == []
    assert ensemble.history is None
