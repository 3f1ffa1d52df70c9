"""What is to be learned is found, said aloud, and refused with a reason where it cannot be learned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from amalthea.datasets.dataset import ReadOptions, Target
from amalthea.datasets.targets import encode, read_targets
from amalthea.errors import DataError


def table(**columns: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype="str")


def numbered(*values: float) -> list[str | None]:
    return [str(value) for value in values]


@pytest.mark.parametrize(
    ("values", "task", "classes", "said"),
    [
        (["0", "1"] * 5, "classification", ("0", "1"), "'y' has two values (0, 1): classification."),
        (["yes", "no"] * 5, "classification", ("no", "yes"), "'y' holds text with two values (no, yes)"),
        (["+", "-"] * 5, "classification", ("+", "-"), "two values (+, -)"),
        (["10", "9", "8"] * 30, "classification", ("8", "9", "10"), "'y' has 3 values (8, 9, 10): classification."),
        (["1.0", "2.5"] * 5, "classification", ("1.0", "2.5"), "two values (1, 2.5)"),
        (["1", "2", "3"] * 5, "regression", (), "'y' has 3 different numbers, 1 to 3: regression."),
        (["0.5", "1.5", "2.5"] * 30, "regression", (), "regression"),
        (["0,5", "1,5", "2", "n/a"], "regression", (), "0.5 to 2: regression"),
        (["1", "1.0", "2"] * 5, "classification", ("1", "2"), "two values (1, 2)"),
    ],
)
def test_the_task_is_found_and_said(values: list[str | None], task: str, classes: tuple[str, ...], said: str) -> None:
    labels = read_targets(table(y=values), ReadOptions(target=("y",)))
    (target,) = labels.targets
    assert (target.task, target.classes) == (task, classes)
    assert said in labels.notes[0]
    if classes:
        known = labels.problems == ""
        codes = labels.values[known, 0].astype(int)
        assert [float(classes[code]) if classes[0][0].isdigit() else classes[code] for code in codes] == [
            float(text) if classes[0][0].isdigit() else text for text in np.array(values)[known]
        ]


def test_the_task_can_be_told() -> None:
    options = ReadOptions(target=("y",), task="regression")
    assert read_targets(table(y=["0", "1"] * 5), options).targets[0].task == "regression"
    options = ReadOptions(target=("y",), task="classification")
    target = read_targets(table(y=numbered(1, 2, 3, 4)), options).targets[0]
    assert target.classes == ("1", "2", "3", "4")
    with pytest.raises(DataError, match="a regression needs numbers, but 'y' holds text such as 'a'"):
        read_targets(table(y=["a", "b", "a"]), ReadOptions(target=("y",), task="regression"))


def test_a_threshold_makes_two_classes() -> None:
    labels = read_targets(table(y=["6.4", "6.5", "7", None]), ReadOptions(target=("y",), threshold=6.5))
    assert labels.targets == (Target("y", "classification", ("0", "1"), threshold=6.5),)
    np.testing.assert_array_equal(labels.values[:, 0], [0, 1, 1, np.nan])
    nothing_asked = ReadOptions(target=("y",), threshold=float("nan"))
    assert read_targets(table(y=["6.4", "6.5", "7"]), nothing_asked).targets[0].task == "regression"
    with pytest.raises(DataError, match=r"two classes are needed, but 'y' is '0' in every row.*--threshold"):
        read_targets(table(y=["1", "2", "3"]), ReadOptions(target=("y",), threshold=6.5))
    with pytest.raises(DataError, match="a threshold needs numbers, but 'y' holds text such as 'a'"):
        read_targets(table(y=["a", "b"]), ReadOptions(target=("y",), threshold=6.5))


def test_rows_without_a_usable_target_say_what_they_hold() -> None:
    values: list[str | None] = [*numbered(*np.arange(20) / 8), "inf", "<0.5", None, "nan"]
    labels = read_targets(table(y=values), ReadOptions(target=("y",)))
    assert labels.problems[:20].tolist() == [""] * 20
    assert labels.problems[20:].tolist() == [
        "'y' is 'inf', which is not a finite number",
        "'y' is '<0.5', a bound and no value",
        "'y' is missing",
        "'y' is missing",
    ]
    assert np.isnan(labels.values[20:]).all()


def test_of_several_targets_one_is_enough() -> None:
    labels = read_targets(
        table(a=["1", "2", None, None], b=["3", None, "4.5", None]), ReadOptions(target=("a", "b"), task="regression")
    )
    assert labels.problems.tolist() == ["", "", "", "'a' is missing; 'b' is missing"]
    np.testing.assert_array_equal(labels.values, [[1, 3], [2, np.nan], [np.nan, 4.5], [np.nan, np.nan]])
    assert "'a' has no usable value in 1 row with another target." in labels.notes


def test_the_only_candidate_is_the_target() -> None:
    frame = table(
        code=["A1", "A2", "A3", "A4"], drug=["a", "b", "c", "d"], day=["2024-01-01"] * 4, y=numbered(1, 2.5, 3, 4)
    )
    labels = read_targets(frame, ReadOptions())
    assert labels.targets[0].name == "y"
    assert labels.notes[0] == "'y' is taken for the target; --target names another one."


@pytest.mark.parametrize(
    ("frame", "options", "said"),
    [
        (
            table(mass=numbered(1.5, 2, 4), logS=numbered(1.5, 2, 4)),
            ReadOptions(),
            "several columns can be the target: mass, logS. Name one with --target.",
        ),
        (table(a=["x", "x"]), ReadOptions(), "no column can be the target. The columns are: a."),
        (
            table(mass=["1"], logS=["2"]),
            ReadOptions(target=("logs",)),
            "there is no column 'logs'. Did you mean 'logS'? The columns are: mass, logS.",
        ),
        (table(y=["5", "5", "5"]), ReadOptions(target=("y",)), "the target 'y' is 5 in every row"),
        (table(y=["a", "a", "a"]), ReadOptions(target=("y",)), "two classes are needed, but 'y' is 'a' in every row"),
        (table(y=[None, None]), ReadOptions(target=("y",)), "the target 'y' is empty in every row"),
        (table(y=["inf", "inf"]), ReadOptions(target=("y",)), "the target 'y' has no usable value in any row"),
        (
            table(y=["red", "blue", "green", "pink"]),
            ReadOptions(target=("y",)),
            "'y' holds text with 4 different values in 4 rows (such as 'red'): neither numbers nor classes",
        ),
    ],
)
def test_targets_that_cannot_be_learned(frame: pd.DataFrame, options: ReadOptions, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_targets(frame, options)
    assert said in str(caught.value)


def test_a_column_named_target_goes_before_others() -> None:
    frame = table(mass=numbered(1.5, 2, 4), target=numbered(1.5, 2, 4))
    assert read_targets(frame, ReadOptions()).targets[0].name == "target"


def test_new_data_are_read_with_the_codes_of_the_old() -> None:
    column = pd.Series(["2.0", "1", "3", None], dtype="str")
    values, problems = encode(column, Target("y", "classification", ("1", "2")))
    np.testing.assert_array_equal(values, [1, 0, np.nan, np.nan])
    assert problems.tolist() == ["", "", "'y' is '3', which is none of its classes", "'y' is missing"]
