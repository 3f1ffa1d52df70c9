"""Ctrl-C stops after the current epoch, with what was learned so far."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import FEATURES, FOLD_IDS, TARGET, am, assert_same, dense, weights_of

from amalthea.training import sharding as placement
from amalthea.training import trainer
from amalthea.training.display import Display


class Impatient:
    """A callback that presses Ctrl-C at the end of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Send the signal."""
        del logs
        if epoch == self.epoch:
            os.kill(os.getpid(), signal.SIGINT)


def test_it_stops_with_a_trained_ensemble() -> None:
    handler = signal.getsignal(signal.SIGINT)
    ensemble = am.Ensemble(dense(), folds=2, members=2)
    with pytest.warns(UserWarning, match="Stopped on request"):
        history = ensemble.fit(FEATURES, TARGET, epochs=50, fold_ids=FOLD_IDS, callbacks=[Impatient(3)])
    assert signal.getsignal(signal.SIGINT) is handler
    assert history.interrupted
    assert history.left_out == ()
    done = int(history.epochs[0])
    assert 4 <= done <= 6
    assert (history.epochs == done).all()
    assert len(history.history["loss"]) == done
    # It is what a training of so many epochs gives.
    whole = am.Ensemble(dense(), folds=2, members=2)
    whole.fit(FEATURES, TARGET, epochs=done, fold_ids=FOLD_IDS)
    for number in range(4):
        assert_same(weights_of(ensemble, number), weights_of(whole, number))
    assert np.isfinite(ensemble.out_of_fold.mean).all()


def press_after(monkeypatch: pytest.MonkeyPatch, epochs: int) -> None:
    """Press Ctrl-C at the end of the epoch of this number, counted over all groups of members."""
    done = []

    def epoch_end(*_: Any) -> None:
        done.append(None)
        if len(done) == epochs:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Display, "epoch_end", epoch_end)


def test_who_had_not_begun_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """One member at a time; the third is interrupted. The first members of all folds come first."""
    monkeypatch.setattr(
        trainer, "choose_placement", lambda members, size: placement.choose_placement(members, size, memory=1)
    )
    press_after(monkeypatch, 25)
    ensemble = am.Ensemble(dense(), folds=2, members=3)
    with pytest.warns(UserWarning, match="3 member.s. had not begun"):
        history = ensemble.fit(FEATURES, TARGET, epochs=10, fold_ids=FOLD_IDS)
    assert history.left_out == (2, 4, 5)
    assert history.epochs[[0, 3]].tolist() == [10, 10]
    assert 5 <= history.epochs[1] <= 7
    prediction = ensemble.predict(FEATURES)
    assert np.isnan(prediction.members[[2, 4, 5]]).all()
    np.testing.assert_allclose(prediction.mean, prediction.members[[0, 1, 3]].mean(axis=0), rtol=1e-6)
    assert np.isfinite(ensemble.out_of_fold.mean).all()


def test_a_fold_without_members_has_no_out_of_fold_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        trainer, "choose_placement", lambda members, size: placement.choose_placement(members, size, memory=1)
    )
    press_after(monkeypatch, 1)
    ensemble = am.Ensemble(dense(), folds=2, members=1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        history = ensemble.fit(FEATURES, TARGET, epochs=10, fold_ids=FOLD_IDS)
    assert any("fold 1" in str(warning.message) for warning in told)
    assert history.left_out == (1,)
    assert np.isnan(ensemble.out_of_fold.mean[FOLD_IDS == 1]).all()
    assert np.isfinite(ensemble.out_of_fold.mean[FOLD_IDS == 0]).all()


SCRIPT = """
import json, sys, warnings
warnings.simplefilter("always")
from networks import FEATURES, TARGET, FOLD_IDS, am, dense

class Told:
    def on_epoch_end(self, epoch, logs):
        print(epoch, flush=True)

ensemble = am.Ensemble(dense(), folds=2, members=2)
history = ensemble.fit(FEATURES, TARGET, epochs=1_000_000, fold_ids=FOLD_IDS, callbacks=[Told()])
finite = bool((ensemble.out_of_fold.mean == ensemble.out_of_fold.mean).all())
print(json.dumps({"epochs": history.epochs.tolist(), "notes": history.notes, "finite": finite}), flush=True)
"""


def test_ctrl_c_from_outside() -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
    )
    guard = threading.Timer(120, program.kill)
    guard.start()
    assert program.stdout is not None
    for line in program.stdout:
        if line.strip() == "5":
            program.send_signal(signal.SIGINT)
            break
    out, errors = program.communicate()
    guard.cancel()
    assert program.returncode == 0, errors
    told = json.loads(out.strip().splitlines()[-1])
    assert len(set(told["epochs"])) == 1
    assert 6 <= told["epochs"][0] < 1_000_000
    assert told["finite"]
    assert "Stopped on request" in told["notes"][0]
    assert "Stopped on request" in errors
