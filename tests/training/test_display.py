"""What is seen of a training while it goes on, and that looking changes nothing."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
import pytest
from networks import CLASSES, FEATURES, TARGET, am, dense, keras

from amalthea.training import display
from amalthea.training.display import Display, braille
from amalthea.training.layers import TargetHeads, TargetModel


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Say that it is one."""
        return True

    def text(self) -> str:
        """Return what was written, without colours and movements."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.getvalue())


def terminal(monkeypatch) -> Terminal:
    """Put a terminal in standard error's place; of a fixture, pytest would take it away again."""
    screen = Terminal()
    monkeypatch.setattr(display, "SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def fitted(verbose, **words):
    ensemble = am.Ensemble(dense(metrics=["mae"]), folds=2, members=2)
    history = ensemble.fit(FEATURES, TARGET, epochs=6, verbose=verbose, **words)
    return ensemble, history


def test_a_terminal_shows_training_and_held_out_and_changes_nothing(monkeypatch):
    screen = terminal(monkeypatch)
    watched, history = fitted("auto")
    text = screen.text()
    for figure in history.history:  # the last epoch's mean stands there
        assert f"{history.history[figure][-1]:.4g}" in text
    assert {"loss", "mae"} == set(history.members)
    assert "held out" in text
    assert "validation" not in text
    assert any(0x2800 < ord(letter) < 0x2900 for letter in text)
    alone, _ = fitted(0)
    assert np.array_equal(watched.out_of_fold.members, alone.out_of_fold.members, equal_nan=True)


def test_rows_set_aside_are_shown_in_place_of_those_held_out(monkeypatch):
    screen = terminal(monkeypatch)
    _, history = fitted("auto", validation_fraction=0.2)
    assert f"validation {history.history['val_loss'][-1]:.4g}" in screen.text()
    assert "held out" not in screen.text()


@pytest.mark.parametrize("fraction", [None, 0.3])
def test_classes_have_an_accuracy_though_their_networks_have_no_metric(monkeypatch, fraction):
    screen = terminal(monkeypatch)
    inputs = keras.Input((3,))
    model = TargetModel(inputs, TargetHeads([3])(keras.layers.Dense(3)(inputs)))
    model.compile(keras.optimizers.SGD(0.0))  # it learns nothing, so that every epoch shows the same
    ensemble = am.Ensemble(model, folds=2, members=2)
    ensemble.fit(FEATURES, CLASSES[:, None], epochs=3, verbose="auto", validation_fraction=fraction)
    rows = (
        ensemble.validation_rows if fraction else [np.flatnonzero(ensemble.fold_ids == fold) for fold in (0, 0, 1, 1)]
    )
    members = ensemble.predict(FEATURES).members.argmax(axis=-1)
    shares = [(answers[mine] == CLASSES[mine]).mean() for answers, mine in zip(members, rows, strict=True)]
    text = " ".join(screen.text().split("accuracy")[-1].split())
    assert f"{'validation' if fraction else 'held out'} {np.mean(shares):.4g}" in text
    assert set(ensemble.history.members) <= {"loss", "val_loss"}


def test_elsewhere_there_is_a_line_now_and_then(monkeypatch, capsys):
    fitted("lines")
    assert capsys.readouterr().err == ""  # nobody waits for so short a training
    for name in ("SECONDS_BETWEEN_LINES", "SHARE_BETWEEN_LINES"):
        monkeypatch.setattr(display, name, 0.0)
    _, history = fitted("lines")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert lines[2].startswith(f"4 networks, epoch 3 of 6: training loss {history.history['loss'][2]:.4g}")
    assert "held out loss" in lines[2]
    fitted("auto")
    assert capsys.readouterr().err == ""


def test_groups_begin_their_curves_anew(monkeypatch, capsys):
    for name in ("SECONDS_BETWEEN_LINES", "SHARE_BETWEEN_LINES"):
        monkeypatch.setattr(display, name, 0.0)
    with Display(networks=5, groups=2, epochs=9, verbose="lines") as shown:
        shown.group_begin(3)
        shown.epoch_end({"loss": 3.0, "held_out_loss": 4.0})
        shown.group_begin(2)
        shown.epoch_end({"loss": 1.0})
    assert capsys.readouterr().err.splitlines() == [
        "3 networks, group 1 of 2, epoch 1 of 9: training loss 3  held out loss 4",
        "2 networks, group 2 of 2, epoch 1 of 9: training loss 1",
    ]


@pytest.mark.parametrize("curve", [[], [np.nan], [1.0], [1.0, 1.0], [1.0, np.nan, 3.0], [1e-9, 1e9], [-1.0, 5.0]])
def test_any_curve_can_be_drawn(curve):
    picture = braille([curve], epochs=5, width=3, height=2)[0]
    assert picture.shape == (2, 3)
    assert picture.any() == bool(np.isfinite(curve).any())


def test_a_line_is_in_the_language_that_is_given(monkeypatch):
    monkeypatch.setattr(sys, "stderr", written := io.StringIO())
    monkeypatch.setattr(display, "SECONDS_BETWEEN_LINES", 0.0)
    with Display(networks=6, groups=1, epochs=2, verbose=str.upper) as shown:
        shown.group_begin(6)
        shown.epoch_end({"loss": 1.5})
    assert written.getvalue() == "6 NETWORKS, EPOCH 1 OF 2: TRAINING loss 1.5\n"
