"""One target: from held-out answers to a calibration, and to what it is worth at random and by cluster."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.dataset import Target
from amalthea.validation.calibration import IntervalCalibration
from amalthea.validation.cross_fitting import HeldOut, Residuals, cross_fit, cross_fitted, fit_both
from amalthea.validation.distance_bands import Band, distance_bands, worth
from amalthea.validation.metrics import Figure, bootstrap
from amalthea.validation.summary import ClusterFigures
from amalthea.validation.temperature import Temperature, calibrated_probabilities, fit_temperature

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Calibrated:
    """A target's calibration and what it is worth.

    Args:
        calibration: from all held-out rows, for new examples.
        answers: those out of fold that are judged: numbers, shape (n,), or cross-fitted probabilities (n, classes).
        coverage: the share of truths in the cross-fitted 90 % intervals; None for classes, or where it is not known.
        bands: how the answers hold with distance.
        clusters: the figures of cluster-held-out rows; None where there are none.
    """

    calibration: IntervalCalibration | Temperature
    answers: Array
    coverage: Figure | None
    bands: tuple[Band, ...]
    clusters: ClusterFigures | None


def calibrate(target: Target, truth: Array, random: HeldOut, clusters: HeldOut | None) -> Calibrated:
    """Calibrate what was answered for n rows; its figures are those of constants from other rows.

    Args:
        target: what is predicted.
        truth: shape (n,).
        random: answers by members that never saw the row.
        clusters: answers by members that never saw anything of its cluster; None: there are none.
    """
    if clusters is not None and not np.isfinite(clusters.mean).all():
        clusters = None
    return (_classes if target.task == "classification" else _numbers)(truth, random, clusters)


def _numbers(truth: Array, random: HeldOut, clusters: HeldOut | None) -> Calibrated:
    held = _residuals(truth, random)
    far = None if clusters is None else _residuals(truth, clusters)
    widths, far_widths = cross_fitted(held, far)
    covered, bands = worth(held, widths)
    figures = None
    if clusters is not None and far is not None:
        scores = bootstrap("regression", truth, {"network": clusters.mean[:, 0]}, clusters.groups)
        figures = ClusterFigures(scores.figures["network"], *worth(far, far_widths))
    return Calibrated(fit_both(held, far), random.mean[:, 0], covered, bands, figures)


def _residuals(truth: Array, held: HeldOut) -> Residuals:
    known = np.isfinite(held.apart.distance).all()
    return Residuals(
        np.abs(held.mean[:, 0] - truth),
        held.std[:, 0],
        held.fold_ids,
        held.groups,
        held.apart.distance if known else None,
        held.apart.excess if known else None,
        truth,
    )


def _classes(truth: Array, random: HeldOut, clusters: HeldOut | None) -> Calibrated:
    codes, distance = truth.astype(np.int64), random.apart.distance
    judged = calibrated_probabilities(random.mean, codes, random.fold_ids, distance)
    answers = random.mean if judged is None else judged
    calibration, figures = fit_temperature(random.mean, codes, distance), None
    if clusters is not None:
        # A temperature learned where distance varies gains nothing; what was judged reaches farther.
        far = cross_fit(
            lambda rows: fit_temperature(random.mean[rows], codes[rows], distance[rows]),
            lambda constant, rows: constant.apply(clusters.mean[rows], clusters.apart.distance[rows]),
            clusters.fold_ids,
        )
        assert far is not None  # there are three folds
        reached = float(np.fmax(calibration.largest_distance, clusters.apart.distance.max()))
        calibration = dataclasses.replace(calibration, largest_distance=reached)
        scores = bootstrap("classification", truth, {"network": far}, clusters.groups)
        figures = ClusterFigures(scores.figures["network"], None, _bands_of_classes(codes, far, clusters))
    return Calibrated(calibration, answers, None, _bands_of_classes(codes, answers, random), figures)


def _bands_of_classes(codes: NDArray[np.int64], answers: Array, held: HeldOut) -> tuple[Band, ...]:
    right = answers.argmax(axis=1) == codes
    return distance_bands(held.apart.distance, right, answers.max(axis=1), held.groups)
