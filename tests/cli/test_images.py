"""Pictures on the command line, in a folder with a space in its name: trained, asked, judged, and refused in words."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.cli.conftest import Amalthea
from tests.workflow.digits import images, photograph, write_folder, write_npz, write_paths

DENSE = ("--network", "dense", "--members", "2")


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Amalthea:
    """Return the command line in a folder of digits in every form, with a model of them."""
    folder = tmp_path_factory.mktemp("pictures of digits") / "a folder"
    folder.mkdir()
    write_npz(folder / "digits.npz", 500, 100)
    write_folder(folder / "held out", range(600, 620))
    write_paths(folder / "paths.csv", folder / "pictures", range(60))
    (folder / "asked").mkdir()
    for row in (700, 701):
        Image.fromarray(images()[row]).save(folder / "asked" / f"digit {row}.png")
    Image.fromarray(photograph(702)).save(folder / "asked" / "photo.jpg")
    Image.new("L", (60, 40), 250).save(folder / "asked" / "blank.png")
    amalthea = Amalthea(folder)
    run = amalthea("train", "digits.npz", *DENSE, "--epochs", "12", "--patience", "12", "-o", "d.amalthea", "--json")
    (folder / "told.json").write_text(run.stdout)
    return amalthea


def test_a_test_set_of_its_own_has_figures_of_its_own(digits):
    told = json.loads((digits.folder / "told.json").read_text())
    assert (told["task"], told["examples"], told["folds"], told["members"]) == ("classification", 500, 1, 2)
    assert told["metrics"] == told["baselines"] == {}
    assert set(told["test"]) == {"accuracy", "roc_auc", "pr_auc", "brier", "ece"}
    assert told["test"]["accuracy"]["value"] > 0.8
    assert told["calibration"] == {"coverage_90": None, "coverage_90_clusters": None}


def test_pictures_are_answered_one_by_one_together_and_in_a_folder(digits):
    digits("predict", "d.amalthea", "asked", "-o", "folder.csv", "--save-input", "what it saw")
    answer = pd.read_csv(digits.folder / "folder.csv", keep_default_na=False)
    assert answer["name"].tolist() == ["blank.png", "digit 700.png", "digit 701.png", "photo.jpg"]
    assert answer["problem"].tolist() == ["nothing is drawn in it", "", "", ""]
    assert answer["prediction"].tolist()[0] == ""
    saw = digits.folder / "what it saw"
    assert {path.name for path in saw.iterdir()} == {"digit_700.png", "digit_701.png", "photo.png"}
    with Image.open(saw / "photo.png") as photo:
        assert photo.size == (8, 8)
    asked = [f"asked/{name}" for name in answer["name"]]
    table = pd.read_csv(_csv(digits, "predict", "d.amalthea", *asked), keep_default_na=False)
    assert table["name"].tolist() == asked
    pd.testing.assert_frame_equal(table.drop(columns="name"), answer.drop(columns="name"))


def _csv(digits: Amalthea, *words: str) -> str:
    digits(*words, "-o", "answer.csv")
    return str(digits.folder / "answer.csv")


def test_labelled_pictures_judge_the_model(digits):
    told = json.loads(digits("evaluate", "d.amalthea", "held out", "--json").stdout)
    assert (told["examples"], told["trained_on"]) == (20, 0)


def test_numbers_are_learned_from_a_table_of_paths(digits):
    quick = (*DENSE, "--augment", "--folds", "2", "--epochs", "1")
    run = digits("train", "paths.csv", "--target", "ink", "-o", "ink.amalthea", "--json", *quick)
    assert "--no-augment" in run.stderr
    told = json.loads(run.stdout)
    assert set(told["metrics"]) == {"rmse", "mae", "r2"}
    table = pd.read_csv(_csv(digits, "predict", "ink.amalthea", "paths.csv"))
    assert list(table.columns[:4]) == ["picture", "ink", "parity", "prediction"]
    assert len(table) == 60


def test_one_bad_picture_costs_no_other(digits):
    folder = write_folder(digits.folder / "mixed", range(20))
    for name in ("empty", "other"):
        (folder / name).mkdir()
    Image.fromarray(images()[21]).save(folder / "other" / "only one.png")
    good = next((folder / "0").iterdir()).read_bytes()
    (folder / "0" / "cut.png").write_bytes(good[:50])
    (folder / "1" / "bomb.png").write_bytes(_bomb(20_000, 20_000))
    Image.new("CMYK", (8, 8), (9, 0, 200, 0)).save(folder / "1" / "cmyk.jpg")
    Image.fromarray(images()[22].astype(np.uint16) * 200).save(folder / "2" / "deep.png")
    frames = [Image.fromarray(images()[row]) for row in (23, 24)]
    frames[0].save(folder / "3" / "moving.gif", save_all=True, append_images=frames[1:])
    run = digits("train", "mixed", "--json", *DENSE, "--epochs", "1", "--folds", "2")
    told = json.loads(run.stdout)
    assert told["examples"] == 24
    assert {refusal["example"]: refusal["reason"] for refusal in told["refused"]} == {
        "0/cut.png, 0": "is damaged or cut off (image file is truncated)",
        "1/bomb.png, 1": "is a picture of more than 178 million pixels, too large",
    }
    notes = " ".join(told["notes"])
    for said in ("CMYK", "16 bits", "several frames", "became no class: empty", "only one picture of: other"):
        assert said in notes


def _bomb(width: int, height: int) -> bytes:
    """Return a PNG of few bytes that says it is large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train", "digits.npz", "--network", "nonsense"), "auto, convolution, dense"),
        (("train", "asked/photo.jpg"), "a single picture"),
        (("predict", "d.amalthea", "nothing.png"), "no such file"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(digits, words, said):
    error = digits(*words, code=2).stderr.splitlines()[-1]
    assert error.startswith("amalthea: ")
    assert said in error
