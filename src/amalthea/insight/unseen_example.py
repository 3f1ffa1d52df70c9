"""One example of a trained model, and a network that never saw it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from amalthea import backend
from amalthea.datasets.messages import listed
from amalthea.errors import AmaltheaError
from amalthea.predictor.predictor import Predictor
from amalthea.tasks.columns.refit import material

if TYPE_CHECKING:
    import keras

    from amalthea.potentials.potential import Potential


@dataclasses.dataclass(frozen=True, eq=False)
class Asked:
    """What a graph and a step are made from.

    Args:
        network: a member, as an ordinary model.
        given: what it is called with: (x, y), one example; (x,) where its target is not known.
        batch: (x, y), a mini-batch of examples; None where there is none.
        told: who is asked about what.
    """

    network: keras.Model
    given: tuple[Any, ...]
    batch: tuple[Any, Any] | None
    told: str


def ask(predictor: Predictor, row: int | None) -> Asked:
    """Return an example and a network that never saw it, if there is one.

    Args:
        predictor: a model that kept its examples.
        row: the example's, as `row` in the out-of-fold table has it (its line in the file); None: the first.

    Raises:
        AmaltheaError: the model was saved without its examples, or has no such one.
    """
    backend.prepare()
    if not len(predictor.examples):
        raise AmaltheaError("The model was saved without its examples: neither its graph nor a step can be shown.")
    rows = predictor.out_of_fold["row"].to_numpy(np.int64)
    place = 0 if row is None else int(np.argmax(rows == row))
    if row is not None and rows[place] != row:
        raise AmaltheaError(
            f"The model has no training example in row {row}. It has, for instance: {listed(rows[:9])}."
        )
    if predictor.domain == "structures":
        return _atom(predictor.ready, place, int(rows[place]))
    part = max(predictor.parts, key=lambda each: float(each.shares.sum()))
    ensemble, fold = part.ensemble, int(predictor.out_of_fold["fold"].iloc[place])
    left_out = set(ensemble.history.left_out) if ensemble.history is not None else set()
    unseen = ensemble.folds > 1 and fold >= 0
    apart = [n for n in ensemble.layout.of_fold(fold).tolist() if n not in left_out] if unseen else []
    number = next(n for n in [*apart, *range(len(ensemble))] if n not in left_out)
    size = int(predictor.provenance.chosen.get("batch_size", 32))
    chosen = np.unique([place, *np.random.default_rng(ensemble.seed).permutation(len(rows))[: size - 1]])
    found = material(predictor, places=chosen)
    own = int(np.argmax(chosen == place))
    x, y = found.x[own : own + 1], found.y[own : own + 1]
    learned = np.isfinite(found.y).any(axis=1) & (chosen != place)
    knows = "never saw" if apart else "knows"
    told = f"The training example in row {rows[place]}, and network {number}, which {knows} it."
    batch = (found.x[learned], _targets(ensemble.model, found.y[learned])) if learned.any() else None
    given = (x, _targets(ensemble.model, y)) if np.isfinite(y).any() else (x,)
    return Asked(ensemble[number], given, batch, told)


def _targets(model: Any, y: Any) -> Any:
    """Return targets as a network's loss takes them: codes of classes as whole numbers, for a user's own loss."""
    from amalthea.training.layers import TargetModel

    return y if isinstance(model, TargetModel) else y.astype(np.int32 if (y == y.round()).all() else np.float32)


def _atom(potential: Potential, place: int, row: int) -> Asked:
    """Return the network of an atom's energy, and the atom's symmetry functions."""
    import keras

    committee = potential.committee
    structure = potential.examples["atoms"].iloc[place]
    answer = committee.answer(structure)
    element = committee.elements[answer.kinds[0]]
    fold, ensemble = int(potential.out_of_fold["fold"].iloc[place]), potential.parts[0].ensemble
    unseen = ensemble.folds > 1 and committee.members == len(ensemble)
    number = int(ensemble.layout.of_fold(fold)[0]) if unseen and fold >= 0 else 0
    layers, activations = committee.layers[element], committee.activations[element]
    if not all(hasattr(keras.activations, name) for name in activations):
        raise AmaltheaError(f"Keras has no activation for each of {', '.join(activations)}: the graph is not shown.")
    names = [*(f"hidden_{place + 1}" for place in range(len(layers) - 1)), "energy"]
    network = keras.Sequential(
        [
            keras.Input((len(committee.functions[element]),), name="symmetry_functions"),
            *(
                keras.layers.Dense(kernel.shape[2], activation, name=name)
                for (kernel, _), activation, name in zip(layers, activations, names, strict=True)
            ),
        ]
    )
    network.set_weights([values[number] for layer in layers for values in layer])
    x = answer.functions[:1, : len(committee.functions[element])].astype(np.float32)
    told = (
        f"The energy of the first atom ({element}) of the structure in row {row}, without that of the atom alone, in "
        f"eV, by network {number}, which {'never saw' if unseen and fold >= 0 else 'knows'} it; the gradient with "
        "respect to its symmetry functions is what forces are made of."
    )
    return Asked(network, (x,), None, told)
