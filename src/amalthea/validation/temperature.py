"""From raw probabilities, and the distance to what was learned, to probabilities that can be believed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.validation.calibration import ENDLESS, NEAREST
from amalthea.validation.cross_fitting import cross_fit

Array = NDArray[np.float64]
Rows = NDArray[np.bool_]

MOST_BASE = 0.95
"""The most that the base rate may be of a probability: with more of it another class would be named."""

_TEMPERATURES = (0.05, 20.0)
_SMALLEST_PROBABILITY = 1e-12


@dataclasses.dataclass(frozen=True)
class Temperature:
    """Softens (above 1) or sharpens (below 1) probabilities, and leads them to the base rate far from the training set.

    Args:
        temperature: what log-probabilities are divided by.
        base: the share of each class in training.
        distance_99: the relative distance from which on the base rate is mixed in: 1 - distance_99 / distance of it,
            0.95 at most.
        largest_distance: the largest at which an example was judged.

    Example:
        >>> Temperature(2.0).apply([[0.9, 0.1]])
        array([[0.75, 0.25]])
        >>> Temperature(1.0, base=(0.5, 0.5), distance_99=2.0).apply([[0.9, 0.1]], [4.0])
        array([[0.7, 0.3]])
    """

    temperature: float
    base: tuple[float, ...] = ()
    distance_99: float = ENDLESS
    largest_distance: float = ENDLESS

    def apply(self, probabilities: ArrayLike, distance: ArrayLike | None = None) -> Array:
        """Return softmax(ln p / T) of probabilities, shape (n, classes), with the base rate by distance, shape (n,)."""
        logits = _log(probabilities) / self.temperature
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        softened: Array = raised / raised.sum(axis=1, keepdims=True)
        if distance is None or not self.base:
            return softened
        apart = np.maximum(np.asarray(distance, np.float64), self.distance_99)
        return toward(softened, self.base, np.minimum(1.0 - self.distance_99 / apart, MOST_BASE))

    def outside(self, distance: ArrayLike) -> Rows:
        """Say which examples lie farther than any that was judged, shape (n,)."""
        return np.asarray(np.asarray(distance, np.float64) > self.largest_distance)


def toward(probabilities: Array, base: ArrayLike, share: Array) -> Array:
    """Return probabilities, shape (n, classes), in which the base rate, shape (classes,), has a share, shape (n,)."""
    part = share[:, None]
    return np.where(part > 0, (1 - part) * probabilities + part * np.asarray(base), probabilities)


def fit_temperature(probabilities: ArrayLike, truth: ArrayLike, distance: ArrayLike | None = None) -> Temperature:
    """Return the temperature between 0.05 and 20 that makes out-of-fold labels likeliest.

    Probabilities below 1e-12 count as that. Where there are none, or some are not finite, the temperature is 1.

    Args:
        probabilities: shape (n, classes).
        truth: shape (n,), codes of classes.
        distance: shape (n,), the relative distances of the rows to what was learned by the members that judge them.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> right_three_times_in_four = fit_temperature([[0.9, 0.1]] * 4, [0, 0, 0, 1])
        >>> round(right_three_times_in_four.temperature, 3)
        2.0

    Source: Guo et al., ICML 2017 (arXiv 1706.04599), section 4.2, on the log-probabilities of the ensemble's mean.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    logits, labels = _log(probabilities), np.asarray(truth).astype(np.int64)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"probabilities (n, classes) and truth (n,) are needed. Received: {logits.shape}, {labels.shape}"
        )
    if not len(labels) or not np.isfinite(logits).all():
        return Temperature(1.0)
    # Relative to the true label's, the log-likelihood is one logsumexp.
    relative = logits - logits[np.arange(len(labels)), labels][:, None]

    def negative_log_likelihood(log_temperature: float) -> float:
        return float(np.mean(logsumexp(relative / math.exp(log_temperature), axis=1)))

    fit = minimize_scalar(negative_log_likelihood, bounds=np.log(_TEMPERATURES), method="bounded")
    fitted = Temperature(math.exp(float(fit.x)))
    apart = np.asarray([np.nan] if distance is None else distance, np.float64)
    if not np.isfinite(apart).all():
        return fitted
    base = np.bincount(labels, minlength=logits.shape[1]) / len(labels)
    usual, largest = np.quantile(apart, [0.99, 1.0])
    return dataclasses.replace(
        fitted, base=tuple(base.tolist()), distance_99=max(float(usual), NEAREST), largest_distance=float(largest)
    )


def calibrated_probabilities(
    probabilities: ArrayLike, truth: ArrayLike, fold_ids: ArrayLike, distance: ArrayLike | None = None
) -> Array | None:
    """Return out-of-fold probabilities, each fold's with the temperature of the other folds; None for one fold.

    These, and not those with the stored temperature, are what figures are computed from.

    Args:
        probabilities: shape (n, classes), out of fold.
        truth: shape (n,), codes of classes.
        fold_ids: shape (n,), integers: the fold that held each row out.
        distance: shape (n,), as for `fit_temperature`.

    Example:
        >>> calibrated_probabilities([[0.9, 0.1]] * 8, [0, 0, 0, 1] * 2, [0] * 4 + [1] * 4).round(2)[0]
        array([0.75, 0.25])
    """
    raw, labels = np.asarray(probabilities, np.float64), np.asarray(truth)
    apart = np.ones(len(raw)) if distance is None else np.asarray(distance, np.float64)
    return cross_fit(
        lambda rows: fit_temperature(raw[rows], labels[rows], apart[rows]),
        lambda constant, rows: constant.apply(raw[rows], apart[rows]),
        fold_ids,
    )


def _log(probabilities: ArrayLike) -> Array:
    logarithms: Array = np.log(np.maximum(np.asarray(probabilities, np.float64), _SMALLEST_PROBABILITY))
    return logarithms
