"""The future is what was measured last, and nothing in it has a copy in the past."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.datasets.dates import parse_times
from amalthea.datasets.splits import future
from amalthea.errors import DataError


def times(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="str", name="year")


@settings(deadline=None)
@given(
    years=st.lists(st.integers(1990, 2020), min_size=2, max_size=60).filter(lambda years: len(set(years)) > 1),
    share=st.floats(0.05, 0.95),
)
def test_all_of_the_future_is_later_than_all_of_the_past(years: list[int], share: float) -> None:
    ahead = future(times(*map(str, years)), share)
    known = np.array(years)
    assert 0 < ahead.sum() < len(years)
    assert known[ahead].min() > known[~ahead].max()
    best = min(abs((known >= year).sum() - share * len(known)) for year in set(years) - {min(years)})
    assert abs(ahead.sum() - share * len(known)) == pytest.approx(best)


def test_a_copy_of_the_past_is_no_question_about_the_future() -> None:
    years = times("2001", "2002", "2003", "2004", "2005", "2005")
    assert np.flatnonzero(future(years, 0.5)).tolist() == [3, 4, 5]
    assert np.flatnonzero(future(years, 0.5, groups=[0, 1, 2, 3, 0, 4])).tolist() == [3, 5]
    with pytest.raises(DataError, match="every example of the future has a copy in the past"):
        future(years, 0.4, groups=[0, 1, 2, 3, 0, 1])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("1999", "2001.5"), [1999, 2001.5]),
        (("1970-01-03", "1970-01-02 12:00:00"), [2, 1.5]),
        (("1970-02", "1970-01"), [31, 0]),
        (("3.1.1970", "1.2.1970"), [2, 31]),
        (("3.1.1970 08:15", "1.2.1970 10:00"), [2, 31]),
        (("13/01/1970", "01/02/1970"), [12, 31]),
        (("01/13/1970", "02/01/1970"), [12, 31]),
        (("3 Jan 1970", "1 Feb 1970"), [2, 31]),
    ],
)
def test_years_and_dates(values: tuple[str, ...], expected: list[float]) -> None:
    np.testing.assert_array_equal(parse_times(times(*values)), expected)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("2001", None, "", "2002"), "'year' is empty in 2 rows of 4"),
        (("2001", "2001"), "has one value only"),
        (("2001", "2002", "2003", "2004", "soon"), "holds no number in 1 row of 5, such as 'soon'"),
        (("2001-01-01", "soon"), "holds no date in 1 row of 2, such as 'soon'"),
        (("01/02/2001", "03/04/2001"), "day and month cannot be told apart"),
    ],
)
def test_times_that_cannot_be_used(values: tuple[str | None, ...], said: str) -> None:
    with pytest.raises(DataError, match=said):
        future(times(*values))
