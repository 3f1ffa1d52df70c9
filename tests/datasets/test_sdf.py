"""SD files are read record by record, with their properties; a bad record keeps its place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from amalthea.datasets.dataset import ReadOptions
from amalthea.datasets.files import iterate_table, malformed, read_table
from amalthea.domains import recognise
from amalthea.errors import DataError, MissingDependencyError

Chem = pytest.importorskip("rdkit.Chem")

MOLECULES = {"CCO": "ethanol", "c1ccccc1": "benzene", "C[C@H](N)C(=O)O": "alanine", "CC(=O)[O-].[Na+]": "salt"}


def written(folder: Path, names: bool = True) -> Path:
    path = folder / "drugs.sdf"
    writer = Chem.SDWriter(str(path))
    for number, (smiles, name) in enumerate(MOLECULES.items()):
        molecule = Chem.MolFromSmiles(smiles)
        if names:
            molecule.SetProp("_Name", name)
        molecule.SetProp("logS", str(number - 1.5))
        if number == 1:
            molecule.SetProp("remark", "two\nlines")
        writer.write(molecule)
    writer.close()
    return path


def broken(folder: Path) -> Path:
    """Return an SD file whose second record has an oxygen with three bonds, and whose third has no molecule."""
    path = written(folder)
    records = path.read_text().split("$$$$\n")
    bad = records[0].replace("ethanol", "monster").replace("  2  3  1  0", "  2  3  3  0")
    path.write_text("$$$$\n".join([records[0], bad, "\n\n\nno molecule\n", *records[1:]]))
    return path


def test_molecules_and_their_properties_become_columns(tmp_path: Path) -> None:
    table = read_table(written(tmp_path))
    assert table.columns.tolist() == ["smiles", "name", "logS", "remark"]
    assert table["smiles"].tolist() == list(MOLECULES)
    assert table["name"].tolist() == list(MOLECULES.values())
    assert table["logS"].tolist() == ["-1.5", "-0.5", "0.5", "1.5"]
    assert table["remark"].tolist()[1] == "two\nlines"
    assert table["remark"].isna().tolist() == [True, False, True, True]
    assert table.index.tolist() == [1, 2, 3, 4]
    assert read_table(written(tmp_path, names=False)).columns.tolist() == ["smiles", "logS", "remark"]


def test_a_record_that_cannot_be_read_keeps_its_number(tmp_path: Path) -> None:
    table = read_table(broken(tmp_path))
    assert malformed(table) == {
        2: "record 2 cannot be read as a molecule (Explicit valence for atom # 2 O, 3, is greater than permitted)",
        3: "record 3 cannot be read as a molecule",
    }
    assert table.loc[[2, 3]].isna().all(axis=None)
    assert table.loc[6, "name"] == "salt"


def test_a_dataset_and_inputs_from_an_sd_file(tmp_path: Path) -> None:
    path = broken(tmp_path)
    home = recognise(read_table(path))
    dataset = home.dataset(read_table(path), "drugs", ReadOptions(target=("logS",)))
    assert home.name == "molecules"
    assert dataset.rows.tolist() == [1, 4, 5, 6]
    assert dataset.values[:, 0].tolist() == [-1.5, -0.5, 0.5, 1.5]
    assert [refusal.row for refusal in dataset.refused] == [2, 3]
    pieces = list(home.read_inputs(path, home.input_state(dataset), rows=4))
    assert [len(piece) for piece in pieces] == [4, 2]
    assert [bool(problem) for problem in pieces[0].problems] == [False, True, True, False]
    assert pieces[1].warnings.tolist() == ["", "salt removed; charge neutralized"]


def test_records_are_read_one_at_a_time(tmp_path: Path) -> None:
    first = next(iterate_table(broken(tmp_path), 1))
    assert first["name"].tolist() == ["ethanol"]


def test_properties_may_be_called_like_our_own_columns(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("<logS>", "<smiles>"))
    table = read_table(path)
    assert table["smiles"].tolist() == list(MOLECULES)
    assert table["smiles (2)"].tolist()[0] == "-1.5"


def test_line_ends_of_windows_and_a_missing_end_do_no_harm(tmp_path: Path) -> None:
    path = written(tmp_path)
    plain = read_table(path)
    path.write_bytes(path.read_bytes().removesuffix(b"$$$$\n").replace(b"\n", b"\r\n"))
    assert read_table(path).equals(plain)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"smiles,y\nCCO,1\n", "is no SD file"),
        (b"", "is no SD file"),
        (b"\x00\x01\x02" * 100, "is not text"),
        (b"\n\n\n  9  9\nM  END\n$$$$\n", "none of its 1 records can be read"),
    ],
)
def test_what_is_no_sd_file_says_so(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.sdf"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_table(path)


def test_without_rdkit_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path)
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(MissingDependencyError, match=r"pip install \"amalthea\[molecules\]\""):
        read_table(path)
