"""A saved model's card: what it is, where it came from and what it is worth, without opening its networks."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np

from amalthea.datasets.dataset import Target
from amalthea.datasets.messages import counted
from amalthea.domains import domain
from amalthea.predictor.card import Card
from amalthea.predictor.serialization import read_card


@dataclasses.dataclass(frozen=True)
class Info:
    """A model's card; printing it shows it as people read it.

    Args:
        name: the file's.
        card: what the file says.
    """

    name: str
    card: Card

    @property
    def record(self) -> dict[str, Any]:
        """The card without the figures, by name."""
        card = self.card
        return {
            "model": self.name,
            "format": card.format,
            "domain": card.domain,
            "task": card.task,
            "targets": [dataclasses.asdict(target) for target in card.targets],
            "features": self._features(),
            "folds": card.folds,
            "members": card.members,
            "examples": card.provenance.examples,
            "refused": len(card.provenance.refused),
            "data": card.provenance.data,
            "fingerprint": card.provenance.fingerprint,
            "settings": card.provenance.chosen,
            "epochs": {name: list(record.epochs) for name, record in card.training.items()},
            "seconds": dict(card.provenance.seconds),
            "versions": dict(card.provenance.versions),
            "notes": list(card.provenance.notes),
        }

    def _features(self) -> dict[str, float]:
        """Return how much each set of features counts, over folds and targets."""
        return {name: round(float(np.mean(shares)), 4) for name, shares in self.card.shares.items()}

    @property
    def about(self) -> str:
        """All but the figures, as people read it."""
        card, provenance = self.card, self.card.provenance
        nouns = domain(card.domain).nouns
        features = ", ".join(f"{name} {share:.0%}" for name, share in self._features().items())
        chosen = provenance.chosen_for(bool(card.members))
        refused = f", {len(provenance.refused):,} refused" if provenance.refused else ""
        asked = ", ".join(f"{name} {value}" for name, value in chosen.items() if value is not None)
        done = [epochs for record in card.training.values() if record.interrupted for epochs in record.epochs]
        lines = [
            f"{self.name}: {nouns.many}, answered with {card.task}",
            *(f"  predicts      {_described(target)}" for target in card.targets),
            f"  learned from  {provenance.data}: {counted(provenance.examples, nouns.one)}{refused}",
            *([f"  with features {features}"] if features else []),
            f"  networks      {card.folds} folds x {card.members} members"
            if card.members
            else f"  answers       {card.validation.targets[0].answering}",
            f"  trained with  {asked}" if asked else "  trained       elsewhere",
            *([f"  stopped       on request after {max(done)} epochs"] if done else []),
            f"  written by    {', '.join(f'{name} {version}' for name, version in provenance.versions.items())}",
        ]
        if provenance.fingerprint:
            lines.append(f"  fingerprint   {provenance.fingerprint[:16]} (SHA-256 of the data)")
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.about}\n\n{self.card.validation}"

    __repr__ = __str__


def info(model: str | os.PathLike[str]) -> Info:
    """Return the card of a saved model.

    Args:
        model: its file.

    Raises:
        ModelFileError: there is no such file, it is damaged or no model, or it needs a newer version.
    """
    return Info(os.path.basename(model), read_card(model))


def _described(target: Target) -> str:
    name = f"'{target.name}'" if target.name else "what follows"
    if target.task != "classification":
        return f"{name}: {target.task}{f', {target.unit}' if target.unit else ''}"
    threshold = f" (1 where it is at least {target.threshold:g})" if target.threshold is not None else ""
    shown = ", ".join(target.classes[:6]) + (", ..." if len(target.classes) > 6 else "")
    return f"{name}: {len(target.classes)} classes, {shown}{threshold}"
