"""What a domain says of the share that is set aside is obeyed, also where it says 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.domains.protocol import Defaults
from amalthea.domains.tables.domain import Tables


@pytest.fixture
def table() -> pd.DataFrame:
    x = np.random.default_rng(0).normal(size=(40, 2))
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x @ [1.0, -1.0]})


def trained(monkeypatch: pytest.MonkeyPatch, table: pd.DataFrame, share: float | None, **options: Any) -> am.Predictor:
    defaults = Defaults(folds=2, members=1, epochs=2, validation_fraction=share)
    monkeypatch.setattr(Tables, "defaults", lambda *_: defaults)
    return am.train(table, "y", verbose=0, **options)


@pytest.mark.parametrize(
    ("share", "patience", "count"), [(None, None, 0), (None, 3, 2), (0.0, None, 0), (0.2, None, 4)]
)
def test_the_share_is_obeyed(
    monkeypatch: pytest.MonkeyPatch, table: pd.DataFrame, share: float | None, patience: int | None, count: int
) -> None:
    predictor = trained(monkeypatch, table, share, patience=patience)
    rows = predictor.parts[0].ensemble.validation_rows
    assert [len(member_rows) for member_rows in rows] == ([count] * 2 if count else [])


def test_nothing_aside_and_patience_are_refused_together(monkeypatch: pytest.MonkeyPatch, table: pd.DataFrame) -> None:
    with pytest.raises(am.AmaltheaError, match="above 0 with patience"):
        trained(monkeypatch, table, 0.0, patience=3)
