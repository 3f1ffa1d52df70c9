"""Usable rows are kept with their lines, all others are refused with theirs, and copies are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amalthea.datasets.dataset import Dataset, ReadOptions, Refusal
from amalthea.datasets.files import read_table
from amalthea.domains import recognise
from amalthea.errors import DataError

FILE = """smiles,y,batch
CCO,1.5,a
CC(,2.5,a
OCC,2.25,b
,3.5,b

CCN,,b
CCC,high,b
CCCC,4.5,b,too,many
C(C)O,1.75,c
[H][H],0.5,c
CC(,,c
CCF,0.25,c
"""

REFUSED = {
    3: "'CC(' cannot be read as SMILES",
    5: "no SMILES",
    7: "'y' is missing",
    8: "'y' is 'high', which is not a finite number",
    9: "has 5 fields where the header has 3",
    11: "'[H][H]' has no heavy atom",
    12: "'CC(' cannot be read as SMILES; 'y' is missing",
}


def read(folder: Path, content: str, **options: object) -> Dataset:
    path = folder / "mixed.csv"
    path.write_text(content)
    table = read_table(path)
    return recognise(table).dataset(table, "mixed", ReadOptions(("y",), "regression", ignore=("batch",), **options))  # type: ignore[arg-type]


def test_refused_rows_carry_their_line_and_reason(tmp_path: Path) -> None:
    dataset = read(tmp_path, FILE)
    assert {refusal.row: refusal.reason for refusal in dataset.refused} == REFUSED
    assert [refusal.row for refusal in dataset.refused] == sorted(REFUSED)
    assert dataset.refused[0] == Refusal(3, "CC(, 2.5, a", REFUSED[3])
    assert dataset.rows.tolist() == [2, 4, 10, 13]
    assert dataset.examples["smiles"].tolist() == ["CCO", "CCO", "CCO", "CCF"]
    assert dataset.values[:, 0].tolist() == [1.5, 2.25, 1.75, 0.25]
    assert dataset.columns["batch"].tolist() == ["a", "b", "c", "c"]
    assert len(dataset) + len(dataset.refused) == len(FILE.strip().splitlines()) - 2


def test_copies_are_counted_with_their_spread(tmp_path: Path) -> None:
    dataset = read(tmp_path, FILE)
    assert dataset.groups.tolist() == [0, 0, 0, 1]
    assert "One molecule stands more than once (3 rows)." in dataset.notes
    assert "'y' differs among the copies of 1, by up to 0.75." in dataset.notes


def test_copies_with_opposite_labels_are_told(tmp_path: Path) -> None:
    dataset = read(tmp_path, FILE, threshold=1.6)
    assert "'y' has different classes among the copies of 1." in dataset.notes


def test_strict_reading_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mixed: 7 of 11 rows cannot be used.*line 3: 'CC\(' cannot be read"):
        read(tmp_path, FILE, strict=True)
    assert len(read(tmp_path, "smiles,y\nCCO,1\nCCC,2\n", strict=True)) == 2


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of its 3 rows can be used \(line 2: "):
        read(tmp_path, "smiles,y\nCCO,\n,2.5\n,1.5\n")


def test_taking_rows_keeps_everything_in_step(tmp_path: Path) -> None:
    dataset = read(tmp_path, FILE).take(np.array([0, 3]))
    assert dataset.rows.tolist() == [2, 13]
    assert dataset.input_state == {"column": "smiles", "clean": True}
    assert dataset.columns["batch"].tolist() == ["a", "c"]
