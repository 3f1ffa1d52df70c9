"""Small trained models of every kind, each trained once in a run of the tests."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pandas as pd

import amalthea as am

QUICK: dict[str, Any] = {"members": 2, "epochs": 3, "verbose": 0}
ROWS = 36


def table() -> pd.DataFrame:
    """Return rows with a missing number, a missing category, and targets of every kind, one of them with gaps."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(ROWS, 2)).round(3), columns=["a", "b"])
    frame["colour"] = random.choice(["red", "green"], ROWS)
    frame["y"] = (frame["a"] * 2 + frame["b"] + 0.3 * random.normal(size=ROWS)).round(3)
    frame["z"] = (frame["b"] - frame["a"]).round(3).astype(object)
    frame["active"] = np.where(frame["a"] > 0, "1", "0")
    frame["code"] = np.array(["007", "None", "low"])[np.digitize(frame["b"], [-0.4, 0.4])]
    frame.loc[::5, "z"] = "n/a"
    frame.loc[3, "a"], frame.loc[4, "colour"] = np.nan, None
    return frame


def molecules() -> pd.DataFrame:
    """Return molecules, a copy and a salt among them, and one that cannot be read."""
    chains = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "Cl")]
    frame = pd.DataFrame({"smiles": [*chains, "OCC", "CCN.Cl", "C1CC"]})
    frame["logS"] = np.linspace(1, -5, len(frame)).round(2)
    frame["toxic"] = np.where(np.arange(len(frame)) % 3 == 0, "yes", "no")
    return frame


@dataclasses.dataclass(frozen=True)
class Case:
    """What a model is trained on and asked.

    Args:
        targets: the columns to be learned.
        features: the columns that it reads.
        options: of `am.train`.
    """

    targets: tuple[str, ...]
    features: tuple[str, ...] = ("a", "b", "colour")
    options: tuple[tuple[str, Any], ...] = (("folds", 3),)

    @property
    def frame(self) -> pd.DataFrame:
        """The training table."""
        whole = molecules() if self.features == ("smiles",) else table()
        return whole[[*self.features, *self.targets]]


CASES = {
    "number": Case(("y",)),
    "two classes": Case(("active",)),
    "many classes": Case(("code",)),
    "threshold": Case(("y",), options=(("folds", 2), ("threshold", 0.5))),
    "one fold": Case(("y",), options=(("folds", 1),)),
    "two numbers with gaps": Case(("y", "z")),
    "a number with gaps and classes": Case(("z", "code")),
    "molecules, number": Case(("logS",), ("smiles",)),
    "molecules, classes": Case(("toxic",), ("smiles",)),
}


@functools.cache
def trained(name: str) -> am.Predictor:
    """Return the model of a case."""
    case = CASES[name]
    return am.train(case.frame, case.targets, **QUICK, **dict(case.options))
