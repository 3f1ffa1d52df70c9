"""What a model is worth: metrics with errors, calibrated intervals and probabilities, distance, simple rivals."""

from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.baselines import Baselines, baseline_names, on_test, out_of_fold
from amalthea.validation.calibration import IntervalCalibration, fit_interval
from amalthea.validation.cross_fitting import coverage, cross_fit
from amalthea.validation.metrics import (
    HIGHER_IS_BETTER,
    METRICS,
    Figure,
    Scores,
    beats,
    bootstrap,
    main_metric,
    score,
)
from amalthea.validation.temperature import Temperature, calibrated_probabilities, fit_temperature

__all__ = [
    "HIGHER_IS_BETTER",
    "METRICS",
    "Applicability",
    "Baselines",
    "Figure",
    "IntervalCalibration",
    "Scores",
    "Temperature",
    "baseline_names",
    "beats",
    "bootstrap",
    "calibrated_probabilities",
    "coverage",
    "cross_fit",
    "fit_interval",
    "fit_temperature",
    "main_metric",
    "on_test",
    "out_of_fold",
    "score",
]
