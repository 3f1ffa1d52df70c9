"""Clusters of examples that are alike, to be held out together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amalthea.validation.distances import Metric

MOST_CLUSTERS = 100
USUAL_SIZE = 10
"""Examples of a cluster: with larger ones the held-out rows are farther from the rest than what people ask about."""

COMPONENTS = 30
FARTHEST = 6.0
"""Standard deviations beyond which a column's values count as that: one wild value makes no cluster."""


def cluster(features: ArrayLike, metric: Metric, groups: ArrayLike, seed: int = 0) -> NDArray[np.int64]:
    """Return the cluster of each example: k-means on up to 30 principal components; copies share one.

    Args:
        features: shape (n, d), or (n, ...) with d numbers each; NaN and infinity are missing values.
        metric: by it numbers are standardized, and counts and pictures brought to length 1.
        groups: shape (n,), integers: copies of the same example share one.
        seed: of the starts.

    Returns:
        Shape (n,): a tenth of the examples is the number of clusters, 100 at most.

    Example:
        >>> x = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
        >>> labels = cluster(x, "tanimoto", np.arange(30))
        >>> [len(set(labels[start : start + 10].tolist())) for start in (0, 10, 20)]
        [1, 1, 1]
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    scaled = _scaled(np.asarray(features, np.float32).reshape(len(np.asarray(features)), -1), metric)
    components = min(COMPONENTS, *scaled.shape)
    if components < scaled.shape[1]:
        scaled = PCA(components, svd_solver="randomized", random_state=seed).fit_transform(scaled)
    different = len(np.unique(scaled, axis=0))
    count = max(1, min(MOST_CLUSTERS, len(scaled) // USUAL_SIZE, different))
    means = KMeans(count, n_init=3, random_state=seed).fit(scaled)
    # Copies are where the first of them is.
    _, first, member = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
    return np.asarray(means.labels_[first][member], np.int64)


def _scaled(values: NDArray[np.float32], metric: Metric) -> NDArray[Any]:
    values = np.where(np.isfinite(values), values, np.nan)
    if metric in ("euclidean", "descriptors"):
        known = values[:, np.isfinite(values).any(axis=0)]
        spread = np.nanstd(known, axis=0)
        centred = (known - np.nanmean(known, axis=0)) / np.where(spread > 0, spread, 1.0)
        return np.asarray(np.clip(np.nan_to_num(centred), -FARTHEST, FARTHEST))
    values = np.nan_to_num(values)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(length > 0, length, 1.0))
