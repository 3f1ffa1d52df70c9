"""How far an example is from the training set, measured by how far the training examples are from each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.validation.distances import Metric, Space, fit_space, open_space

_REFERENCES = 10_000
_NEIGHBOURS = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Applicability:
    """The training set as a measure of distance: an example's distance is the mean over its 5 nearest neighbours in it.

    Args:
        metric: "euclidean" (standardized numbers), "tanimoto" (counts, as ln(1 + count)) or "pictures" (pixels).
        features: d, the number of columns.
        space: at most 10,000 training examples, the references.
        groups: shape (references,), integers: copies share one.
        reference_distances: shape (references,), sorted: those of the references themselves, each without the
            neighbours of its group.

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

    @classmethod
    def fit(cls, features: ArrayLike, metric: Metric, groups: ArrayLike, seed: int = 0) -> Applicability:
        """Learn from the training set.

        Args:
            features: shape (n, d), or (n, ...) with d numbers each; NaN and infinity are missing values.
            metric: "euclidean", "tanimoto" or "pictures".
            groups: shape (n,), integers: copies of the same example share one.
            seed: of the sample of references, where there are more than 10,000 examples.

        Raises:
            ValueError: the shapes do not match, there are no examples, or the metric is unknown.
        """
        values, labels = _rows(features), np.asarray(groups, np.int64)
        if values.ndim != 2 or not len(values) or labels.shape != values.shape[:1]:
            raise ValueError(f"features (n, d) and groups (n,) are needed. Received: {values.shape}, {labels.shape}")
        chosen = references(len(values), seed)
        values, labels = values[chosen], labels[chosen]
        values = values.astype(np.float32)
        fitted = cls(metric, values.shape[1], fit_space(values, metric), labels, np.empty(0))
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
        return {"groups": self.groups, "own": self.reference_distances, **self.space.arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], metric: Metric, features: int) -> Applicability:
        """Return what `arrays` described; its percentiles are the same to the last bit.

        Raises:
            KeyError: an array is missing.
        """
        space = open_space(arrays, metric)
        return cls(metric, features, space, arrays["groups"], arrays["own"])

    def _distance(self, features: NDArray[np.float32], groups: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """Return the mean distance to the nearest neighbours (fewer than 5 where there are fewer), NaN without any."""
        means = [np.empty(0)]
        start = 0
        for block in self.space.distances(features.astype(np.float32, copy=False)):
            if groups is not None:
                block[groups[start : start + len(block), None] == self.groups] = np.inf
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
