"""When a series was measured: times as text, their frequency, and the whole numbers that count its steps."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.columns import is_missing, is_numeric, numbers
from amalthea.datasets.dates import FORMATS
from amalthea.errors import DataError

Floats = NDArray[np.float64]

CLOCKS = ("", " %H:%M", " %H:%M:%S")
"""What may stand behind a date that is not written as ISO 8601 has it."""

SAMPLE = 1000
"""Times by which the ways to write them are sifted."""

REGULAR = 0.9
"""The share of steps that must be alike for a frequency to be found."""

COMPACT = r"(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
"""A date without anything between its parts: 20240131."""

ZONE = r"(?:[zZ]|[+-]\d{2}:?\d{2})$"
"""How a time ends that names its zone."""

NAMES = {60.0: "every minute", 3600.0: "hourly", 86400.0: "daily", 604800.0: "weekly"}
MONTHS = {1.0: "monthly", 3.0: "quarterly", 12.0: "yearly"}


@dataclasses.dataclass(frozen=True)
class Calendar:
    """A regular grid of times: position p stands for phase + p * step.

    Args:
        unit: "second" (since 1970), "month" (since January 1970), or "number" (as the column has it).
        step: from one position to the next, in the unit.
        phase: the time of position 0, in the unit.
        day: of months: the day on which they are dated; 31: their last.
        zoned: the times name their zone; they are written in UTC.

    Example:
        >>> hours = Calendar("second", 3600.0)
        >>> hours.name, hours.text(np.array([0, 25]))
        ('hourly', ['1970-01-01 00:00:00', '1970-01-02 01:00:00'])
    """

    unit: Literal["second", "month", "number"]
    step: float
    phase: float = 0.0
    day: int = 1
    zoned: bool = False

    @property
    def name(self) -> str:
        """The frequency in words."""
        if self.unit == "number":
            return f"in steps of {self.step:g}"
        if self.unit == "month":
            return MONTHS.get(self.step, f"every {self.step:g} months")
        return NAMES.get(self.step, f"every {pd.Timedelta(seconds=self.step)}".replace("0 days ", ""))

    @property
    def periods(self) -> tuple[int, ...]:
        """The steps of a day, a week and a year, where they are whole numbers of steps, the shortest first."""
        if self.unit == "number":
            return ()
        if self.unit == "month":
            spans = [12 / self.step]
        elif self.step < 86_400:
            spans = [86_400 / self.step, 604_800 / self.step]
        else:
            spans = [604_800 / self.step, 31_557_600 / self.step]
        return tuple(round(span) for span in spans if span >= 2 and abs(span - round(span)) < 0.2)

    def positions(self, times: Floats) -> Floats:
        """Return where times lie on the grid, shape (n,): whole numbers if they lie on it.

        Args:
            times: as `parse` returns them.
        """
        return (self._counted(times) - self.phase) / self.step

    def text(self, positions: NDArray[np.int64]) -> list[str]:
        """Return the times of positions as text."""
        counts = self.phase + np.asarray(positions) * self.step
        if self.unit == "number":
            return [f"{count:.10g}" for count in counts]
        if self.unit == "second":
            stamps = pd.to_datetime(counts, unit="s", utc=self.zoned)
        else:
            first = pd.to_datetime((np.datetime64("1970-01", "M") + counts.astype(np.int64)).astype("datetime64[s]"))
            stamps = first + pd.to_timedelta(np.minimum(self.day, first.days_in_month) - 1, unit="D")
            return [str(day) for day in stamps.strftime("%Y-%m-%d")]
        style = "%Y-%m-%d" if self.step % 86_400 == 0 and self.phase % 86_400 == 0 else "%Y-%m-%d %H:%M:%S"
        return [str(time) for time in stamps.strftime(style + ("%z" if self.zoned else ""))]

    def _counted(self, times: Floats) -> Floats:
        return _months(times) if self.unit == "month" else times


def parse(column: pd.Series[Any]) -> tuple[Floats, NDArray[np.object_], bool]:
    """Return times as numbers: seconds since 1970, or the numbers that stand there.

    A column is written in one way: that in which most of its times can be read, and, of several, the one whose steps
    are most alike. What is written otherwise is a problem of its row.

    Args:
        column: n times as text.

    Returns:
        Times, shape (n,), NaN where there is a problem; problems, shape (n,), "" where there is none; and whether the
        times are seconds.

    Example:
        >>> times, problems, dated = parse(pd.Series(["1970-01-02", "1970-01-03", "3/1/70x"]))
        >>> times.tolist(), dated, problems.tolist()
        ([86400.0, 172800.0, nan], True, ['', '', "'3/1/70x' is no time written as the others are"])
    """
    missing = is_missing(column)
    if missing.all():
        raise DataError(f"the time column '{column.name}' is empty.")
    text = column.str.strip()
    if is_numeric(column) and not text[~missing].str.fullmatch(COMPACT).all():
        times, dated = numbers(column), False
    else:
        styles = ["ISO8601", *(style + clock for style in FORMATS[1:] for clock in CLOCKS)]
        # Styles that read nothing of a sample are not tried on all; nor any other where the first one reads everything.
        some = text.iloc[:: max(1, len(text) // SAMPLE)]
        likely = [style for style in styles if np.isfinite(_seconds(some, style)).any()]
        best = np.full(len(text), np.nan)
        for style in likely or styles:
            seconds = _seconds(text, style)
            counts = [np.isfinite(each).sum() for each in (seconds, best)]
            if counts[0] > counts[1] or (counts[0] == counts[1] and _alike(seconds) > _alike(best)):
                best = seconds
            if style == "ISO8601" and counts[0] == (~missing).sum():
                break
        times, dated = best, True
        # Where some times name their zone and others do not, the fewer are refused.
        zoned = text.str.contains(ZONE, na=False).to_numpy(bool) & np.isfinite(times)
        if zoned.any():
            minority = zoned if 2 * zoned.sum() < np.isfinite(times).sum() else ~zoned
            times = np.where(minority, np.nan, times)
    problems = np.full(len(column), "", object)
    for row in np.flatnonzero(~np.isfinite(times)):
        problems[row] = (
            "the time is missing" if missing[row] else f"'{text.iloc[row]}' is no time written as the others are"
        )
    if len(column) == (problems != "").sum():
        raise DataError(f"the time column '{column.name}' holds no time that can be read, such as '{text.iloc[0]}'.")
    return times, problems, dated


def infer(times: Floats, series: NDArray[Any], dated: bool, every: str | None = None) -> Calendar:
    """Return the grid on which times lie.

    Args:
        times: shape (n,), all finite.
        series: shape (n,): to which series each belongs.
        dated: times are seconds.
        every: the step that the user asks for: "1h", "15min", "1M".

    Raises:
        DataError: there are too few times, or they are irregular.

    Example:
        >>> infer(np.array([0.0, 3600.0, 10800.0]), np.zeros(3), dated=True).name
        'hourly'
    """
    if every is not None:
        return _asked(every, dated)
    order = np.lexsort((times, series))
    steps = np.diff(times[order])[np.diff(pd.factorize(series)[0][order]) == 0]
    steps = steps[steps > 0]
    if not len(steps):
        raise DataError("no series has two different times, so their frequency is not known.")
    usual, share = _most(steps)
    if dated and share < REGULAR and usual >= 27 * 86_400:
        # Months are of unequal length: they are counted.
        months = np.diff(_months(times)[order])[np.diff(pd.factorize(series)[0][order]) == 0]
        usual, share = _most(months[months > 0]) if (months > 0).any() else (1.0, 0.0)
        days = pd.to_datetime(times, unit="s")
        last = bool((days.day == days.days_in_month).all())
        calendar = Calendar("month", usual, float(_months(times).min() % usual), 31 if last else int(days.day.max()))
    else:
        calendar = Calendar("second" if dated else "number", usual, float(_most(times % usual)[0]))
    if (
        np.abs(calendar.positions(times) - np.round(calendar.positions(times))) > 1e-3
    ).mean() > 1 - REGULAR or share < 0.5:
        raise DataError(
            f"the times are irregular: only {100 * share:.0f} % of their steps are {calendar.name}. "
            "Say the step to which they are to be averaged: --every 1h."
        )
    return calendar


def _asked(every: str, dated: bool) -> Calendar:
    months = re.fullmatch(r"(\d*)\s*(M|month|months|y|year|years)", every.strip())
    try:
        if not dated:
            return Calendar("number", float(every))
        if months:
            return Calendar("month", float(months[1] or 1) * (12 if months[2].startswith("y") else 1))
        step = pd.Timedelta(every if every.strip()[0].isdigit() else f"1{every}").total_seconds()
    except ValueError as error:
        raise DataError(f"--every takes a step such as 1h, 15min, 1d or 1M. Received: {every}") from error
    if not step > 0:
        raise DataError(f"--every takes a step such as 1h, 15min, 1d or 1M. Received: {every}")
    return Calendar("second", step)


def _seconds(text: pd.Series[Any], style: str) -> Floats:
    dates = pd.to_datetime(text, format=style, errors="coerce", utc=True)
    return np.asarray((dates - pd.Timestamp(0, tz="UTC")).dt.total_seconds(), np.float64)


def _alike(times: Floats) -> float:
    """Return the share of the commonest step."""
    steps = np.diff(times[np.isfinite(times)])
    return _most(steps)[1] if len(steps) else 0.0


def _most(values: Floats) -> tuple[float, float]:
    """Return the commonest value and its share."""
    distinct, counts = np.unique(np.asarray(values), return_counts=True)
    return float(distinct[counts.argmax()]), float(counts.max() / len(values))


def _months(times: Floats) -> Floats:
    """Return seconds since 1970 as whole months since then."""
    months: Floats = np.asarray(times).astype("datetime64[s]").astype("datetime64[M]").astype(np.float64)
    return months
