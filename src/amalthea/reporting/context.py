"""What every section of the report is told."""

from __future__ import annotations

import dataclasses
import functools

from amalthea.potentials.report.forces import Forces, held_out_forces
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.blocks import Block, Paragraph
from amalthea.reporting.examples import Gallery
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.translate import Words

MOST_TARGETS = 4
"""How many targets are shown in detail."""


@dataclasses.dataclass(frozen=True, eq=False)
class Context:
    """A model, the language, and the examples that are drawn.

    Args:
        predictor: the model.
        words: turns sentences into the report's language.
        judged: the out-of-fold answers of the targets that are shown in detail, the first four.
        everything: those of all targets.
        gallery: the examples that are drawn.
        learning_curve: train again on parts of the data.
    """

    predictor: Predictor
    words: Words
    judged: tuple[Judged, ...]
    gallery: Gallery
    learning_curve: bool = False
    everything: tuple[Judged, ...] = ()

    @property
    def elsewhere(self) -> bool:
        """True for a model that another program trained: it came without examples and without figures."""
        return not self.predictor.validation.examples

    @property
    def left_out(self) -> list[Block]:
        """What a section says where it does not show every target."""
        count = len(self.predictor.targets)
        if count <= MOST_TARGETS:
            return []
        told = self.words("Of {count} targets the first {most} are shown here.", count=count, most=MOST_TARGETS)
        return [Paragraph(told)]

    @property
    def seed(self) -> int:
        """The seed that the model was trained with."""
        return int(self.predictor.parts[0].ensemble.seed)

    @functools.cached_property
    def forces(self) -> Forces | None:
        """The forces in structures, answered by networks that never saw them; None where there are none."""
        return held_out_forces(self.predictor, self.seed)

    def heading(self, judged: Judged) -> str:
        """Return a target's name where there are several, as the heading of its figures."""
        return judged.target.name if len(self.predictor.targets) > 1 else ""

    def name(self, kind: str, judged: Judged) -> str:
        """Return a name for a figure of a target, unique in the page."""
        names = [target.name for target in self.predictor.targets]
        if judged.target.name not in names:  # a potential's forces, which are no target of their own
            return f"{kind}-{judged.target.name}"
        return f"{kind}-{names.index(judged.target.name) + 1}" if len(names) > 1 else kind
