"""One picture, however it was saved: the same pixels, or a reason."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from amalthea.domains.images.pictures import MOST_PIXELS, fit_picture, is_picture_name, open_picture, picture_size
from amalthea.errors import DataError

COLOURS = np.random.default_rng(0).integers(0, 256, (12, 17, 3)).astype(np.uint8)


def png_of_size(path: Path, width: int, height: int) -> Path:
    """Write a PNG whose header promises a size, and which holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("suffix", ["png", "tiff", "bmp", "webp", "ppm"])
def test_lossless_formats_give_the_same_pixels(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(COLOURS).save(path, **({"lossless": True} if suffix == "webp" else {}))
    picture = open_picture(path)
    np.testing.assert_array_equal(picture.pixels, COLOURS)
    assert picture.notes == ()
    assert picture_size(path) == (12, 17)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_the_camera_was_held(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(COLOURS).save(path, exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(open_picture(path).pixels, expected)
    assert picture_size(path) == expected.shape[:2]


def test_a_damaged_orientation_does_not_cost_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(COLOURS).save(path, exif=b"Exif\0\0no such thing")
    assert open_picture(path).pixels.shape == COLOURS.shape


def test_a_picture_without_colour_has_one_channel(tmp_path: Path) -> None:
    grey = np.repeat(COLOURS[:, :, :1], 3, axis=2)
    for mode in ("RGB", "L", "RGBA", "LA"):
        path = tmp_path / f"{mode}.png"
        Image.fromarray(grey).convert(mode).save(path)
        np.testing.assert_array_equal(open_picture(path).pixels, grey[:, :, :1])


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    layered = np.dstack([COLOURS, np.full((12, 17), 255, np.uint8)])
    layered[:6, :, 3] = 0
    path = tmp_path / "a.png"
    Image.fromarray(layered).save(path)
    picture = open_picture(path)
    assert (picture.pixels[:6] == 255).all()
    np.testing.assert_array_equal(picture.pixels[6:], COLOURS[6:])
    assert picture.notes == ("transparent parts shown on white",)


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    image = Image.new("P", (4, 3), 1)
    image.putpalette([0, 0, 0, 250, 120, 7])
    image.save(tmp_path / "a.png")
    assert open_picture(tmp_path / "a.png").pixels[0, 0].tolist() == [250, 120, 7]


def test_one_bit_becomes_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).convert("1").save(tmp_path / "a.png")
    picture = open_picture(tmp_path / "a.png")
    assert picture.pixels.shape == (12, 17, 1)
    assert np.unique(picture.pixels).tolist() == [0, 255]


def test_cmyk_is_converted_and_said(tmp_path: Path) -> None:
    Image.new("CMYK", (20, 20), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    picture = open_picture(tmp_path / "a.jpg")
    red, green, blue = picture.pixels[10, 10]
    assert red > 240 > 15 > max(green, blue)
    assert picture.notes == ("CMYK, converted to RGB",)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits_are_scaled_by_their_own_range(tmp_path: Path, suffix: str) -> None:
    values = np.array([[1000, 2000], [3000, 4000]], np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    picture = open_picture(tmp_path / f"a.{suffix}")
    assert picture.pixels[:, :, 0].tolist() == [[0, 85], [170, 255]]
    assert "16 bits" in picture.notes[0]


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    values = np.array([[1.0, np.nan]], np.float32)
    Image.fromarray(values).save(tmp_path / "a.tiff")
    with pytest.raises(DataError, match="no finite numbers"):
        open_picture(tmp_path / "a.tiff")


def test_of_an_animation_the_first_frame_is_taken_and_said(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    picture = open_picture(tmp_path / "a.gif")
    assert picture.pixels[2, 2].tolist() == [255, 0, 0]
    assert picture.notes == ("of several frames, the first was taken",)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tiff", "webp"])
def test_a_picture_that_was_cut_off_is_refused(tmp_path: Path, suffix: str) -> None:
    large = np.random.default_rng(1).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(large).save(path)
    content = path.read_bytes()
    for length in (0, 3, 20, 100, len(content) // 2):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"^(is|cannot be read)"):
            open_picture(path)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("name,value\n")
    with pytest.raises(DataError, match="is no picture that can be read"):
        open_picture(path)
    with pytest.raises(DataError, match="no such file"):
        open_picture(tmp_path / "b.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [11_000, 20_000])
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(
    tmp_path: Path, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = png_of_size(tmp_path / "a.png", side, side)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("it was decoded"))
    assert side * side > MOST_PIXELS
    with pytest.raises(DataError, match="too large"):
        open_picture(path)


def test_a_picture_without_pixels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"empty|no picture"):
        open_picture(png_of_size(tmp_path / "a.png", 0, 10))


def test_fitting_keeps_all_of_a_picture() -> None:
    halves = np.zeros((40, 80, 1), np.uint8)
    halves[:, 40:] = 200
    fitted = fit_picture(halves, (10, 10, 3))
    assert fitted.shape == (10, 10, 3)
    assert fitted[:, 0].max() < 10
    assert fitted[:, -1].min() > 190
    assert fit_picture(halves, (40, 80, 1)) is halves


def test_hidden_files_are_no_pictures() -> None:
    assert is_picture_name(Path("a.JPEG"))
    assert not is_picture_name(Path("._a.jpeg"))
