"""When each row was measured: years and dates, in the ways that people write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.columns import is_missing, is_numeric, numbers
from amalthea.datasets.messages import counted
from amalthea.errors import DataError

FORMATS = (
    "ISO8601",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
)
"""The ways to write a date; a column is written in one of them."""

CLOCK = r"[T ]+\d{1,2}:\d{2}.*$"


def parse_times(times: pd.Series[Any]) -> NDArray[np.float64]:
    """Return times as numbers that grow with time: years as they stand, dates as days since 1970.

    Args:
        times: n times as text, with the column's name.

    Returns:
        Shape (n,).

    Raises:
        DataError: a time is missing or cannot be read, or day and month cannot be told apart.

    Example:
        >>> parse_times(pd.Series(["1970-01-02", "1970-02-01T12:00"])).tolist()
        [1.0, 31.5]
        >>> parse_times(pd.Series(["2.1.1970", "1.2.1970"])).tolist()
        [1.0, 31.0]
    """
    missing = int(is_missing(times).sum())
    if missing:
        raise DataError(
            f"the time column '{times.name}' is empty in {counted(missing, 'row')} of {len(times):,}. "
            "Give every row a time, or take these rows out."
        )
    if is_numeric(times):
        values = numbers(times)
        unreadable = times[~np.isfinite(values)]
        if unreadable.empty:
            return values
        raise DataError(_unreadable(times, unreadable.iloc[0], len(unreadable), "number"))
    attempts = [_days(times, style) for style in FORMATS]
    whole = [days for days in attempts if np.isfinite(days).all()]
    if not whole:
        best = max(attempts, key=lambda days: np.isfinite(days).sum())
        unreadable = times[~np.isfinite(best)]
        raise DataError(_unreadable(times, unreadable.iloc[0], len(unreadable), "date"))
    if any(not np.array_equal(days, whole[0]) for days in whole):
        raise DataError(
            f"in the time column '{times.name}' ('{times.iloc[0]}', ...) day and month cannot be told apart. "
            "Write its dates as 2024-12-31."
        )
    return whole[0]


def _days(times: pd.Series[Any], style: str) -> NDArray[np.float64]:
    """Return dates written in one style as days since 1970, shape (n,), NaN where they are not."""
    text = times.str.strip()
    if style != "ISO8601":  # the hour counts only behind an ISO date
        text = text.str.replace(CLOCK, "", regex=True)
    dates = pd.to_datetime(text, format=style, errors="coerce", utc=True)
    seconds = (dates - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    days: NDArray[np.float64] = seconds.to_numpy(np.float64) / 86_400
    return days


def _unreadable(times: pd.Series[Any], example: str, count: int, kind: str) -> str:
    return (
        f"the time column '{times.name}' holds no {kind} in {counted(count, 'row')} of {len(times):,}, such as "
        f"'{example}'. Write years as numbers, or dates as 2024-12-31, or take these rows out."
    )
