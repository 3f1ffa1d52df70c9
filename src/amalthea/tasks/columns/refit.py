"""What a saved model learned from, ready to be learned from again: by other networks, from fewer examples."""

from __future__ import annotations

import dataclasses
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import counted
from amalthea.domains import domain
from amalthea.domains.protocol import Defaults, Featurizing
from amalthea.errors import AmaltheaError, TrainingWarning
from amalthea.predictor.predictor import Predictor
from amalthea.tasks.columns.networks import propose
from amalthea.tasks.protocol import Part

if TYPE_CHECKING:
    from amalthea.training.ensemble import Ensemble

MEMBERS = 2
"""Networks a fold that are trained anew."""

PICTURES, PICTURE_EPOCHS = 600, 12
"""Of pictures, so many are learned from so often at most, in two folds, where it must be quick."""


@dataclasses.dataclass(frozen=True, eq=False)
class Material:
    """Examples as a network sees them, and how the model was trained.

    Args:
        predictor: the model.
        part: its features and networks that count most.
        places: where the examples stand in `Predictor.examples`, shape (n,).
        x: their features, shape (n, ...).
        y: their targets, shape (n, T), NaN where unknown.
        folds: who held them out, shape (n,).
        groups: copies of one example share one, shape (n,).
        defaults: epochs, batch size and the like.
        seed: the model's.
        notes: what a reader should know of the choice of examples.
    """

    predictor: Predictor
    part: Part
    places: NDArray[np.int64]
    x: NDArray[Any]
    y: NDArray[np.float64]
    folds: NDArray[np.int64]
    groups: NDArray[np.int64]
    defaults: Defaults
    seed: int
    notes: tuple[str, ...]

    def network(self, rows: int, epochs: int, *, augment: bool = True) -> Any:
        """Return a compiled network like the model's, untrained.

        Args:
            rows: examples that it is to learn from, ...
            epochs: ... and how often: along these steps its learning rate falls.
            augment: pictures are varied where the model's were.
        """
        kind = domain(self.predictor.domain)
        assert isinstance(kind, Featurizing)
        if self.defaults.network not in kind.network_choices:  # the user's own: no code is run to make it anew
            return self.part.ensemble.model
        steps = epochs * max(1, -(-rows // self.defaults.batch_size))
        defaults = dataclasses.replace(self.defaults, augment=self.defaults.augment and augment)
        return propose(kind, self.part.featurizer, self.predictor.targets, defaults, steps)

    def fit(
        self,
        network: Any,
        *,
        folds: int,
        members: int,
        epochs: int,
        rows: NDArray[np.bool_] | None = None,
        aside: float | None = None,
        record: bool = False,
    ) -> Ensemble:
        """Return networks that learned from the examples.

        Args:
            network: a compiled model.
            folds: as many as the examples have, or 1: all learn from all.
            members: networks a fold.
            epochs: passes through the rows.
            rows: which of the examples take part, shape (n,); None: all.
            aside: the share of each network's rows on which its validation loss is measured.
            record: write the paths of the weights down.

        Raises:
            AmaltheaError: all networks of a fold diverged.
        """
        from amalthea.training.ensemble import Ensemble

        rows = np.ones(len(self.x), bool) if rows is None else rows
        ensemble = Ensemble(network, folds=folds, members=members, seed=self.seed)
        with warnings.catch_warnings(action="ignore", category=TrainingWarning):  # in history.notes
            ensemble.fit(
                self.x[rows],
                self.y[rows],
                epochs=epochs,
                batch_size=self.defaults.batch_size,
                groups=self.groups[rows],
                fold_ids=self.folds[rows] if folds > 1 else None,
                validation_fraction=aside,
                verbose=0,
                record=record,
            )
        return ensemble

    def recorded(self) -> tuple[Ensemble, list[str]]:
        """Return networks like the model's, two a fold, trained with their paths written down; and what to say of it.

        Raises:
            AmaltheaError: all networks of a fold diverged.
        """
        folds, epochs = int(self.folds.max()) + 1, self.defaults.epochs
        members = max(MEMBERS, 4 // folds)
        rows = len(self.x) - (len(self.x) // folds if folds > 1 else 0)
        aside = 0.1 if folds == 1 else None
        network = self.network(rows, epochs)
        ensemble = self.fit(network, folds=folds, members=members, epochs=epochs, aside=aside, record=True)
        sentence = f"To see their paths, networks like the model's were trained anew, {members} a fold."
        return ensemble, [sentence, *self.notes]


def material(predictor: Predictor, most: int | None = None, places: NDArray[np.int64] | None = None) -> Material:
    """Return what networks like a model's can be trained on.

    Args:
        predictor: a model that kept its examples.
        most: be quick, and use at most so many examples, drawn by chance; None: all.
        places: the examples to be used, as they stand in `Predictor.examples`; None: all.

    Raises:
        AmaltheaError: the model was saved without its examples, or is a potential.
    """
    if predictor.domain == "structures":
        raise AmaltheaError(
            "No potential is trained anew on parts of its structures for a figure: it would take minutes to hours."
        )
    if not len(predictor.examples):
        raise AmaltheaError("The model was saved without its examples, so nothing can be learned from them again.")
    groups = groups_of(predictor)
    places = np.arange(len(predictor.examples)) if places is None else places
    part = max(predictor.parts, key=lambda each: float(each.shares.sum()))
    notes: tuple[str, ...] = ()
    seed, defaults = int(predictor.parts[0].ensemble.seed), defaults_of(predictor)
    folds = predictor.out_of_fold["fold"].to_numpy(np.int64)
    if most is not None and len(part.featurizer.shape) > 1:
        most, folds = min(most, PICTURES), folds % 2
        defaults = dataclasses.replace(defaults, epochs=min(defaults.epochs, PICTURE_EPOCHS), batch_size=32)
        notes = (f"Pictures were learned from in two folds at most, and for {defaults.epochs} epochs.",)
    if most is not None and len(places) > most:
        ranks = np.random.default_rng(seed).permutation(int(groups.max()) + 1)[groups[places]]
        chosen = np.sort(np.argsort(ranks, kind="stable")[:most])
        notes += (f"Of {counted(len(places), 'example')}, {most:,} drawn by chance were used.",)
        places = places[chosen]
    folds = np.unique(folds[places], return_inverse=True)[1]
    x = np.asarray(part.featurizer.transform(predictor.examples.iloc[places])[0])
    return Material(
        predictor, part, places, x, known_values(predictor, places), folds, groups[places], defaults, seed, notes
    )


def groups_of(predictor: Predictor) -> NDArray[np.int64]:
    """Return for each training example its group, from 0, shape (n,): copies of one example share one."""
    given = predictor.examples.get("#group")
    groups = np.arange(len(predictor.examples)) if given is None else given.to_numpy(np.int64)
    return np.unique(groups, return_inverse=True)[1]


def defaults_of(predictor: Predictor) -> Defaults:
    """Return how the model was trained; what an older file does not tell is the history's, or the usual."""
    if predictor.provenance.settings is not None:
        return predictor.provenance.settings
    history = predictor.parts[0].ensemble.history
    return Defaults(epochs=len(history.epoch) if history is not None and history.epoch else 20)


def known_values(predictor: Predictor, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return all targets' values of some examples, shape (n, T), NaN where unknown."""
    table, several = predictor.out_of_fold.iloc[places], len(predictor.targets) > 1
    columns = []
    for target in predictor.targets:
        column = table[f"{target.name}_target" if several else "target"]
        if target.task == "classification":
            codes = {label: float(code) for code, label in enumerate(target.classes)}
            columns.append(np.array([codes.get(str(label), math.nan) for label in column]))
        else:
            columns.append(column.to_numpy(np.float64, na_value=np.nan))
    return np.stack(columns, axis=1)
