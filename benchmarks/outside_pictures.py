"""What a model of digits says of pictures that show none: the share that it gives a class with more than 90 %.

    python benchmarks/outside_pictures.py [MODEL.amalthea]

Without a model one is trained on MNIST with the defaults. Letters are drawn with the fonts that matplotlib brings,
turned and brought into MNIST's box (20 x 20, the centre of mass in the middle); those that look like a digit are left
out. The pool is letters, noise and halves of digits in their places, all alike. Inverted digits are digits: pictures
whose paper is dark are turned round as they are read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import center_of_mass, shift

import amalthea as am
from amalthea.domains.reading import read

LETTERS = "AEFHKMNPRTUVWXYadefhkmnprtuvwxy"
SIDE, BOX, COUNT = 28, 20, 1_000
SURE = 0.9

Pictures = NDArray[np.uint8]


def letters(rng: np.random.Generator) -> Pictures:
    """Return letters that look like no digit."""
    fonts = sorted((Path(mpl.get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))
    fonts = [font for font in fonts if "Display" not in font.name]
    return np.stack([letter(rng, str(rng.choice(fonts)), str(rng.choice(list(LETTERS)))) for _ in range(COUNT)])


def letter(rng: np.random.Generator, font: str, text: str) -> NDArray[np.uint8]:
    """Return a letter as MNIST's digits are: grey, 20 pixels high or wide, its centre of mass in the middle."""
    page = Image.new("L", (160, 160))
    ImageDraw.Draw(page).text((40, 30), text, fill=255, font=ImageFont.truetype(font, 80))
    page = page.rotate(rng.uniform(-12, 12), Image.Resampling.BICUBIC)
    page = page.crop(page.getbbox())
    scale = BOX / max(page.size)
    small = page.resize([max(1, round(side * scale)) for side in page.size], Image.Resampling.LANCZOS)
    canvas = np.zeros((SIDE, SIDE))
    top, left = ((SIDE - side) // 2 for side in reversed(small.size))
    canvas[top : top + small.size[1], left : left + small.size[0]] = np.asarray(small)
    moved = shift(canvas, (SIDE - 1) / 2 - np.array(center_of_mass(canvas)), order=1)
    return np.clip(moved, 0, 255).astype(np.uint8)


def halves(digits: Pictures) -> Pictures:
    """Return digits of which one half is blank."""
    parts, middle = digits.copy(), SIDE // 2
    quarter = len(digits) // 4
    parts[:quarter, :middle], parts[quarter : 2 * quarter, middle:] = 0, 0
    parts[2 * quarter : 3 * quarter, :, :middle], parts[3 * quarter :, :, middle:] = 0, 0
    return parts


def others(digits: Pictures, rng: np.random.Generator) -> dict[str, Pictures]:
    """Return pictures that are no digits, by what they are."""
    shape = digits.shape
    stripes = np.where(np.add.outer(np.arange(SIDE), np.zeros(SIDE)) % 6 < 3, 255, 0)
    checkers = np.where((np.add.outer(np.arange(SIDE) // 4, np.arange(SIDE) // 4)) % 2, 255, 0)
    return {
        "noise, uniform": rng.integers(0, 256, shape).astype(np.uint8),
        "noise, Gaussian": np.clip(rng.normal(33, 78, shape), 0, 255).astype(np.uint8),
        "noise, salt": np.where(rng.random(shape) < 0.15, 255, 0).astype(np.uint8),
        "shuffled pixels": rng.permuted(digits.reshape(len(digits), -1), axis=1).reshape(shape),
        "inverted": 255 - digits,
        "stripes, checkers": np.stack([stripes, stripes.T, checkers, 255 - checkers]).astype(np.uint8),
        "moved by 8 pixels": np.roll(digits, 8, axis=2),
    }


def sure(model: Any, pictures: Pictures) -> float:
    """Return the share of pictures that are given a class with more than 90 %."""
    return float((model.predict(pictures).mean.max(axis=1) > SURE).mean())


def main() -> None:
    """Print a line for each kind of picture."""
    model = am.load_model(sys.argv[1]) if len(sys.argv) > 1 else am.train("mnist", verbose=0)
    rng, test = np.random.default_rng(0), read("mnist").test
    pictures = np.stack(test.examples["image"].tolist())[..., 0]
    print(f"test digits: {sure(model, pictures):.3f} (must .97)")
    print(model.validation)
    digits = pictures[:COUNT]
    kinds = others(digits, rng)
    shares = {name: sure(model, pictures) for name, pictures in kinds.items()}
    shares["letters"], shares["halves in place"] = sure(model, letters(rng)), sure(model, halves(digits))
    for name, share in shares.items():
        print(f"{name:20s} {share:.3f}")
    noise = np.mean([share for name, share in shares.items() if name.startswith("noise")])
    print(f"pool: {np.mean([shares['letters'], noise, shares['halves in place']]):.3f} (must .10, try .02)")


if __name__ == "__main__":
    main()
