"""Distances between examples and a set of reference examples, block by block, for numbers and for counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Metric = Literal["euclidean", "descriptors", "tanimoto", "pictures"]

_BLOCK = 500  # rows of queries at a time: 500 x 10,000 distances are 20 MB
_CLIP = 6e4  # standard deviations: the largest of float16
_LARGEST_COUNT = 255
_COMPONENTS = 30

UNKNOWN = 1.0
"""The excess of a value that is missing, or was never seen, where no reference misses one."""

_LEAST_SIMILARITY = 0.02


class Space(Protocol):
    """Reference examples and how far others are from them."""

    def distances(self, features: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield distances, shape (block, references), for features of shape (n, d), in the order of the rows."""
        ...

    def stretched(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return distances on a scale without end: as they are, unless the metric has a largest one."""
        ...

    def excess(self, features: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return how far the worst column lies outside of the range of the chosen references, in its spreads."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that is needed to rebuild the space, in compact types."""
        ...


def fit_space(features: NDArray[np.float32], metric: Metric) -> Space:
    """Return the space of a metric with reference examples of shape (n, d).

    Raises:
        ValueError: an unknown metric.
    """
    if metric not in _spaces():
        raise ValueError(f"metric must be one of {', '.join(_spaces())}. Received: {metric!r}")
    space: Space = _spaces()[metric].fit(features)
    return space


def open_space(arrays: Mapping[str, NDArray[Any]], metric: Metric) -> Space:
    """Return the space that `Space.arrays` described."""
    kind = _spaces()[metric]
    needed = [
        field.name for field in dataclasses.fields(kind) if field.name in arrays or field.default is dataclasses.MISSING
    ]
    space: Space = kind(**{name: arrays[name] for name in needed})
    return space


@dataclasses.dataclass(frozen=True, eq=False)
class _Arrays:
    """A space that is rebuilt from its fields."""

    def stretched(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distances."""
        return distance

    def excess(self, features: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:  # noqa: ARG002
        """Return 0 for each example: no column means something by itself."""
        return np.zeros(len(features))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that is needed to rebuild the space."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: values for name, values in fields.items() if values is not None}


@dataclasses.dataclass(frozen=True, eq=False)
class EuclideanSpace(_Arrays):
    """Euclidean distance of columns standardized as the references are.

    Args:
        centre: shape (d,), what is subtracted from each column: the mean of the references.
        scale: shape (d,), what it is divided by: their standard deviation; 0 leaves out a constant column.
        median: shape (d,), what stands for a missing value.
        reference: shape (references, columns left), standardized, float16.
        gaps: shape (d,): columns in which a reference misses its value; None in models that did not keep it.

    Example:
        >>> space = EuclideanSpace.fit(np.array([[1, 5], [3, 5]], np.float32))
        >>> next(space.distances(np.array([[1, 7], [np.nan, 5]], np.float32)))
        array([[0., 2.],
               [1., 1.]], dtype=float32)
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    median: NDArray[np.float64]
    reference: NDArray[np.float16]
    gaps: NDArray[np.bool_] | None = None

    @classmethod
    def fit(cls, features: NDArray[np.float32]) -> Self:
        """Return the space with references of shape (n, d)."""
        values = _finite(features)
        gaps = np.asarray(np.isnan(values).any(axis=0))
        # A column without any value has no median; it will not count.
        values[:, np.isnan(values).all(axis=0)] = 0.0
        median = np.nanmedian(values, axis=0)
        values = np.where(np.isnan(values), median, values)
        # Standardized, all features weigh alike; those that never vary are left out (scale 0).
        varied = values.max(axis=0) > values.min(axis=0)
        space = cls(
            values.mean(axis=0), np.where(varied, values.std(axis=0), 0.0), median, np.empty((0, 0), np.float16), gaps
        )
        return dataclasses.replace(space, reference=space._standardized(features))

    def distances(self, features: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield distances, shape (block, references)."""
        from sklearn.metrics.pairwise import euclidean_distances

        reference = self.reference.astype(np.float32)
        for start in range(0, len(features), _BLOCK):
            queries = self._standardized(features[start : start + _BLOCK]).astype(np.float32)
            if reference.shape[1]:
                yield euclidean_distances(queries, reference)
            else:
                yield np.zeros((len(queries), len(reference)), np.float32)

    def excess(self, features: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return how far the worst column lies outside of the range of the chosen references, in its spreads.

        A value that is missing where no reference misses one counts as one spread: nothing was learned of it.
        """
        reference, values = self.reference[chosen].astype(np.float64), self._standardized(features).astype(np.float64)
        if not values.shape[1]:
            return np.zeros(len(values))
        outside = np.maximum(reference.min(axis=0) - values, values - reference.max(axis=0))
        excess = np.maximum(outside.max(axis=1), 0.0)
        if self.gaps is None:
            return np.asarray(excess)
        unknown = ~np.isfinite(features) & ~self.gaps & (self.scale > 0)
        return np.asarray(np.where(unknown.any(axis=1), np.maximum(excess, UNKNOWN), excess))

    def _standardized(self, features: NDArray[np.float32]) -> NDArray[np.float16]:
        # Queries are rounded to what is stored, so that a copy of a reference has distance 0.
        used = self.scale > 0
        values = _finite(features[:, used])
        values = np.where(np.isnan(values), self.median[used], values)
        return np.clip((values - self.centre[used]) / self.scale[used], -_CLIP, _CLIP).astype(np.float16)


class DescriptorSpace(EuclideanSpace):
    """Euclidean distance of many columns, of which some always lie outside: none of them means something by itself."""

    def excess(self, features: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return 0 for each example."""
        return _Arrays.excess(self, features, chosen)


@dataclasses.dataclass(frozen=True, eq=False)
class TanimotoSpace(_Arrays):
    """Tanimoto distance of counts, 1 - Σ min(a, b) / Σ max(a, b); the features are ln(1 + count).

    Two examples without any count have distance 0; counts above 255 count as 255.

    Args:
        counts: the references' counts above 0, row by row, uint8.
        columns: shape (counts,), the column of each.
        ends: shape (references + 1,), where each reference's counts begin and end.
        width: shape (1,), the number of columns.

    Example:
        >>> space = TanimotoSpace.fit(np.log1p(np.array([[2, 0, 1], [0, 0, 4]], np.float32)))
        >>> next(space.distances(np.log1p(np.array([[2, 1, 1]], np.float32))))
        array([[0.25      , 0.85714287]], dtype=float32)

    Source: Ralaivola et al., Neural Networks 18, 1093 (2005), the MinMax kernel.
    """

    counts: NDArray[np.uint8]
    columns: NDArray[np.int32]
    ends: NDArray[np.int64]
    width: NDArray[np.int64]

    def stretched(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return -ln of the similarity: from 0.02 on, all are alike."""
        return np.asarray(-np.log(np.maximum(1.0 - distance, _LEAST_SIMILARITY)))

    @classmethod
    def fit(cls, features: NDArray[np.float32]) -> TanimotoSpace:
        """Return the space with references of shape (n, d)."""
        counts = _counts(features)
        # Fingerprints are nearly empty: only counts above 0 are kept, row by row.
        rows, columns = np.nonzero(counts)
        ends = np.searchsorted(rows, np.arange(len(counts) + 1))
        return cls(counts[rows, columns], columns.astype(np.int32), ends, np.array([counts.shape[1]]))

    def distances(self, features: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield distances, shape (block, references).

        A count c is written as ones in the first c of some binary columns; then Σ min(a, b) is a product of matrices.
        """
        from scipy.sparse import csr_array

        shape = (len(self.ends) - 1, int(self.width[0]))
        reference = csr_array((self.counts, self.columns, self.ends), shape=shape)
        largest = int(self.counts.max(initial=1))
        sums = np.asarray(reference.sum(axis=1, dtype=np.int64)).astype(np.float32)
        # Columns that no reference has share nothing with any query.
        unary = _unary(reference, largest)
        used = np.unique(unary.indices)
        # The smallest type that holds a row's sum halves memory and time.
        integer = np.int16 if sums.max(initial=0) < np.iinfo(np.int16).max else np.int32
        ones = np.ascontiguousarray(unary[:, used].astype(integer).toarray().T)
        for start in range(0, len(features), _BLOCK):
            queries = csr_array(_counts(features[start : start + _BLOCK]))
            shared = (_unary(queries, largest)[:, used].astype(integer) @ ones).astype(np.float32)
            # Σ max(a, b) = Σ a + Σ b - Σ min(a, b).
            either = np.asarray(queries.sum(axis=1, dtype=np.int64))[:, None].astype(np.float32) + sums - shared
            yield 1 - np.divide(shared, either, out=np.ones_like(shared), where=either > 0)


@dataclasses.dataclass(frozen=True, eq=False)
class PictureSpace(_Arrays):
    """Euclidean distance of pictures of length 1 in the references' 30 principal components.

    With all pictures of one length, a blank, a crowded or a pale one is not near to all others.

    Args:
        mean: shape (d,), of the references at length 1.
        components: shape (30 or fewer, d).
        reference: shape (references, components), float32.

    Example:
        >>> pictures = np.array([[2, 0], [0, 3], [4, 0]], np.float32)
        >>> next(PictureSpace.fit(pictures).distances(pictures[:1])).round(3)
        array([[0.   , 1.414, 0.   ]], dtype=float32)
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    reference: NDArray[np.float32]

    @classmethod
    def fit(cls, features: NDArray[np.float32]) -> PictureSpace:
        """Return the space with references of shape (n, d)."""
        from sklearn.decomposition import PCA

        values = _of_length_one(features)
        # A few components hold what pictures differ in; the rest is noise that would drown it.
        components = PCA(min(_COMPONENTS, *values.shape), svd_solver="randomized", random_state=0)
        with np.errstate(invalid="ignore"):  # the shares of a variance that is 0
            components.fit(values)
        space = cls(
            components.mean_.astype(np.float32), components.components_.astype(np.float32), np.empty((0, 0), np.float32)
        )
        return dataclasses.replace(space, reference=space._projected(features))

    def distances(self, features: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield distances, shape (block, references)."""
        from sklearn.metrics.pairwise import euclidean_distances

        for start in range(0, len(features), _BLOCK):
            queries = self._projected(features[start : start + _BLOCK])
            yield euclidean_distances(queries, self.reference).astype(np.float32)

    def _projected(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        return ((_of_length_one(features) - self.mean) @ self.components.T).astype(np.float32)


def _spaces() -> dict[str, Any]:
    return {
        "euclidean": EuclideanSpace,
        "descriptors": DescriptorSpace,
        "tanimoto": TanimotoSpace,
        "pictures": PictureSpace,
    }


def _of_length_one(features: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.where(length > 0, length, 1)).astype(np.float32)


def _finite(features: NDArray[np.float32]) -> NDArray[np.float64]:
    values = features.astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _counts(features: NDArray[np.float32]) -> NDArray[np.uint8]:
    logarithms = np.clip(np.nan_to_num(features), 0.0, np.log1p(_LARGEST_COUNT))
    return np.rint(np.expm1(logarithms)).astype(np.uint8)


def _unary(counts: Any, largest: int) -> Any:
    """Write each count c of a sparse matrix as ones in the first c of its column's `largest` columns."""
    from scipy.sparse import csr_array

    # Each count c gives c ones, numbered 0 to c - 1 within its own columns.
    repeats = np.minimum(counts.data, largest).astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(repeats)])
    level = np.arange(ends[-1]) - np.repeat(ends[:-1], repeats)
    columns = np.repeat(counts.indices.astype(np.int64) * largest, repeats) + level
    shape = (counts.shape[0], counts.shape[1] * largest)
    return csr_array((np.ones(len(columns), np.uint8), columns, ends[counts.indptr]), shape=shape)
