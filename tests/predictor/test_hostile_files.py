"""A damaged, foreign or hostile file is one sentence; nothing in it is run, and nothing grows out of it."""

from __future__ import annotations

import base64
import contextlib
import json
import marshal
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amalthea as am
from amalthea.datasets import archive
from amalthea.errors import ModelFileError
from tests.predictor.models import trained

Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "number.amalthea"
    trained("number").save(path)
    return path


def refused(path: Path) -> str:
    """Return the sentence with which a file is refused."""
    with pytest.raises(ModelFileError) as caught:
        am.load_model(path)
    told = str(caught.value)
    assert path.name in told
    assert "\n" not in told
    assert len(told) < 500
    return told


def test_a_whole_file_is_opened(model):
    assert am.load_model(model).targets == trained("number").targets


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_truncated_file(model, tmp_path, share):
    content = model.read_bytes()
    path = tmp_path / "cut.amalthea"
    path.write_bytes(content[: int(share * len(content))])
    assert "not a saved model, or is damaged" in refused(path)


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_damaged_bytes_is_whole_or_refused(model, tmp_path, seed):
    content = bytearray(model.read_bytes())
    random = np.random.default_rng(seed)
    for place in random.integers(0, len(content), 1 + seed % 4):
        content[place] ^= 1 << int(random.integers(0, 8))
    path = tmp_path / "bits.amalthea"
    path.write_bytes(content)
    with contextlib.suppress(ModelFileError):
        am.load_model(path)


def test_what_is_no_model_at_all(tmp_path):
    for name, content in (("text", b"a,b\n1,2\n"), ("noise", np.random.default_rng(0).bytes(5000))):
        (tmp_path / name).write_bytes(content)
        assert "not a saved model" in refused(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    assert "not a saved model" in refused(tmp_path / "book.xlsx")
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refused(tmp_path / "folder")
    assert "No such model" in refused(tmp_path / "nowhere")
    assert "No such model" in refused(tmp_path / ("long" * 60)[:250] / "x")


def test_a_file_that_may_not_be_read(model, monkeypatch):
    def forbidden(self: Path, *arguments: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert "permission denied" in refused(model)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "bomb.amalthea"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("model.json", "w") as part:
        for _ in range(300):
            part.write(bytes(2**20))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was unpacked"))
    assert "300 MiB" in refused(path)


def test_a_bomb_that_lies_about_its_size_gets_no_more_than_it_said(tmp_path):
    path = tmp_path / "liar.amalthea"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("model.json", bytes(50 * 2**20))
    content = path.read_bytes()
    assert content.count(struct.pack("<L", 50 * 2**20)) == 2
    path.write_bytes(content.replace(struct.pack("<L", 50 * 2**20), struct.pack("<L", 100)))
    tracemalloc.start()
    try:
        told = refused(path)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()
    assert "damaged" in told


def test_names_that_climb_write_nothing(model, tmp_path):
    path = tmp_path / "inner" / "climber.amalthea"
    path.parent.mkdir()
    archive.write_parts(path, {**archive.read_parts(model), "../escaped.txt": b"out", "/tmp/escaped.txt": b"out"})
    am.load_model(path)
    assert list(tmp_path.iterdir()) == [path.parent]
    assert list(path.parent.iterdir()) == [path]


def card(change: Callable[[dict[str, Any]], object]) -> Callable[[Parts], object]:
    """Return what changes model.json inside the parts."""

    def apply(parts: Parts) -> None:
        content = json.loads(parts["model.json"])
        change(content)
        parts["model.json"] = json.dumps(content).encode()

    return apply


def weights(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Parts], object]:
    """Return what changes the first weights inside the parts."""

    def apply(parts: Parts) -> None:
        arrays = archive.unpack_arrays(parts["weights.safetensors"])
        first = min(arrays)
        arrays[first] = change(arrays[first])
        parts["weights.safetensors"] = archive.pack_arrays(arrays)

    return apply


def with_nan(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[0] = np.nan
    return values


DAMAGES: dict[str, Callable[[Parts], object]] = {
    "no model.json": lambda parts: parts.pop("model.json"),
    "no network.json": lambda parts: parts.pop("network.json"),
    "no weights": lambda parts: parts.pop("weights.safetensors"),
    "no out_of_fold.csv": lambda parts: parts.pop("out_of_fold.csv"),
    "no history.csv": lambda parts: parts.pop("history.csv"),
    "no applicability": lambda parts: parts.pop("applicability.safetensors"),
    "empty out_of_fold.csv": lambda parts: parts.update({"out_of_fold.csv": b""}),
    "no UTF-8": lambda parts: parts.update({"out_of_fold.csv": b"\xff\xfe\x00"}),
    "history of another model": lambda parts: parts.update(
        {"history.csv": b"member,epoch,loss,features\n99,0,1.0,columns\n"}
    ),
    "history of a billion epochs": lambda parts: parts.update(
        {"history.csv": b"member,epoch,loss,features\n0,1000000000,1.0,columns\n"}
    ),
    "json is no json": lambda parts: parts.update({"model.json": b"{"}),
    "json is a list": lambda parts: parts.update({"model.json": b"[]"}),
    "json is deep": lambda parts: parts.update({"model.json": b"[" * 100_000}),
    "json is a number": lambda parts: parts.update({"model.json": b"7"}),
    "network is a list": lambda parts: parts.update({"network.json": b"[]"}),
    "network is null": lambda parts: parts.update({"network.json": b'{"columns": null}'}),
    "network is a word": lambda parts: parts.update({"network.json": b'{"columns": "relu"}'}),
    "weights are noise": lambda parts: parts.update({"weights.safetensors": b"\xff" * 64}),
    "weights are NaN": weights(with_nan),
    "weights of another shape": weights(lambda values: values[:, :-1]),
    "weights of fewer members": weights(lambda values: values[:2]),
    "weights are scalars": weights(lambda values: values.sum()),
    "negative folds": card(lambda content: content.update(folds=-3)),
    "no folds": card(lambda content: content.update(folds=0)),
    "folds are text": card(lambda content: content.update(folds="three")),
    "a billion folds": card(lambda content: content.update(folds=10**9, members=10**9)),
    "folds and members changed": card(lambda content: content.update(folds=2, members=3)),
    "negative seed": card(lambda content: content.update(seed=-1)),
    "another domain": card(lambda content: content.update(domain="galaxies")),
    "a domain that is a path": card(lambda content: content.update(domain="../../os")),
    "targets are text": card(lambda content: content.update(targets="y")),
    "a target of many classes": card(
        lambda content: content["targets"][0].update(task="classification", classes=list("abc"))
    ),
    "two targets": card(lambda content: content.update(targets=content["targets"] * 2)),
    "an unknown field": card(lambda content: content["targets"][0].update(colour="red")),
    "no provenance": card(lambda content: content.pop("provenance")),
    "provenance is text": card(lambda content: content.update(provenance="none")),
    "provenance without a name": card(lambda content: content["provenance"].pop("data")),
    "an unknown calibration": card(lambda content: content["calibrations"][0].update(kind="os.system")),
    "no calibration": card(lambda content: content.update(calibrations=[])),
    "shares of another shape": card(lambda content: content["shares"].update(columns=[[1.0]])),
    "features of another number": card(lambda content: content["featurizers"]["columns"].update(numbers=["a"])),
    "applicability of another number": card(lambda content: content["applicability"].update(features=99)),
    "features without numbers": card(lambda content: content["featurizers"]["columns"].pop("numbers")),
    "an empty input state": card(lambda content: content.update(input_state={})),
    "columns of inputs are a number": card(lambda content: content["input_state"].update(numbers=7)),
    "no featurizers": card(lambda content: content.update(featurizers={})),
    "validation is text": card(lambda content: content.update(validation="good")),
    "format 0": card(lambda content: content.update(format=0)),
    "format is text": card(lambda content: content.update(format="1")),
    "format is true": card(lambda content: content.update(format=True)),
}


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_a_damaged_part_is_one_sentence(model, tmp_path, damage):
    parts = archive.read_parts(model)
    DAMAGES[damage](parts)
    path = tmp_path / "damaged.amalthea"
    archive.write_parts(path, parts)
    refused(path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("folds are text", "model.json, folds: "),
        ("an unknown field", "model.json, targets, 0, colour: "),
        ("features without numbers", "model.json, featurizers, numbers: "),
        ("columns of inputs are a number", "model.json, input_state, numbers: "),
        ("validation is text", "model.json, validation: "),
        ("provenance without a name", "model.json, provenance, data: "),
    ],
)
def test_the_sentence_says_where_the_damage_is(model, tmp_path, damage, words):
    parts = archive.read_parts(model)
    DAMAGES[damage](parts)
    archive.write_parts(tmp_path / "damaged.amalthea", parts)
    assert words in refused(tmp_path / "damaged.amalthea")


def test_a_newer_format_says_who_wrote_it(model, tmp_path):
    parts = archive.read_parts(model)
    card(lambda content: content.update(format=99, provenance={"versions": {"amalthea": "7.1"}}))(parts)
    archive.write_parts(tmp_path / "new.amalthea", parts)
    told = refused(tmp_path / "new.amalthea")
    assert "7.1" in told
    assert "newer" in told


def layer(class_name: str, config: Any, module: str | None = None, **more: Any) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None, **more}


def lambda_of(trap: Path) -> dict[str, Any]:
    code = marshal.dumps((lambda x, path=str(trap): __import__("pathlib").Path(path).touch() or x).__code__)
    function = layer("__lambda__", {"code": base64.b64encode(code).decode(), "defaults": [str(trap)], "closure": None})
    return layer(
        "Lambda", {"name": "trap", "function": {**function, "config": {"value": function["config"]}}}, "keras.layers"
    )


ATTACKS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "os.system": lambda _: layer("function", "system", "os", registered_name="system"),
    "a shell": lambda trap: layer("Popen", {"args": ["touch", str(trap)]}, "subprocess"),
    "a module of the folder": lambda _: layer("Trap", {}, "trap_module"),
    "a lambda": lambda_of,
    "a whole model": lambda trap: layer("load_model", {"filepath": str(trap)}, "keras.saving"),
    "a download": lambda _: layer("function", "get_file", "keras.utils"),
    "unsafe for all": lambda _: layer("function", "enable_unsafe_deserialization", "keras.config"),
    "exec": lambda _: layer("function", "exec", "builtins"),
}


@pytest.mark.parametrize("attack", list(ATTACKS))
@pytest.mark.parametrize("where", ["whole", "layer", "compiled"])
def test_no_code_is_run(model, tmp_path, monkeypatch, attack, where):
    trap = tmp_path / "trap"
    (tmp_path / "trap_module.py").write_text(f"open({str(trap)!r}, 'w').write('run')\nclass Trap: pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    parts = archive.read_parts(model)
    networks = json.loads(parts["network.json"])
    evil = ATTACKS[attack](trap)
    if where == "whole":
        networks["columns"] = evil
    elif where == "layer":
        networks["columns"]["config"]["layers"][1].update(evil)
    else:
        networks["columns"]["compile_config"] = {"optimizer": "adam", "loss": evil, "metrics": [evil]}
    parts["network.json"] = json.dumps(networks).encode()
    path = tmp_path / "attack.amalthea"
    archive.write_parts(path, parts)
    if where == "compiled":  # a loss is only looked up where it is used
        with contextlib.suppress(ModelFileError):
            am.load_model(path).predict([{"a": 1, "b": 1, "colour": "red"}])
    else:
        refused(path)
    assert not trap.exists()
    import keras

    assert keras.src.saving.serialization_lib.in_safe_mode() is None
