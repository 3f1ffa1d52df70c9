"""Pictures from files, folders and tables: what cannot be read is refused with its reason, and all others are kept."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from amalthea.domains.images.files import LONGEST_SIDE
from amalthea.domains.images.idx import read_idx
from amalthea.domains.images.inputs import read_inputs
from amalthea.domains.images.picture_sets import claims, find_path_column, read_column, read_pictures
from amalthea.domains.images.stack import as_labels, from_array
from amalthea.errors import DataError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (10, 6, 5)).astype(np.uint8)
LABELS = np.arange(10) % 3


def write_picture(path: Path, size: tuple[int, int] = (8, 8), grey: bool = False, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)
    Image.fromarray(pixels[:, :, 0] if grey else pixels).save(path)
    return path


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def write_mnist(folder: Path, suffix: str = "") -> None:
    folder.mkdir(exist_ok=True)
    pairs = {"train": (IMAGES, LABELS), "t10k": (IMAGES[:4], LABELS[:4])}
    for name, (images, labels) in pairs.items():
        for kind, values in (("images-idx3", images), ("labels-idx1", labels.astype(np.uint8))):
            content = idx_bytes(values)
            (folder / f"{name}-{kind}-ubyte{suffix}").write_bytes(gzip.compress(content) if suffix else content)


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


# NumPy's files


@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")],
)
def test_an_npz_in_the_layout_of_keras(tmp_path: Path, names: tuple[str, ...]) -> None:
    arrays = dict(zip(names, (IMAGES, LABELS, IMAGES[:3], LABELS[:3, None]), strict=True))
    pictures = read_pictures(save(tmp_path / "a.npz", **arrays))
    np.testing.assert_array_equal(pictures.images[..., 0], IMAGES)
    assert pictures.labels is not None
    assert pictures.labels.tolist() == [str(label) for label in LABELS]
    assert pictures.test is not None
    assert pictures.test.labels is not None
    assert pictures.test.labels.tolist() == ["0", "1", "2"]
    assert pictures.notes == ()
    assert pictures.names[0] == "1"
    assert claims(tmp_path / "a.npz")


def test_bytes_are_not_copied() -> None:
    pictures = from_array(IMAGES)
    assert np.shares_memory(pictures.images, IMAGES)
    assert all(np.shares_memory(image, IMAGES) for image in pictures.examples()["image"])


def test_images_without_labels_and_under_other_names(tmp_path: Path) -> None:
    assert read_pictures(save(tmp_path / "a.npz", images=IMAGES)).labels is None
    assert len(read_pictures(save(tmp_path / "b.npz", anything=IMAGES, other=np.arange(4)))) == 10
    np.save(tmp_path / "c.npy", IMAGES)
    assert read_pictures(tmp_path / "c.npy").shape == (6, 5, 1)
    assert claims(tmp_path / "c.npy")


def test_validation_images_are_trained_on_where_there_is_a_test_set(tmp_path: Path) -> None:
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_val": IMAGES[:4] / 255, "y_val": LABELS[:4]}
    assert read_pictures(save(tmp_path / "a.npz", **arrays)).test is not None
    pictures = read_pictures(save(tmp_path / "b.npz", **arrays, x_test=IMAGES[:2], y_test=LABELS[:2]))
    assert len(pictures) == 14
    assert pictures.rows.tolist() == list(range(1, 15))
    np.testing.assert_array_equal(pictures.images[10:], pictures.images[:4])
    assert "4 validation images were added" in pictures.notes[-1]


def test_labels_that_do_not_match_in_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="10 images and there are 9 labels"):
        read_pictures(save(tmp_path / "a.npz", x_train=IMAGES, y_train=LABELS[:9]))


def test_pickled_objects_are_never_opened(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", x_train=IMAGES, y_train=np.array([{}] * 10, object))
    with pytest.raises(DataError, match="Python objects"):
        read_pictures(path)


def test_archives_that_cannot_be_used(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", x=IMAGES)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="damaged"):
        read_pictures(path)
    with pytest.raises(DataError, match=r"table \(10, 4\)"):
        read_pictures(save(tmp_path / "b.npz", table=np.zeros((10, 4))))
    with pytest.raises(DataError, match="no stack of images"):
        read_pictures(save(tmp_path / "c.npz", x=np.zeros((10, 4))))
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 10000, 10000), }\n"
    (tmp_path / "d.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(DataError, match="more than the file holds"):
        read_pictures(tmp_path / "d.npy")


# Numbers to bytes, and labels


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(["float32", "float64", "uint16", "int32"]),
    low=st.floats(-1000, 1000),
    width=st.floats(10, 5000),
)
def test_any_numbers_keep_their_order(kind: str, low: float, width: float) -> None:
    values = (np.random.default_rng(0).random((3, 4, 4)) * width + max(low, 0 if kind == "uint16" else low)).astype(
        kind
    )
    pictures = from_array(values)
    order = np.argsort(values, axis=None)
    assert (np.diff(pictures.images.ravel()[order].astype(int)) >= 0).all()
    assert pictures.span is not None
    again = from_array(values[:1], span=pictures.span)
    np.testing.assert_array_equal(again.images, pictures.images[:1])


@pytest.mark.parametrize(
    ("values", "span"),
    [
        (np.array([0.0, 0.5, 1.0]), (0, 1)),
        (np.array([0.0, 127.4, 255.0]), (0, 255)),
        (np.array([-1.0, 0.0, 1.0]), (-1, 1)),
        (np.array([0, 8, 16]), (0, 16)),
        (np.array([False, True, True]), (0, 1)),
        (np.array([-50, 0, 150]), (-50, 150)),
    ],
)
def test_what_stands_for_black_and_white(values: NDArray[Any], span: tuple[float, float]) -> None:
    pictures = from_array(values.reshape(1, 3, 1))
    assert pictures.span == span
    expected = np.rint((values.astype(float) - span[0]) / (span[1] - span[0]) * 255)
    np.testing.assert_array_equal(pictures.images.ravel(), expected)
    assert "is white" in pictures.notes[0]


def test_an_image_with_nan_is_refused_alone() -> None:
    values = np.random.default_rng(0).random((4, 3, 3))
    values[2, 1, 1] = np.nan
    pictures = from_array(values)
    assert [(refusal.row, refusal.reason) for refusal in pictures.refused] == [(3, "holds NaN or infinity")]
    others = from_array(np.delete(values, 2, axis=0))
    np.testing.assert_array_equal(pictures.images[[0, 1, 3]], others.images)
    assert pictures.examples()["image"].isna().tolist() == [False, False, True, False]


def test_channels_that_come_first_are_moved() -> None:
    colours = RANDOM.integers(0, 256, (4, 3, 9, 7)).astype(np.uint8)
    pictures = from_array(colours)
    assert pictures.shape == (9, 7, 3)
    np.testing.assert_array_equal(pictures.images[1, 2, 3], colours[1, :, 2, 3])


def test_labels_of_any_form_are_text() -> None:
    assert as_labels(np.eye(3)[[2, 0]]).tolist() == ["2", "0"]
    assert as_labels(np.array([[5], [7]], np.uint8)).tolist() == ["5", "7"]
    assert as_labels(np.array([b"cat", b"dog"])).tolist() == ["cat", "dog"]
    with pytest.raises(DataError, match="not one-hot"):
        as_labels(np.array([[1, 1], [0, 1]]))


def test_equal_images_have_equal_keys_and_others_have_not() -> None:
    images = np.concatenate([IMAGES, IMAGES[:2], np.swapaxes(IMAGES[:1], 1, 2).reshape(1, 6, 5)])
    keys = from_array(images).examples()["key"].tolist()
    assert keys[10:12] == keys[:2]
    assert len(set(keys)) == 11


# IDX


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_are_found_beside_each_other(tmp_path: Path, suffix: str) -> None:
    write_mnist(tmp_path / "mnist", suffix)
    for source in (tmp_path / "mnist", tmp_path / "mnist" / f"train-images-idx3-ubyte{suffix}"):
        assert claims(source)
        pictures = read_pictures(source)
        np.testing.assert_array_equal(pictures.images[..., 0], IMAGES)
        assert pictures.labels is not None
        assert pictures.labels.tolist() == [str(label) for label in LABELS]
        assert pictures.test is not None
        assert len(pictures.test) == 4


@pytest.mark.parametrize(
    ("kind", "code"), [("u1", 0x08), ("i1", 0x09), (">i2", 0x0B), (">i4", 0x0C), (">f4", 0x0D), (">f8", 0x0E)]
)
def test_every_type_of_idx(tmp_path: Path, kind: str, code: int) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(kind)
    (tmp_path / "a").write_bytes(struct.pack(">BBBBIII", 0, 0, code, 3, 2, 3, 4) + values.tobytes())
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), values)


def test_idx_with_a_wrong_magic_number(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(b"\x00\x00\x07\x03" + bytes(100))
    with pytest.raises(DataError, match=r"begins with 00 00 07 03.*00 00 08 03"):
        read_pictures(path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_with_too_few_bytes_or_too_many(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"train-images-idx3-ubyte{suffix}"
    whole = idx_bytes(IMAGES)
    for content, found in ((whole[:-20], "280 follow"), (whole + b"?", "more follow"), (whole[:9], "follow")):
        path.write_bytes(gzip.compress(content) if suffix else content)
        with pytest.raises(DataError, match=found):
            read_pictures(path)
    path.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 2**31, 2**31, 2**31))
    with pytest.raises(DataError, match="promises"):
        read_pictures(path)


def test_a_gzip_file_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES))[:-50])
    with pytest.raises(DataError, match="gzip"):
        read_pictures(path)


def test_idx_labels_that_do_not_match(tmp_path: Path) -> None:
    write_mnist(tmp_path / "mnist")
    (tmp_path / "mnist" / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(7, np.uint8)))
    with pytest.raises(DataError, match="10 images and there are 7 labels"):
        read_pictures(tmp_path / "mnist")
    with pytest.raises(DataError, match="labels and no images"):
        read_pictures(tmp_path / "mnist" / "train-labels-idx1-ubyte")


# Folders


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    for name in ("cat/b.png", "cat/more/a.png", "dog/c.png"):
        write_picture(tmp_path / name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "cat" / "notes.txt").write_text("the cat of the house")
    (tmp_path / "cat" / ".b.png").write_bytes(b"")
    write_picture(tmp_path / "loose.png")
    pictures = read_pictures(tmp_path)
    assert claims(tmp_path)
    assert pictures.names.tolist() == ["cat/b.png", "cat/more/a.png", "dog/c.png"]
    assert pictures.labels is not None
    assert pictures.labels.tolist() == ["cat", "cat", "dog"]
    notes = " ".join(pictures.notes)
    assert "became no class: empty" in notes
    assert "only one picture of: dog" in notes
    assert "2 files left out" in notes
    assert "1 picture in no class folder" in notes


def test_one_bad_picture_never_loses_the_others(tmp_path: Path) -> None:
    for index in range(4):
        write_picture(tmp_path / "a" / f"{index}.png", seed=index)
        write_picture(tmp_path / "b" / f"{index}.png", seed=9 + index)
    (tmp_path / "a" / "1.png").write_bytes((tmp_path / "a" / "0.png").read_bytes()[:60])
    (tmp_path / "b" / "2.png").write_bytes(b"")
    pictures = read_pictures(tmp_path)
    assert [(refusal.row, refusal.example) for refusal in pictures.refused] == [(2, "a/1.png"), (7, "b/2.png")]
    assert int(np.sum(pictures.problems == "")) == 6
    assert (pictures.images[[0, 2, 3, 4, 5, 7]].max(axis=(1, 2, 3)) > 0).all()


def test_the_most_frequent_size_becomes_the_size_of_all(tmp_path: Path) -> None:
    for index in range(3):
        write_picture(tmp_path / "a" / f"{index}.png", (10, 12))
    write_picture(tmp_path / "b" / "0.png", (30, 20))
    pictures = read_pictures(tmp_path)
    assert pictures.shape == (10, 12, 3)
    assert any("1 picture was resized to 12 x 10 pixels" in note for note in pictures.notes)


def test_where_all_sizes_differ_the_median_is_taken_and_large_ones_shrink(tmp_path: Path) -> None:
    for index, size in enumerate([(20, 10), (30, 12), (50, 30)]):
        write_picture(tmp_path / "aab"[index] / f"{index}.png", size)
    assert read_pictures(tmp_path).shape == (30, 12, 3)
    for index in range(5):
        write_picture(tmp_path / "b" / f"{index}.png", (200, 400))
    pictures = read_pictures(tmp_path)
    assert pictures.shape == (LONGEST_SIDE // 2, LONGEST_SIDE, 3)
    assert any(f"at most {LONGEST_SIDE}" in note for note in pictures.notes)


def test_grey_and_coloured_pictures_together_are_coloured(tmp_path: Path) -> None:
    for index in range(3):
        write_picture(tmp_path / "aab"[index] / f"{index}.png", grey=True, seed=index)
    assert read_pictures(tmp_path).shape == (8, 8, 1)
    write_picture(tmp_path / "b" / "0c.png")
    pictures = read_pictures(tmp_path)
    assert pictures.shape == (8, 8, 3)
    assert (pictures.images[0] == pictures.images[0][:, :, :1]).all()
    assert any(note.startswith("3 pictures: without colour") for note in pictures.notes)


def test_conversions_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for index in range(3):
        Image.new("CMYK", (8, 8), (0, 9 * index, 99, 0)).save(tmp_path / "a" / f"{index}.jpg")
    write_picture(tmp_path / "b" / "0.png")
    assert "3 pictures: CMYK, converted to RGB." in read_pictures(tmp_path).notes


@pytest.mark.parametrize("test", ["test", "val"])
def test_folders_called_train_and_test(tmp_path: Path, test: str) -> None:
    for part, count in (("train", 3), (test, 2)):
        for label in ("x", "y"):
            for index in range(count):
                write_picture(tmp_path / part / label / f"{index}.png", seed=index)
    pictures = read_pictures(tmp_path)
    assert claims(tmp_path)
    assert len(pictures) == 6
    assert pictures.test is not None
    assert pictures.test.labels is not None
    assert pictures.test.labels.tolist() == ["x", "x", "y", "y"]
    assert pictures.test.rows.tolist() == [1, 2, 3, 4]
    assert pictures.test.names[0] == f"{test}/x/0.png"


def test_a_folder_that_only_wraps_the_classes(tmp_path: Path) -> None:
    for label in ("x", "y"):
        write_picture(tmp_path / "data" / label / "0.png")
    pictures = read_pictures(tmp_path)
    assert pictures.labels is not None
    assert pictures.labels.tolist() == ["x", "y"]


def test_folders_without_labels_or_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no pictures"):
        read_pictures(tmp_path)
    assert not claims(tmp_path)
    write_picture(tmp_path / "0.png")
    assert read_pictures(tmp_path).labels is None


# A table's column of paths


def test_a_column_of_paths(tmp_path: Path) -> None:
    for index in range(3):
        write_picture(tmp_path / "pictures" / f"{index}.png", seed=index)
    paths = ["pictures/0.png", "pictures\\1.png", None, "pictures/9.png", "pictures/2.png"]
    table = pd.DataFrame({"id": list("abcde"), "file": paths, "kind": list("uvuvu")}, index=range(2, 7), dtype="str")
    assert find_path_column(table, tmp_path) == "file"
    assert find_path_column(table, tmp_path / "pictures") == "file"
    assert find_path_column(table, tmp_path / "nowhere") is None
    pictures = read_column(table["file"], tmp_path)
    assert pictures.rows.tolist() == [2, 3, 4, 5, 6]
    assert [(refusal.row, refusal.reason) for refusal in pictures.refused] == [
        (4, "no picture is named"),
        (5, "cannot be read: no such file or directory"),
    ]


# What is to be predicted


def test_inputs_in_every_form_come_in_the_shape_of_the_model(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "p" / "b.png", (12, 9))
    write_picture(tmp_path / "p" / "sub" / "a.png", (5, 5), grey=True)
    (tmp_path / "p" / "a.png").write_bytes(b"broken")
    write_mnist(tmp_path / "mnist")
    np.save(tmp_path / "a.npy", IMAGES)
    shape = (7, 7, 1)
    expected = {
        str(path): ["b.png"],
        tmp_path / "p": ["a.png", "b.png", "sub/a.png"],
        tmp_path / "mnist" / "t10k-images-idx3-ubyte": ["1", "2", "3", "4"],
        tmp_path / "a.npy": [str(position) for position in range(1, 11)],
    }
    for source, names in expected.items():
        found = read_inputs(source, shape)
        assert found.images.shape == (len(names), *shape)
        assert found.names.tolist() == names
    assert read_inputs(tmp_path / "p", shape).problems.astype(bool).tolist() == [True, False, False]
    assert len(read_inputs(IMAGES, shape)) == 10
    assert len(read_inputs(IMAGES[0], shape)) == 1


def test_a_list_of_arrays_and_paths(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png")
    items = [IMAGES[0], path, tmp_path / "no.png", IMAGES, "a word", IMAGES[1] / 255]
    found = read_inputs(items, (6, 5, 1), span=(0, 1))
    assert found.problems.astype(bool).tolist() == [False, False, True, True, True, False]
    np.testing.assert_array_equal(found.images[[0, 5], :, :, 0], IMAGES[:2])
    assert len(read_inputs([], (6, 5, 1))) == 0


def test_inputs_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_inputs(tmp_path / "none.png", (4, 4, 1))
    with pytest.raises(DataError, match="holds no pictures"):
        read_inputs(tmp_path, (4, 4, 1))
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(DataError, match="is no picture"):
        read_inputs(tmp_path / "a.txt", (4, 4, 1))
    with pytest.raises(DataError, match="a single picture"):
        read_pictures(write_picture(tmp_path / "a.png"))


def test_what_prepares_a_picture_sees_it_as_it_is_and_may_refuse_it(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", (30, 40))
    write_picture(tmp_path / "b.png", (10, 10))

    def corner(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if len(pixels) < 20:
            raise DataError("is too small")
        return pixels[:4, :4]

    found = read_inputs(tmp_path, (4, 4, 3), prepare=corner)
    assert found.problems.tolist() == ["", "is too small"]
    assert found.images[0].any()
