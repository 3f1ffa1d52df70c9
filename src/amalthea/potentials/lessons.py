"""What a potential learned from, for figures of how it learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from amalthea import backend
from amalthea.datasets.dataset import Target
from amalthea.errors import AmaltheaError
from amalthea.potentials.refit import CURVE_SHARES, Structures, force_curve, structures
from amalthea.tasks.lessons import Lessons, Material, UnseenExample

if TYPE_CHECKING:
    from amalthea.training.ensemble import Ensemble
    from amalthea.validation.learning_curve import LearningCurve

PATIENCE = 300.0
"""Of potentials that learned for more seconds than this, no learning curve is made."""


class PotentialLessons(Lessons):
    """Some structures, and the network of the energy of one atom."""

    large = True
    curve_sizes = len(CURVE_SHARES)

    @cached_property
    def structures(self) -> Structures:
        """Structures of similar size that the potential learned from."""
        return structures(self.predictor.ready)

    def example(self, row: int | None) -> UnseenExample:
        """Return the network of an atom's energy, and the atom's symmetry functions."""
        position = self.position(row)
        backend.prepare()
        import keras

        potential = self.predictor.ready
        committee, ensemble = potential.committee, potential.parts[0].ensemble
        # The structure's first atom, and a network of the fold that held the structure out.
        answer = committee.answer(potential.examples["atoms"].iloc[position])
        element = committee.elements[answer.kinds[0]]
        row, fold = (int(potential.out_of_fold[name].iloc[position]) for name in ("row", "fold"))
        unseen = ensemble.folds > 1 and committee.members == len(ensemble) and fold >= 0
        number = int(ensemble.layout.of_fold(fold)[0]) if unseen else 0
        # The committee's layers of that element, as an ordinary Keras model.
        layers, activations = committee.layers[element], committee.activations[element]
        if not all(hasattr(keras.activations, name) for name in activations):
            raise AmaltheaError(
                f"Keras has no activation for each of {', '.join(activations)}: the graph is not shown."
            )
        names = [*(f"hidden_{layer + 1}" for layer in range(len(layers) - 1)), "energy"]
        width = len(committee.functions[element])
        network = keras.Sequential(
            [
                keras.Input((width,), name="symmetry_functions"),
                *(
                    keras.layers.Dense(kernel.shape[2], activation, name=name)
                    for (kernel, _), activation, name in zip(layers, activations, names, strict=True)
                ),
            ]
        )
        network.set_weights([values[number] for layer in layers for values in layer])
        return UnseenExample(
            network,
            (answer.functions[:1, :width].astype(np.float32),),
            f"The energy of the first atom ({element}) of the structure in row {row}, without that of the atom alone, "
            f"in eV, by network {number}, which {'never saw' if unseen else 'knows'} it; the gradient with respect to "
            "its symmetry functions is what forces are made of.",
        )

    def batch(self, row: int | None) -> tuple[Any, Any, Any]:  # noqa: ARG002 - structures of similar size go together
        """Return a network of the potential, and a mini-batch of structures with their labels."""
        return self.structures.batch()

    def material(self, most: int) -> Material:  # noqa: ARG002
        """Refuse: the loss of validation is not measured.

        Raises:
            AmaltheaError: always.
        """
        raise AmaltheaError("Potentials set no structures aside while they learn, so there is no loss of validation.")

    def recorded(self) -> tuple[Ensemble, Sequence[str]]:
        """Return networks like the potential's that learned from some of its structures, their paths recorded."""
        return self.structures.recorded()

    def learning_curve(
        self,
        target: Target,  # noqa: ARG002
        most: int,  # noqa: ARG002
        progress: Callable[[], None],
    ) -> tuple[LearningCurve, Sequence[str]]:
        """Return the error of the forces by structures learned.

        Raises:
            AmaltheaError: it would take too long, or there are too few structures.
        """
        seconds = float(self.predictor.provenance.seconds.get("train", 0.0))
        if seconds > PATIENCE:
            raise AmaltheaError(
                f"The learning curve takes about as long as the training did, {seconds / 60:.0f} minutes: "
                "amalthea report --learning-curve draws it."
            )
        return force_curve(self.predictor.ready, progress), ()
