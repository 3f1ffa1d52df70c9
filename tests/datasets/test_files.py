"""Tables come in many encodings and shapes, and are read the same; what cannot be read says why."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amalthea.datasets.files import fingerprint, iterate_table, malformed, read_table, reading_notes, write_whole
from amalthea.errors import DataError

ROWS = [["Größe", "wert", "name"], ["groß", "1,5", "a b"], ["klein", "2,25", ""], ["µ", "-3", "x"]]

ENCODINGS = {
    "UTF-8": lambda text: text.encode(),
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big end first": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16 without a mark": lambda text: text.replace("ö", "oe").replace("ß", "ss").encode("utf-16-le"),
    "Latin-1": lambda text: text.encode("latin-1"),
}


def written(folder: Path, content: str | bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_same_table_from_every_encoding_and_separator(
    tmp_path: Path, encoding: str, separator: str, newline: str
) -> None:
    text = "".join(separator.join(f'"{cell}"' if separator in cell else cell for cell in row) + newline for row in ROWS)
    table = read_table(written(tmp_path, ENCODINGS[encoding](text)))
    plain = "without" in encoding
    assert table.columns.tolist() == ["Groesse" if plain else "Größe", "wert", "name"]
    assert table.iloc[:, 0].tolist() == ["gross" if plain else "groß", "klein", "µ"]
    assert table["wert"].tolist() == ["1,5", "2,25", "-3"]
    assert table["name"].isna().tolist() == [False, True, False]
    assert table.index.tolist() == [2, 3, 4]
    assert not malformed(table)


def test_lines_are_counted_across_quoted_line_breaks(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, 'a,b\n"first\nsecond",1\n\nx,2\n'))
    assert table.index.tolist() == [2, 5]
    assert table["a"].tolist() == ["first\nsecond", "x"]


def test_a_row_with_too_many_fields_stays_in_place_and_is_told(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a,b\n1,2\n3,4,5\n6,7,\n8\n"))
    assert malformed(table) == {3: "has 3 fields where the header has 2"}
    assert table.loc[3].isna().all()
    assert table.loc[4].tolist() == ["6", "7"]
    assert table.loc[5, "a"] == "8"
    assert pd.isna(table.loc[5, "b"])


def test_a_field_that_goes_on_behind_its_quotation_mark_harms_its_row_only(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, 'a,b\n1,2\n"x"y,2\n3,4\n'))
    assert list(malformed(table)) == [3]
    assert table["a"].tolist()[::2] == ["1", "3"]


def test_blank_rows_at_the_end_are_no_rows(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a,b\n1,2\n,,\n3,4\n,\n,\n\n"))
    assert table.index.tolist() == [2, 3, 4]
    assert table.loc[3].isna().all()


def test_an_empty_line_is_a_missing_value_in_a_file_of_one_column(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "smiles\nCCO\n\nCCN\n\n"))
    assert table.index.tolist() == [2, 3, 4]
    assert table["smiles"].isna().tolist() == [False, True, False]


def test_the_separator_that_excel_names_in_the_first_line(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "sep=;\na;b\n1,5;2,5\n"))
    assert table.columns.tolist() == ["a", "b"]
    assert table.index.tolist() == [3]


def test_a_list_of_smiles_has_no_header(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "CCO ethanol\n\nc1ccccc1\tbenzene ring\nC\n", "x.smi"))
    assert table["smiles"].tolist() == ["CCO", "c1ccccc1", "C"]
    assert table["name"].tolist()[:2] == ["ethanol", "benzene ring"]
    assert table.index.tolist() == [1, 3, 4]


def test_columns_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "x,x,,x\n1,2,3,4\n"))
    assert table.columns.tolist() == ["x", "x (2)", "column 3", "x (3)"]
    assert table.iloc[0].tolist() == ["1", "2", "3", "4"]
    assert "Two columns are called 'x': the later one is now 'x (2)'." in reading_notes(table)


def test_a_header_of_numbers_is_noted(tmp_path: Path) -> None:
    (note,) = reading_notes(read_table(written(tmp_path, "1.5,2\n3,4\n")))
    assert "1.5, 2" in note


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"a,b\n", "has a header (a, b) and no rows"),
        (b"PK\x03\x04rest", "Excel workbook or a zip"),
        (b"PAR1rest", "Parquet"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "PNG"),
        (b"\x00\x01\x02\x03" * 100, "binary file"),
        (bytes(range(256)) * 4, "binary file"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'a,b\n1,2\n"3,4\n5,6\n', "line 3"),
    ],
)
def test_a_file_that_is_no_table_says_so(tmp_path: Path, content: bytes, said: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
def test_a_damaged_workbook_or_parquet_file_says_so(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("openpyxl" if suffix == ".xlsx" else "pyarrow")
    with pytest.raises(DataError, match="cannot be read as"):
        read_table(written(tmp_path, b"PK\x03\x04PAR1 and nothing else", "data" + suffix))


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
def test_excel_and_parquet_are_read_as_text(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("openpyxl" if suffix == ".xlsx" else "pyarrow")
    frame = pd.DataFrame({"smiles": ["CCO", None, "C"], "y": [0.1, 2.0, None], "n": [1, 2, 3]})
    path = tmp_path / f"data{suffix}"
    frame.to_excel(path, index=False) if suffix == ".xlsx" else frame.to_parquet(path)
    table = read_table(path)
    assert table["smiles"].isna().tolist() == [False, True, False]
    assert [float(text) for text in table["y"][:2]] == [0.1, 2.0]
    assert table["n"].tolist() == ["1", "2", "3"]
    assert table.index.tolist() == [2, 3, 4]


def test_a_wrong_name_brings_the_right_one(tmp_path: Path) -> None:
    written(tmp_path, "a\n1\n", "solubility.csv")
    with pytest.raises(DataError, match=r"no such file.*Did you mean 'solubility.csv'"):
        read_table(tmp_path / "solubilty.csv")
    with pytest.raises(DataError, match="no such file"):
        read_table(tmp_path / "nowhere" / "x.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.integers(1, 9), count=st.integers(1, 20))
def test_pieces_of_a_file_make_the_whole(tmp_path: Path, rows: int, count: int) -> None:
    path = written(tmp_path, "a,b\n" + "".join(f"{i},{'x,' * (i % 5 == 3)}{i * i}\n" for i in range(count)))
    pieces = list(iterate_table(path, rows))
    assert [len(piece) for piece in pieces[:-1]] == [rows] * (len(pieces) - 1)
    pd.testing.assert_frame_equal(pd.concat(pieces), read_table(path))
    together = {line: reason for piece in pieces for line, reason in malformed(piece).items()}
    assert together == malformed(read_table(path))


def test_a_file_is_read_no_further_than_asked(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n" + "1,2\n" * 200 + '"never closed,1\n')
    assert len(next(iterate_table(path, 100))) == 100
    with pytest.raises(DataError, match="line 202"):
        read_table(path)


def test_the_fingerprint_is_of_the_bytes(tmp_path: Path) -> None:
    assert fingerprint(written(tmp_path, "abc")).startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")


def _fail_with(error: BaseException) -> Callable[[Path], None]:
    def write(temporary: Path) -> None:
        temporary.write_text("half")
        raise error

    return write


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(errno.ENOSPC, "No space left on device"), DataError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, error: BaseException, raised: type[BaseException]
) -> None:
    path = written(tmp_path, "before", "result.csv")
    with pytest.raises(raised) as caught:
        write_whole(path, _fail_with(error))
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["result.csv"]
    if raised is DataError:
        assert "no room" in str(caught.value)
        assert str(path) in str(caught.value)


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere" / "x.csv", tmp_path):
        with pytest.raises(DataError, match="cannot write"):
            write_whole(path, lambda temporary: temporary.write_text("x"))
    assert os.listdir(tmp_path) == []


def test_a_written_file_replaces_the_old_one_and_follows_links(tmp_path: Path) -> None:
    path = written(tmp_path, "before")
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    write_whole(link, lambda temporary: temporary.write_text("after"))
    assert path.read_text() == "after"
    assert link.is_symlink()
