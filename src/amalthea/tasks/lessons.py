"""What a model learned from, for figures of how it learned: its examples, asked again and learned from again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.messages import listed
from amalthea.errors import AmaltheaError

if TYPE_CHECKING:
    from amalthea.datasets.dataset import Target
    from amalthea.domains.protocol import Defaults
    from amalthea.predictor.predictor import Predictor
    from amalthea.training.ensemble import Ensemble
    from amalthea.validation.learning_curve import LearningCurve


@dataclasses.dataclass(frozen=True, eq=False)
class UnseenExample:
    """An example, and a network that never saw it, if there is one.

    Args:
        network: a member, as an ordinary Keras model.
        arguments: what it is called with: (x, y), one example; (x,) where its target is not known.
        description: which example and which network they are.
    """

    network: Any
    arguments: tuple[Any, ...]
    description: str


class Material(Protocol):
    """Examples as a network sees them, and how the model was trained.

    Args:
        x: the features, shape (n, ...).
        defaults: epochs, batch size and the like.
        notes: what a reader should know of the choice of examples.
    """

    @property
    def x(self) -> NDArray[Any]: ...
    @property
    def defaults(self) -> Defaults: ...
    @property
    def notes(self) -> tuple[str, ...]: ...

    def network(self, rows: int, epochs: int, *, augment: bool = True) -> Any:
        """Return a compiled network like the model's, untrained, for so many rows and passes."""
        ...

    def fit(self, network: Any, *, folds: int, members: int, epochs: int, aside: float | None = None) -> Ensemble:
        """Return networks that learned from the examples, with a share of the rows aside for the validation loss."""
        ...


class Lessons:
    """What a task gives to the figures of how a model learned; a task overrides what it can.

    Args:
        predictor: the model.
    """

    large = False
    """Whether one example is so large that little can be learned in a figure's time."""

    curve_sizes = 0
    """How many trainings a learning curve takes."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def position(self, row: int | None) -> int:
        """Return where an example stands in `Predictor.examples`.

        Args:
            row: the example's, as `row` in the out-of-fold table has it (its line in the file); None: the first.

        Raises:
            AmaltheaError: the model was saved without its examples, or has no such one.
        """
        if not len(self.predictor.examples):
            raise AmaltheaError("The model was saved without its examples: neither its graph nor a step can be shown.")
        rows = self.predictor.out_of_fold["row"].to_numpy(np.int64)
        position = 0 if row is None else int(np.argmax(rows == row))
        if row is not None and rows[position] != row:
            raise AmaltheaError(
                f"The model has no training example in row {row}. It has, for instance: {listed(rows[:9])}."
            )
        return position

    def example(self, row: int | None) -> UnseenExample:  # noqa: ARG002
        """Return an example, by its row as in `position`, and a network that never saw it."""
        raise self._missing()

    def batch(self, row: int | None) -> tuple[Any, Any, Any]:  # noqa: ARG002
        """Return the network of `example`, and x and y of a mini-batch that it learned from."""
        raise self._missing()

    def material(self, most: int) -> Material:  # noqa: ARG002
        """Return at most so many examples, for networks of other sizes to learn from."""
        raise self._missing()

    def recorded(self) -> tuple[Ensemble, Sequence[str]]:
        """Return networks like the model's, trained anew with their paths recorded; and what to say of it."""
        raise self._missing()

    def learning_curve(
        self,
        target: Target,  # noqa: ARG002
        most: int,  # noqa: ARG002
        progress: Callable[[], None],  # noqa: ARG002
    ) -> tuple[LearningCurve, Sequence[str]]:
        """Return the errors of networks that learned from parts of at most so many examples; and what to say of it.

        Args:
            target: whose errors.
            most: examples at most.
            progress: called after each training.
        """
        raise self._missing()

    def _missing(self) -> AmaltheaError:
        return AmaltheaError(f"Nothing is shown of it for models of the task {self.predictor.task!r}.")


def lessons_of(predictor: Predictor) -> Lessons:
    """Return what a model's task gives to the figures of how it learned."""
    from amalthea.tasks import task

    kind = task(predictor.task)
    if not hasattr(kind, "lessons"):  # a task of another package may give none
        return Lessons(predictor)
    return kind.lessons(predictor)
