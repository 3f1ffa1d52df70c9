"""What columns of text mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amalthea.datasets.columns import as_text, float32, is_date, is_identifier, is_missing, natural_order, numbers

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def column(*values: str | None, name: str = "x") -> pd.Series:
    return pd.Series(values, dtype="str", name=name)


@PATIENT
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.booleans())
def test_numbers_survive_being_text_with_point_or_comma(values: list[float], comma: bool) -> None:
    texts = [repr(value).replace(".", "," if comma else ".") for value in values]
    np.testing.assert_array_equal(numbers(column(*texts)), values)


def test_the_decimal_mark_belongs_to_the_column() -> None:
    assert numbers(column("1,5", "2", "oops", None)).tolist()[:2] == [1.5, 2.0]
    assert np.isnan(numbers(column("1.5", "2.5", "3,5"))).tolist() == [False, False, True]


def test_missing_is_not_unreadable() -> None:
    values = column("1", "N/A", "-", "", "#N/A", "NaN", "high", "<0.5", "-inf")
    assert is_missing(values).tolist() == [False] + [True] * 5 + [False] * 3
    assert np.isnan(numbers(values)).tolist() == [False] + [True] * 7 + [False]


def test_a_minus_of_typesetters_is_a_minus() -> None:
    assert numbers(column("−1.5")).tolist() == [-1.5]


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        (["CHEMBL1", "CHEMBL2", "CHEMBL3"], "x", True),
        (["4", "2", "3"], "x", True),
        (["17", "4", "9"], "Compound ID", True),
        (["17", "4", "9"], "mass", False),
        (["1.5", "1.25", "1.75"], "refractive index", False),
        (["17", "4", "4"], "id", False),
        (["a", "b", "a"], "name", False),
        (["a", "b"], "name", False),
    ],
)
def test_identifiers(values: list[str], name: str, expected: bool) -> None:
    assert is_identifier(column(*values, name=name)) is expected


def test_dates() -> None:
    assert is_date(column("2024-05-01", "2024-05-01 12:00", None))
    assert is_date(column("1/31/24", "2/1/24"))
    assert not is_date(column("1.5", "2.5"))
    assert not is_date(column("12-5", "C-12"))


def test_natural_order_of_labels() -> None:
    assert natural_order(["10", "9", "1.5"]) == ["1.5", "9", "10"]
    assert natural_order(["b", "a10", "a9", "10", "9"]) == ["9", "10", "a9", "a10", "b"]


def test_a_frame_of_any_type_as_text() -> None:
    frame = pd.DataFrame({"a": [0.1, np.nan], "b": ["x ", ""], "c": [True, None], 4: [1, 2]}, index=[7, 8])
    text = as_text(frame)
    assert text.index.tolist() == [1, 2]
    assert text.columns.tolist() == ["a", "b", "c", "4"]
    assert text.iloc[0].tolist() == ["0.1", "x", "True", "1"]
    assert text.iloc[1].isna().tolist() == [True, True, True, False]


def test_single_precision_never_overflows() -> None:
    assert np.isnan(float32(np.array([1e39, -1e39, np.inf]))).all()
    assert float32(np.array([3e38])).tolist() == [np.float32(3e38)]
