"""How a model is to be trained and judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from amalthea.domains.protocol import Defaults
from amalthea.predictor.provenance import TrainingSettings
from amalthea.progress import Verbosity

Say = Callable[[str], None]
"""Called with each sentence that the user should hear."""


def ignore(sentence: str) -> None:
    """Do nothing with a sentence."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What `train` was asked for, with the domain's defaults filled in.

    Args:
        defaults: folds, members, epochs, batch size, optimizer, learning rate.
        features: one of the domain's choices.
        split: "random", "scaffold", "cluster", "group", "time" or "column".
        group: the column whose equal values share a fold.
        time_column: the column that says when an example was measured.
        fold_column: the column of the user's own folds.
        patience: epochs without improvement after which a member stops; None: never.
        seed: everything random follows from it.
        verbose: "auto" shows progress on a terminal.
        say: hears what the user should know.
    """

    defaults: Defaults
    features: str = "auto"
    split: str = "random"
    group: str | None = None
    time_column: str | None = None
    fold_column: str | None = None
    patience: int | None = None
    seed: int = 0
    verbose: Verbosity = "auto"
    say: Say = ignore

    def steps(self, rows: int) -> int:
        """Return the number of training steps of a member that learns from so many rows."""
        return self.defaults.epochs * max(1, -(-rows // self.defaults.batch_size))

    @property
    def by_chance(self) -> bool:
        """Whether rows are dealt to folds at random."""
        return self.split == "random" and not (self.group or self.time_column or self.fold_column)

    @property
    def record(self) -> TrainingSettings:
        """Everything that decides what is learned, as a model keeps it."""
        names = ("features", "split", "group", "time_column", "fold_column", "patience", "seed")
        asked = {name: getattr(self, name) for name in names}
        return TrainingSettings(**dataclasses.asdict(self.defaults), **asked)
