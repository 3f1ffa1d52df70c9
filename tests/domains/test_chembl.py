"""A ChEMBL export as downloaded becomes one activity a compound, and says what became of every measurement."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.datasets.files import read_table
from amalthea.domains import recognise
from amalthea.domains.molecules import DOMAIN
from amalthea.errors import DataError

HEADER = [
    "Molecule ChEMBL ID",
    "Molecule Name",
    "Molecule Max Phase",
    "Molecular Weight",
    "Compound Key",
    "Smiles",
    "Standard Type",
    "Standard Relation",
    "Standard Value",
    "Standard Units",
    "pChEMBL Value",
    "Data Validity Comment",
    "Comment",
    "Assay ChEMBL ID",
    "Target Name",
    "Document Year",
]

# Smiles, type, relation, value, units, data validity comment, year; the first one stands in line 2
ROWS = [
    ("CCO", "IC50", "'='", "100.0", "nM", "", "2010"),  # 2: p = 7
    ("OCC", "IC50", "'='", "1.0", "uM", "", "2004"),  # 3: the same compound, p = 6, earlier
    ("CC[O-].[Na+]", "IC50", "'~'", "10.0", "µM", "Manually validated", "2015"),  # 4: once more, p = 5
    ("CCN", "IC50", "'='", "0.001", "mM", "", "2011"),  # 5: p = 6
    ("CCC", "IC50", "'='", "1e-8", "M", "", "2011"),  # 6: p = 8
    ("CCF", "IC50", "'='", "500", "pM", "", "2011"),  # 7: p = 9.3
    ("CCCl", "IC50", "'>'", "10000.0", "nM", "", "2012"),  # 8: p < 5
    ("CCBr", "IC50", "'>'", "100.0", "nM", "", "2012"),  # 9: p < 7
    ("CCI", "IC50", "'<='", "10.0", "nM", "", "2012"),  # 10: p >= 8
    ("CCS", "IC50", "'='", "5.0", "ug.mL-1", "", "2012"),  # 11
    ("CCP", "IC50", "'='", "", "", "", "2012"),  # 12
    ("CCCC", "IC50", "'='", "0", "nM", "", "2012"),  # 13
    ("CCCO", "IC50", "'='", "-3", "nM", "", "2012"),  # 14
    ("CCCN", "IC50", "'='", "3", "nM", "Outside typical range", "2012"),  # 15
    ("CCCF", "Inhibition", "'='", "45", "%", "", "2012"),  # 16
    ("", "IC50", "'='", "7", "nM", "", "2012"),  # 17
    ("CC(", "IC50", "'='", "7", "nM", "", "2012"),  # 18
    ("CCCS", "IC50", "", "7", "nM", "", "2012"),  # 19
    ("CCCP", "IC50", "'?'", "7", "nM", "", "2012"),  # 20
    ("CCCl", "IC50", "'='", "20", "uM", "", "2013"),  # 21: p = 4.7
    ("CCOC", "IC50", "'='", "1", "pM", "", "2013"),  # 22: p = 12
    ("COCC", "IC50", "'>'", "30", "uM", "", "2013"),  # 23: the same compound, p < 4.5
]


def export(rows: list[tuple[str, ...]], targets: tuple[str, ...] = ("c-Met",)) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(HEADER)
    for number, (smiles, kind, relation, value, units, validity, year) in enumerate(rows):
        name = [f"CHEMBL{number + 100}", "", "None", "321.4", str(number), smiles]
        writer.writerow(
            [*name, kind, relation, value, units, "", validity, "", "CHEMBL9", targets[number % len(targets)], year]
        )
    return stream.getvalue()


def read(folder: Path, content: str, **options: object) -> Dataset:
    path = folder / "DOWNLOAD-abc.csv"
    path.write_text(content, encoding="utf-8")
    table = read_table(path)
    home = recognise(table)
    assert home is DOMAIN
    return home.dataset(table, "export", ReadOptions(**options))  # type: ignore[arg-type]


ALWAYS_REFUSED = {
    11: "'ug.mL-1' is no unit of concentration",
    12: "'Standard Value' is missing",
    13: "'Standard Value' is '0', no positive number",
    14: "'Standard Value' is '-3', no positive number",
    15: "ChEMBL says of the value: Outside typical range",
    16: "is Inhibition and not IC50",
    17: "no SMILES",
    18: "'CC(' cannot be read as SMILES",
    19: "'Standard Relation' is missing",
    20: "the relation '?' is unknown",
}


def test_a_regression_leaves_bounds_out_and_joins_replicates(tmp_path: Path) -> None:
    dataset = read(tmp_path, export(ROWS))
    (target,) = dataset.targets
    assert "'pIC50' is a quantity in -log10(mol/L): regression." in dataset.notes
    assert (target.name, target.task, target.unit) == ("pIC50", "regression", "-log10(mol/L)")
    assert {refusal.row: refusal.reason for refusal in dataset.refused} == ALWAYS_REFUSED | {
        8: "'>' 10000.0 nM is a bound and no value",
        9: "'>' 100.0 nM is a bound and no value",
        10: "'<=' 10.0 nM is a bound and no value",
        23: "'>' 30 uM is a bound and no value",
    }
    values = dict(zip(dataset.examples["smiles"], dataset.values[:, 0], strict=True))
    expected = {"CCO": 6, "CCN": 6, "CCC": 8, "CCF": 9.30103, "CCCl": 4.69897, "CCOC": 12}
    assert values == pytest.approx(expected)
    assert len(set(dataset.groups.tolist())) == len(dataset)


def test_the_earliest_measurement_stands_for_its_compound(tmp_path: Path) -> None:
    dataset = read(tmp_path, export(ROWS))
    assert dataset.rows.tolist() == [3, 5, 6, 7, 21, 22]
    assert dataset.columns["Document Year"].tolist()[0] == "2004"


def test_everything_is_said(tmp_path: Path) -> None:
    notes = read(tmp_path, export(ROWS)).notes
    assert "A ChEMBL export of activities: 'pIC50' is -log10 of the IC50 in mol/L." in notes
    (bounds,) = [note for note in notes if "bounds and no values" in note]
    assert bounds.startswith("Left out 4 measurements with '<' or '>'")
    assert "1 measurement with '~' taken as exact." in notes
    (left_out,) = [note for note in notes if note.startswith("Left out 8 measurements: ")]
    assert "ChEMBL says of the value: Outside typical range (1)" in left_out
    (joined,) = [note for note in notes if "joined by the median" in note]
    assert joined == (
        "1 compound with several measurements (3 rows): joined by the median; their largest and smallest differ by "
        "2 (median) and 2 (at most), in -log10(mol/L)."
    )
    assert not any("share a fold" in note for note in notes)
    assert any(note.startswith("Salt removed in 1 molecule: ") for note in notes)


def test_every_row_is_an_example_or_joined_or_refused(tmp_path: Path) -> None:
    for options in ({}, {"threshold": 6.5}):
        dataset = read(tmp_path, export(ROWS), **options)
        canonical = DOMAIN.inputs([row[0] for row in ROWS], {"column": "s", "clean": True}).examples["smiles"].tolist()
        used = {line for line in range(2, len(ROWS) + 2) if line not in {refusal.row for refusal in dataset.refused}}
        assert {canonical[line - 2] for line in used} == set(dataset.examples["smiles"])
        assert set(dataset.rows.tolist()) <= used


def test_bounds_that_decide_the_class_are_used(tmp_path: Path) -> None:
    dataset = read(tmp_path, export(ROWS), threshold=6.5)
    assert dataset.targets[0].threshold == 6.5
    open_class = "the measurements of this compound do not agree on which side of 6.5 it is"
    assert {refusal.row: refusal.reason for refusal in dataset.refused} == ALWAYS_REFUSED | {
        9: "'>' 100.0 nM leaves open on which side of 6.5 it is",
        22: open_class,
        23: open_class,
    }
    values = dict(zip(dataset.examples["smiles"], dataset.values[:, 0], strict=True))
    assert values == {"CCO": 0, "CCN": 0, "CCC": 1, "CCF": 1, "CCCl": 0, "CCI": 1}
    assert "Of 4 measurements with '<' or '>', 3 decide the class at 6.5 and are used; 1 do not and are left out." in (
        dataset.notes
    )
    assert any(note.startswith("1 compound (2 rows) left out: the bounds") for note in dataset.notes)


def test_a_threshold_of_none_is_a_regression(tmp_path: Path) -> None:
    assert read(tmp_path, export(ROWS), threshold=float("nan")).targets[0].task == "regression"


def test_molecules_that_are_not_cleaned_do_not_join(tmp_path: Path) -> None:
    dataset = read(tmp_path, export(ROWS), clean=False)
    assert "CC[O-].[Na+]" in dataset.examples["smiles"].tolist()
    assert any("(2 rows): joined" in note for note in dataset.notes)
    assert not any("Salt" in note for note in dataset.notes)


def test_one_of_several_types_must_be_chosen(tmp_path: Path) -> None:
    rows = [*ROWS, ("CCCCC", "Ki", "'='", "5", "nM", "", "2013"), ("CCCCO", "Ki", "'='", "50", "nM", "", "2013")]
    with pytest.raises(DataError, match=r"cannot be mixed: IC50 \(19 rows\), Ki \(2 rows\).*--target pIC50"):
        read(tmp_path, export(rows))
    dataset = read(tmp_path, export(rows), target=("pKi",))
    assert dataset.values[:, 0].tolist() == pytest.approx([8.30103, 7.30103])
    assert {refusal.reason for refusal in dataset.refused if refusal.row < 10} == {"is IC50 and not Ki"}
    with pytest.raises(DataError, match=r"no target 'pKd'\. Choose one with --target: pIC50, pKi"):
        read(tmp_path, export(rows), target=("pKd",))


def test_a_column_of_the_export_can_be_the_target(tmp_path: Path) -> None:
    dataset = read(tmp_path, export(ROWS), target=("Document Year",), task="regression")
    assert dataset.targets[0].name == "Document Year"
    assert len(dataset) == len(ROWS) - 2


def test_an_export_without_concentrations_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no activity of this ChEMBL export is in M, .*Inhibition \(1 row\)"):
        read(tmp_path, export([ROWS[14]]))
    with pytest.raises(DataError, match=r"none of the 2 measurements .*line 2: 'Standard Value' is '0'"):
        read(tmp_path, export(ROWS[11:13]))


def test_several_targets_are_told(tmp_path: Path) -> None:
    dataset = read(tmp_path, export(ROWS, targets=("c-Met", "Ron")))
    (note,) = [note for note in dataset.notes if "against 2 targets, learned as if they were one: c-Met (" in note]
    assert "Ron (" in note


def test_strict_reading_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be used"):
        read(tmp_path, export(ROWS), strict=True)
    assert len(read(tmp_path, export(ROWS[:6]), strict=True)) == 4


def test_predictions_are_asked_for_an_export_row_by_row(tmp_path: Path) -> None:
    dataset = read(tmp_path, export(ROWS))
    (inputs,) = DOMAIN.read_inputs(tmp_path / "DOWNLOAD-abc.csv", DOMAIN.input_state(dataset), rows=100)
    assert len(inputs) == len(ROWS)
    assert np.flatnonzero(inputs.problems != "").tolist() == [15, 16]
