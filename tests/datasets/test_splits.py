"""Folds keep their promises for any data and any seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amalthea.datasets.splits import check_classes, codes, column_folds, group_folds, random_folds, together
from amalthea.errors import DataError

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 2**32 - 1)
GROUPS = st.lists(st.integers(0, 30), min_size=1, max_size=80)


@PATIENT
@given(n=st.integers(1, 200), folds=st.integers(1, 10), seed=SEEDS)
def test_folds_of_rows_differ_by_one_at_most(n: int, folds: int, seed: int) -> None:
    folds = min(folds, n)
    fold_ids = random_folds(n, folds, seed)
    assert fold_ids.shape == (n,)
    assert fold_ids.dtype == np.int64
    sizes = np.bincount(fold_ids)
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 1


@PATIENT
@given(groups=GROUPS, seed=SEEDS)
def test_copies_share_a_fold_for_any_seed(groups: list[int], seed: int) -> None:
    folds = min(5, len(set(groups)))
    fold_ids = random_folds(len(groups), folds, seed, groups=groups)
    assert sorted(set(fold_ids.tolist())) == list(range(folds))
    for group in set(groups):
        assert len(set(fold_ids[np.array(groups) == group])) == 1


@PATIENT
@given(groups=GROUPS, seed=SEEDS)
def test_folds_of_groups_differ_by_no_more_than_the_largest_group(groups: list[int], seed: int) -> None:
    folds = min(3, len(set(groups)))
    sizes = np.bincount(group_folds(groups, folds, seed))
    assert sizes.max() - sizes.min() <= np.bincount(groups).max()


@PATIENT
@given(classes=st.lists(st.integers(0, 2), min_size=10, max_size=90), seed=SEEDS)
def test_every_fold_gets_its_share_of_each_class(classes: list[int], seed: int) -> None:
    fold_ids = random_folds(len(classes), 5, seed, classes=classes)
    for kind in set(classes):
        counts = np.bincount(fold_ids[np.array(classes) == kind], minlength=5)
        assert counts.max() - counts.min() <= 1
    sizes = np.bincount(fold_ids)
    assert sizes.max() - sizes.min() <= len(set(classes))


def test_the_seed_decides_the_folds() -> None:
    first = random_folds(100, 5, seed=1)
    np.testing.assert_array_equal(first, random_folds(100, 5, seed=1))
    assert (first != random_folds(100, 5, seed=2)).any()


def test_folds_do_not_follow_the_order_of_the_file() -> None:
    """On a file sorted by activity, groups dealt in file order gave a test set of one class only."""
    activity = np.arange(200.0)
    for seed in range(5):
        fold_ids = group_folds(np.arange(200) // 2, 5, seed)
        means = [activity[fold_ids == fold].mean() for fold in range(5)]
        assert max(means) - min(means) < 60


def test_too_few_rows_or_groups() -> None:
    with pytest.raises(DataError, match="3 rows cannot be dealt to 5 folds"):
        random_folds(3, 5, seed=0)
    with pytest.raises(DataError, match=r"2 groups cannot be dealt to 5 folds.*2 folds or fewer"):
        group_folds([0, 0, 0, 0, 0, 1], 5, seed=0)
    with pytest.raises(DataError, match="2 groups"):
        random_folds(6, 5, seed=0, groups=[0, 0, 0, 0, 0, 1])


def test_own_folds_follow_their_labels() -> None:
    assert column_folds(pd.Series(["10", "9", "10", "1"], dtype="str")).tolist() == [2, 1, 2, 0]
    with pytest.raises(DataError, match=r"'fold' is empty in 1 row"):
        column_folds(pd.Series(["1", None, "2"], dtype="str", name="fold"))
    with pytest.raises(DataError, match="one value only"):
        column_folds(pd.Series(["1", "1"], dtype="str", name="fold"))


def test_rows_without_a_group_are_alone() -> None:
    assert len(set(codes(pd.Series(["a", None, None, "b"], dtype="str")))) == 4


@PATIENT
@given(first=GROUPS, seed=SEEDS)
def test_joined_groups_keep_every_tie(first: list[int], seed: int) -> None:
    second = np.random.default_rng(seed).integers(0, 40, len(first))
    joined = together(first, second)
    for grouping in (np.array(first), second):
        for group in set(grouping.tolist()):
            assert len(set(joined[grouping == group])) == 1
    np.testing.assert_array_equal(together(first), codes(pd.Series(first)))


def test_members_must_learn_from_two_classes() -> None:
    fold_ids = np.array([0, 0, 1, 1, 2, 2])
    assert check_classes(fold_ids, np.array([0.0, 1, 0, 1, 1, 0]), ("a", "b")) == ()
    assert check_classes(np.zeros(3, int), np.array([0.0, 1, 1]), ("a", "b")) == ()
    with pytest.raises(DataError, match="outside of fold 1 of 3 there is only class 'a' to learn from"):
        check_classes(fold_ids, np.array([1.0, np.nan, 0, 0, np.nan, 0]), ("a", "b"))
    with pytest.raises(DataError, match="in all rows there is only class 'b'"):
        check_classes(np.zeros(2, int), np.array([1.0, 1]), ("a", "b"))
    with pytest.raises(DataError, match="outside of fold 1 of 1 there is only class 'a'"):
        check_classes(np.array([-1, -1, 0, 0]), np.array([0.0, 0, 0, 1]), ("a", "b"))
    assert check_classes(np.array([-1, -1, 0, 0]), np.array([0.0, 1, 0, 1]), ("a", "b")) == ()


def test_folds_of_one_class_and_classes_of_one_fold_are_told() -> None:
    fold_ids = np.array([0, 0, 1, 1, 2, 2])
    (note,) = check_classes(fold_ids, np.array([0.0, 1, 0, np.nan, 1, 0]), ("a", "b"))
    assert note == "Fewer than two classes are held out in fold 2; figures are of all folds together."
    (note,) = check_classes(fold_ids, np.array([0.0, 1, 0, 1, 2, 1]), ("a", "b", "c"))
    assert note == "All examples of these classes share a fold, whose members never saw them: c."
