"""A photographed digit comes out as the digit that it is a photograph of."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits, load_sample_images

from amalthea.domains.images.inputs import read_inputs
from amalthea.domains.images.photo import NOTHING_DRAWN, ink_box, is_handwriting, like_mnist
from amalthea.errors import DataError

Bytes = NDArray[np.uint8]


def small_digits() -> Bytes:
    """Return scikit-learn's digits, shape (1797, 8, 8, 1)."""
    return np.rint(load_digits().images * (255 / 16)).astype(np.uint8)[..., None]


def in_the_form_of_mnist() -> Bytes:
    """Return digits, shape (n, 28, 28, 1): MNIST's own where they are at hand, else scikit-learn's, enlarged."""
    folder = os.environ.get("AMALTHEA_DATA")
    if folder and (Path(folder) / "mnist" / "mnist.npz").exists():
        with np.load(Path(folder) / "mnist" / "mnist.npz") as archive:
            return np.asarray(archive["x_test"][:500, :, :, None], np.uint8)
    enlarged = [np.asarray(Image.fromarray(digit[:, :, 0]).resize((160, 160))) for digit in small_digits()[:500]]
    return np.stack([like_mnist(digit[:, :, None]) for digit in enlarged])


DIGITS = in_the_form_of_mnist()


def photograph(digit: Bytes, seed: int, chalk: bool = False) -> Bytes:
    """Return a digit somewhere on tinted paper under light from one side, with a shadow and noise: (300, 400, 3)."""
    random = np.random.default_rng(seed)
    height, width = 300, 400
    side = int(random.uniform(0.35, 0.85) * height)
    large = np.asarray(Image.fromarray(digit[:, :, 0]).resize((side, side), Image.Resampling.BICUBIC)) / 255
    ink = np.zeros((height, width, 1))
    top, left = random.integers(height - side + 1), random.integers(width - side + 1)
    ink[top : top + side, left : left + side, 0] = large
    rows, columns = np.mgrid[:height, :width] / height - 0.5
    angle, other = random.uniform(0, 2 * np.pi, 2)
    falling = np.clip(np.cos(angle) * columns + np.sin(angle) * rows + 0.5, 0, 1)
    shadow = 1 / (1 + np.exp(-20 * (np.cos(other) * columns + np.sin(other) * rows)))
    light = (1 - random.uniform(0, 0.4) * falling) * (1 - random.uniform(0, 0.3) * shadow)
    paper = np.array([0.92, 0.9, 0.83]) * random.uniform(0.85, 1)
    pen = np.array([0.1, 0.15, random.uniform(0.1, 0.5)])
    if chalk:
        paper, pen = np.array([0.1, 0.17, 0.12]), np.array([0.9, 0.9, 0.85])
    seen = (paper * (1 - ink) + pen * ink) * light[:, :, None] + random.normal(0, 0.02, (height, width, 3))
    return np.rint(np.clip(seen, 0, 1) * 255).astype(np.uint8)


def alike(first: Bytes, second: Bytes) -> float:
    """Return the largest correlation of two digits over shifts of at most one pixel."""
    shifts = [(rows, columns) for rows in (-1, 0, 1) for columns in (-1, 0, 1)]
    moved = [np.roll(first, shift, axis=(0, 1)).ravel() for shift in shifts]
    return max(float(np.corrcoef(pixels, second.ravel())[0, 1]) for pixels in moved)


@pytest.mark.parametrize("chalk", [False, True])
def test_a_photograph_becomes_the_digit(chalk: bool) -> None:
    likeness = [alike(like_mnist(photograph(DIGITS[i], i, chalk)), DIGITS[i]) for i in range(30)]
    assert np.median(likeness) > 0.93
    assert np.sort(likeness)[2] > 0.8  # the few that are worst: small, in deep shadow


def test_what_has_the_form_stays_as_it_is() -> None:
    same = [np.array_equal(like_mnist(digit), digit) for digit in DIGITS]
    assert np.mean(same) > 0.98
    first = like_mnist(photograph(DIGITS[0], 0))
    assert alike(like_mnist(first), first) > 0.97


@settings(max_examples=15, deadline=None)
@given(index=st.integers(0, 499), size=st.sampled_from([8, 16, 28, 32, 64]))
def test_the_form(index: int, size: int) -> None:
    digit = like_mnist(photograph(DIGITS[index], index), size)[:, :, 0]
    assert digit.shape == (size, size)
    places = np.argwhere(digit > 25)
    longer = np.ptp(places, axis=0).max() + 1
    assert abs(longer - 20 / 28 * size) <= max(1.5, size / 14)
    weights = digit / digit.sum()
    centre = (weights.sum(axis=1) @ np.arange(size), weights.sum(axis=0) @ np.arange(size))
    np.testing.assert_allclose(centre, size / 2, atol=0.75)


def test_dark_on_light_and_light_on_dark_are_the_same() -> None:
    drawn = np.asarray(Image.fromarray(DIGITS[3][:, :, 0]).resize((140, 140)))[:, :, None]
    np.testing.assert_allclose(like_mnist(drawn).astype(int), like_mnist(255 - drawn), atol=40)
    assert alike(like_mnist(drawn), DIGITS[3]) > 0.95


def test_specks_are_dropped_and_parts_are_kept() -> None:
    image = Image.new("L", (200, 200), 235)
    draw = ImageDraw.Draw(image)
    draw.line([(80, 60), (80, 140)], fill=20, width=10)
    alone = like_mnist(np.asarray(image)[:, :, None])
    for place in ((10, 10), (190, 30), (150, 150)):
        draw.ellipse([place[0] - 2, place[1] - 2, place[0] + 2, place[1] + 2], fill=60)
    np.testing.assert_array_equal(like_mnist(np.asarray(image)[:, :, None]) > 128, alone > 128)
    draw.line([(95, 60), (120, 60)], fill=20, width=10)
    assert np.ptp(np.argwhere(like_mnist(np.asarray(image)[:, :, None])[:, :, 0] > 128), axis=0)[1] > 8


def test_thin_lines_are_widened() -> None:
    image = Image.new("L", (280, 280), 235)
    ImageDraw.Draw(image).line([(60, 60), (220, 60), (120, 220)], fill=30, width=2)
    assert like_mnist(np.asarray(image)[:, :, None]).max() > 200


BLANK = {
    "black": np.zeros((28, 28, 1)),
    "white": np.full((300, 400, 3), 255),
    "paper": np.random.default_rng(0).normal(200, 5, (300, 400, 3)),
    "light from one side": np.linspace(80, 220, 400).reshape(1, 400, 1).repeat(300, axis=0),
    "one pixel": np.full((1, 1, 3), 5),
    "a line of pixels": np.full((1, 900, 1), 9),
    "a speck": np.pad(np.zeros((2, 2, 1)), ((99, 99), (99, 99), (0, 0)), constant_values=230),
}


@pytest.mark.parametrize("kind", BLANK)
def test_a_picture_with_nothing_in_it_is_refused(kind: str) -> None:
    with pytest.raises(DataError, match=NOTHING_DRAWN):
        like_mnist(BLANK[kind].astype(np.uint8))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), height=st.integers(1, 60), width=st.integers(1, 60), channels=st.sampled_from([1, 3]))
def test_any_picture_is_answered_or_refused(seed: int, height: int, width: int, channels: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, channels)).astype(np.uint8)
    with contextlib.suppress(DataError):  # any other exception fails
        assert like_mnist(noise).shape == (28, 28, 1)


def test_photographs_in_a_folder(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # the camera was turned
    turned = np.rot90(photograph(DIGITS[1], 1))
    Image.fromarray(turned).save(tmp_path / "a.jpg", exif=exif, quality=90)
    Image.new("RGB", (300, 200), "white").save(tmp_path / "b.png")
    found = read_inputs(tmp_path, (28, 28, 1), prepare=like_mnist)
    assert found.problems.tolist() == ["", NOTHING_DRAWN]
    assert alike(found.images[0], DIGITS[1]) > 0.85


def test_handwriting_is_recognised_and_other_pictures_are_not() -> None:
    random = np.random.default_rng(0)
    natural = np.asarray(Image.fromarray(load_sample_images().images[0]).convert("L").resize((320, 213)))
    places = random.integers(0, 180, (100, 2))
    patches = np.stack([natural[row : row + 28, column : column + 28] for row, column in places])[..., None]
    rows, columns = np.mgrid[:28, :28] - 13.5
    shirts = np.stack(
        [(np.abs(columns) < width) & (np.abs(rows) < 12) | (np.hypot(rows + 6, columns / 2) < 6) for width in (6, 7, 8)]
    )
    assert is_handwriting(DIGITS)
    assert is_handwriting(small_digits())
    assert not is_handwriting(patches)
    assert not is_handwriting((shirts * 200).astype(np.uint8)[..., None])
    assert not is_handwriting(random.integers(0, 256, (100, 28, 28, 1)).astype(np.uint8))
    assert not is_handwriting(np.repeat(DIGITS, 3, axis=3))
    assert not is_handwriting(255 - DIGITS)
    assert not is_handwriting(np.zeros((5, 28, 28, 1), np.uint8))


def test_the_box_of_a_training_set() -> None:
    assert ink_box(DIGITS) == pytest.approx(20 / 28, abs=1.5 / 28)
    assert ink_box(small_digits()) == 1
