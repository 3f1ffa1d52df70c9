"""The examples that the page can show: all, or a sample where there are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

NO_ERRORS = np.empty(0)


def values_as_text(example: pd.Series[Any]) -> str:
    """Return an example's values as one text, arrays left out."""
    values = [
        str(value)
        for name, value in example.items()
        if not str(name).startswith("#") and isinstance(value, str | int | float) and name != "key"
    ]
    return shortened(" ".join(values), 120)


class Gallery:
    """The examples of a model that are drawn, numbered from 0.

    Args:
        predictor: its examples are drawn, if it kept them.
        judged: the worst of each target are always among the examples.
        seed: of the sample.
        point: the decimal mark of numbers that are told.
        errors: other errors by which the worst are always among them, shape (examples,), NaN where not known; may be
            empty.
        as_text: returns an example's text.
    """

    def __init__(
        self,
        predictor: Predictor,
        judged: Sequence[Judged],
        seed: int = 0,
        point: str = ".",
        errors: NDArray[np.float64] = NO_ERRORS,
        as_text: Callable[[pd.Series[Any]], str] = values_as_text,
    ) -> None:
        self.predictor, self.point, self._as_text = predictor, point, as_text
        known = [*(each.places for each in judged), np.flatnonzero(np.isfinite(errors))]
        positions = np.unique(np.concatenate(known))
        self.sampled = len(positions) > MOST_POINTS
        # the worst come first, so that they are drawn whatever chance leaves out
        if self.sampled:
            wrong = [each.places[np.argsort(-each.error)[:MOST_WRONG]] for each in judged]
            worst = np.concatenate([*wrong, np.argsort(-np.nan_to_num(errors, nan=-1.0))[:MOST_WRONG]])
            drawn = np.random.default_rng(seed).permutation(positions)
            positions = np.fromiter(dict.fromkeys([*worst.tolist(), *drawn.tolist()]), np.int64)[:MOST_POINTS]
        self.places = positions
        self.numbers = {int(position): number for number, position in enumerate(positions)}
        self.has_examples = len(predictor.examples) > 0

    def shown(self, judged: Judged) -> NDArray[np.intp]:
        """Return which of a target's examples are drawn as points."""
        return np.flatnonzero(np.isin(judged.places, self.places))

    def number(self, position: int) -> int:
        """Return the number in the gallery of an example of the training set."""
        return self.numbers[int(position)]

    def text(self, position: int) -> str:
        """Return an example of the training set as one text."""
        return self._as_text(self.predictor.examples.iloc[int(position)])

    def drawing(self, position: int, caption: Sequence[str]) -> Drawing:
        """Return one example of the training set drawn by itself."""
        if not self.has_examples:
            return Drawing("", "", caption)
        picture = drawings(self.predictor.domain, self.predictor.examples.iloc[[int(position)]], self.point)[0]
        if not image(picture):
            return Drawing("", picture, caption)
        return Drawing(image(picture), self.text(position), caption)

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
