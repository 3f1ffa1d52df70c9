"""The spectra of the catalogue, whose values and labels lie in two tables."""

from __future__ import annotations

import dataclasses
import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from amalthea.domains.signals.formats import PACKED


@dataclasses.dataclass(frozen=True)
class Convention:
    """How a data set is read when nothing else is said."""

    sequence: str
    target: str
    unit: str = ""


CONVENTIONS = {
    # The fingerprint of glucose, as chemotools' guide takes it; near 600 and 1,750 per cm the detector saw nothing.
    "glucose": Convention("950:1550", "glucose", "g/L"),
    "coffee-origins": Convention("0:1840", "labels"),
}


def side_by_side(paths: Sequence[Path]) -> pd.DataFrame:
    """Return tables of the same rows as one, as text; the index is the line in the files."""
    tables = []
    for path in paths:
        content = path.read_bytes()
        content = gzip.decompress(content) if content.startswith(PACKED) else content
        tables.append(pd.read_csv(io.BytesIO(content), dtype="str", keep_default_na=False, na_values=[""]))
    table = pd.concat(tables, axis=1)
    return table.set_axis(range(2, len(table) + 2))
