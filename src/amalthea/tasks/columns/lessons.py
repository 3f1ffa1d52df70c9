"""What a model of columns learned from, for figures of how it learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amalthea import backend
from amalthea.datasets.dataset import Target
from amalthea.errors import AmaltheaError
from amalthea.predictor.predictor import Predictor
from amalthea.tasks.columns.learning_curve import FEWEST_ROWS, SHARES, judgeable, learning_curve
from amalthea.tasks.columns.refit import Material, material
from amalthea.tasks.lessons import Lessons, UnseenExample

if TYPE_CHECKING:
    from amalthea.training.ensemble import Ensemble
    from amalthea.validation.learning_curve import LearningCurve

MOST_RECORDED = 2000
"""Examples, at most, on which networks are trained anew to record their paths."""


class ColumnLessons(Lessons):
    """Examples as the network sees them whose features count most."""

    curve_sizes = len(SHARES)

    def __init__(self, predictor: Predictor) -> None:
        super().__init__(predictor)
        self.part = max(predictor.parts, key=lambda each: float(each.shares.sum()))
        self.large = len(self.part.featurizer.shape) > 1

    def example(self, row: int | None) -> UnseenExample:
        """Return an example, and a network that never saw it."""
        position = self.position(row)
        number, unseen = self._network_apart_from(position)
        examples = material(self.predictor, places=np.array([position]))
        model = self.part.ensemble.model
        known = np.isfinite(examples.y).any()
        line = self.predictor.out_of_fold["row"].iloc[position]
        return UnseenExample(
            self.part.ensemble[number],
            (examples.x, _targets(model, examples.y)) if known else (examples.x,),
            f"The training example in row {line}, and network {number}, which {'never saw' if unseen else 'knows'} it.",
        )

    def batch(self, row: int | None) -> tuple[Any, Any, Any]:
        """Return the network of an example, and a mini-batch of others.

        Raises:
            AmaltheaError: no other example has a target.
        """
        position = self.position(row)
        ensemble = self.part.ensemble
        size = int(self.predictor.provenance.chosen.get("batch_size", 32))
        drawn = np.random.default_rng(ensemble.seed).permutation(len(self.predictor.examples))[: size - 1]
        examples = material(self.predictor, places=np.unique(drawn[drawn != position]))
        known = np.isfinite(examples.y).any(axis=1)
        if not known.any():
            raise AmaltheaError("There are too few examples for a mini-batch.")
        network = ensemble[self._network_apart_from(position)[0]]
        return network, examples.x[known], _targets(ensemble.model, examples.y[known])

    def _network_apart_from(self, position: int) -> tuple[int, bool]:
        """Return the first network that did not diverge and never saw an example, or else knows it; and which it is."""
        backend.prepare()
        ensemble, fold = self.part.ensemble, int(self.predictor.out_of_fold["fold"].iloc[position])
        left_out = set(ensemble.history.left_out) if ensemble.history is not None else set()
        held_out = ensemble.layout.of_fold(fold).tolist() if ensemble.folds > 1 and fold >= 0 else []
        unseen = [number for number in held_out if number not in left_out]
        return next(n for n in [*unseen, *range(len(ensemble))] if n not in left_out), bool(unseen)

    def material(self, most: int) -> Material:
        """Return at most so many examples."""
        return material(self.predictor, most)

    def recorded(self) -> tuple[Ensemble, Sequence[str]]:
        """Return networks like the model's, two a fold, trained anew with their paths recorded."""
        return material(self.predictor, MOST_RECORDED).recorded()

    def learning_curve(
        self, target: Target, most: int, progress: Callable[[], None]
    ) -> tuple[LearningCurve, Sequence[str]]:
        """Return the errors of networks that learned from parts of the examples.

        Raises:
            AmaltheaError: too few examples have the target, or there was one fold.
        """
        examples = material(self.predictor, most, judgeable(self.predictor, target))
        if int(examples.folds.max(initial=0)) == 0:
            raise AmaltheaError("A learning curve needs examples that were held out: train with two folds or more.")
        if len(examples.x) < FEWEST_ROWS:
            raise AmaltheaError(f"{len(examples.x)} examples are too few for a learning curve: it takes {FEWEST_ROWS}.")
        return learning_curve(examples, target, progress), examples.notes


def _targets(model: Any, y: NDArray[np.float64]) -> Any:
    """Return targets as a network's loss takes them: codes of classes as whole numbers, for a user's own loss."""
    from amalthea.training.layers import TargetModel

    return y if isinstance(model, TargetModel) else y.astype(np.int32 if (y == y.round()).all() else np.float32)
