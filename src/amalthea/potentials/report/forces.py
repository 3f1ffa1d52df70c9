"""What networks that never saw a structure say of its forces, component by component."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.potentials.answers import committee_mean
from amalthea.potentials.potential import PotentialState
from amalthea.predictor.predictor import Predictor
from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.out_of_fold_predict import keeps_held_out
from amalthea.validation.calibration import fit_interval
from amalthea.validation.cross_fitting import cross_fit

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
    components = pd.concat(parts, ignore_index=True).replace([np.inf, -np.inf], np.nan)
    components = components.dropna(subset=["truth", "mean"])
    if components.empty:
        return None
    elements, size = components["element"].to_numpy(object), components["size"].to_numpy(np.float64)
    return Forces(_judged(predictor, components), elements, size, len(parts), len(chosen) < len(known))


def _committees(predictor: Predictor) -> dict[int, Any]:
    """Return for each fold its networks, those left out excepted."""
    fold_of = predictor.ready.fold_of
    return {int(fold): predictor.ready.committee.take(np.flatnonzero(fold_of == fold)) for fold in np.unique(fold_of)}


def _asked(predictor: Predictor, position: int, committee: Any) -> pd.DataFrame:
    """Return each component of the forces in a structure, as its label and the committee's answer have it."""
    row = predictor.examples.iloc[position]
    answer = committee_mean(committee.answer(row["atoms"]), np.zeros(committee.members, np.int64))
    label = np.asarray(row["forces"], np.float64)
    return pd.DataFrame(
        {
            "position": np.full(label.size, position, np.int64),
            "truth": label.ravel(),
            "mean": answer.forces.ravel(),
            "spread": np.repeat(answer.forces_spread, 3),
            "element": np.repeat(np.array(row["atoms"].get_chemical_symbols(), object), 3),
            "size": np.repeat(np.linalg.norm(label, axis=1), 3),
        }
    )


def _judged(predictor: Predictor, components: pd.DataFrame) -> Judged:
    """Return the components as everything that is judged; each fold's uncertainties come from the other folds."""
    table, places = predictor.out_of_fold, components["position"].to_numpy(np.int64)
    truth, mean, spread = (components[name].to_numpy(np.float64) for name in ("truth", "mean", "spread"))
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
        distance=nothing,
        excess=np.zeros(len(nothing)),
        spread=spread,
        lower=nothing,
        upper=nothing,
        probabilities=np.empty((len(truth), 0)),
        applicability=nothing,
    )
