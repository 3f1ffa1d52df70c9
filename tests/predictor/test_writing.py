"""Files are written whole or not at all: the old one stays as it was, and nothing half-written beside it."""

from __future__ import annotations

import errno
import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import amalthea as am
from amalthea.workflow.predict import predict_file
from tests.predictor.models import trained


def save(path: Path) -> None:
    trained("number").save(path)


def predict(path: Path) -> None:
    predict_file(trained("number"), [str(asked())], path, rows=5)


@functools.cache
def asked() -> Path:
    """Return a file of 20 rows."""
    path = Path(tempfile.mkdtemp()) / "asked.csv"
    path.write_text("a,b,colour\n" + "1,2,red\n" * 20)
    return path


WRITERS = {"model": save, "predictions": predict}


@pytest.fixture(params=list(WRITERS))
def write(request) -> Callable[[Path], None]:
    return WRITERS[request.param]


@pytest.fixture
def place(tmp_path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "file").write_text("the old one")
    return folder / "file"


def test_what_lies_there_is_replaced(write, place):
    write(place)
    assert list(place.parent.iterdir()) == [place]
    assert place.stat().st_size > 1000


@pytest.mark.parametrize("call", ["replace", "fsync"])
@pytest.mark.parametrize(("number", "told"), [(errno.ENOSPC, "no room"), (errno.EACCES, "permission denied")])
def test_a_disk_that_fails_leaves_the_old_file(write, place, monkeypatch, call, number, told):
    def fail(*arguments: Any, **options: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(am.AmaltheaError, match=told):
        write(place)
    monkeypatch.undo()
    assert place.read_text() == "the old one"
    assert list(place.parent.iterdir()) == [place]


def test_ctrl_c_while_writing_leaves_the_old_file(write, place, monkeypatch):
    def interrupt(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(place)
    assert place.read_text() == "the old one"
    assert list(place.parent.iterdir()) == [place]


@pytest.mark.parametrize("name", ["file/below", "nowhere/file", "."])
def test_a_place_that_cannot_be_written_to(write, place, name):
    with pytest.raises(am.AmaltheaError, match="cannot write"):
        write(place.parent / name)
    assert [path.name for path in place.parent.iterdir()] == ["file"]
    assert place.read_text() == "the old one"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_device_is_one_sentence():
    with pytest.raises(am.AmaltheaError, match="no room"):
        predict(Path("/dev/full"))


def test_an_input_that_breaks_off_leaves_nothing(place):
    broken = place.parent.parent / "broken.csv"
    broken.write_text(asked().read_text() + '1,"2,red\n' * 3)
    with pytest.raises(am.AmaltheaError, match="quotation mark"):
        predict_file(trained("number"), [str(broken)], place, rows=5)
    assert place.read_text() == "the old one"
    assert list(place.parent.iterdir()) == [place]
