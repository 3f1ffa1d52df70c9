"""One folder with a space in its name, and small models trained in it through the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine


class Amalthea:
    """The command line as a subprocess, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        run = subprocess.run(
            [sys.executable, "-m", "amalthea", *words],
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert run.returncode == code, (run.returncode, run.stdout, run.stderr)
        return run


@pytest.fixture(scope="session")
def amalthea(tmp_path_factory) -> Amalthea:
    folder = tmp_path_factory.mktemp("a folder with spaces")
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(120, 3)), columns=["a", "b", "c"])
    table["colour"] = random.choice(["red", "green"], 120)
    table["y"] = table["a"] * table["b"] + (table["colour"] == "red") + 0.1 * random.normal(size=120)
    table.to_csv(folder / "numbers.csv", index=False)
    wine = load_wine(as_frame=True).frame
    wine["target"] = np.array(["red", "white", "rose"])[wine["target"]]
    wine.to_csv(folder / "wine.csv", index=False)
    return Amalthea(folder)


QUICK = ("--folds", "3", "--members", "3", "--epochs", "30")


@pytest.fixture(scope="session")
def numbers_model(amalthea) -> Path:
    amalthea("train", "numbers.csv", "--target", "y", "-o", "numbers.amalthea", "--out-of-fold", "held out.csv", *QUICK)
    return amalthea.folder / "numbers.amalthea"


@pytest.fixture(scope="session")
def wine_model(amalthea) -> Path:
    amalthea("train", "wine.csv", "--target", "target", "-o", "wine.amalthea", *QUICK)
    return amalthea.folder / "wine.amalthea"
