"""The series of the catalogue, by the conventions of their field: their test sets and usual horizons."""

from __future__ import annotations

import dataclasses
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.domains.sequences.reading import read_series
from amalthea.errors import DataError

if TYPE_CHECKING:
    from amalthea.domains.sequences.domain import Sequences

PACKED = b"\x1f\x8b"
"""How files begin that gzip packed."""


@dataclasses.dataclass(frozen=True)
class Convention:
    """How a data set is read when nothing else is said.

    Args:
        time: the time column.
        targets: what is foretold.
        horizon: the steps that are foretold.
        series: the column that tells series apart; "" for one.
        test: the rows of the test set, first and end; those behind the end are not used.
    """

    time: str
    targets: tuple[str, ...]
    horizon: int
    series: str = ""
    test: tuple[int, int] | None = None


CONVENTIONS = {
    # Zhou et al., AAAI 2021: 12, 4 and 4 months of 30 days.
    "etth1": Convention("date", ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"), 96, test=(11_520, 14_400)),
    "m4-hourly": Convention("hour", ("value",), 48, "series"),
    "airline": Convention("Date", ("Passengers",), 24),
    "co2": Convention("date", ("co2",), 52),
    "sunspots": Convention("YEAR", ("SUNACTIVITY",), 24),
}


def read_known(kind: Sequences, paths: Sequence[Path], name: str, options: ReadOptions) -> Dataset:
    """Return a data set of the catalogue, with its test set where the field has one.

    Raises:
        DataError: the catalogue's files are not what they should be.
    """
    if name not in CONVENTIONS:
        raise DataError(f"{name} is no table of series.")
    usual = CONVENTIONS[name]
    options = dataclasses.replace(
        options,
        time=options.time or usual.time,
        target=options.target or usual.targets,
        horizon=options.horizon or usual.horizon,
        series=options.series or usual.series or None,
    )
    tables = [_long(path) if usual.series else _text(path) for path in paths]
    table = tables[0].rename(columns={"Unnamed: 0": usual.time})  # a column without a name
    held_back = None
    if usual.test is not None:
        first, end = usual.test
        table, held_back = table.iloc[:first], table.iloc[first:end]
    elif len(tables) > 1:
        # The test part counts its hours from one: they follow those of the training part.
        ends = table.groupby(usual.series)[usual.time].agg(lambda hours: hours.astype(int).max())
        after = tables[1][usual.time].astype(int) + tables[1][usual.series].map(ends)
        held_back = tables[1].assign(**{usual.time: after.astype("str")})
    dataset = kind.dataset(table, name, options)
    if held_back is None:
        return dataset
    state = kind.state(dataset)
    read = read_series(held_back, state)
    return dataclasses.replace(dataset, test=kind.assembled(name, read.examples, read.problems, state, fewest=1))


def _text(path: Path, **options: Any) -> pd.DataFrame:
    """Return a CSV, packed by gzip or not, as text; the index is the line in the file."""
    content = path.read_bytes()
    content = gzip.decompress(content) if content.startswith(PACKED) else content
    table: pd.DataFrame = pd.read_csv(io.BytesIO(content), dtype="str", **options)
    return table.set_axis(range(2, len(table) + 2)) if not options else table


def _long(path: Path) -> pd.DataFrame:
    """Return a table of M4, one series a row, as one row an hour."""
    wide = _text(path, index_col=0)
    values = wide.astype(float).to_numpy(np.float64)
    lengths = np.isfinite(values).sum(axis=1)
    known = values[np.isfinite(values)]
    return pd.DataFrame(
        {
            "series": np.repeat(wide.index.to_numpy(object), lengths),
            "hour": np.concatenate([np.arange(1, length + 1) for length in lengths]).astype("str"),
            "value": [f"{value:.10g}" for value in known],
        },
        index=np.arange(2, len(known) + 2),
    ).astype("str")
