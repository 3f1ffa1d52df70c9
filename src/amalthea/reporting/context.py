"""What every section of the report is told."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Block, Drawings, Paragraph
from amalthea.reporting.captions import answer_lines
from amalthea.reporting.examples import Gallery
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.translate import Words

MOST_TARGETS = 4
"""How many targets are shown in detail."""


@dataclasses.dataclass(frozen=True, eq=False)
class Context:
    """A model, its held-out answers, and the language; a kind of answer with words of its own derives from it.

    Args:
        predictor: the model.
        words: turns sentences into the report's language.
        everything: the held-out answers of all targets.
        learning_curve: train again on parts of the data.
        asked: a file of examples whose places in the training set are shown.
    """

    predictor: Predictor
    words: Words
    everything: tuple[Judged, ...]
    learning_curve: bool = False
    asked: Path | None = None

    @functools.cached_property
    def judged(self) -> tuple[Judged, ...]:
        """The held-out answers of the targets that are shown in detail, the first four."""
        detailed = {target.name for target in self.predictor.targets[:MOST_TARGETS]}
        return tuple(each for each in self.everything if each.target.name in detailed)

    @functools.cached_property
    def gallery(self) -> Gallery:
        """The examples that are drawn."""
        return Gallery(self.predictor, self.judged, self.seed, self.words.point)

    @property
    def left_out(self) -> list[Block]:
        """What a section says where it does not show every target."""
        count, words = len(self.predictor.targets), self.words
        if count <= MOST_TARGETS:
            return []
        return [Paragraph(words("Of {count} targets the first {most} are shown here.", count=count, most=MOST_TARGETS))]

    @property
    def seed(self) -> int:
        """The seed that the model was trained with."""
        return self.predictor.seed

    def learned(self) -> str:
        """Return what was learned."""
        return ", ".join(target.name for target in self.predictor.targets)

    def called(self, target: str) -> str:
        """Return what a target is called in a sentence."""
        return target

    def title(self, target: str) -> str:
        """Return what a target is called where it begins a title."""
        return self.called(target)

    def caption(self, judged: Judged, index: int) -> list[str]:
        """Return what is said of one example: the truth, the answer with its interval, and where it stands."""
        return answer_lines(self.words, judged, index)

    def points(self, judged: Judged, rows: Sequence[int] | NDArray[np.intp]) -> list[tuple[int, str]]:
        """Return for some examples that are drawn as points their numbers in the gallery and their captions."""
        return [(self.gallery.number(judged.places[i]), "\n".join(self.caption(judged, int(i)))) for i in rows]

    def drawings(self, judged: Judged, rows: Sequence[int] | NDArray[np.intp]) -> Drawings:
        """Return some examples drawn side by side."""
        return Drawings([self.gallery.drawing(int(judged.places[i]), self.caption(judged, int(i))) for i in rows])

    def heading(self, judged: Judged) -> list[Block]:
        """Return a target's name as the heading of its figures, where there are several targets."""
        return [Paragraph(judged.target.name, "head")] if len(self.predictor.targets) > 1 else []

    def name(self, kind: str, judged: Judged) -> str:
        """Return a name for a figure of a target, unique in the page."""
        names = [target.name for target in self.predictor.targets]
        if judged.target.name not in names:  # answered beside the target, as forces beside energies
            return f"{kind}-{judged.target.name}"
        return f"{kind}-{names.index(judged.target.name) + 1}" if len(names) > 1 else kind
