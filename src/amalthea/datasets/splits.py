"""Which rows are held out together: folds that keep groups whole, balanced in size and in classes.

Functions named after folds take arrays and return `fold_ids`, shape (n,): the fold that holds out each row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from amalthea.datasets.columns import MISSING_TEXT, is_missing, natural_order
from amalthea.datasets.dates import parse_times
from amalthea.datasets.messages import counted, listed
from amalthea.errors import DataError


def random_folds(
    n: int, folds: int, seed: int, groups: ArrayLike | None = None, classes: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Deal rows at random to folds of equal size; copies share a fold.

    Args:
        n: the number of rows.
        folds: the number of folds K.
        seed: everything random follows from it.
        groups: shape (n,), integers: rows with the same number (copies) stay together; None: every row by itself.
        classes: shape (n,): every fold gets its share of each class.

    Returns:
        Shape (n,), the fold 0 ... K-1 of each row.

    Raises:
        DataError: there are fewer rows or groups than folds.

    Example:
        >>> fold_ids = random_folds(10, folds=5, seed=0)
        >>> np.bincount(fold_ids).tolist()
        [2, 2, 2, 2, 2]
    """
    if n < folds:
        raise DataError(f"{counted(n, 'row')} cannot be dealt to {folds} folds. Ask for {max(n, 1)} folds or fewer.")
    return group_folds(np.arange(n) if groups is None else groups, folds, seed, classes)


def group_folds(groups: ArrayLike, folds: int, seed: int, classes: ArrayLike | None = None) -> NDArray[np.int64]:
    """Deal whole groups to folds, as equal in size as the groups allow.

    The groups are shuffled and then dealt, the largest first, each to the fold that has the fewest rows of its classes
    and, among equals, the fewest rows (Graham 1969, SIAM J. Appl. Math. 17, 416: at most a third over the best).

    Args:
        groups: shape (n,), integers: rows with the same number share a fold.
        folds: the number of folds K.
        seed: everything random follows from it.
        classes: shape (n,): every fold gets its share of each class, as far as whole groups allow.

    Returns:
        Shape (n,), the fold 0 ... K-1 of each row.

    Raises:
        DataError: there are fewer groups than folds.

    Example:
        >>> group_folds([7, 7, 7, 1, 2, 3], folds=2, seed=0).tolist() in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])
        True
    """
    _, members = np.unique(np.asarray(groups), return_inverse=True)
    count = int(members.max()) + 1 if len(members) else 0
    if count < folds:
        raise DataError(
            f"{counted(count, 'group')} cannot be dealt to {folds} folds, for a group stays whole. "
            f"Ask for {max(count, 1)} folds or fewer."
        )
    kinds = np.zeros(len(members), int) if classes is None else np.unique(np.asarray(classes), return_inverse=True)[1]
    table = np.zeros((count, int(kinds.max()) + 1), np.int64)
    np.add.at(table, (members, kinds), 1)
    sizes = table.sum(axis=1)
    shuffled = np.random.default_rng(seed).permutation(count)
    filled = np.zeros((folds, table.shape[1]), np.int64)
    fold_of = np.empty(count, np.int64)
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        alike = filled @ table[group]
        fold = int(np.argmin(alike * (len(members) + 1) + filled.sum(axis=1)))
        filled[fold] += table[group]
        fold_of[group] = fold
    dealt: NDArray[np.int64] = fold_of[members]
    return dealt


def column_folds(labels: pd.Series[Any]) -> NDArray[np.int64]:
    """Return the user's own folds: rows with the same label share one, and folds are in the order of their labels.

    Args:
        labels: n labels as text, with the column's name.

    Returns:
        Shape (n,), the fold 0 ... K-1 of each row.

    Raises:
        DataError: a label is missing, or all are the same.

    Example:
        >>> column_folds(pd.Series(["10", "2", "2"], name="fold")).tolist()
        [1, 0, 0]
    """
    missing = is_missing(labels, MISSING_TEXT)
    if missing.any():
        raise DataError(
            f"the fold column '{labels.name}' is empty in {counted(int(missing.sum()), 'row')}. "
            "Give every row a fold, or take these rows out."
        )
    order = natural_order(labels.unique())
    if len(order) < 2:
        raise DataError(f"the fold column '{labels.name}' has one value only. Two folds at least are needed.")
    return np.asarray(labels.map({label: fold for fold, label in enumerate(order)}), np.int64)


def future(times: pd.Series[Any], share: float = 0.2, groups: ArrayLike | None = None) -> NDArray[np.bool_]:
    """Say which rows are the future, to be predicted from the others, the past.

    Rows of the same time stay together, so the share is met as nearly as the times allow. A row that has a copy in
    the past is no question about the future and is counted with the past.

    Args:
        times: n times as text, with the column's name: numbers such as years, or dates.
        share: the fraction of the rows that is the future.
        groups: shape (n,), integers: copies of the same example share one; None: there are no copies.

    Returns:
        Shape (n,).

    Raises:
        DataError: a time is missing or cannot be read, all are the same, or the future holds nothing but copies.

    Example:
        >>> future(pd.Series(["1999", "2004", "2001", "2004", "2003", "2000"], name="year"), share=0.3).tolist()
        [False, True, False, True, False, False]
    """
    values = parse_times(times)
    moments, counts = np.unique(values, return_counts=True)
    if len(moments) < 2:
        raise DataError(f"the time column '{times.name}' has one value only: there is no past to learn from.")
    later = np.cumsum(counts[::-1])[::-1][1:]  # the rows from each moment on, without the first: some past must be
    start = moments[1:][np.argmin(np.abs(later - share * len(values)))]
    ahead: NDArray[np.bool_] = values >= start
    if groups is not None:
        ahead &= ~np.isin(groups, np.asarray(groups)[~ahead])
    if not ahead.any():
        raise DataError(
            f"by '{times.name}', every example of the future has a copy in the past: nothing is left to be predicted. "
            "Choose another split."
        )
    return ahead


def codes(labels: pd.Series[Any]) -> NDArray[np.int64]:
    """Return a number for each label; rows without a label are groups of their own.

    Args:
        labels: n labels.

    Returns:
        Shape (n,).

    Example:
        >>> codes(pd.Series(["a", None, "a", None])).tolist()
        [0, 1, 0, 2]
    """
    numbers, _ = pd.factorize(labels)
    alone = numbers < 0
    numbers[alone] = numbers.max(initial=-1) + 1 + np.arange(alone.sum())
    return numbers.astype(np.int64)


def together(*groupings: ArrayLike) -> NDArray[np.int64]:
    """Join groups: rows that share a group in any of the groupings, directly or through others, share the result.

    Args:
        groupings: each of shape (n,), integers.

    Returns:
        Shape (n,).

    Example:
        >>> together([0, 0, 1, 2], [5, 6, 6, 7]).tolist()
        [0, 0, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    labels = [np.unique(np.asarray(grouping), return_inverse=True)[1] for grouping in groupings]
    n = len(labels[0])
    rows = np.tile(np.arange(n), len(labels))
    offsets = n * np.arange(1, len(labels) + 1)
    nodes = np.concatenate([label + offset for label, offset in zip(labels, offsets, strict=True)])
    size = n * (len(labels) + 1)
    links = coo_array((np.ones(len(rows), np.int8), (rows, nodes)), shape=(size, size))
    return codes(pd.Series(connected_components(links, directed=False)[1][:n]))


def row_digests(arrays: Sequence[NDArray[Any]]) -> list[bytes]:
    """Return a digest of each row of arrays of the same n rows, the same for rows that are equal in all of them.

    Args:
        arrays: each of shape (n, ...); unknown values (NaN) are equal to one another.

    Example:
        >>> first, second, third = row_digests([np.array([[0.0, np.nan], [-0.0, np.nan], [1.0, 0.0]])])
        >>> first == second, first == third
        (True, False)
    """
    plain = []
    for array in arrays:
        flat = np.asarray(array).reshape(len(array), -1)
        floating = np.issubdtype(flat.dtype, np.floating)
        plain.append(np.ascontiguousarray(np.where(np.isnan(flat), np.nan, flat + 0.0) if floating else flat))
    rows = range(len(plain[0]))
    return [hashlib.blake2b(b"".join(each[row].tobytes() for each in plain), digest_size=16).digest() for row in rows]


def check_classes(
    fold_ids: NDArray[np.int64], classes: NDArray[np.float64], labels: tuple[str, ...]
) -> tuple[str, ...]:
    """See to it that the members of every fold learn from at least two classes.

    Args:
        fold_ids: shape (n,); -1 where a row is always learned from and never held out.
        classes: shape (n,), codes of classes, NaN where unknown.
        labels: the classes' names.

    Returns:
        Sentences on the classes that the members of some fold never see, and on folds that hold out one class only.

    Raises:
        DataError: a fold's members would learn from one class only; the message says which.

    Example:
        >>> check_classes(np.array([0, 0, 1, 1]), np.array([0.0, 1.0, 1.0, 1.0]), ("no", "yes"))
        Traceback (most recent call last):
        amalthea.errors.DataError: outside of fold 1 of 2 there is only class 'yes' to learn from. ...
    """
    folds = int(fold_ids.max()) + 1
    alone, unseen = [], []
    for fold in range(folds):
        present = np.unique(classes[(fold_ids == fold) & np.isfinite(classes)]).astype(int)
        learned = (fold_ids != fold) | ((fold_ids == fold).all())  # with one fold, all members see all rows
        others = np.unique(classes[learned & np.isfinite(classes)]).astype(int)
        if len(others) < 2:
            only = f"only class '{labels[others[0]]}'" if len(others) else "no label"
            where = f"outside of fold {fold + 1} of {folds}" if not learned.all() else "in all rows"
            raise DataError(
                f"{where} there is {only} to learn from. Ask for fewer folds, another seed or another split."
            )
        if len(present) < 2:
            alone.append(fold + 1)
        unseen += [labels[code] for code in present if code not in others]
    notes = []
    if alone:
        notes.append(f"Fewer than two classes are held out in {_folds(alone)}; figures are of all folds together.")
    if unseen:
        notes.append(f"All examples of these classes share a fold, whose members never saw them: {listed(unseen)}.")
    return tuple(notes)


def _folds(numbers: list[int]) -> str:
    return f"fold{'s' * (len(numbers) > 1)} {listed(numbers, 10)}"
