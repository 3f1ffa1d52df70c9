"""How usual what a network makes of an example is for the class that it names, and what its probabilities become."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.validation.temperature import MOST_BASE, toward

Floats = NDArray[np.float64]

COMPONENTS = 128
MOST_ROWS = 20_000
"""Rows that Gaussians are fitted to at most."""

CLASS_SHARE, RIDGE = 0.9, 1e-3
"""Of a class's covariance beside that of all classes, and what is added to the diagonal, in mean variances."""

FEWEST = 10
"""Held-out rows of a class from which on its distances are standardized by themselves."""

USUAL, RARE = 0.984, 0.999
"""The quantiles of held-out scores up to which nothing changes, and from which a step of 4 takes all away."""

LEAST = 0.1125


@dataclasses.dataclass(frozen=True, eq=False)
class LayerDensity:
    """A Gaussian of each class in the outputs of one layer.

    Args:
        centre: shape (d,), the mean of all outputs.
        components: shape (k, d), their principal components.
        means: shape (classes, k + 1), in components and the size of what they leave out.
        whitening: shape (classes, k + 1, k + 1): differences from a class's mean times it have unit covariance.
        level: shape (classes,), the mean of ln(distance) of held-out rows.
        width: shape (classes,), its standard deviation.
    """

    centre: Floats
    components: Floats
    means: Floats
    whitening: Floats
    level: Floats
    width: Floats

    @classmethod
    def fit(cls, outputs: Floats, labels: NDArray[np.int64], classes: int, seed: int = 0) -> LayerDensity:
        """Return the Gaussians of training rows: outputs of shape (n, d), labels of shape (n,)."""
        from sklearn.decomposition import PCA

        outputs = np.asarray(outputs, np.float64)
        components = min(COMPONENTS, outputs.shape[1], max(1, len(outputs) // 4))
        basis = PCA(components, svd_solver="randomized", random_state=seed).fit(outputs)
        none = np.empty(0)
        layer = cls(basis.mean_, basis.components_, none, none, np.zeros(classes), np.ones(classes))
        places = layer._places(outputs)
        # A class that no row has is described by all rows.
        rows = [labels == label if (labels == label).any() else np.ones(len(labels), bool) for label in range(classes)]
        means = np.stack([places[each].mean(axis=0) for each in rows])
        apart = places - means[labels]
        shared = apart.T @ apart / len(apart)
        ridge = RIDGE * np.trace(shared) / len(shared) * np.eye(len(shared)) + 1e-12 * np.eye(len(shared))
        whitening = []
        for each, mean in zip(rows, means, strict=True):
            # The fewer rows a class has, the more is borrowed from the others.
            share = CLASS_SHARE * each.sum() / (each.sum() + len(shared))
            covariance = share * np.cov(places[each] - mean, rowvar=False, bias=True) + (1 - share) * shared + ridge
            whitening.append(np.linalg.inv(np.linalg.cholesky(covariance)).T)
        return dataclasses.replace(layer, means=means, whitening=np.stack(whitening))

    def standardized(self, held_out: Floats, predicted: NDArray[np.int64]) -> LayerDensity:
        """Return the Gaussians with the levels of held-out rows, each counted to the class that was named."""
        distance = self.distance(held_out, predicted)
        level, width = np.full((2, len(self.means)), np.nan)
        for label in range(len(level)):
            mine = distance[predicted == label]
            mine = mine if len(mine) >= FEWEST else distance
            level[label], width[label] = mine.mean(), max(mine.std(), 1e-3)
        return dataclasses.replace(self, level=level, width=width)

    def distance(self, outputs: Floats, predicted: NDArray[np.int64]) -> Floats:
        """Return the logarithm of the Mahalanobis distance to the named class, shape (n,)."""
        apart = self._places(outputs) - self.means[predicted]
        white = np.empty_like(apart)
        for label in np.unique(predicted):
            white[predicted == label] = apart[predicted == label] @ self.whitening[label]
        return np.asarray(0.5 * np.log(np.maximum((white**2).sum(axis=1), 1e-12)))

    def score(self, outputs: Floats, predicted: NDArray[np.int64]) -> Floats:
        """Return the distance in the spreads of held-out rows, shape (n,)."""
        return (self.distance(outputs, predicted) - self.level[predicted]) / self.width[predicted]

    def _places(self, outputs: Floats) -> Floats:
        apart = np.asarray(outputs, np.float64) - self.centre
        places = apart @ self.components.T
        rest = np.sqrt(np.maximum((apart**2).sum(axis=1) - (places**2).sum(axis=1), 0.0))
        return np.concatenate([places, rest[:, None]], axis=1)


@dataclasses.dataclass(frozen=True, eq=False)
class ClassDensity:
    """Gaussians in the outputs of some layers, and the rule by which probabilities go to the base rate.

    Args:
        layers: of each layer.
        usual: the score up to which nothing changes.
        rare: the score of one held-out row in a thousand.
        largest: the largest score of a held-out row: beyond it nothing is known.
        base: shape (classes,), the share of each class in training.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> labels = rng.integers(0, 2, 400)
        >>> outputs = rng.normal(size=(400, 3)) + 6 * labels[:, None]
        >>> density = ClassDensity.fit([outputs[:200]], labels[:200], [outputs[200:]], labels[200:], 2)
        >>> sure = np.array([[0.99, 0.01]] * 2)
        >>> density.apply(sure, density.score([np.array([[0.0, 0, 0], [0, 0, 90]])], np.array([0, 0]))).round(2)[:, 0]
        array([0.99, 0.47])

    Source of the distance: Lee et al., NeurIPS 2018 (arXiv 1807.03888), equations 1 and 2, with a covariance for each
    class.
    """

    layers: tuple[LayerDensity, ...]
    usual: float
    rare: float
    largest: float
    base: Floats

    @classmethod
    def fit(
        cls,
        outputs: Sequence[Floats],
        labels: NDArray[np.int64],
        held_out: Sequence[Floats],
        predicted: NDArray[np.int64],
        classes: int,
        seed: int = 0,
    ) -> ClassDensity:
        """Return what training rows and rows held out from them say.

        Args:
            outputs: of each layer for the training rows, shape (n, d).
            labels: codes of their classes, shape (n,).
            held_out: of each layer for rows that the network never saw, shape (h, d).
            predicted: the classes that the network names for these, shape (h,).
            classes: their number.
            seed: of the sample, where there are more than 20,000 training rows.
        """
        chosen = np.sort(np.random.default_rng(seed).permutation(len(labels))[:MOST_ROWS])
        layers = []
        for known, unseen in zip(outputs, held_out, strict=True):
            layer = LayerDensity.fit(known[chosen], labels[chosen], classes, seed)
            layers.append(layer.standardized(unseen, predicted))
        base = np.bincount(labels, minlength=classes) / len(labels)
        density = cls(tuple(layers), 0.0, 0.0, 0.0, base)
        # As it will be read from a file, to the last bit.
        density = cls.from_arrays(density.arrays())
        return density.with_scores(density.score(held_out, predicted))

    def with_scores(self, scores: Floats) -> ClassDensity:
        """Return the same with the quantiles of these held-out scores, shape (h,)."""
        usual, rare, largest = np.quantile(scores, [USUAL, RARE, 1.0])
        return dataclasses.replace(self, usual=float(usual), rare=float(rare), largest=float(largest))

    def score(self, outputs: Sequence[Floats], predicted: NDArray[np.int64]) -> Floats:
        """Return how unusual rows are for the classes that are named, shape (n,)."""
        scores = [layer.score(each, predicted) for layer, each in zip(self.layers, outputs, strict=True)]
        return np.asarray(np.mean(scores, axis=0), np.float64)

    def weight(self, scores: Floats) -> Floats:
        """Return the share of the base rate in the probabilities, shape (n,)."""
        return np.where(scores > self.usual, np.clip(LEAST + (scores - self.rare) / 4, LEAST, MOST_BASE), 0.0)

    def apply(self, probabilities: Floats, scores: Floats) -> Floats:
        """Return probabilities, shape (n, classes), mixed with the base rate."""
        return toward(probabilities, self.base, self.weight(scores))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that is needed to rebuild it."""
        arrays = {"base": self.base, "quantiles": np.array([self.usual, self.rare, self.largest])}
        for number, layer in enumerate(self.layers):
            for field in dataclasses.fields(layer):
                arrays[f"{number}/{field.name}"] = getattr(layer, field.name).astype(np.float32)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> ClassDensity:
        """Return what `arrays` described.

        Raises:
            KeyError: an array is missing.
        """
        names = [field.name for field in dataclasses.fields(LayerDensity)]
        count = sum(name.endswith("/means") for name in arrays)
        layers = [
            LayerDensity(**{name: np.asarray(arrays[f"{number}/{name}"], np.float64) for name in names})
            for number in range(count)
        ]
        usual, rare, largest = arrays["quantiles"].tolist()
        return cls(tuple(layers), usual, rare, largest, arrays["base"])
