"""The figures of a potential: errors of energies, forces and stresses, with errors of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.validation.metrics import Figure

Array = NDArray[np.float64]

GPA = 160.1766208
"""eV/Å³ in GPa (CODATA 2018)."""

UNITS = {
    "energy_mae": "meV/atom",
    "energy_rmse": "meV/atom",
    "force_mae": "eV/Å",
    "force_rmse": "eV/Å",
    "stress_mae": "GPa",
}
"""The units of a potential's metrics, in the order in which they are listed."""

REPLICATES = 200


@dataclasses.dataclass(frozen=True, eq=False)
class Errors:
    """Prediction minus label of n structures; what is not known is NaN or None.

    Args:
        energy: shape (n,), eV an atom.
        forces: n arrays of shape (A, 3), eV/Å.
        stress: n arrays of shape (6,), eV/Å³.
    """

    energy: Array
    forces: Sequence[Array | None]
    stress: Sequence[Array | None]

    def take(self, rows: NDArray[np.intp]) -> Errors:
        """Return the errors of these structures."""
        return Errors(self.energy[rows], [self.forces[r] for r in rows], [self.stress[r] for r in rows])


def potential_figures(models: Mapping[str, Errors], groups: ArrayLike, seed: int = 0) -> Figures:
    """Return the figures of several models on the same structures, by resampling whole groups.

    Energies in meV an atom, forces in eV/Å, stresses in GPa; MAE is the mean of absolute errors, RMSE the root of their
    mean square, over structures for energies and over components for forces and stresses.

    Args:
        models: the errors of each model, by name.
        groups: shape (n,): structures that are drawn together (copies, frames of one trajectory).
        seed: of the resamples.

    Example:
        >>> errors = Errors(np.array([0.002, -0.004]), [np.ones((2, 3)), None], [None, None])
        >>> found = potential_figures({"m": errors}, [0, 1]).figures["m"]
        >>> {name: f"{figure.value:.3g}" for name, figure in found.items()}
        {'energy_mae': '3', 'energy_rmse': '3.16', 'force_mae': '1', 'force_rmse': '1'}
    """
    index = np.unique(np.asarray(groups), return_inverse=True)[1]
    random = np.random.default_rng(seed)
    count = int(index.max()) + 1
    drawn = np.stack(
        [np.ones(count), *(np.bincount(random.integers(0, count, count), minlength=count) for _ in range(REPLICATES))]
    )
    resampled = {name: _resampled(errors, index, drawn) for name, errors in models.items()}
    figures = {
        name: {
            metric: Figure(float(v[0]), _spread(v[1:]) if count > 1 else float("nan")) for metric, v in scores.items()
        }
        for name, scores in resampled.items()
    }
    return Figures(figures, resampled)


@dataclasses.dataclass(frozen=True, eq=False)
class Figures:
    """The figures of several models, from `potential_figures`.

    Args:
        figures: for each model, each metric's value and standard error.
        resampled: for each model, each metric on all structures and then in each resample.
    """

    figures: Mapping[str, Mapping[str, Figure]]
    resampled: Mapping[str, Mapping[str, Array]]

    def difference(self, name: str, other: str, metric: str) -> Figure:
        """Return by how much `name` is better than `other`, positive where its error is smaller."""
        gain = self.resampled[other][metric] - self.resampled[name][metric]
        return Figure(float(gain[0]), _spread(gain[1:]))


def _resampled(errors: Errors, index: NDArray[np.intp], drawn: Array) -> dict[str, Array]:
    """Return each metric in each resample: sums over groups, weighted with how often each was drawn."""
    scores: dict[str, Array] = {}
    kinds: tuple[tuple[str, float, list[Array]], ...] = (
        ("energy", 1000.0, [np.array([value]) for value in errors.energy]),
        ("force", 1.0, [_flat(each) for each in errors.forces]),
        ("stress", GPA, [_flat(each) for each in errors.stress]),
    )
    for kind, unit, values in kinds:
        known = [each[np.isfinite(each)] * unit for each in values]
        number, absolute, squares = (
            np.bincount(index, [float(measure(each)) for each in known], drawn.shape[1])
            for measure in (np.size, lambda each: np.abs(each).sum(), lambda each: (each**2).sum())
        )
        if not number.any():
            continue
        total = drawn @ number
        total[total == 0] = np.nan
        scores[f"{kind}_mae"] = drawn @ absolute / total
        scores[f"{kind}_rmse"] = np.sqrt(drawn @ squares / total)
    scores.pop("stress_rmse", None)
    return scores


def _flat(values: Array | None) -> Array:
    return np.empty(0) if values is None else np.asarray(values, np.float64).ravel()


def _spread(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else float("nan")
