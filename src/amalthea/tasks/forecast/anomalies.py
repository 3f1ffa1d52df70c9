"""Values that lie so far from what was foretold that few do by chance: a known number of false alarms a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Inputs
from amalthea.datasets.messages import counted
from amalthea.domains.sequences.calendar import parse
from amalthea.domains.sequences.reading import SeriesState
from amalthea.errors import DataError
from amalthea.tasks.forecast.answers import asked, setting_of, widths
from amalthea.tasks.forecast.judge import LEVEL, Answers, half_widths
from amalthea.tasks.forecast.origins import between

if TYPE_CHECKING:
    from amalthea.predictor.predictor import Predictor

Floats = NDArray[np.float64]

MONTH = 30.44 * 86_400
"""Seconds of a month."""

STEPS = 1000
"""What stands for a month where the steps are no times."""


def anomalies(predictor: Predictor, newer: Inputs, alarms: float) -> pd.DataFrame:
    """Return the values since the training, each with its band and whether it lies outside, one row a step.

    Each value is compared with what was foretold of it at most a horizon before, as in the time held out. Its score is
    its error by the half-width of the 90 % interval, which follows recent errors. The band is so many half-widths wide
    as left so few alarms in the time that was held out; values outside less than a horizon apart are one alarm.

    Args:
        predictor: the model.
        newer: rows later than those that it learned from.
        alarms: false alarms that are put up with, a month and series; where steps are no times, in a thousand steps.

    Raises:
        DataError: nothing later is known, or too little was held out to promise so few alarms.
    """
    setting = setting_of(predictor, newer.examples[newer.problems == ""])
    tracks, horizon = setting.panel, setting.window.horizon
    rows = between(np.where(setting.new, tracks.last + 1, setting.end + 1), tracks.last, horizon)
    if not len(rows):
        raise DataError("nothing here is later than what the model learned from.")
    rows = rows.take(np.argsort(rows.origin, kind="stable"))
    answers = Answers.of(tracks, rows, *asked(predictor, setting, rows), setting.scales, setting.window)
    errors = np.abs(answers.mean - answers.truth) / answers.season[:, None]
    channel = tracks.channel[rows.track]
    half, _ = half_widths(errors, channel, rows.origin, LEVEL, widths(predictor, LEVEL))
    tables = []
    for number, target in enumerate(predictor.targets):
        mine = np.flatnonzero(channel == number)
        limit = _limit(predictor, number, horizon, alarms, setting.state)
        truth, mean, width = (
            values[mine].ravel() for values in (answers.truth, answers.mean, half * answers.season[:, None])
        )
        position = (rows.origin[mine][:, None] + np.arange(horizon)).ravel()
        named = {"value": truth, "mean": mean, "lower": mean - limit * width, "upper": mean + limit * width}
        table = pd.DataFrame(
            {
                setting.state.time: setting.state.calendar.text(position),
                "series": np.repeat(tracks.series[rows.track[mine]], horizon),
                "target": target.name,
                **named,
                "score": np.abs(truth - mean) / width,
                "anomaly": np.abs(truth - mean) > limit * width,
            }
        )
        order = np.lexsort((position, np.repeat(rows.track[mine], horizon)))
        tables.append(table.iloc[order][np.isfinite(truth[order])])
    return pd.concat(tables, ignore_index=True)


def _limit(predictor: Predictor, channel: int, horizon: int, alarms: float, state: SeriesState) -> float:
    """Return the least score above which the held-out time of a target had as few alarms as are put up with."""
    prefix = f"{predictor.targets[channel].name}_" if len(predictor.targets) > 1 else ""
    table, calendar = predictor.out_of_fold, state.calendar
    ends = [table[prefix + name].to_numpy(np.float64) for name in ("lower", "upper")]
    truth, mean = (table[prefix + name].to_numpy(np.float64) for name in ("target", "prediction"))
    scores = np.abs(truth - mean) / np.maximum((ends[1] - ends[0]) / 2, 1e-300)
    known = np.isfinite(scores)
    places = np.round(calendar.positions(parse(table[state.time].astype("str"))[0])).astype(np.int64)[known]
    series, scores = pd.factorize(table["series"].fillna(""))[0][known], scores[known]
    months = len(scores) / STEPS
    if calendar.unit != "number":
        months = len(scores) * calendar.step * (1.0 if calendar.unit == "month" else 1 / MONTH)
    if months * alarms < 1:
        raise DataError(
            f"{counted(len(scores), 'held-out value')} of {predictor.targets[channel].name} are too few to promise "
            f"{alarms:g} false alarms a month: put up with {1 / max(months, 1e-9):.2g} or more (--alarms)."
        )
    order = np.lexsort((places, series))
    places, series, scores = places[order], series[order], scores[order]
    # The limit comes down from the largest score, doubling what lies above it, until there are too many alarms: of the
    # time to come one more is expected than of that by which it was chosen. It stays above the 90 % interval itself.
    falling = np.sort(scores[scores > 1])[::-1]

    def fits(above: int) -> bool:
        return _runs(places, series, scores > falling[above], horizon) + 1 <= months * alarms

    low, high = 0, 1
    while high < len(falling) and fits(high):
        low, high = high, 2 * high
    high = min(high, len(falling))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return float(falling[low]) if len(falling) else 1.0


def _runs(places: NDArray[np.int64], series: NDArray[np.int64], outside: NDArray[np.bool_], apart: int) -> int:
    """Return the number of alarms: values outside less than `apart` steps from each other are one."""
    at, of = places[outside], series[outside]
    return int(len(at) and 1 + ((np.diff(at) >= apart) | (np.diff(of) != 0)).sum())
