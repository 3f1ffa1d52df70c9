"""Tables: which columns become features, and how rows with gaps and surprises are answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.domains import recognise
from amalthea.domains.tables import DOMAIN
from amalthea.errors import DataError

COLOURS = ["red", "blue", "red", "green", "blue", "red", "red", "blue"]


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample": [f"S-{i:03}" for i in range(8)],
            "number": range(8),
            "mass": ["1,5", "2", "n/a", "4,5", "2", "", "7", "<1"],
            "colour": COLOURS,
            "measured": [f"2024-01-{day:02}" for day in (1, 1, 2, 2, 3, 3, 4, 4)],
            "remark": ["fine", "fine", "spilt", "spilt twice", "lost", "found", "odd", "odd"],
            "device": ["A"] * 8,
            "empty": [None] * 8,
            "y": [0.5, 1.5, 2.5, 0.25, 4.5, 5.5, 6.5, 1.25],
        }
    )


def read(table: pd.DataFrame, **options: object) -> Dataset:
    return DOMAIN.dataset(as_text(table), "small", ReadOptions(target=("y",), **options))  # type: ignore[arg-type]


def test_columns_become_features_or_are_noted() -> None:
    dataset = read(frame())
    assert dataset.examples.columns.tolist() == ["mass", "colour"]
    np.testing.assert_array_equal(dataset.examples["mass"], [1.5, 2, np.nan, 4.5, 2, np.nan, 7, np.nan])
    said = " ".join(dataset.notes)
    for name, reason in {
        "sample": "names the rows",
        "number": "it numbers the rows, each value another. To learn from it, use --keep 'number'.",
        "measured": "dates",
        "remark": "6 different values, too many",
        "device": "the same in all rows",
        "empty": "it is empty",
    }.items():
        assert f"Left out '{name}'" in said
        assert reason in next(note for note in dataset.notes if f"'{name}'" in note)
    assert "'mass' is no finite number in 1 row ('<1' in line 8): taken as missing there." in dataset.notes


def test_columns_that_the_user_keeps_apart_are_no_features_and_not_noted() -> None:
    dataset = read(frame(), ignore=("colour",))
    assert dataset.examples.columns.tolist() == ["mass"]
    assert not any("colour" in note for note in dataset.notes)
    assert dataset.columns["colour"].tolist() == [COLOURS[row - 1] for row in dataset.rows]


def test_a_column_that_the_user_keeps_is_a_feature_whatever_speaks_against_it() -> None:
    dataset = read(frame(), keep=("number", "device", "empty"), ignore=("number",))
    assert dataset.examples.columns.tolist() == ["number", "mass", "colour", "device"]
    np.testing.assert_array_equal(dataset.examples["number"], range(8))
    assert "Kept 'number' as asked, though it numbers the rows, each value another." in dataset.notes
    assert "Kept 'device' as asked, though it is the same in all rows." in dataset.notes
    assert "Left out 'empty': it is empty." in dataset.notes


def test_what_is_kept_must_be_there_and_no_target() -> None:
    with pytest.raises(DataError, match=r"--keep numbr: no such column. Did you mean 'number'\?"):
        read(frame(), keep=("numbr",))
    with pytest.raises(DataError, match="'y' is the target, which cannot be a feature too"):
        read(frame(), keep=("y",))


def test_what_is_kept_is_not_taken_for_the_target() -> None:
    table = as_text(pd.DataFrame({"depth": [1.5, 2.5, 4], "y": [0.5, 1.5, 0.25]}))
    assert DOMAIN.dataset(table, "small", ReadOptions(keep=("depth",))).targets[0].name == "y"


def test_features_are_numbers_and_then_categories() -> None:
    dataset = read(frame())
    (featurizer,) = DOMAIN.featurizers(dataset, "auto")
    assert list(featurizer.feature_names) == ["mass", "colour=blue", "colour=green", "colour=red"]
    features, problems = featurizer.transform(dataset.examples)
    np.testing.assert_array_equal(features[0], [1.5, 0, 0, 1])
    np.testing.assert_array_equal(features[3], [4.5, 0, 1, 0])
    assert not problems.any()


def test_identical_rows_are_copies() -> None:
    dataset = read(frame())
    groups = dataset.groups
    assert groups[1] == groups[4]
    assert groups[2] == groups[5], "a missing value equals a missing value"
    assert len(set(groups.tolist())) == 6


def test_a_row_of_nothing_is_refused() -> None:
    table = frame()
    table.loc[2, ["mass", "colour"]] = None
    assert [(refusal.row, refusal.reason) for refusal in read(table).refused] == [(3, "no feature is known")]


@pytest.mark.parametrize("kind", ["frame", "dicts"])
def test_inputs_are_answered_row_by_row(kind: str) -> None:
    state = DOMAIN.input_state(read(frame()))
    asked = pd.DataFrame({"colour": ["red", "pink", None, "red"], "mass": [1.5, 2.0, None, "?!"], "more": [1, 2, 3, 4]})
    inputs = DOMAIN.inputs(asked if kind == "frame" else asked.to_dict("records"), state)
    assert inputs.problems.tolist() == ["", "", "no feature is known", ""]
    assert inputs.warnings.tolist() == [
        "",
        "'colour' is 'pink', which the model has never seen",
        "",
        "'mass' is '?!', no finite number: taken as missing",
    ]
    assert inputs.table["more"].tolist() == ["1", "2", "3", "4"]
    features, _ = DOMAIN.restore(DOMAIN.featurizers(read(frame()), "columns")[0].state()).transform(inputs.examples)
    np.testing.assert_array_equal(features[1], [2, np.nan, np.nan, np.nan])
    assert np.isnan(features[2]).all()


def test_a_missing_column_is_named() -> None:
    state = DOMAIN.input_state(read(frame()))
    with pytest.raises(DataError, match=r"needs these columns, which are not there: colour\. There are: mass\."):
        DOMAIN.inputs(pd.DataFrame({"mass": [1.0]}), state)


def test_numbers_too_large_for_single_precision_are_missing() -> None:
    table = pd.DataFrame({"x": ["1e300", "2", "2.5", "7"], "y": [1.5, 2.5, 3, 4]})
    dataset = read(table)
    features, _ = DOMAIN.featurizers(dataset, "auto")[0].transform(dataset.examples)
    assert np.isnan(features[:, 0]).tolist() == [True, False, False, False]


def test_a_table_without_features_says_what_was_left_out() -> None:
    with pytest.raises(DataError, match=r"no column can be a feature. Left out 'name': it names the rows"):
        read(pd.DataFrame({"name": ["a", "b", "c"], "y": [1.5, 2.5, 3]}))


def test_an_unknown_choice_of_features_brings_the_list() -> None:
    with pytest.raises(DataError, match=r"no features 'morgan'\. Choose one of: auto, columns"):
        DOMAIN.featurizers(read(frame()), "morgan")


def test_words_and_symbols_are_no_molecules() -> None:
    table = pd.DataFrame(
        {
            "element": ["C", "N", "O", "S", "F"],
            "word": ["CON", "NO", "COIN", "OFF", "SOB"],
            "formula": ["H2O", "CO2", "C6H6", "NH3", "CH4"],
            "number": ["1", "2", "3", "4", "5"],
            "prose": ["a b", "c d", "(e)", "[f]", "g=h"],
        }
    )
    assert recognise(as_text(table)).name == "tables"
