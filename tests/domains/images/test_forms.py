"""Pictures in other forms than folders: columns of paths, columns of pixels, arrays, archives, encoded cells."""

from __future__ import annotations

import gzip
import io
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import amalthea as am
from amalthea.domains import domain
from amalthea.errors import DataError

IMAGES = domain("images")
GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.integers(0, 256, (20, 8, 8)).astype(np.uint8)
LABELS = np.arange(20) % 2


def encoded(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with pictures in `train`, called by numbers and one by an accent."""
    (tmp_path / "train").mkdir()
    for number, values in enumerate(PIXELS):
        name = unicodedata.normalize("NFD", "maçã") if number == 0 else f"IMG_{number:03d}"
        (tmp_path / "train" / f"{name}.PNG").write_bytes(encoded(values))
    return tmp_path


@pytest.mark.parametrize(
    "form",
    [
        "train/{}.PNG",
        "./train/{}.PNG",
        "{}.PNG",
        "{}",
        "/content/drive/MyDrive/train/{}.PNG",
        "C:\\Users\\ana\\train\\{}.png",
        "https://example.org/train/{}.png",
        "other/{}.jpg.png",
    ],
)
def test_pictures_are_found_however_a_table_names_them(folder: Path, form: str) -> None:
    names = ["maçã", *(f"IMG_{number:03d}" for number in range(1, 20))]
    texts = [form.replace(".jpg", "").format(name) for name in names]
    pd.DataFrame({"picture": texts, "label": ["up", "down"] * 10}).to_csv(folder / "t.csv", index=False)
    dataset = am.read(folder / "t.csv")
    assert dataset.domain == "images"
    assert len(dataset) == 20
    np.testing.assert_array_equal(dataset.examples["image"][3][:, :, 0], PIXELS[3])
    if form.startswith("./") is (form == "train/{}.PNG"):
        assert any("found elsewhere" in note for note in dataset.notes)


def test_of_pictures_that_are_called_alike_those_of_one_folder_are_taken(folder: Path) -> None:
    (folder / "test").mkdir()
    (folder / "test" / "IMG_003.PNG").write_bytes(encoded(PIXELS[0]))
    frame = pd.DataFrame({"id": [f"IMG_{number:03d}" for number in range(1, 20)], "label": ["up"] * 9 + ["down"] * 10})
    frame.to_csv(folder / "t.csv", index=False)
    np.testing.assert_array_equal(am.read(folder / "t.csv").examples["image"][2][:, :, 0], PIXELS[3])


def test_pictures_that_are_not_there_are_named_with_where_they_were_looked_for(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,label\nx/1.png,up\nx/2.png,down\n")
    with pytest.raises(DataError, match=r"'path' names pictures, and they are not there: looked for 'x/1\.png' in"):
        am.read(tmp_path / "t.csv")


def columns(names: list[str], first: bool = True) -> pd.DataFrame:
    label = pd.DataFrame({"label": LABELS})
    pixels = pd.DataFrame(PIXELS.reshape(20, -1), columns=names)
    return pd.concat([label, pixels] if first else [pixels, label], axis=1)


@pytest.mark.parametrize(
    "names",
    [
        [f"pixel{i}" for i in range(64)],
        [f"px_{i + 1}" for i in range(64)],
        [f"pixel_{i}_{j}" for i in range(8) for j in range(8)],
        [f"{i}x{j}" for i in range(1, 9) for j in range(1, 9)],
    ],
)
def test_columns_of_pixels_are_pictures(tmp_path: Path, names: list[str]) -> None:
    columns(names).to_csv(tmp_path / "t.csv", index=False)
    dataset = am.read(tmp_path / "t.csv")
    assert dataset.targets[0].classes == ("0", "1")
    np.testing.assert_array_equal(np.stack(dataset.examples["image"].tolist())[..., 0], PIXELS)
    assert len(dataset.notes) < 4
    again = IMAGES.inputs(tmp_path / "t.csv", IMAGES.input_state(dataset))
    np.testing.assert_array_equal(again.examples["image"].iloc[5], dataset.examples["image"][5])


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_first_line_of_pixels_is_no_header(tmp_path: Path, first: bool, suffix: str) -> None:
    table = columns([str(i) for i in range(64)], first)
    table[["0", "63"]] = 0
    text = table.to_csv(index=False, header=False)
    path = tmp_path / f"t{suffix}"
    path.write_bytes(gzip.compress(text.encode()) if suffix.endswith("gz") else text.encode())
    dataset = am.read(path)
    assert len(dataset) == 20
    assert dataset.labels(0).tolist() == LABELS.astype(str).tolist()
    assert f"in the {'first' if first else 'last'} column" in " ".join(dataset.notes)


def test_pixels_in_one_column_and_in_three_colours_are_pictures(tmp_path: Path) -> None:
    texts = [" ".join(map(str, values.ravel())) for values in PIXELS]
    pd.DataFrame({"emotion": LABELS, "pixels": texts, "Usage": "Training"}).to_csv(tmp_path / "t.csv", index=False)
    dataset = am.read(tmp_path / "t.csv")
    assert dataset.targets[0].name == "emotion"
    assert "these columns were not used: Usage" in " ".join(dataset.notes)
    colour = np.repeat(PIXELS[..., None], 3, axis=3) // np.array([1, 2, 3])
    frame = pd.DataFrame(colour.reshape(20, -1), columns=[f"pixel{i:04d}" for i in range(192)]).assign(label=LABELS)
    frame.to_csv(tmp_path / "c.csv", index=False)
    np.testing.assert_array_equal(am.read(tmp_path / "c.csv").examples["image"][0], colour[0])


def test_a_damaged_cell_of_pixels_costs_no_other_row(tmp_path: Path) -> None:
    text = columns([f"pixel{i}" for i in range(64)]).astype(object)
    text.loc[4, "pixel7"] = "?"
    text.to_csv(tmp_path / "t.csv", index=False)
    dataset = am.read(tmp_path / "t.csv")
    assert len(dataset) == 19
    assert "NaN" in dataset.refused[0].reason


def test_a_table_of_other_numbers_stays_a_table(tmp_path: Path) -> None:
    frame = pd.DataFrame(GENERATOR.normal(size=(30, 60)), columns=[f"x{i}" for i in range(60)]).assign(y=range(30))
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert am.read(tmp_path / "t.csv", "y").domain == "tables"


def test_arrays_are_known_by_what_they_hold(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", imgs=PIXELS, lbls=LABELS)
    np.savez(tmp_path / "flat.npz", x_train=PIXELS.reshape(20, -1), y_train=LABELS)
    for name in ("other", "flat"):
        np.testing.assert_array_equal(am.read(tmp_path / f"{name}.npz").examples["image"][1][:, :, 0], PIXELS[1])
    np.savez(tmp_path / "volumes.npz", x_train=np.zeros((4, 9, 9, 9), np.uint8), y_train=LABELS[:4])
    with pytest.raises(DataError, match="no stack of images"):
        am.read(tmp_path / "volumes.npz")


def test_arrays_of_images_and_of_labels_beside_one_another_are_read_together(tmp_path: Path) -> None:
    for part in ("train", "test"):
        np.save(tmp_path / f"X_{part}.npy", PIXELS)
        np.save(tmp_path / f"y_{part}.npy", LABELS)
    dataset = am.read(tmp_path / "X_train.npy")
    assert dataset.labels(0).tolist() == LABELS.astype(str).tolist()
    assert dataset.test is not None
    with pytest.raises(DataError, match=r"holds labels and no images.*X_train\.npy"):
        am.read(tmp_path / "y_train.npy")


def test_a_zip_of_folders_is_read_within_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, values in enumerate(PIXELS):
            archive.writestr(f"p/{'ab'[number % 2]}/{number}.png", encoded(values))
        archive.writestr("../outside.png", encoded(PIXELS[0]))
        archive.writestr("__MACOSX/a/._1.png", b"")
    dataset = am.read(path)
    assert len(dataset) == 20
    assert dataset.targets[0].classes == ("a", "b")
    assert len(IMAGES.inputs(path, IMAGES.input_state(dataset))) == 20
    monkeypatch.setattr("amalthea.domains.images.packages.MOST_BYTES", 100)
    with pytest.raises(DataError, match="more than is unpacked here"):
        am.read(path)
    assert not (tmp_path.parent / "outside.png").exists()


def test_encoded_pictures_in_parquet_are_read(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    cells = [{"bytes": encoded(values), "path": None} for values in PIXELS]
    pd.DataFrame({"image": cells, "label": LABELS}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"img": [cell["bytes"] for cell in cells], "kind": LABELS}).to_parquet(tmp_path / "b.parquet")
    for name, label in (("a", "label"), ("b", "kind")):
        dataset = am.read(tmp_path / f"{name}.parquet")
        assert dataset.targets[0].name == label
        np.testing.assert_array_equal(dataset.examples["image"][7][:, :, 0], PIXELS[7])
