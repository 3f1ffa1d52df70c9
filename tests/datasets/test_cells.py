"""Numbers as people write them are read as numbers, aloud; what is no number is left to be refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.datasets.cells import Writing, as_record, from_record, plain_numbers
from amalthea.datasets.columns import is_missing, numbers
from amalthea.datasets.dataset import ReadOptions
from amalthea.datasets.targets import encode, read_targets
from amalthea.domains.tables import DOMAIN

LONG = [str(value) for value in range(101, 108)]


def values(cells: list[str], **beside: list[str]) -> list[float]:
    table = pd.DataFrame({"x": cells, **beside}, dtype="str")
    return numbers(plain_numbers(table)[0]["x"]).tolist()


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["25.1 °C", "30 °C", "-4.5 °C"], [25.1, 30, -4.5]),
        (["60.5%", "7 %", "100%"], [60.5, 7, 100]),
        (["3,5 mg/mL", "12,25 mg/mL"], [3.5, 12.25]),
        (["$1,250.50", "$900.00"], [1250.5, 900]),
        (["116-118", "96–98", "105"], [117, 97, 105]),
        (["84 to 86 °C", "90 to 91 °C"], [85, 90.5]),
        (["5.2 ± 0.3", "4.125 ± 0.1"], [5.2, 4.125]),
        (["~5", "7", "ca. 6"], [5, 7, 6]),
        (["1.5x10^3", "2 × 10-2"], [1500, 0.02]),
        (["1,234.5", "17.25"], [1234.5, 17.25]),
        (["1,234,567", "12,000"], [1234567, 12000]),
        (["12,885", "928", "17,610"], [12885, 928, 17610]),
        (["12 885", "1 250"], [12885, 1250]),
        (["12'885.5", "1'250.0"], [12885.5, 1250]),
        (["1.234,5", "17,25"], [1234.5, 17.25]),
        (["0,123", "1,500"], [0.123, 1.5]),
    ],
)
def test_numbers_are_read_as_they_are_meant(cells: list[str], read: list[float]) -> None:
    np.testing.assert_allclose(values(cells), read)


def test_other_columns_tell_what_a_comma_means() -> None:
    assert values(["12,885", "17,610"], t=["67.0", "57.2"]) == [12885, 17610]
    assert values(["12,885", "17,610"], t=["67,0", "57,2"]) == [12.885, 17.61]
    assert values(["1.234", "5.678"], t=["67,0", "57,2"]) == [1234, 5678]


@pytest.mark.parametrize(
    "cells",
    [
        ["A1", "B2", "C3"],
        ["5 mg", "5 g", "7 kg"],
        ["2024-01-02", "2024-02-03"],
        ["CHEMBL12", "CHEMBL13"],
        ["12-07", "9-3", "4-1"],
        ["10-20", "20-30", "10-20", "20-30", "10-20", "20-30"],
        ["64-17-5", "7732-18-5"],
    ],
)
def test_what_is_no_number_with_one_unit_stays_as_it_is(cells: list[str]) -> None:
    table = pd.DataFrame({"x": cells}, dtype="str")
    assert plain_numbers(table)[0]["x"].tolist() == cells


def test_what_was_decided_is_told_once_a_kind() -> None:
    table = pd.DataFrame({name: [f"{value} K" for value in LONG] for name in "abcde"}, dtype="str")
    (note,) = plain_numbers(table)[2]
    assert note == "Units behind numbers are cut off: 'a' 101 K, 'b' 101 K, 'c' 101 K, ...."


def test_numbers_in_different_units_are_told() -> None:
    table = pd.DataFrame({"dose": ["5 mg", "2 g", "7 mg", "1 g"]}, dtype="str")
    assert plain_numbers(table)[2] == ("Numbers in different units are not read as numbers: 'dose' 5 mg and 2 g.",)


def test_numbers_that_stand_for_no_value_are_gaps_unless_kept() -> None:
    table = pd.DataFrame({"x": [*LONG, "-999", "-999"]}, dtype="str")
    assert np.isnan(values(table["x"].tolist())[-2:]).all()
    assert "--keep=-999" in plain_numbers(table)[2][0]
    assert numbers(plain_numbers(table, keep=["-999"])[0]["x"])[-1] == -999
    assert values(["0", "990", "985", "980", "975", "970", "999", "999"])[-1] == 999  # not far outside


def test_how_numbers_are_written_is_remembered() -> None:
    table = pd.DataFrame({"x": ["1,234", "1,250"]}, dtype="str")
    remembered = from_record(as_record({"x": Writing(thousands=",", gap=-999.0)}))
    assert numbers(plain_numbers(table, known=remembered)[0]["x"]).tolist() == [1234, 1250]
    asked = pd.DataFrame({"x": ["-999"]}, dtype="str")
    assert np.isnan(numbers(plain_numbers(asked, known=remembered)[0]["x"])).all()


def test_bounds_are_refused_or_decide_the_class() -> None:
    column = pd.Series([*LONG, ">300", "<20", "<250"], name="y")
    labels = read_targets(pd.DataFrame({"y": column}), ReadOptions(target=("y",)))
    assert labels.problems[7] == "'y' is '>300', a bound and no value"
    labels = read_targets(pd.DataFrame({"y": column}), ReadOptions(target=("y",), threshold=104))
    assert labels.values[7:, 0].tolist()[:2] == [1, 0]
    assert np.isnan(labels.values[9, 0])


def test_spellings_of_a_class_are_joined_aloud() -> None:
    column = pd.Series(["TRUE", "1", "FALSE", "0", "TRUE", "false"], name="y")
    labels = read_targets(pd.DataFrame({"y": column}), ReadOptions(target=("y",)))
    assert labels.values[:, 0].tolist() == [1, 1, 0, 0, 1, 0]
    assert "'1' = 'TRUE'" in labels.notes[0]
    assert "Examples: FALSE 3, TRUE 3." in labels.notes[0]
    assert encode(pd.Series(["yes", "No", "maybe"]), labels.targets[0])[0].tolist()[:2] == [1, 0]


def test_one_target_of_several_that_cannot_be_learned_is_left_out() -> None:
    rng = np.random.default_rng(0)
    rare = ["1"] + ["0"] * 59
    table = pd.DataFrame({"a": rng.normal(size=60).astype(str), "rare": rare, "b": rng.normal(size=60).astype(str)})
    labels = read_targets(table, ReadOptions(target=("a", "rare", "b")))
    assert [target.name for target in labels.targets] == ["a", "b"]
    assert any("'rare' (1 of 60 labels are not the commonest)" in note for note in labels.notes)


def test_sodium_beside_lithium_is_no_gap() -> None:
    assert not is_missing(pd.Series(["Li", "Na", "K", "Cs"])).any()
    assert is_missing(pd.Series(["yes", "Na", "no", "perhaps"])).tolist() == [False, True, False, False]


def test_a_model_reads_new_tables_as_its_own() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "t": [f"{value:.1f} °C" for value in rng.normal(50, 9, 60)],
            "colour": ["red", "green", "blue"] * 20,
            "y": rng.normal(size=60).round(3),
        }
    )
    predictor = am.train(table, "y", folds=2, members=1, epochs=1, verbose=0)
    asked = pd.DataFrame({"T": ["51.5 °C", "51.5"], "colour": ["red", "RED "]})
    answer = predictor.predict(asked)
    assert answer.mean[0] == answer.mean[1]
    assert answer.warnings.tolist() == ["", ""]
    assert list(predictor.table(DOMAIN.inputs(asked, dict(predictor.input_state)))["T"]) == ["51.5 °C", "51.5"]
