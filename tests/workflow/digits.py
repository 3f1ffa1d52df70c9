"""Scikit-learn's handwritten digits, 8 by 8 pixels, in every form in which people have pictures; a model of them."""

from __future__ import annotations

import functools
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

import amalthea as am

QUICK: dict[str, Any] = {"network": "dense", "members": 2, "verbose": 0}


def images() -> NDArray[np.uint8]:
    """Return 1797 digits, shape (1797, 8, 8)."""
    return np.rint(load_digits().images * (255 / 16)).astype(np.uint8)


def labels() -> NDArray[np.int64]:
    """Return which digit each is."""
    return load_digits().target


def write_npz(path: Path, train: int = 700, test: int = 200) -> Path:
    """Write the first digits as Keras would, with a test set."""
    x, y, end = images(), labels(), train + test
    np.savez(path, x_train=x[:train], y_train=y[:train], x_test=x[train:end], y_test=y[train:end])
    return path


def write_folder(folder: Path, rows: range) -> Path:
    """Write digits as pictures, one folder a class."""
    x, y = images(), labels()
    for row in rows:
        path = folder / str(y[row]) / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(x[row]).save(path)
    return folder


def write_idx(folder: Path, train: int, test: int) -> Path:
    """Write digits as MNIST is handed out: four files."""
    folder.mkdir()
    x, y = images(), labels().astype(np.uint8)
    for part, rows in (("train", slice(0, train)), ("t10k", slice(train, train + test))):
        for name, values in (("images-idx3", x[rows]), ("labels-idx1", y[rows])):
            head = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
            (folder / f"{part}-{name}-ubyte").write_bytes(head + values.tobytes())
    return folder


def write_paths(path: Path, pictures: Path, rows: range) -> Path:
    """Write a table of pictures' paths, a number to be learned (how much ink) and a class (even or odd)."""
    write_folder(pictures, rows)
    x, y = images(), labels()
    pd.DataFrame(
        {
            "picture": [f"{pictures.name}/{y[row]}/{row}.png" for row in rows],
            "ink": [x[row].mean().round(3) for row in rows],
            "parity": ["odd" if y[row] % 2 else "even" for row in rows],
        }
    ).to_csv(path, index=False)
    return path


def photograph(row: int) -> NDArray[np.uint8]:
    """Return a digit drawn dark on a large light page, off its middle."""
    drawn = np.asarray(Image.fromarray(images()[row]).resize((160, 160), Image.Resampling.BICUBIC)).astype(float)
    page = np.full((300, 420, 3), 235.0)
    page[70:230, 60:220] -= 0.8 * drawn[:, :, None]
    return np.clip(page, 0, 255).astype(np.uint8)


@functools.cache
def trained() -> am.Predictor:
    """Return a model of 700 digits, judged on 200 others that came with them; it stops by itself."""
    with tempfile.TemporaryDirectory() as folder:
        return am.train(write_npz(Path(folder) / "digits.npz"), epochs=12, patience=12, **QUICK)
