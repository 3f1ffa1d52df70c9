"""Columns that say the target, count rows or hide groups are noticed, named, and can be kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import amalthea as am
from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, ReadOptions
from amalthea.domains.tables import DOMAIN
from amalthea.tasks.columns.hidden_groups import note_on_hidden_groups

RNG = np.random.default_rng(3)
X = RNG.normal(size=60)
MASS = np.exp(RNG.normal(size=60)) * 5 + 0.1


def read(**columns: object) -> Dataset:
    keep = columns.pop("keep", ())
    return DOMAIN.dataset(as_text(pd.DataFrame(columns)), "small", ReadOptions(target=("y",), keep=keep))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("suspect", "reason"),
    [
        (MASS, "it is 'y' itself"),
        (1000 * MASS, "it is 'y' in another unit"),
        (1.8 * MASS + 32, "it is 'y' in another unit"),
        (np.round(9 - np.log10(MASS), 3), "it is 'y' as a logarithm"),
        (np.arange(100, 220, 2), "it only rises through the file, as the number of a row does"),
    ],
)
def test_what_says_the_target_or_counts_rows_is_no_feature_unless_kept(suspect: np.ndarray, reason: str) -> None:
    dataset = read(x=X, suspect=suspect, y=MASS)
    assert dataset.examples.columns.tolist() == ["x"]
    assert f"Left out 'suspect': {reason}. To learn from it, use --keep 'suspect'." in dataset.notes
    kept = read(x=X, suspect=suspect, y=MASS, keep=("suspect",))
    assert kept.examples.columns.tolist() == ["x", "suspect"]


def test_features_that_merely_predict_well_are_features() -> None:
    noisy = MASS * (1 + 0.05 * RNG.normal(size=60))
    far = np.where(np.arange(60) == 7, 1e6, X)  # one far value makes any line look straight
    dataset = read(noisy=noisy, far=far, y=np.where(np.arange(60) == 7, 1e6, MASS))
    assert dataset.examples.columns.tolist() == ["noisy", "far"]


def test_the_only_feature_is_kept_aloud() -> None:
    dataset = read(x=2 * MASS, y=MASS)
    assert "Kept 'x', for nothing else is left to learn from, though it is 'y' in another unit." in dataset.notes


def test_a_class_under_another_name_is_no_feature() -> None:
    kind = RNG.integers(0, 3, 60)
    dataset = read(x=X, code=np.array(["k", "l", "m"])[kind], y=np.array(["oak", "elm", "ash"])[kind])
    assert "Left out 'code': each of its values is one class of 'y'." in dataset.notes


def test_a_column_without_a_name_that_numbers_shuffled_rows_is_no_feature() -> None:
    dataset = read(**{"Unnamed: 0": RNG.permutation(90)[:60], "x": X, "y": MASS})
    assert dataset.examples.columns.tolist() == ["x"]


def grouped(column: str, labels: np.ndarray, effect: float) -> Dataset:
    codes = np.unique(labels, return_inverse=True)[1]
    rng = np.random.default_rng(1)
    table = pd.DataFrame({column: labels, "x": rng.normal(size=len(labels)), "z": rng.normal(size=len(labels))})
    table["y"] = effect * rng.normal(size=codes.max() + 1)[codes] + 0.3 * rng.normal(size=len(labels))
    return DOMAIN.dataset(as_text(table.sample(frac=1, random_state=0)), "small", ReadOptions(target=("y",)))


BATCHES = np.repeat([f"B{number:02}" for number in range(30)], 4)


def note(dataset: Dataset) -> str:
    (featurizer,) = DOMAIN.featurizers(dataset, "auto")
    return note_on_hidden_groups(dataset, featurizer.transform(dataset.examples)[0], seed=0)


def test_batches_that_share_the_target_are_told_with_the_command() -> None:
    assert "--split group --group batch" in note(grouped("batch", BATCHES, 1.0))
    assert "--split group --group batch" not in note(grouped("batch", BATCHES, 0.0))


def test_patients_with_numbers_for_names_are_told() -> None:
    assert "--group patient" in note(grouped("patient", np.repeat(RNG.permutation(5000)[:30], 4), 1.0))


def test_a_number_on_which_the_target_depends_smoothly_hides_no_groups() -> None:
    rng = np.random.default_rng(2)
    dose = rng.integers(0, 40, 200)
    table = pd.DataFrame({"dose": dose, "x": rng.normal(size=200), "y": 0.1 * dose + 0.2 * rng.normal(size=200)})
    assert not note(DOMAIN.dataset(as_text(table), "small", ReadOptions(target=("y",))))


def test_training_says_it_once_and_not_where_groups_are_held_out() -> None:
    table = grouped("batch", BATCHES, 1.0).columns
    settings: dict[str, object] = {"folds": 3, "members": 1, "epochs": 1, "verbose": 0}
    said: list[str] = []
    am.train(table, "y", say=said.append, **settings)
    assert sum(each.startswith("ATTENTION") for each in said) == 1
    said.clear()
    am.train(table, "y", group="batch", split="group", say=said.append, **settings)
    assert not any(each.startswith("ATTENTION") for each in said)
