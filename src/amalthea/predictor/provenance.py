"""Where a model came from: its data, its settings, and what happened while it was trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from amalthea.datasets.dataset import Refusal
from amalthea.domains.protocol import Defaults

OF_NETWORKS = (
    "members",
    "epochs",
    "batch_size",
    "optimizer",
    "learning_rate",
    "augment",
    "validation_fraction",
    "patience",
)
"""Settings without a meaning for a simple model."""


@dataclasses.dataclass(frozen=True)
class TrainingSettings(Defaults):
    """Everything that decided what was learned: the defaults that were filled in, and what was asked for.

    Args:
        features: one of the choices of features.
        split: how rows were dealt to folds.
        group: the column whose equal values shared a fold.
        time_column: the column that says when an example was measured.
        fold_column: the column of the user's own folds.
        patience: epochs without improvement after which a member stopped; None: never.
        seed: everything random followed from it.
    """

    features: str = "auto"
    split: str = "random"
    group: str | None = None
    time_column: str | None = None
    fold_column: str | None = None
    patience: int | None = None
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What is known of a training.

    Args:
        data: the name of the data set.
        fingerprint: SHA-256 of its files; "" where there were none.
        examples: how many were learned from.
        refused: the rows that could not be used, and why.
        notes: what was said while it was trained.
        settings: how it was trained; None for a model that another program trained.
        seconds: by stage, the wall time.
        versions: of Amalthea, Keras and JAX.
    """

    data: str
    fingerprint: str = ""
    examples: int = 0
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    settings: TrainingSettings | None = None
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings by their names; none of a model that another program trained."""
        return {} if self.settings is None else dataclasses.asdict(self.settings)

    def chosen_for(self, networks: bool) -> dict[str, Any]:
        """Return the settings that matter for networks, or for a simple model, whose name is that of no network."""
        if networks:
            return self.chosen
        chosen = {name: value for name, value in self.chosen.items() if name not in OF_NETWORKS}
        return {"model" if name == "network" else name: value for name, value in chosen.items()}

    @classmethod
    def of(cls, data: str, **known: Any) -> Provenance:
        """Return the provenance of a model that is made now, with the versions that make it."""
        import jax
        import keras

        import amalthea

        versions = {"amalthea": amalthea.__version__, "keras": keras.__version__, "jax": jax.__version__}
        return cls(data, versions=versions, **known)
