"""What networks that never saw a structure say of its forces, component by component."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.potentials.potential import PotentialState, committee_mean
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.out_of_fold_predict import keeps_held_out
from amalthea.validation.calibration import cross_fit, fit_interval

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

MOST_ATOMS = 15_000
"""Atoms whose forces are asked for anew at most: the model keeps the errors of whole structures only."""

FORCE = Target("force", "regression", unit="eV/Å")


@dataclasses.dataclass(frozen=True, eq=False)
class Forces:
    """The n components of the forces on some atoms, three an atom, answered by networks that never saw them.

    Args:
        judged: labels and answers in eV/Å; `places` are those of the structures, `groups` those of their copies.
        elements: shape (n,): the atom's element.
        size: shape (n,): the length of the labelled force on the atom, in eV/Å.
        structures: how many structures were asked.
        sampled: True where these are not all.
    """

    judged: Judged
    elements: NDArray[np.object_]
    size: Array
    structures: int
    sampled: bool


def held_out_forces(predictor: Predictor, seed: int = 0) -> Forces | None:
    """Ask each fold's networks for the forces in the structures that they never saw.

    Args:
        predictor: a model of any kind.
        seed: of the sample, where there are many structures.

    Returns:
        None where the model is no potential, kept no examples, held nothing out, or no forces are known.
    """
    if not isinstance(predictor.state, PotentialState) or not keeps_held_out(predictor):
        return None
    examples, folds = predictor.examples, predictor.out_of_fold["fold"].to_numpy(np.int64)
    known = np.array([i for i, forces in enumerate(examples["forces"]) if forces is not None], np.int64)
    drawn = np.random.default_rng(seed).permutation(known)
    sizes = np.array([len(examples["atoms"].iloc[i]) for i in drawn], np.int64)
    chosen = np.sort(drawn[np.cumsum(sizes) <= MOST_ATOMS])
    committees = _committees(predictor)
    parts = [_asked(predictor, int(i), committees[int(folds[i])]) for i in chosen if folds[i] in committees]
    if not parts:
        return None
    positions, truth, mean, spread = (np.concatenate(each) for each in zip(*(part[:4] for part in parts), strict=True))
    finite = np.isfinite(truth) & np.isfinite(mean)
    if not finite.any():
        return None
    elements, size = np.concatenate([part[4] for part in parts]), np.concatenate([part[5] for part in parts])
    judged = _judged(predictor, *(values[finite] for values in (positions.astype(np.int64), truth, mean, spread)))
    return Forces(judged, elements[finite], size[finite], len(parts), len(chosen) < len(known))


def _committees(predictor: Predictor) -> dict[int, object]:
    """Return for each fold its networks, those left out excepted."""
    fold_of = predictor.ready.fold_of
    return {int(fold): predictor.ready.committee.take(np.flatnonzero(fold_of == fold)) for fold in np.unique(fold_of)}


def _asked(
    predictor: Predictor, position: int, committee: object
) -> tuple[Array, Array, Array, Array, NDArray[np.object_], Array]:
    """Return each component's position, label, answer, raw spread, element and size of the force."""
    row = predictor.examples.iloc[position]
    answer = committee_mean(committee.answer(row["atoms"]), np.zeros(committee.members, np.int64))  # type: ignore[attr-defined]
    label = np.asarray(row["forces"], np.float64)
    elements = np.repeat(np.array(row["atoms"].get_chemical_symbols(), object), 3)
    return (
        np.full(label.size, position, np.float64),
        label.ravel(),
        answer.forces.ravel(),
        np.repeat(answer.forces_spread, 3),
        elements,
        np.repeat(np.linalg.norm(label, axis=1), 3),
    )


def _judged(predictor: Predictor, places: Numbers, truth: Array, mean: Array, spread: Array) -> Judged:
    """Return the components as everything that is judged; each fold's uncertainties come from the other folds."""
    table = predictor.out_of_fold
    folds = table["fold"].to_numpy(np.int64)[places]
    residuals = mean - truth
    std = cross_fit(
        lambda rows: fit_interval(residuals[rows], spread[rows]),
        lambda constants, rows: constants.sigma(spread[rows]),
        folds,
    )
    nothing = np.full(len(truth), np.nan)
    return Judged(
        target=FORCE,
        summary=predictor.validation.targets[0],
        places=places,
        rows=table["row"].to_numpy(np.int64)[places],
        folds=folds,
        parts=folds,
        groups=predictor.examples["#group"].to_numpy(np.int64)[places],
        truth=truth,
        mean=mean,
        std=nothing if std is None else std,
        spread=spread,
        lower=nothing,
        upper=nothing,
        probabilities=np.empty((len(truth), 0)),
        applicability=nothing,
    )
