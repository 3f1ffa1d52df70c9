"""Sets of pictures as they come: parts by their names, deep pictures and stacks, series, and what is no class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import amalthea as am
from amalthea.datasets.dataset import Dataset
from amalthea.domains import domain
from amalthea.errors import DataError

IMAGES = domain("images")


def write(path: Path, values: NDArray[Any] | None = None, seed: int = 0) -> None:
    """Write a picture, of noise if none is given, in 8 or 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if values is None:
        values = np.random.default_rng(seed).integers(0, 256, (8, 8)).astype(np.uint8)
    Image.fromarray(values).save(path)


def fill(folder: Path, classes: str = "ab", count: int = 3, start: int = 0) -> None:
    for number, name in enumerate(classes):
        for index in range(count):
            write(folder / name / f"{index}.png", seed=start + 100 * number + index)


def text(dataset: Dataset) -> str:
    return "\n".join(dataset.notes)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("training_set", "test_set"),
        ("Training_set", "Testing_set"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("wrap/wrap/train", "wrap/wrap/test"),
        ("TRAIN", "Validation"),
        ("train_images", "val_images"),
    ],
)
def test_parts_are_known_by_their_usual_names_at_any_depth(tmp_path: Path, train: str, test: str) -> None:
    fill(tmp_path / train)
    fill(tmp_path / test, count=2, start=50)
    dataset = am.read(tmp_path)
    assert dataset.targets[0].classes == ("a", "b")
    assert len(dataset) == 6
    assert dataset.test is not None
    assert len(dataset.test) == 4
    assert "Learned from: " in text(dataset)
    assert len(IMAGES.inputs(tmp_path, IMAGES.input_state(dataset))) == 4  # `evaluate` takes the test set, too


def test_a_test_set_without_labels_and_other_folders_are_told(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    write(tmp_path / "test" / "1.png", seed=9)
    write(tmp_path / "pred" / "1.png", seed=10)
    dataset = am.read(tmp_path)
    assert dataset.test is None
    assert "The 1 picture in test have no labels" in text(dataset)
    assert "left out: pred" in text(dataset)


def test_classes_called_like_parts_are_classes_where_there_is_no_other_part(tmp_path: Path) -> None:
    for name in ("train", "car", "bus"):
        write(tmp_path / name / "1.png", seed=len(name))
        write(tmp_path / name / "2.png", seed=9 * len(name))
    assert am.read(tmp_path).targets[0].classes == ("bus", "car", "train")


def test_classes_can_stand_in_names(tmp_path: Path) -> None:
    for index in range(4):
        write(tmp_path / "train" / f"cat.{index}.png", seed=index)
        write(tmp_path / "train" / f"dog.{index}.png", seed=20 + index)
    with pytest.raises(DataError, match="--label-from-name"):
        am.read(tmp_path)
    dataset = am.read(tmp_path, label_from_name=True)
    assert dataset.labels(0).tolist() == ["cat"] * 4 + ["dog"] * 4
    assert "cat, dog" in text(dataset)
    again = IMAGES.labelled(tmp_path, dataset.targets, IMAGES.input_state(dataset))
    np.testing.assert_array_equal(again.values, dataset.values)
    write(tmp_path / "train" / "12.png", seed=50)
    assert "1 picture whose names hold no class left out" in text(am.read(tmp_path, label_from_name=True))


def test_pictures_and_their_masks_are_noticed(tmp_path: Path) -> None:
    for index in range(4):
        write(tmp_path / "images" / f"{index}.png", seed=index)
        write(tmp_path / "masks" / f"{index}_mask.png", seed=50 + index)
    with pytest.raises(DataError, match="masks, which say what each pixel is"):
        am.read(tmp_path)


def test_a_table_beside_pictures_of_one_folder_is_named(tmp_path: Path) -> None:
    write(tmp_path / "im" / "1.png")
    (tmp_path / "t.csv").write_text("file,y\nim/1.png,3\n")
    with pytest.raises(DataError, match=r"all pictures are of one: im\. Give the table that lies there \(t\.csv\)"):
        am.read(tmp_path)


def test_files_of_systems_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (tmp_path / "a" / "desktop.ini").write_text("")
    write(tmp_path / "@eaDir" / "x" / "1.png")
    write(tmp_path / "$RECYCLE.BIN" / "1.png")
    assert am.read(tmp_path).targets[0].classes == ("a", "b")


def deep(folder: Path) -> None:
    """Write pictures of 16 bits of one pattern, that differ in brightness only: dim and bright."""
    pattern = np.random.default_rng(3).integers(100, 200, (3, 8, 8))
    for name, gain in (("dim", 1), ("bright", 10)):
        for index, values in enumerate(pattern):
            write(folder / name / f"{index}.tiff", (gain * values).astype(np.uint16))


def test_deep_pictures_share_one_range_which_the_model_keeps(tmp_path: Path) -> None:
    deep(tmp_path)
    dataset = am.read(tmp_path)
    brightness = {name: dataset.examples["image"][i].mean() for i, name in enumerate(dataset.labels(0))}
    assert brightness["bright"] > 5 * brightness["dim"]
    assert "One range for all deep pictures" in text(dataset)
    alone = IMAGES.inputs(tmp_path / "dim" / "0.tiff", IMAGES.input_state(dataset))
    row = dataset.labels(0).tolist().index("dim")
    np.testing.assert_array_equal(alone.examples["image"].iloc[0], dataset.examples["image"][row])


def test_intensity_chooses_the_range(tmp_path: Path) -> None:
    deep(tmp_path)
    each = am.read(tmp_path, intensity="each")
    assert each.examples["image"][0].max() == each.examples["image"][5].max() == 255
    given = am.read(tmp_path, intensity="0,4000")
    assert given.input_state["span"] == [0.0, 4000.0]
    with pytest.raises(DataError, match="--intensity takes set, each, or LOW,HIGH"):
        am.read(tmp_path, intensity="much")


def test_one_pixel_that_always_shines_does_not_make_all_others_black(tmp_path: Path) -> None:
    for index in range(20):
        values = np.random.default_rng(index).integers(100, 200, (32, 32)).astype(np.uint16)
        values[3, 3] = 65535 if index == 7 else 150
        write(tmp_path / "ab"[index % 2] / f"{index}.tiff", values)
    assert am.read(tmp_path).examples["image"][0].std() > 30


def test_of_a_stack_the_brightest_values_are_taken_or_the_frame_that_is_asked_for(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (10, 90, 50)]
    for name in "ab":
        (tmp_path / name).mkdir()
        frames[0].save(tmp_path / name / "1.tiff", save_all=True, append_images=frames[1:])
        write(tmp_path / name / "2.tiff")
    dataset = am.read(tmp_path)
    assert dataset.examples["image"][0].max() == 90
    assert "2 pictures: of 3 frames, the brightest value of all taken" in text(dataset)
    third = am.read(tmp_path, frame="3")
    assert third.examples["image"][0].max() == 50
    asked = IMAGES.inputs(tmp_path / "a" / "1.tiff", IMAGES.input_state(third))
    assert asked.examples["image"].iloc[0].max() == 50
    assert "has 3 frames and no frame 4" in am.read(tmp_path, frame="4").refused[0].reason


def test_the_size_can_be_chosen_and_what_is_lost_is_told(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / name / "1.png", np.zeros((400, 300), np.uint8) + ord(name))
    dataset = am.read(tmp_path)
    assert dataset.examples["image"][0].shape == (64, 48, 1)
    assert "smaller than about 12 pixels is lost" in text(dataset)
    assert "--size 256" in text(dataset)
    assert am.read(tmp_path, size=128).examples["image"][0].shape == (128, 96, 1)


def test_a_large_photograph_is_decoded_at_a_part_of_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.draft", lambda *a: asked.append(a[2]), raising=True)
    for name in "ab":
        write(tmp_path / name / "1.jpg", np.zeros((800, 600), np.uint8) + ord(name))
    am.read(tmp_path)
    assert asked == [(128, 128)] * 2


def near(values: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0, 2, values.shape)
    return np.clip(values + noise, 0, 255).astype(np.uint8)


def test_near_copies_share_a_fold_unless_they_are_kept_apart(tmp_path: Path) -> None:
    for index in range(12):
        pattern = np.random.default_rng(index).integers(20, 230, (8, 8)).astype(np.uint8)
        write(tmp_path / "ab"[index % 2] / f"x{index}.png", pattern)
        if index < 3:
            write(tmp_path / "ab"[index % 2] / f"again{index}.png", near(pattern, index))
    dataset = am.read(tmp_path)
    assert "3 pictures are nearly the same as another one" in text(dataset)
    groups = dict(zip(dataset.examples["name"], dataset.groups, strict=True))
    assert groups["a/x0.png"] == groups["a/again0.png"] != groups["a/x2.png"]
    assert len(set(am.read(tmp_path, keep=["series"]).groups)) == 15


def film(folder: Path, clips: int, alike: bool) -> None:
    """Write clips of five frames each, whose frames are much alike or not."""
    for clip in range(clips):
        scene = np.random.default_rng(clip).integers(20, 230, (8, 8))
        for frame in range(5):
            change = np.random.default_rng(100 * clip + frame).integers(-40, 40, (8, 8))
            other = np.random.default_rng(1000 + 100 * clip + frame).integers(20, 230, (8, 8))
            values = np.clip((scene if alike else other) + change, 0, 255).astype(np.uint8)
            write(folder / "ab"[clip % 2] / f"clip{clip:02d}_{frame:03d}.png", values)


def test_frames_of_one_clip_share_a_fold_where_they_are_much_alike(tmp_path: Path) -> None:
    film(tmp_path / "film", 12, alike=True)
    dataset = am.read(tmp_path / "film")
    assert "The names tell 12 series (a/clip00, a/clip02, a/clip04, ...)" in text(dataset)
    assert len(set(dataset.groups)) == 12
    film(tmp_path / "names", 12, alike=False)
    other = am.read(tmp_path / "names")
    assert len(set(other.groups)) == 60
    assert other.columns["series"].nunique() == 12  # for --group series
