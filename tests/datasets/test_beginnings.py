"""Tables as they come: titles, units and sums around them, sheets, compressed files, columns beside a target."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

import amalthea as am
from amalthea.datasets.beside import with_relations_and_units
from amalthea.datasets.dataset import ReadOptions
from amalthea.datasets.files import read_table, reading_notes
from amalthea.domains.molecules import DOMAIN
from amalthea.errors import DataError

ROWS = "".join(f"{i * 0.5},{i * i},{'ab'[i % 2]}\n" for i in range(1, 9))


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("", ""),
        ("Table S1. Things,,\n,,\n", ""),
        ("# exported by a machine\n# operator: X, 2024\n\n", ""),
        ("Things,,Other\n", ""),
        ("", "K,mol/L,\n"),
        ("A title\n", "FLOAT,INTEGER,\n(K),(mol),\n"),
    ],
)
def test_the_header_is_found(tmp_path: Path, above: str, below: str) -> None:
    (tmp_path / "t.csv").write_text(f"{above}x,y,kind\n{below}{ROWS}")
    table = read_table(tmp_path / "t.csv")
    assert table.columns.tolist() == ["x", "y", "kind"]
    assert table["x"].tolist() == [str(i * 0.5) for i in range(1, 9)]
    assert bool(reading_notes(table)) == bool(above or below)


def test_the_line_of_the_header_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"old,names,here\nx,y,kind\n{ROWS}")
    assert read_table(tmp_path / "t.csv", header_line=2).columns.tolist() == ["x", "y", "kind"]
    with pytest.raises(DataError, match="no line 99"):
        read_table(tmp_path / "t.csv", header_line=99)


def test_a_row_of_text_among_numbers_stays_a_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,kind\nspoilt,a\n" + "".join(f"{i},b\n" for i in range(5)))
    assert read_table(tmp_path / "t.csv")["x"].iloc[0] == "spoilt"


def test_compressed_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(f"x,y,kind\n{ROWS}".encode()))
    assert am.read(tmp_path / "t.csv.gz", "y").name == "t"
    (tmp_path / "bad.csv.gz").write_bytes(gzip.compress(ROWS.encode())[:-9])
    with pytest.raises(DataError, match="cannot be decompressed"):
        read_table(tmp_path / "bad.csv.gz")


def test_the_sheet_with_the_table_is_read_and_others_named(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["See the next sheet"])
    for name in ("first", "second"):
        sheet = book.create_sheet(name)
        for row in [["x", "y", "z"], *([i, i * i, "=A1"] for i in range(5))]:
            sheet.append(row)
    book.save(tmp_path / "b.xlsx")
    table = read_table(tmp_path / "b.xlsx")
    assert "Sheet 'first' of 3 is read; others hold tables as well, --sheet takes one: 'second'." in reading_notes(
        table
    )
    assert set(table["z"]) == {"a formula without a value"}
    assert len(read_table(tmp_path / "b.xlsx", sheet="second")) == 5
    with pytest.raises(DataError, match=r"no sheet 'secnd'. Did you mean 'second'"):
        read_table(tmp_path / "b.xlsx", sheet="secnd")


def test_rows_that_sum_up_are_refused_by_name() -> None:
    rng = np.random.default_rng(0)
    names = [f"S{i}" for i in range(20)]
    table = pd.DataFrame({"sample": names, "x": rng.normal(size=20), "y": rng.normal(size=20)})
    sums = pd.DataFrame({"sample": ["Total", "Mean:"], "x": [9.0, 0.1], "y": [8.0, 0.2]})
    dataset = am.read(pd.concat([table, sums]), "y")
    assert [refusal.reason for refusal in dataset.refused] == [
        f"'{each}' sums up other rows" for each in sums["sample"]
    ]
    moods = table.assign(sample=["mean", "kind"] * 10)
    assert len(am.read(moods, "y")) == 20


def test_columns_beside_a_target_make_bounds_and_part_units() -> None:
    table = pd.DataFrame({"IC50": list("1234"), "relation": ["=", ">", "'<'", None]}, dtype="str")
    read, notes = with_relations_and_units(table, ["IC50"])
    assert read["IC50"].tolist() == ["1", ">2", "<3", "4"]
    assert notes == ("'relation' makes bounds of 2 values of 'IC50'.",)
    table = pd.DataFrame({"value": list("1234"), "value_units": ["nM", "nM", "nM", "uM"]}, dtype="str")
    read, notes = with_relations_and_units(table, ["value"])
    assert read["value"].tolist() == ["1", "2", "3", "4 uM"]
    assert "only values in nM are used" in notes[0]


def test_exports_of_chembls_other_tools_are_exports() -> None:
    rows = [("CCO", "IC50", "=", "100", "nM"), ("CCN", "IC50", "=", "1", "uM"), ("CCC", "IC50", ">", "10", "uM")]
    names = ["canonical_smiles", "standard_type", "standard_relation", "standard_value", "standard_units"]
    dataset = DOMAIN.dataset(pd.DataFrame(rows, columns=names, dtype="str"), "x", ReadOptions())
    assert dataset.values[:, 0].tolist() == [7.0, 6.0]


def test_an_sd_file_with_a_blank_line_before_its_end_is_read(tmp_path: Path) -> None:
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")).replace("M  END", "\nM  END")
    wrong = Chem.MolToMolBlock(Chem.MolFromSmiles("CN(C)(C)(C)C", sanitize=False), kekulize=False)
    (tmp_path / "m.sdf").write_text(f"{block}> 25 <code> <more>\n7\n\n$$$$\n{wrong}$$$$\n")
    table = read_table(tmp_path / "m.sdf")
    assert table.columns.tolist() == ["smiles", "code"]
    assert table.iloc[0].tolist() == ["CCO", "7"]
    assert "Explicit valence for atom # 1 N" in table.attrs["malformed"][2]


def test_reactions_are_not_read() -> None:
    table = pd.DataFrame({"reaction": [f"{'C' * i}O>>{'C' * i}=O" for i in range(1, 13)], "y": range(12)})
    with pytest.raises(DataError, match="it holds reactions, which are not read"):
        am.read(table, "y")


def test_a_line_may_break_within_a_name() -> None:
    table = pd.DataFrame({"x": np.arange(5) ** 2, "log S\n(mol/L)": np.arange(5) * 0.5})
    assert am.read(table, "log S\n(mol/L)").targets[0].name == "log S (mol/L)"
