"""What a potential learned from, ready to be learned from again in a figure's time: some of its structures."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amalthea.errors import AmaltheaError, TrainingWarning
from amalthea.potentials.fit import MEMORY_SHARE
from amalthea.tasks.columns.refit import MEMBERS, defaults_of, groups_of
from amalthea.training.buckets import Shapes
from amalthea.training.ensemble import Ensemble
from amalthea.validation.learning_curve import LearningCurve
from amalthea.workflow.settings import ignore

if TYPE_CHECKING:
    from amalthea.potentials.networks.training_arrays import Examples
    from amalthea.potentials.potential import Potential

MOST_STRUCTURES, MOST_BYTES = 40, 2**28
"""Structures that are learned from, and the room that the derivatives of their symmetry functions may take."""

EPOCHS, BATCH = 30, 4

CURVE_SHARES, CURVE_FOLDS, CURVE_FEWEST = (0.25, 0.5, 1.0), 3, 24
"""Of a learning curve: the shares of the structures, its folds at most, and how many structures it needs."""


@dataclasses.dataclass(frozen=True, eq=False)
class Structures:
    """Structures of similar size, as a potential sees them.

    Args:
        potential: the model.
        examples: their symmetry functions.
        shapes: their arrays, of one shape.
        folds: who held them out, one of two halves of the folds, shape (n,).
    """

    potential: Potential
    examples: Examples
    shapes: Shapes
    folds: NDArray[np.int64]

    def batch(self) -> tuple[Any, Any, Any]:
        """Return a network of the potential, compiled, and a mini-batch of structures with their labels."""
        import jax

        ensemble = self.potential.parts[0].ensemble
        x, y = jax.tree.map(lambda values: values[: 2 * BATCH], self.shapes.parts[0])
        return ensemble[int(ensemble.used[0])], x, y

    def recorded(self) -> tuple[Ensemble, list[str]]:
        """Return networks like the potential's that learned from the structures, their paths written down; and a note.

        Raises:
            AmaltheaError: all networks of a fold diverged.
        """
        from amalthea.potentials.networks.training import potential_network

        count, folds = len(self.folds), int(self.folds.max()) + 1
        members = max(MEMBERS, 4 // folds)
        steps = EPOCHS * -(-(count - count // folds if folds > 1 else count) // BATCH)
        network = potential_network(self.examples, defaults_of(self.potential.predictor), steps)
        seed = int(self.potential.parts[0].ensemble.seed)
        ensemble = Ensemble(network, folds=folds, members=members, seed=seed)
        with warnings.catch_warnings(action="ignore", category=TrainingWarning):  # in history.notes
            ensemble.fit_shapes(
                self.shapes, epochs=EPOCHS, batch_size=BATCH, fold_ids=self.folds, verbose=0, record=True
            )
        note = (
            f"To see their paths, networks like the potential's were trained anew, {members} a fold, for {EPOCHS} "
            f"epochs on {count} of its structures."
        )
        return ensemble, [note]


def structures(potential: Potential) -> Structures:
    """Return structures of similar size that a potential learned from, drawn by chance.

    Raises:
        AmaltheaError: the model was saved without its structures, or they are too few.
    """
    from amalthea.potentials.networks.training_arrays import Examples
    from amalthea.potentials.reading import examples as tables

    if len(potential.examples) < 2 * BATCH:
        raise AmaltheaError(f"The model keeps {len(potential.examples)} structures: too few to be learned from again.")
    seed = int(potential.parts[0].ensemble.seed)
    sizes = np.array([len(atoms) for atoms in potential.examples["atoms"]])
    drawn = np.random.default_rng(seed).permutation(len(sizes))
    near = drawn[np.argsort(np.abs(sizes - np.median(sizes))[drawn], kind="stable")][:MOST_STRUCTURES]
    functions, alone = potential.ranges.functions, potential.energy_of_atoms

    def described(places: NDArray[np.int64]) -> Examples:
        return Examples(tables.as_frames(potential.examples.iloc[places]), functions, alone)

    examples, rows = described(near), np.arange(len(near))
    atoms, most = examples.room(rows)
    fitting = int(MOST_BYTES // (atoms * most * 6 * examples.width))  # three directions, two bytes
    if fitting < len(near):
        near = near[: max(2 * BATCH, fitting)]
        examples, rows = described(near), np.arange(len(near))
    folds = potential.out_of_fold["fold"].to_numpy(np.int64)[near] % 2
    folds = np.unique(folds, return_inverse=True)[1]
    shapes = Shapes((examples.part(rows, examples.unit()),), (rows,))
    return Structures(potential, examples, shapes, folds)


def force_curve(potential: Potential, progress: Callable[[], None] = lambda: None) -> LearningCurve:
    """Train potentials on parts of the structures, one network in each of at most three folds.

    All learn in as many steps as with all structures, and are judged on the same held-out ones.

    Args:
        potential: the model.
        progress: called after each training.

    Returns:
        The curve of each structure's mean absolute error of its force components in eV/Å.

    Raises:
        AmaltheaError: the model keeps too few structures with forces, or had one fold.
    """
    from amalthea.potentials.networks.committee import from_weights
    from amalthea.potentials.networks.training import potential_network, shapes_of
    from amalthea.potentials.networks.training_arrays import Examples
    from amalthea.potentials.reading import examples as tables

    table = potential.out_of_fold
    if len(potential.examples):
        places = np.flatnonzero((table["fold"].to_numpy() >= 0) & table["force_mae"].notna().to_numpy())
        folds = np.unique(table["fold"].to_numpy(np.int64)[places] % CURVE_FOLDS, return_inverse=True)[1]
    if not len(potential.examples) or len(places) < CURVE_FEWEST or folds.max() == 0:
        raise AmaltheaError(
            f"A learning curve of a potential needs {CURVE_FEWEST} structures with forces in the model, and folds."
        )
    functions, alone = potential.ranges.functions, potential.energy_of_atoms
    frames = tables.as_frames(potential.examples.iloc[places])
    examples = Examples(frames, functions, alone)
    shapes, derive = shapes_of(examples, MEMORY_SHARE, CURVE_FOLDS, ignore, 0)
    groups, count = groups_of(potential.predictor)[places], int(folds.max()) + 1
    names, numbers = np.unique(groups, return_inverse=True)
    seed, defaults = int(potential.parts[0].ensemble.seed), defaults_of(potential.predictor)
    ranks = np.random.default_rng(seed).permutation(len(names))[numbers] / len(names)
    sizes, errors = [], []
    for share in CURVE_SHARES:
        kept = np.flatnonzero(ranks < share)
        learned, epochs = round(len(kept) * (1 - 1 / count)), round(defaults.epochs / share)
        network = potential_network(examples, defaults, epochs * -(-learned // defaults.batch_size))
        network.derive = derive
        ensemble = Ensemble(network, folds=count, members=1, seed=seed)
        with warnings.catch_warnings(action="ignore", category=TrainingWarning):  # who diverged has no errors
            ensemble.fit_shapes(
                shapes, epochs=epochs, batch_size=defaults.batch_size, fold_ids=folds, rows=kept, verbose=0
            )
        committee = from_weights(ensemble.weights, functions, network.activation, alone)
        off = []
        for structure, atoms, forces, fold in zip(
            examples.surroundings, frames.atoms, frames.forces, folds, strict=True
        ):
            answer = committee.answer_for(structure, atoms.get_volume() if atoms.pbc.all() else np.nan)
            off.append(np.abs(answer.forces[fold] - forces).mean())
        sizes.append(learned)
        errors.append(off)
        progress()
    measure = "mean absolute error (eV/Å)"
    return LearningCurve("forces", measure, np.array(sizes), np.array(errors), groups, 1)
