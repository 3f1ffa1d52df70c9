"""No row influences the members that held it out: neither its values, nor its label, through anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.predictor.models import molecules, table

import amalthea as am

FOLDS, MEMBERS = 3, 2


def changed_table(rows: pd.DataFrame, held_out: np.ndarray) -> pd.DataFrame:
    """Return rows whose held-out ones have wild numbers."""
    wild = rows.copy()
    for name in ("a", "b"):
        wild[name] = wild[name].astype(float)
        wild.loc[held_out, name] = 1e6 * np.arange(1, held_out.sum() + 1)
    wild.loc[held_out, "y"] = -1e5
    return wild


def changed_molecules(rows: pd.DataFrame, held_out: np.ndarray) -> pd.DataFrame:
    """Return rows whose held-out ones are other molecules."""
    wild = rows.copy()
    wild.loc[held_out, "smiles"] = ["C" * (30 + number) for number in range(held_out.sum())]
    wild.loc[held_out, "logS"] = -1e5
    return wild


CASES: dict[str, tuple[Any, str, Any, dict[str, Any]]] = {
    "tables": (table, "y", changed_table, {}),
    "molecules, descriptors": (molecules, "logS", changed_molecules, {"features": "descriptors"}),
    "molecules, counts": (molecules, "logS", changed_molecules, {"features": "morgan"}),
}


@pytest.mark.parametrize("name", list(CASES))
def test_members_do_not_depend_on_what_they_held_out(name: str) -> None:
    make, target, change, options = CASES[name]
    rows = make()[[column for column in make() if column in ("a", "b", "smiles", target)]].reset_index(drop=True)
    rows["fold"] = np.arange(len(rows)) % FOLDS
    held_out = (rows["fold"] == 0).to_numpy()
    before, after = (
        am.train(data, target, fold_column="fold", members=MEMBERS, epochs=3, patience=2, verbose=0, **options)
        for data in (rows, change(rows, held_out))
    )
    weights = [predictor.parts[0].ensemble.weights for predictor in (before, after)]
    pairs = list(zip(*([stacked[name] for name in sorted(stacked)] for stacked in weights), strict=True))
    for one, other in pairs:
        np.testing.assert_array_equal(one[:MEMBERS], other[:MEMBERS])
    # The test can see a change: those that learned from the changed rows are others.
    assert any(not np.array_equal(one[MEMBERS:], other[MEMBERS:]) for one, other in pairs)
