"""Series are read onto one grid of times, and every row that cannot be used is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.domains import domain
from amalthea.domains.sequences.calendar import infer, parse


def frame(times: list[str], **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"when": times, "load": np.arange(len(times)) * 1.5, **columns})


def hours(count: int) -> list[str]:
    return [str(time) for time in pd.date_range("2024-03-01", periods=count, freq="h")]


def test_gaps_doubles_and_the_order_of_rows_are_told() -> None:
    times = hours(40)
    kept = times[:10] + times[13:]
    data = frame([*kept[::-1], times[0]])
    dataset = am.read(data, "load", time="when", horizon=2)
    assert len(dataset) == 37
    assert [refusal.reason for refusal in dataset.refused] == [
        "this time stands twice in the series; the first row counts"
    ]
    (note,) = dataset.notes
    assert "hourly; 1 gap, 3 steps in all; 1 time twice" in note
    assert "the rows were not in the order of time" in note


def test_an_hour_that_stands_twice_by_night_in_autumn_is_a_clock_change() -> None:
    local = pd.date_range("2016-10-29", periods=40, freq="h", tz="Europe/Berlin").tz_localize(None)
    dataset = am.read(frame([str(time) for time in local]), "load", time="when", horizon=2)
    assert "such as 2016-10-30 02:00:00: a clock change" in dataset.notes[0]


@pytest.mark.parametrize(
    ("row", "text", "reason"),
    [
        (5, "soon", "'soon' is no time written as the others are"),
        (6, "05.03.2024 07:00", "'05.03.2024 07:00' is no time written as the others are"),
        (7, "2024-03-01 07:00:00+01:00", "'2024-03-01 07:00:00+01:00' is no time written as the others are"),
        (8, "2024-03-01 08:30:00", "the time lies between two steps (hourly)"),
    ],
)
def test_a_time_that_does_not_fit_is_refused_alone(row: int, text: str, reason: str) -> None:
    times = hours(40)
    times[row] = text
    dataset = am.read(frame(times), "load", time="when", horizon=2)
    assert [(refusal.row, refusal.reason) for refusal in dataset.refused] == [(row + 1, reason)]


@pytest.mark.parametrize(
    ("dates", "name", "periods"),
    [
        (pd.date_range("2020-01-31", periods=40, freq="ME").strftime("%d.%m.%Y"), "monthly", (12,)),
        (pd.date_range("2020-01-01", periods=40, freq="QS").strftime("%Y-%m-%d"), "quarterly", (4,)),
        (pd.date_range("2020-01-04", periods=40, freq="7D").strftime("%m/%d/%Y"), "weekly", (52,)),
        (pd.date_range("2020-01-01", periods=40, freq="15min").strftime("%d.%m.%Y %H:%M"), "every 00:15:00", (96, 672)),
        (pd.Index([f"{year}.0" for year in range(1900, 1940)]), "in steps of 1", ()),
        (pd.date_range("1958-03-29", periods=40, freq="7D").strftime("%Y%m%d"), "weekly", (52,)),
    ],
)
def test_the_frequency_is_found_and_times_are_written_back(
    dates: pd.Index, name: str, periods: tuple[int, ...]
) -> None:
    column = pd.Series(list(dates), dtype="str", name="when")
    times, problems, dated = parse(column)
    assert (problems == "").all()
    calendar = infer(times, np.zeros(len(times)), dated)
    assert (calendar.name, calendar.periods) == (name, periods)
    positions = np.round(calendar.positions(times)).astype(np.int64)
    np.testing.assert_array_equal(np.diff(positions), 1)
    np.testing.assert_array_equal(parse(pd.Series(calendar.text(positions), dtype="str"))[0], times)


def test_irregular_times_are_averaged_only_when_asked() -> None:
    random = np.random.default_rng(0)
    minutes = np.sort(random.choice(60 * 48, 400, replace=False))
    data = frame([str(pd.Timestamp("2024-03-01") + pd.Timedelta(minutes=int(m))) for m in minutes])
    with pytest.raises(am.AmaltheaError, match="--every 1h"):
        am.read(data, "load", time="when", horizon=2)
    dataset = am.read(data, "load", time="when", horizon=2, every="1h")
    assert len(dataset) == 48
    first = minutes < 60
    assert dataset.values[0, 0] == pytest.approx(data["load"][first].mean())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": "whem"}, "--time whem: no such column. Did you mean 'when'"),
        ({"target": "cost"}, "--target cost: no such column"),
        ({"known": ("price",)}, "--known price: no such column"),
        ({"target": "load", "known": ("load",)}, "a target cannot be something else as well"),
        ({"time": "when", "horizon": None}, "--time when makes series of a table only with --horizon"),
        ({"horizon": 30}, "the longest series has 40 steps, too few to foretell 30"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(options: dict[str, object], message: str) -> None:
    with pytest.raises(am.AmaltheaError, match=message):
        am.read(frame(hours(40)), **{"horizon": 2, **options})


def test_a_column_that_is_not_named_is_said_not_to_be_learned_from() -> None:
    dataset = am.read(frame(hours(40), rain=1.0), "load", time="when", horizon=2)
    assert "Not learned from, for their future is not known: rain." in dataset.notes[-1]


def test_periods_come_from_the_first_half_alone() -> None:
    wave = np.sin(np.arange(400) * 2 * np.pi / 24)
    data = pd.DataFrame({"when": hours(400), "load": np.where(np.arange(400) < 200, wave, 0.0)})
    (window,) = domain("sequences").featurizers(am.read(data, "load", time="when", horizon=4), "auto")
    assert window.periods == (24,)
    assert window.context % 24 == 0
