"""Which rows are held out together, and which are judged."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets import splits
from amalthea.datasets.dataset import Dataset
from amalthea.datasets.messages import counted, did_you_mean, listed
from amalthea.domains.protocol import Domain
from amalthea.errors import DataError
from amalthea.workflow.settings import Settings

PAST = -1
"""The fold of rows that are learned from and never judged."""


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Who is judged by whom.

    Args:
        fold_ids: shape (n,): the fold that holds a row out, 0 to K - 1; in a split by time 0 for the future, which is
            judged by members that learned from the past, and -1 for the past.
        units: shape (n,): rows that the bootstrap draws together: copies, or larger groups.
        in_time: True for a split by time.
        grouped: True where groups larger than copies are held out together.
    """

    fold_ids: NDArray[np.int64]
    units: NDArray[np.int64]
    in_time: bool = False
    grouped: bool = False

    @property
    def folds(self) -> int:
        """The number of folds."""
        return int(self.fold_ids.max()) + 1


def split_rows(dataset: Dataset, domain: Domain, settings: Settings) -> Split:
    """Split a data set as the settings ask for.

    Raises:
        DataError: a column is not there, there are too few groups, or a fold's members would see one class only.
    """
    split = _split(dataset, domain, settings)
    if note := _note_on_copies(dataset.groups, split, domain):
        settings.say(note)
    for index, target in enumerate(dataset.targets):
        if target.task == "classification":
            for note in splits.check_classes(split.fold_ids, dataset.values[:, index], target.classes):
                settings.say(note)
    return split


def _note_on_copies(groups: NDArray[np.int64], split: Split, domain: Domain) -> str:
    """Return whether copies share a fold, which folds of the user's own may not respect; "" where there are none."""
    folds = pd.Series(split.fold_ids).groupby(groups).nunique()
    sizes = np.bincount(np.unique(groups, return_inverse=True)[1])
    if (split.folds < 2 and not split.in_time) or not (sizes > 1).any():
        return ""
    apart = folds.to_numpy() > 1
    if not apart.any():
        return "Copies and their like share a fold."
    many, sets = f"{int(sizes[apart].sum()):,} {domain.nouns.many}", counted(int(apart.sum()), "set")
    return (
        f"Your folds part copies: {many} in {sets} of copies lie on both sides of a fold, so the figures flatter "
        "every model. Leave --fold-column out, or give copies the same fold."
    )


def _split(dataset: Dataset, domain: Domain, settings: Settings) -> Split:
    copies, folds, seed = dataset.groups, settings.defaults.folds, settings.seed
    if settings.fold_column or settings.split == "column":
        folds_of = splits.column_folds(_column(dataset, settings.fold_column, "--fold-column"))
        return Split(folds_of, copies, grouped=True)
    if settings.time_column or settings.split == "time":
        times = _column(dataset, settings.time_column, "--time-column")
        return Split(np.where(splits.future(times, groups=copies), 0, PAST), copies, in_time=True)
    if settings.group or settings.split == "group":
        units = splits.together(copies, splits.codes(_column(dataset, settings.group, "--group")))
    elif settings.split == "random":
        only = dataset.targets[0] if len(dataset.targets) == 1 else None
        classes = dataset.values[:, 0] if only is not None and only.task == "classification" else None
        return Split(splits.random_folds(len(dataset), folds, seed, groups=copies, classes=classes), copies)
    else:
        units = splits.together(copies, domain.groups(dataset, settings.split))
    return Split(splits.group_folds(units, folds, seed), units, grouped=True)


def _column(dataset: Dataset, name: str | None, option: str) -> pd.Series[Any]:
    if name is None:
        raise DataError(f"This split needs a column: name it with {option}.")
    if name not in dataset.columns:
        names = list(map(str, dataset.columns))
        raise DataError(f"{option} {name}: no such column.{did_you_mean(name, names)} There are: {listed(names)}.")
    return dataset.columns[name]
