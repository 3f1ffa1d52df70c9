"""What a column of text means: numbers, categories, names of rows, dates; and a frame of any kind as text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MISSING_TEXT = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "null"})
"""Words (lower case) that say in any column that there is no value."""

MISSING_NUMBER = MISSING_TEXT | {"-", "--", "–", "—", ".", "?", "none", "n.a.", "nd", "n.d.", "missing", "unknown"}
"""Words (lower case) that say so where a number belongs; as a class or a category, "-" may well mean something."""

ELEMENTS = frozenset(
    re.findall(
        "[A-Z][a-z]?",
        "LiNaKRbCsBeMgCaSrBaAlGaInTlSiSnPbHBCNOFPSClBrITiVCrMnFeCoNiCuZnZrMoRuRhPdAgCdLaCeHfWReIrPtAuHgBiHeNeArKrXe",
    )
)
"""Symbols of elements: beside others of them, "Na" is sodium and no gap."""

IDENTIFIER_NAME = re.compile(
    r"(^|[\s_.-])(id|ids|index|idx|name|names|key|uuid|identifier|code|row|nr|no)$|\bID\b", re.I
)

UNNAMED = re.compile(r"^(unnamed: \d+|column 1)$", re.I)
"""The name that a column of row numbers gets where a table is written with its index."""

FEWEST_COUNTED = 10
"""Rows from which on numbers that only rise are taken for a count of them."""

DATE = re.compile(r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ].*)?$")


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return any table as one of text, like those read from files: missing values as NaN, rows numbered from 1.

    Args:
        frame: n rows of anything that has a text form.

    Example:
        >>> as_text(pd.DataFrame({"x": [1.5, None], "y": ["a", " "]}))
             x    y
        1  1.5    a
        2  NaN  NaN
    """
    names, notes = distinct_names([str(name) for name in frame.columns])
    columns = {name: _column_as_text(frame.iloc[:, index]) for index, name in enumerate(names)}
    text = pd.DataFrame(columns).set_axis(range(1, len(frame) + 1))
    text.attrs = {"notes": notes, "folder": frame.attrs.get("folder", ".")}
    return text


def distinct_names(fields: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return a name of its own for each column, and notes on those that had to be made up.

    Args:
        fields: the header.

    Example:
        >>> distinct_names(["x", "", "x"])[0]
        ['x', 'column 2', 'x (2)']
    """
    names: list[str] = []
    notes = []
    for position, field in enumerate(fields, start=1):
        name = wanted = " ".join(field.split()) or f"column {position}"  # a line may break within a name
        copies = itertools.count(2)
        while name in names:
            name = f"{wanted} ({next(copies)})"
        if name != wanted:
            notes.append(f"Two columns are called '{wanted}': the later one is now '{name}'.")
        names.append(name)
    return names, tuple(notes)


def _column_as_text(column: pd.Series) -> pd.Series:
    text = column.astype("str").str.strip()
    return text.where(column.notna() & (text != ""))


def is_missing(column: pd.Series, words: frozenset[str] = MISSING_NUMBER) -> NDArray[np.bool_]:
    """Say where a column of text holds no value.

    Args:
        column: n values as text.
        words: the words, in lower case, that stand for "no value"; "Na" is sodium beside other elements.

    Returns:
        Shape (n,).

    Example:
        >>> is_missing(pd.Series(["1", "N/A", "-", None])).tolist()
        [False, True, True, True]
    """
    text = column.str.strip()
    missing: NDArray[np.bool_] = (column.isna() | text.str.lower().isin(words)).to_numpy(bool)
    sodium = (text == "Na").to_numpy(bool, na_value=False)
    others = set(text[~missing].dropna()) if sodium.any() else set()
    if others and len(others & ELEMENTS) >= max(2, 0.8 * len(others)):
        missing = missing & ~sodium
    return missing


def numbers(column: pd.Series) -> NDArray[np.float64]:
    """Return a column of text as numbers, written with a decimal point or a decimal comma.

    The mark is decided for the whole column: the comma, where more values can be read with it than with the point.

    Args:
        column: n values as text.

    Returns:
        Shape (n,), NaN where a value is missing or no number; where `is_missing` says no, the text was unreadable.

    Example:
        >>> numbers(pd.Series(["0,5", "2", "n/a", "high"])).tolist()
        [0.5, 2.0, nan, nan]
    """
    text = column.str.strip().str.replace("−", "-")
    point = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, copy=True)
    if not text.str.contains(",", regex=False, na=False).any():
        return point
    without_point = text.mask(text.str.contains(".", regex=False, na=False))
    comma = pd.to_numeric(without_point.str.replace(",", "."), errors="coerce").to_numpy(np.float64, copy=True)
    return comma if np.isfinite(comma).sum() > np.isfinite(point).sum() else point


def bounds(column: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which cells are bounds, 1 for "more than", -1 for "less than", 0 for none, and their numbers.

    Args:
        column: n values as text.

    Returns:
        Both of shape (n,); numbers are NaN where there is no bound.

    Example:
        >>> ways, values = bounds(pd.Series([">300", "5", "<=0.1"]))
        >>> ways.tolist(), values.tolist()
        ([1, 0, -1], [300.0, nan, 0.1])
    """
    parts = column.astype("str").str.extract(r"^\s*([<>≤≥])=?\s*(.*)$")
    values = numbers(parts[1])
    ways = parts[0].map({">": 1, "≥": 1, "<": -1, "≤": -1}).fillna(0).to_numpy(np.float64)
    return np.where(np.isfinite(values), ways, 0).astype(np.int64), values


def is_numeric(column: pd.Series) -> bool:
    """Say whether at least 80 % of a column's known values are numbers or bounds, and half are numbers.

    Example:
        >>> is_numeric(pd.Series(["1", "2", "3", "<4", "<5", None]))
        True
    """
    known = column[~is_missing(column)]
    if known.empty:
        return False
    share = float(np.mean(~np.isnan(numbers(known))))
    return share >= 0.8 or (share >= 0.5 and share + float(np.mean(bounds(known)[0] != 0)) >= 0.8)


def is_identifier(column: pd.Series) -> bool:
    """Say whether a column only names its rows: each value another, and text, consecutive integers, or called so.

    Args:
        column: at least three values as text, with its name.

    Example:
        >>> is_identifier(pd.Series(["CHEMBL1", "CHEMBL2", "CHEMBL3"], name="compound"))
        True
        >>> is_identifier(pd.Series(["0.3", "0.1", "0.2"], name="refractive index"))
        False
    """
    known = column[~is_missing(column, MISSING_TEXT)]
    if len(known) < 3 or known.nunique() < len(known):
        return False
    values = numbers(known)
    if np.isnan(values).mean() > 0.2:
        return True
    if not np.array_equal(values, np.rint(values)):
        return False
    consecutive = bool(np.all(np.diff(np.sort(values)) == 1))
    return consecutive or IDENTIFIER_NAME.search(str(column.name)) is not None


def counts_rows(column: pd.Series) -> bool:
    """Say whether a column only counts rows: whole numbers that rise through the file, perhaps with gaps.

    Args:
        column: n values as text, in the order of the file.

    Example:
        >>> counts_rows(pd.Series(["0", "1", "2", "5", "6", "7", "9", "10", "11", "12"]))
        True
    """
    if len(column) < FEWEST_COUNTED or is_missing(column).any():
        return False
    values = numbers(column)
    whole = bool(np.isfinite(values).all() and np.array_equal(values, np.rint(values)))
    if UNNAMED.match(str(column.name)) and whole and len(np.unique(values)) == len(values):
        return True
    return whole and bool(np.all(np.diff(values) > 0))


def is_date(column: pd.Series) -> bool:
    """Say whether at least 80 % of a column's known values look like dates.

    Example:
        >>> is_date(pd.Series(["2024-02-29", "1.3.2024"]))
        True
    """
    known = column[~is_missing(column)]
    return len(known) > 0 and bool(known.str.match(DATE).mean() >= 0.8)


def float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return numbers in single precision, NaN where it cannot hold them.

    Example:
        >>> float32(np.array([1.5, 1e300, np.inf]))
        array([1.5, nan, nan], dtype=float32)
    """
    fits = np.abs(values) <= np.finfo(np.float32).max
    return np.where(fits, values, np.nan).astype(np.float32)


def natural_order(labels: Iterable[str]) -> list[str]:
    """Sort labels as a person would: numbers by their value, also inside of text.

    Example:
        >>> natural_order(["10", "9", "-1"]), natural_order(["run 10", "run 9"])
        (['-1', '9', '10'], ['run 9', 'run 10'])
    """
    known = list(labels)
    values = numbers(pd.Series(known, dtype="str"))
    if np.isfinite(values).all():
        return [label for _, label in sorted(zip(values, known, strict=True))]

    def key(label: str) -> list[tuple[int, float, str]]:
        parts = re.split(r"(\d+)", label)
        return [(0, float(part), "") if part.isdecimal() else (1, 0.0, part) for part in parts]

    return sorted(known, key=key)
