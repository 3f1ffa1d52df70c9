"""Sequences are read from tables, a row or a place a line, and each one that cannot be used is told."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.datasets.dataset import Dataset
from amalthea.domains import domain
from amalthea.domains.signals.columns import find_columns
from amalthea.errors import DataError

NAMES = [f"{place}nm" for place in range(850, 870, 2)]


def spectra(rows: int = 12) -> pd.DataFrame:
    """Return spectra of ten places with a value each."""
    values = np.random.default_rng(0).normal(size=(rows, len(NAMES))).round(4)
    return pd.DataFrame(values, columns=NAMES).assign(fat=values[:, 2].round(3), batch="a")


def trace(dataset: Dataset, row: int) -> list[float]:
    return dataset.examples["trace"].iloc[row].ravel().tolist()


def read(table: pd.DataFrame, sequence: Any = "850nm:868nm", **options: Any) -> Dataset:
    return am.read(table, "fat", sequence=sequence, **options)


def long(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same spectra with one place a row."""
    numbered = table.assign(sample=[f"s{row}" for row in range(len(table))])
    rows = numbered.melt(["sample", "fat"], NAMES, "wavelength", "absorbance")
    return rows.assign(wavelength=rows["wavelength"].str.removesuffix("nm").astype(float))


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1], sorted(NAMES, key=lambda name: hash(name) % 7)])
@pytest.mark.parametrize("asked", ["850nm:868nm", "868nm:850nm", "840nm:2000nm", "85*,86*", NAMES])
def test_a_spectrum_is_the_same_however_its_columns_stand_and_are_named(order: list[str], asked: Any) -> None:
    table = spectra()
    dataset = read(table[["fat", *order]], asked)
    assert trace(dataset, 3) == pytest.approx(table[NAMES].iloc[3].tolist(), abs=1e-6)
    assert dataset.targets[0].name == "fat"


def test_a_range_between_names_without_numbers_holds_what_stands_between() -> None:
    assert find_columns(["fat", "first", "then", "last", "y"], ["last:first"])[0] == ("first", "then", "last")


def test_columns_that_only_look_alike_stay_out_of_a_range() -> None:
    names = ["batch1", "850nm", "852nm", "x851", "854nm"]
    assert find_columns(names, ["850nm:854nm"])[0] == ("850nm", "852nm", "854nm")
    assert find_columns(names, ["850:852"])[0] == ("850nm", "852nm")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("900nm:950nm", r"no column lies there. The columns with numbers run from 850nm to 868nm"),
        ("850mn", r"no such column. Did you mean '850nm'\?"),
        ("fat:hat", r"no column is called 'hat'"),
        ("x*", r"no column is called so"),
        ("850nm", r"needs two columns at least. Chosen: 850nm"),
        ("850nm:868nm,fat", r"'fat' is the target, and lies in the sequence too"),
    ],
)
def test_what_names_no_sequence_is_refused_with_what_there_is(asked: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(spectra(), asked)


def test_gaps_are_kept_and_told_and_rows_without_values_refused() -> None:
    table = spectra().astype(object)
    table.loc[2, "854nm"] = None
    table.loc[3, "856nm"] = "none at all"
    table.loc[5, NAMES] = None
    table.loc[6, NAMES[:7]] = None
    dataset = read(table)
    assert [(each.row, each.reason) for each in dataset.refused] == [
        (6, "no value is known"),
        (7, "more than half of its values are missing"),
    ]
    assert np.flatnonzero(np.isnan(trace(dataset, 2))).tolist() == [2]
    assert any("'none at all' at 856nm in row 4" in note for note in dataset.notes)
    assert any("2 values are missing in 2 sequences" in note for note in dataset.notes)


def test_a_constant_sequence_is_told_and_answered() -> None:
    table = spectra()
    table.loc[4, NAMES] = 0.5
    dataset = read(table)
    assert any("1 sequence with the same value everywhere" in note for note in dataset.notes)
    home = domain("signals")
    for choice in ("kernels", "spectrum", "trace"):
        features, problems = home.featurizers(dataset, choice)[0].transform(dataset.examples)
        assert np.isfinite(features).all()
        assert not problems.any()
    asked = home.inputs(table, dict(dataset.input_state))
    assert asked.warnings[4] == "the same value everywhere"


def test_one_place_a_row_is_the_same_as_one_sequence_a_row() -> None:
    table = spectra()
    shuffled = long(table).sample(frac=1, random_state=1)
    dataset = am.read(shuffled, "fat", series="sample", order="wavelength")
    by_name = {name: row for row, name in enumerate(dataset.examples["name"])}
    for row in range(len(table)):
        there = by_name[f"s{row}"]
        assert trace(dataset, there) == pytest.approx(table[NAMES].iloc[row].tolist(), abs=1e-6)
        assert dataset.values[there, 0] == table["fat"][row]


def test_sequences_at_other_places_are_interpolated_or_refused() -> None:
    rows = long(spectra())
    dataset = am.read(rows, "fat", series="sample", order="wavelength", sequence="absorbance")
    state, one = dict(dataset.input_state), rows[rows["sample"] == "s1"]
    denser = pd.DataFrame({"sample": "new", "wavelength": np.arange(848.0, 871), "absorbance": np.arange(848.0, 871)})
    shifted = one.assign(sample="short", wavelength=one["wavelength"] + 3)
    asked = domain("signals").inputs(pd.concat([denser, shifted]), state)
    assert asked.examples["trace"].iloc[0].ravel().tolist() == pytest.approx(np.arange(850.0, 870, 2).tolist())
    assert asked.problems[1] == "runs from wavelength 853 to 871, and 850 to 868 are needed"


def test_a_sequence_with_double_places_or_several_targets_is_refused_alone() -> None:
    rows = long(spectra())
    double = rows.index[(rows["sample"] == "s2") & (rows["wavelength"] == 852)][0]
    rows.loc[double, "wavelength"] = 850.0
    other = rows.index[rows["sample"] == "s4"][3]
    rows.loc[other, "fat"] = 77.0
    unread = rows.index[rows["sample"] == "s5"][3]
    rows = rows.astype({"wavelength": object})
    rows.loc[unread, "wavelength"] = "red"
    dataset = am.read(rows, "fat", series="sample", order="wavelength")
    reasons = sorted(each.reason.split(" in row")[0].split(" (")[0] for each in dataset.refused)
    assert reasons == ["has several values of 'fat'", "its 'wavelength' is 'red'", "stands twice at wavelength 850"]
    assert len(dataset) == 9


def test_rows_that_belong_to_no_sequence_are_told() -> None:
    rows = long(spectra())
    rows.loc[rows.index[:3], "sample"] = None
    dataset = am.read(rows, "fat", series="sample", order="wavelength")
    assert any("3 rows without a 'sample' belong to no sequence" in note for note in dataset.notes)


def test_one_place_a_row_needs_the_names_of_its_columns() -> None:
    with pytest.raises(DataError, match="--series"):
        am.read(long(spectra()), "fat", order="wavelength")
    with pytest.raises(DataError, match="Did you mean 'sample'"):
        am.read(long(spectra()), "fat", order="wavelength", series="samples")


def test_rows_that_end_early_are_shorter_sequences_where_many_do() -> None:
    table = spectra()
    table.loc[:5, NAMES[7:]] = np.nan
    dataset = read(table)
    assert dataset.input_state["uneven"]
    assert {len(each) for each in dataset.examples["trace"]} == {7, 10}
    table = spectra()
    table.loc[:0, NAMES[7:]] = np.nan
    assert not read(table).input_state["uneven"]


def test_inputs_of_another_length_have_a_problem_and_arrays_are_taken() -> None:
    dataset = read(spectra())
    asked = domain("signals").inputs([np.arange(10.0), np.arange(9.0), np.ones((10, 2))], dict(dataset.input_state))
    assert asked.problems.tolist() == [
        "",
        "has 9 places, where 10 are known",
        "has 2 channels, where 1 are known",
    ]
    with pytest.raises(DataError, match="868nm"):
        domain("signals").inputs(spectra()[NAMES[:-1]], dict(dataset.input_state))


def test_copies_share_a_group_also_with_gaps() -> None:
    table = spectra()
    table.loc[3, "854nm"] = np.nan
    table = pd.concat([table, table.iloc[[3]]], ignore_index=True)
    groups = read(table).groups
    assert groups[3] == groups[12]
    assert len(set(groups.tolist())) == 12


def test_the_catalogue_reads_labels_beside_spectra(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from amalthea.datasets.catalogue import CATALOGUE, Source

    values = spectra()[NAMES].set_axis([str(place) for place in range(940, 1040, 10)], axis=1)
    values.to_csv(tmp_path / "values.csv", index=False)
    pd.DataFrame({"glucose": spectra()["fat"]}).to_csv(tmp_path / "labels.csv", index=False)
    entry = dataclasses.replace(CATALOGUE["glucose"], files=(Source("values.csv"), Source("labels.csv")))
    monkeypatch.setitem(CATALOGUE, "glucose", entry)
    monkeypatch.setenv("AMALTHEA_DATA", str(tmp_path))
    dataset = am.read("glucose")
    assert (dataset.targets[0].name, dataset.targets[0].unit) == ("glucose", "g/L")
    assert len(trace(dataset, 0)) == 9  # from 950 on
