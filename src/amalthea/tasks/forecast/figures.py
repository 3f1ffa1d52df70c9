"""How good forecasts are, with standard errors from windows whose futures do not overlap."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from amalthea.validation.metrics import Figure

Floats = NDArray[np.float64]

NAMES = ("scaled_mse", "scaled_mae", "mase", "smape", "owa", "rmse", "mae", "interval_score")
MAIN = "scaled_mae"
"""The metric by which models are compared."""

ALPHA = 0.1
"""What the 90 % interval leaves out."""


@dataclasses.dataclass(frozen=True, eq=False)
class Judged:
    """n windows with what came.

    Args:
        truth: shape (n, horizon), NaN where unknown.
        channel: shape (n,): which target.
        unit: shape (n,): windows that stand and fall together (channels of one series at one origin).
        apart: shape (n,): True for windows whose futures do not overlap: standard errors come from them.
        spread: shape (n,): the standard deviation of the track in the part that was learned from.
        season: shape (n,): its mean absolute seasonal difference in the past.
        naive: shape (n, horizon): the seasonally adjusted naive forecast.
    """

    truth: Floats
    channel: NDArray[np.int64]
    unit: NDArray[np.int64]
    apart: NDArray[np.bool_]
    spread: Floats
    season: Floats
    naive: Floats


def window_scores(
    judged: Judged, forecast: Floats, lower: Floats | None = None, upper: Floats | None = None
) -> dict[str, Floats]:
    """Return the mean of each score over each window's known steps, shape (n,) each; squares are not rooted yet.

    Sources: MASE: Hyndman and Koehler, Int. J. Forecast. 22, 679 (2006); sMAPE (0 where both are 0) as in M4; interval
    score: Gneiting and Raftery, J. Am. Stat. Assoc. 102, 359 (2007), equation 43.
    """
    error = forecast - judged.truth
    size = np.abs(forecast) + np.abs(judged.truth)
    absolute = window_mean(np.abs(error))
    scores = {
        "rmse": window_mean(error**2),
        "mae": absolute,
        "scaled_mse": window_mean((error / judged.spread[:, None]) ** 2),
        "scaled_mae": absolute / judged.spread,
        "mase": absolute / judged.season,
        "smape": window_mean(np.where(size > 0, 200 * np.abs(error) / np.where(size > 0, size, 1.0), error)),
    }
    if lower is not None and upper is not None:
        outside = np.maximum(lower - judged.truth, 0) + np.maximum(judged.truth - upper, 0)
        scores["interval_score"] = window_mean(upper - lower + 2 / ALPHA * outside)
    return scores


def figures(judged: Judged, scores: Mapping[str, Floats], rows: NDArray[np.bool_]) -> dict[str, Figure]:
    """Return the figures over some windows.

    Args:
        judged: the windows.
        scores: of a model, from `window_scores`.
        rows: shape (n,): which of them.
    """
    found = {name: mean_of_units(values, judged, rows) for name, values in scores.items()}
    square = found["rmse"]
    root = float(np.sqrt(square.value))
    found["rmse"] = Figure(root, square.error / (2 * root) if root else 0.0)
    naive = {name: _mean_over(values, rows) for name, values in window_scores(judged, judged.naive).items()}
    pair = [(found[name], naive[name]) for name in ("smape", "mase")]
    if all(of > 0 for _, of in pair):
        found["owa"] = Figure(
            *(float(np.mean([getattr(f, part) / of for f, of in pair])) for part in ("value", "error"))
        )
    return {name: found[name] for name in NAMES if name in found and np.isfinite(found[name].value)}


def mean_of_units(values: Floats, judged: Judged, rows: NDArray[np.bool_]) -> Figure:
    """Return the mean over windows; its standard error is that of units whose futures do not overlap."""
    chosen = rows & judged.apart & np.isfinite(values)
    index = np.unique(judged.unit[chosen], return_inverse=True)[1]
    means = np.bincount(index, values[chosen]) / np.maximum(np.bincount(index), 1)
    error = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float("nan")
    return Figure(_mean_over(values, rows), error)


def _mean_over(values: Floats, rows: NDArray[np.bool_]) -> float:
    known = values[rows & np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def window_mean(values: Floats) -> Floats:
    """Return the mean over the known steps, shape (n,), NaN where none is."""
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, counts, out=np.full(len(values), np.nan), where=counts > 0))
