"""How far an example is from the training set, measured by how far the training examples are from each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.validation.distances import Metric, Space, fit_space, open_space

BESIDE = "beside_"
"""Begins the names of the arrays of columns that mean something by themselves."""

_REFERENCES = 10_000
_NEIGHBOURS = 5
_SMALLEST = 1e-6  # the median distance where most examples are alike


@dataclasses.dataclass(frozen=True, eq=False)
class Applicability:
    """The training set as a measure of distance: an example's distance is the mean over its 5 nearest neighbours in it.

    Args:
        metric: "euclidean" (standardized numbers), "descriptors" (many of these, whose ranges mean nothing), "tanimoto"
            (counts, as ln(1 + count)) or "pictures" (pixels).
        features: d, the number of columns.
        space: at most 10,000 training examples, the references.
        groups: shape (references,), integers: copies share one.
        reference_distances: shape (references,), sorted: those of the references themselves, each without the
            neighbours of its group.
        beside: the leading columns that mean something by themselves, where the metric knows none: a temperature beside
            molecules; None: there are none.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
        >>> Applicability.fit(x, "euclidean", np.arange(200)).percentile(x[:1] + 100)
        array([100.])
    """

    metric: Metric
    features: int
    space: Space
    groups: NDArray[np.int64]
    reference_distances: NDArray[np.float64]
    beside: Space | None = None

    @classmethod
    def fit(
        cls, features: ArrayLike, metric: Metric, groups: ArrayLike, seed: int = 0, beside: int = 0
    ) -> Applicability:
        """Learn from the training set.

        Args:
            features: shape (n, d), or (n, ...) with d numbers each; NaN and infinity are missing values.
            metric: as above.
            groups: shape (n,), integers: copies of the same example share one.
            seed: of the sample of references, where there are more than 10,000 examples.
            beside: how many leading columns mean something by themselves beside the metric.

        Raises:
            ValueError: the shapes do not match, there are no examples, or the metric is unknown.
        """
        values, labels = _rows(features), np.asarray(groups, np.int64)
        if values.ndim != 2 or not len(values) or labels.shape != values.shape[:1]:
            raise ValueError(f"features (n, d) and groups (n,) are needed. Received: {values.shape}, {labels.shape}")
        chosen = references(len(values), seed)
        values, labels = values[chosen], labels[chosen]
        values = values.astype(np.float32)
        columns = fit_space(values[:, :beside], "euclidean") if beside else None
        fitted = cls(metric, values.shape[1], fit_space(values, metric), labels, np.empty(0), columns)
        distances = fitted._distance(values, labels)
        return dataclasses.replace(fitted, reference_distances=np.sort(distances[np.isfinite(distances)]))

    def percentile(self, features: ArrayLike, groups: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the percentage of the training examples' own distances that are smaller; above 95 is far.

        Args:
            features: shape (n, d), as for `fit`.
            groups: shape (n,), for training examples: their groups, which are left out as in their own distances.

        Returns:
            Shape (n,), 0 to 100; NaN where the training set has no two groups to compare.

        Raises:
            ValueError: the number of columns differs from the training set's.
        """
        values = _rows(features)
        if values.ndim != 2 or values.shape[1] != self.features:
            raise ValueError(f"features must have shape (n, {self.features}). Received: {values.shape}")
        distance = self._distance(values, None if groups is None else np.asarray(groups, np.int64))
        smaller = np.searchsorted(self.reference_distances, distance, side="left")  # as far as all others is not far
        known = np.isfinite(distance) & (len(self.reference_distances) > 0)
        return np.where(known, 100.0 * smaller / max(1, len(self.reference_distances)), np.nan)

    def relative_distance(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return distances in units of the median of the training examples' own; 1 is usual, there is no largest.

        Args:
            features: shape (n, d), as for `fit`.

        Returns:
            Shape (n,); NaN where the training set has no two groups to compare.
        """
        return self._relative(self._distance(_rows(features), None))

    def held_out(
        self, features: ArrayLike, fold_ids: ArrayLike, seed: int = 0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what `relative_distance` and `excess` are to the members that never saw a training example.

        Args:
            features: shape (n, d), of all training examples.
            fold_ids: shape (n,): references of an example's fold are left out.
            seed: as for `fit`.
        """
        values, folds = _rows(features), np.asarray(fold_ids, np.int64)
        labels = folds[references(len(values), seed)]
        excess = np.zeros(len(values))
        for fold in np.unique(folds):
            others = labels != fold
            if others.any():
                excess[folds == fold] = self._excess(values[folds == fold], others)
        return self._relative(self._distance(values, folds, labels)), excess

    def excess(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return how far the worst column lies outside of its training range, in its standard deviations, shape (n,).

        It is 0 where the metric knows no columns of which each means something.
        """
        return self._excess(_rows(features), np.ones(len(self.groups), bool))

    def _excess(self, values: NDArray[Any], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        excess = self.space.excess(values, chosen)
        if self.beside is None:
            return excess
        columns = values[:, : len(np.asarray(self.beside.arrays()["centre"]))]
        return np.maximum(excess, self.beside.excess(columns, chosen))

    def _relative(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        usual = np.median(self.reference_distances) if len(self.reference_distances) else np.nan
        scale = float(self.space.stretched(np.asarray(usual)))
        relative: NDArray[np.float64] = self.space.stretched(distance) / max(scale, _SMALLEST)
        return relative

    def nearest(self, features: ArrayLike, count: int = 3) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the nearest references, nearest first.

        Args:
            features: shape (n, d), as for `fit`.
            count: c, how many; all where there are fewer.

        Returns:
            Their numbers among the references (see `references`), shape (n, c), and their distances, shape (n, c).
        """
        parts = []
        for block in self.space.distances(_rows(features).astype(np.float32, copy=False)):
            order = np.argsort(block, axis=1, kind="stable")[:, :count]
            parts.append((order, np.take_along_axis(block, order, axis=1)))
        return np.concatenate([order for order, _ in parts]), np.concatenate([d for _, d in parts]).astype(np.float64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays to be saved, in compact types."""
        columns = {} if self.beside is None else self.beside.arrays()
        named = {BESIDE + name: values for name, values in columns.items()}
        return {"groups": self.groups, "own": self.reference_distances, **self.space.arrays(), **named}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], metric: Metric, features: int) -> Applicability:
        """Return what `arrays` described; its percentiles are the same to the last bit.

        Raises:
            KeyError: an array is missing.
        """
        space = open_space(arrays, metric)
        named = {name.removeprefix(BESIDE): values for name, values in arrays.items() if name.startswith(BESIDE)}
        beside = open_space(named, "euclidean") if named else None
        return cls(metric, features, space, arrays["groups"], arrays["own"], beside)

    def _distance(
        self,
        features: NDArray[np.float32],
        groups: NDArray[np.int64] | None,
        labels: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Return the mean distance to the nearest neighbours (fewer than 5 where there are fewer), NaN without any.

        References whose label (their group where none is given) is that of the example are left out.
        """
        labels = self.groups if labels is None else labels
        means = [np.empty(0)]
        start = 0
        for block in self.space.distances(features.astype(np.float32, copy=False)):
            if groups is not None:
                block[groups[start : start + len(block), None] == labels] = np.inf
            start += len(block)
            count = min(_NEIGHBOURS, block.shape[1])
            nearest = np.partition(block, count - 1, axis=1)[:, :count].astype(np.float64)
            finite = np.isfinite(nearest)
            counts = finite.sum(axis=1)
            mean = np.full(len(block), np.nan)
            means.append(np.divide(np.where(finite, nearest, 0).sum(axis=1), counts, out=mean, where=counts > 0))
        return np.concatenate(means)


def references(examples: int, seed: int = 0) -> NDArray[np.int64]:
    """Return which of the training examples are references: all, or 10,000 of them."""
    if examples <= _REFERENCES:
        return np.arange(examples)
    return np.sort(np.random.default_rng(seed).choice(examples, _REFERENCES, replace=False))


def _rows(features: ArrayLike) -> NDArray[Any]:
    """Return each example's numbers in one row."""
    values = np.asarray(features)
    return values.reshape(len(values), -1) if values.ndim > 2 else values
