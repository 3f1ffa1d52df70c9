"""What model.json says: everything of a saved model that is neither an array nor a table nor a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from amalthea.datasets.dataset import Target
from amalthea.domains.protocol import Metric
from amalthea.predictor.provenance import Provenance
from amalthea.training.history import History
from amalthea.validation.summary import Validation


@dataclasses.dataclass(frozen=True)
class TrainingRecord:
    """What history.csv does not tell of a training; see `History`.

    Args:
        left_out: the members that take no part.
        epochs: shape (members,): how many each learned.
        notes: sentences.
        interrupted: whether the user stopped it.
    """

    left_out: tuple[int, ...]
    epochs: tuple[int, ...]
    notes: tuple[str, ...]
    interrupted: bool

    @classmethod
    def of(cls, history: History) -> TrainingRecord:
        """Return the record of a training."""
        return cls(history.left_out, tuple(history.epochs.tolist()), history.notes, history.interrupted)


@dataclasses.dataclass(frozen=True)
class ApplicabilityRecord:
    """What applicability.safetensors does not tell.

    Args:
        metric: what "far" means.
        features: the numbers of one example.
    """

    metric: Metric
    features: int


@dataclasses.dataclass(frozen=True)
class TextColumns:
    """The columns of text in the two tables, and whether they hold nothing but text; see `archive.text_columns`.

    Args:
        out_of_fold: of out_of_fold.csv.
        examples: of examples.csv.
    """

    out_of_fold: Mapping[str, bool]
    examples: Mapping[str, bool]


@dataclasses.dataclass(frozen=True)
class Card:
    """The description of a saved model; the fields are those of `Predictor`, or of each of its parts by its features.

    Args:
        format: of the file.
        domain: the name of the kind of data.
        task: the name of the kind of answer.
        targets: what is predicted.
        featurizers: the states of the parts' featurizers.
        folds: K.
        members: M, the members a fold.
        seed: everything random followed from it.
        shares: how much the parts count, (folds, sum of the targets' widths) numbers each.
        training: how each part was trained.
        calibrations: the constants of each target's, with their "kind"; None for none.
        applicability: see there.
        input_state: what the domain must remember to read inputs.
        validation: the figures.
        provenance: where the model came from.
        state: what the task must remember.
        text: the columns of text.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    format: int
    domain: str
    task: str
    targets: tuple[Target, ...]
    featurizers: Mapping[str, dict[str, Any]]
    folds: int
    members: int
    seed: int
    shares: Mapping[str, tuple[tuple[float, ...], ...]]
    training: Mapping[str, TrainingRecord]
    calibrations: tuple[dict[str, Any] | None, ...]
    applicability: ApplicabilityRecord
    input_state: Mapping[str, Any]
    validation: Validation
    provenance: Provenance
    state: Any
    text: TextColumns
