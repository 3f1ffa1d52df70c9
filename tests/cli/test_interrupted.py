"""Ctrl-C at any moment: what was learned is kept, and nothing half-written stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea import cli
from amalthea.datasets import files
from amalthea.domains.column_features import Columns
from amalthea.training import sharding as placement
from amalthea.training import trainer
from amalthea.training.display import Display
from amalthea.validation import baselines
from tests.predictor.models import table, trained


def press_after(monkeypatch: pytest.MonkeyPatch, epochs: int) -> None:
    """Press Ctrl-C at the end of the epoch of this number, counted over all groups of members."""
    seen = []

    def epoch_end(*_: Any) -> None:
        seen.append(None)
        if len(seen) == epochs:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Display, "epoch_end", epoch_end)


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each member train alone; the first members of all folds come first."""
    monkeypatch.setattr(
        trainer, "choose_placement", lambda members, size: placement.choose_placement(members, size, memory=1)
    )


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> int:
    """Run the command line here, in a folder with a table, and return its exit code."""
    table()[["a", "b", "y"]].to_csv(folder / "data.csv", index=False)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["amalthea", *words])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


TRAIN = ("train", "data.csv", "--target", "y", "-o", "m.amalthea", "--out-of-fold", "o.csv")
QUICK = ("--folds", "3", "--members", "2", "--epochs", "40")


def test_during_training_what_was_learned_is_saved_and_said(monkeypatch, tmp_path, capfd):
    press_after(monkeypatch, 5)
    assert run(monkeypatch, tmp_path, *TRAIN, *QUICK) == 0
    told = capfd.readouterr()
    assert "Stopped on request after" in told.err
    assert "RMSE" in told.out
    opened = am.load_model(tmp_path / "m.amalthea")
    history = opened.parts[0].ensemble.history
    assert history.interrupted
    assert 5 <= history.epochs.max() < 40
    assert np.isfinite(opened.predict(table()).mean).all()
    assert (tmp_path / "o.csv").is_file()


MOMENTS: dict[str, tuple[Any, str]] = {
    "reading": (files, "read_table"),
    "featurizing": (Columns, "transform"),
    "the baselines": (baselines._Model, "fit"),
    "saving": (os, "replace"),
}


@pytest.mark.parametrize("moment", list(MOMENTS))
def test_before_and_after_training_it_is_one_sentence_and_nothing_is_written(monkeypatch, tmp_path, capfd, moment):
    home, name = MOMENTS[moment]

    def press(*arguments: Any, **options: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    monkeypatch.setattr(home, name, press)
    assert run(monkeypatch, tmp_path, *TRAIN, *QUICK, "--quiet") == 130
    assert capfd.readouterr().err == "amalthea: Stopped on request; nothing was written.\n"
    assert os.listdir(tmp_path) == ["data.csv"]


def test_while_predicting_nothing_is_left(monkeypatch, tmp_path, capfd):
    trained("number").save(tmp_path / "m.amalthea")
    (tmp_path / "asked.csv").write_text("a,b,colour\n1,2,red\n")

    def press(*arguments: Any, **options: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    monkeypatch.setattr(pd.DataFrame, "to_csv", press)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["amalthea", "predict", "m.amalthea", "asked.csv", "-o", "out.csv"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 130
    assert "Traceback" not in capfd.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["asked.csv", "m.amalthea"]


def test_from_outside_it_ends_at_once_and_cleanly(tmp_path):
    table().to_csv(tmp_path / "data.csv", index=False)
    words = [sys.executable, "-m", "amalthea", *TRAIN, "--epochs", "1000000"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        told = program.stderr.readline()  # featurized; Keras is being imported
        program.send_signal(signal.SIGINT)
        told += program.communicate()[1]
    # Python itself may end by the signal, once an import was cut short: a shell calls both 130.
    assert program.returncode in (130, -signal.SIGINT, 0)
    assert "Stopped on request" in told
    assert "Traceback" not in told
    assert set(os.listdir(tmp_path)) in ({"data.csv"}, {"data.csv", "m.amalthea", "o.csv"})


@pytest.mark.parametrize(
    ("target", "folds", "begun"), [("y", 3, 2), ("active", 3, 2), ("code", 4, 2), ("y", 2, 1), ("active", 3, 1)]
)
def test_a_fold_without_members_has_no_figures_and_the_path_ends(monkeypatch, tmp_path, target, folds, begun):
    one_by_one(monkeypatch)
    press_after(monkeypatch, 3 * begun - 1)
    said: list[str] = []
    frame = table()[["a", "b", target]]
    predictor = am.train(frame, target, folds=folds, members=2, epochs=3, verbose=0, say=said.append)
    assert any("Stopped on request" in sentence for sentence in said)
    left = np.setdiff1d(np.arange(folds), np.arange(begun))
    assert [fold for fold in range(folds) if any(f"fold {fold} " in sentence for sentence in said)] == left.tolist()
    held_out = predictor.out_of_fold
    unknown = held_out["fold"].isin(left)
    assert held_out.loc[unknown, "prediction"].isna().all()
    assert held_out.loc[~unknown, "prediction"].notna().all()
    predictor.save(tmp_path / "m.amalthea")
    opened = am.load_model(tmp_path / "m.amalthea")
    pd.testing.assert_frame_equal(opened.out_of_fold, held_out)
    answer = opened.predict(frame)
    assert np.isfinite(answer.mean).all()
    assert np.isfinite(answer.std).all()
    assert str(predictor.validation)


PRESS = """
import os, signal, sys
import {module} as module
from amalthea import cli

def press(*arguments, **options):
    os.kill(os.getpid(), signal.SIGINT)

module.{name} = press
sys.argv = {words!r}
cli.main()
"""


def interrupted(folder: Path, module: str, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, where Ctrl-C is pressed when a function is called."""
    program = PRESS.format(module=module, name=name, words=["amalthea", *words])
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=400)


def test_figures_that_are_complete_are_kept_and_named(tmp_path):
    trained("number").save(tmp_path / "m.amalthea")
    done = interrupted(
        tmp_path, "amalthea.insight.gradient_descent.optimizer_steps", "steps", "explain", "m.amalthea", "-o", "figures"
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "amalthea: Stopped on request. These figures are complete and kept, in figures: graph."
    )
    assert sorted(os.listdir(tmp_path / "figures")) == ["graph.json", "graph.svg", "index.html", "index.pt-BR.html"]


@pytest.mark.parametrize(
    ("module", "name", "option"),
    [
        ("amalthea.datasets.archive", "write_table", ("--out-of-fold", "o.csv")),
        ("amalthea.reporting.page", "report", ("--report", "r.html")),
    ],
)
def test_after_saving_the_model_is_kept_and_named(tmp_path, module, name, option):
    table()[["a", "b", "y"]].to_csv(tmp_path / "data.csv", index=False)
    words = ("train", "data.csv", "--target", "y", "-o", "m.amalthea", "--folds", "2", "--members", "1")
    done = interrupted(tmp_path, module, name, *words, "--epochs", "2", *option)
    assert done.returncode == 130, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "amalthea: Stopped on request. The model is trained and kept, in m.amalthea."
    )
    assert sorted(os.listdir(tmp_path)) == ["data.csv", "m.amalthea"]
    assert am.load_model(tmp_path / "m.amalthea").predict(table()).mean.shape == (len(table()),)
