"""The examples that the page can show: all, or a sample where there are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.messages import shortened
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Drawing
from amalthea.reporting.drawings import drawings, image, packed
from amalthea.reporting.out_of_fold import Judged

MOST_POINTS = 1500
"""The most examples that are drawn as points."""

MOST_WRONG = 50
"""The most examples that are among them because they are the worst."""


class Gallery:
    """The examples of a model that are drawn, numbered from 0.

    Args:
        predictor: its examples are drawn, if it kept them.
        judged: the worst of each target are always among the examples.
        seed: of the sample.
        point: the decimal mark of numbers that are told.
    """

    def __init__(self, predictor: Predictor, judged: Sequence[Judged], seed: int = 0, point: str = ".") -> None:
        self.predictor, self.point = predictor, point
        off = _force_errors(predictor)
        known = [*(each.places for each in judged), np.flatnonzero(np.isfinite(off))]
        everything = np.unique(np.concatenate(known))
        self.sampled = len(everything) > MOST_POINTS
        if self.sampled:
            wrong = [each.places[np.argsort(-each.error)[:MOST_WRONG]] for each in judged]
            worst = np.concatenate([*wrong, np.argsort(-np.nan_to_num(off, nan=-1.0))[:MOST_WRONG]])
            drawn = np.random.default_rng(seed).permutation(everything)
            everything = np.fromiter(dict.fromkeys([*worst.tolist(), *drawn.tolist()]), np.int64)[:MOST_POINTS]
        self.places = everything
        self.numbers = {int(place): number for number, place in enumerate(everything)}
        self.has_examples = len(predictor.examples) > 0

    def shown(self, judged: Judged) -> NDArray[np.intp]:
        """Return which of a target's examples are drawn as points."""
        return np.flatnonzero(np.isin(judged.places, self.places))

    def number(self, place: int) -> int:
        """Return the number of an example in the gallery."""
        return self.numbers[int(place)]

    def drawing(self, place: int, caption: Sequence[str]) -> Drawing:
        """Return one example drawn by itself."""
        if not self.has_examples:
            return Drawing("", "", caption)
        example = self.predictor.examples.iloc[[int(place)]]
        picture = drawings(self.predictor.domain, example, self.point)[0]
        if not image(picture):
            return Drawing("", picture, caption)
        return Drawing(image(picture), as_text(example.iloc[0]), caption)

    def pack(self, room: int) -> dict[str, Any]:
        """Return the drawings for the page, as many as there is room for.

        Args:
            room: the most bytes that they may take.
        """
        count = len(self.places) if self.has_examples else 0
        while count:
            content = packed(self.predictor.domain, self.predictor.examples.iloc[self.places[:count]], self.point)
            size = len(content["content"])
            if size <= room:
                return {**content, "count": count}
            count = int(count * 0.9 * max(room, 0) / size)
        return {"kind": "none", "content": "", "count": 0}


def _force_errors(predictor: Predictor) -> NDArray[np.float64]:
    """Return the mean absolute error of each structure's forces, NaN where it is not known; empty for other data."""
    table = predictor.out_of_fold
    return table["force_mae"].to_numpy(np.float64) if "force_mae" in table else np.empty(0)


def as_text(example: pd.Series[Any]) -> str:
    """Return an example's own values as one text, arrays left out."""
    if "atoms" in example:
        return f"{example['atoms'].get_chemical_formula()} ({example['source']}, {example['frame']})"
    told = [
        str(value)
        for name, value in example.items()
        if not str(name).startswith("#") and isinstance(value, str | int | float) and name != "key"
    ]
    return shortened(" ".join(told), 120)
