"""The features of traces: responses of random kernels, views of a spectrum, and the values as they are."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.protocol import Metric, Progress
from amalthea.domains.signals.shaping import Trace, averaged, filled, resampled, standardized
from amalthea.errors import DataError

NO_TRACE = "no trace"

MOST_PLACES = 2_048
"""Places of a trace that kernels look at: longer ones are averaged."""

MOST_COLUMNS = 1_024
"""Places of a spectrum."""

MOST_SEEN = 256
"""Places that a convolution sees."""

TAPS = 9
"""Values that a random kernel looks at."""

WINDOW = 15
"""Places over which a derivative is smoothed."""

VIEWS = ("raw", "standardized", "derivative", "standardized derivative")
"""What partial least squares may choose from."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """What traces have in common: sizes, and no statistics."""

    size: int  # the largest number of places
    channels: int
    uneven: bool = False  # whether lengths differ

    def places(self, most: int) -> int:
        """Return the number of places that are left when traces are averaged to `most`."""
        return math.ceil(self.size / self.factor(most))

    def factor(self, most: int) -> int:
        """Return how many neighbouring places are averaged."""
        return math.ceil(self.size / most)


class Featurized:
    """What all features of traces share; see `Featurizer`."""

    name: str
    metric: Metric = "descriptors"
    dtype: Literal["float32", "uint8"] = "float32"
    feature_names: Sequence[str]
    quantities: int

    def __init__(self, of: Shape) -> None:
        self.of = of

    @property
    def shape(self) -> tuple[int, ...]:
        """One number a feature."""
        return (len(self.feature_names),)

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
        """Return the features of n traces, shape (n, d), NaN where there is none; and the problems, shape (n,).

        Args:
            examples: n rows with "trace": float32 of shape (places, channels), or None.
            progress: called as progress(done, total).
        """
        features = np.full((len(examples), *self.shape), np.nan, np.float32)
        problems = np.full(len(examples), "", object)
        for row, trace in enumerate(examples["trace"]):
            if trace is None:
                problems[row] = NO_TRACE
            elif trace.shape[1] != self.of.channels or len(trace) > self.of.size:
                problems[row] = f"has the shape {trace.shape}, and at most {(self.of.size, self.of.channels)} is wanted"
            else:
                features[row] = self.features(trace)
            if progress is not None and (row % 50 == 49 or row + 1 == len(examples)):
                progress(row + 1, len(examples))
        return features, problems

    def features(self, trace: Trace) -> NDArray[np.float32]:
        """Return the features of one trace, shape (d,)."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return what makes the same featurizer again."""
        return {"name": self.name, **dataclasses.asdict(self.of)}


class Kernels(Featurized):
    """What random convolutions respond to a trace: how often above 0, and how much at most; and its levels.

    The kernels' weights are normal with mean 0, their biases uniform in (-1, 1), their dilations powers of 2, half of
    them look beyond the ends. With several channels each sees some of them, at random. A trace is standardized by
    itself, by channel or as a whole; the mean, the deviation of each channel and the length stand behind.

    Args:
        of: the traces' shape.
        count: the number of kernels.

    Source: Dempster, Petitjean and Webb, Data Min. Knowl. Discov. 34, 1454 (2020), section 3 (Rocket), with a fixed
        length and dilations as in their MiniRocket (KDD 2021).
    """

    name: str = "kernels"
    title: str = "random kernels"
    details: str = "{count} responses of random convolutions"

    def __init__(self, of: Shape, count: int = 2000) -> None:
        super().__init__(of)
        self.count = count
        random = np.random.default_rng(0)
        longest = max(0, int(math.log2(max(1, (of.places(MOST_PLACES) - 1) / (TAPS - 1)))))
        ways = [True] if of.channels == 1 else [True, False]
        families = [(2**power, way) for power in range(longest + 1) for way in ways]
        sizes = [len(part) for part in np.array_split(np.arange(count), len(families))]
        self.families = [
            (*each, *_drawn(random, size, of.channels)) for each, size in zip(families, sizes, strict=True)
        ]
        responses = [f"kernel {number} {what}" for number in range(count) for what in ("share", "maximum")]
        levels = [f"channel {channel} {what}" for channel in range(of.channels) for what in ("mean", "deviation")]
        self.feature_names: Sequence[str] = [*responses, *levels, *(["length"] if of.uneven else [])]
        self.quantities = len(self.feature_names)

    def features(self, trace: Trace) -> NDArray[np.float32]:
        """Return shares and maxima kernel by kernel, then mean and ln deviation of each channel, and the length."""
        values = filled(averaged(trace, self.of.factor(MOST_PLACES)))
        ways = {way: standardized(values, way) for way in (True, False)}
        responses = [_responses(ways[family[1]], family) for family in self.families]
        levels = np.stack([values.mean(axis=0), np.log(values.std(axis=0) + 1e-12)], axis=1).ravel()
        length = [math.log(len(trace))] if self.of.uneven else []
        return np.concatenate([*responses, levels, length]).astype(np.float32)

    def state(self) -> dict[str, Any]:
        """Return what makes the same featurizer again."""
        return {**super().state(), "count": self.count}


Family = tuple[int, bool, NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]
"""Kernels of one dilation: that, how traces are standardized, weights (taps * channels, k), biases, who is padded."""


def _drawn(
    random: np.random.Generator, count: int, channels: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    weights = random.normal(size=(count, TAPS, channels))
    weights -= weights.mean(axis=1, keepdims=True)
    # Each kernel sees a few channels: their number is uniform in its logarithm.
    numbers = np.floor(2 ** random.uniform(0, math.log2(min(channels, TAPS) + 1), count)).astype(int)
    ranks = random.random((count, channels)).argsort(axis=1)
    weights *= (ranks < numbers[:, None])[:, None, :]
    matrix = weights.reshape(count, TAPS * channels).T.astype(np.float32)
    return matrix, random.uniform(-1, 1, count).astype(np.float32), random.random(count) < 0.5


def _responses(trace: Trace, family: Family) -> NDArray[np.float32]:
    """Return for each kernel the share of places with a response above 0, and the largest response, one by one."""
    dilation, _, weights, biases, padded = family
    reach, places = (TAPS // 2) * dilation, len(trace)
    wide = np.pad(trace, ((reach, reach), (0, 0)))
    windows = np.concatenate([wide[tap * dilation : tap * dilation + places] for tap in range(TAPS)], axis=1)
    response = windows @ weights + biases
    result = np.stack([(response > 0).mean(axis=0), response.max(axis=0)], axis=1)
    inner = response[reach : places - reach]
    if len(inner):
        result[~padded] = np.stack([(inner > 0).mean(axis=0), inner.max(axis=0)], axis=1)[~padded]
    flat: NDArray[np.float32] = result.astype(np.float32).ravel()
    return flat


class Spectrum(Featurized):
    """A trace in the views of chemometrics: as it is, standardized by itself (SNV), its derivative, and both.

    Traces of unequal length are stretched to one.

    Source: Barnes, Dhanoa and Lister, Appl. Spectrosc. 43, 772 (1989) (SNV); Savitzky and Golay, Anal. Chem. 36, 1627
        (1964).
    """

    name: str = "spectrum"
    details: str = "the values, their standard normal variate and first derivatives, {count} in all"

    def __init__(self, of: Shape) -> None:
        super().__init__(of)
        self.feature_names: Sequence[str] = [
            f"{view} {place} {channel}"
            for view in VIEWS
            for channel in range(of.channels)
            for place in range(of.places(MOST_COLUMNS))
        ]
        self.quantities = len(self.feature_names)

    def features(self, trace: Trace) -> NDArray[np.float32]:
        """Return the views, one behind the other, each channel by channel."""
        values = filled(averaged(trace, self.of.factor(MOST_COLUMNS)))
        values = resampled(values, self.of.places(MOST_COLUMNS))
        derivative = _derivative(values)
        views = (values, standardized(values), derivative, standardized(derivative))
        flat: NDArray[np.float32] = np.concatenate([view.T.ravel() for view in views]).astype(np.float32)
        return flat


def _derivative(trace: Trace) -> Trace:
    from scipy.signal import savgol_filter

    window = min(WINDOW, len(trace) - (len(trace) + 1) % 2)
    if window < 3:
        return np.zeros_like(trace)
    smooth: Trace = savgol_filter(trace.astype(np.float64), window, 2, deriv=1, axis=0).astype(np.float32)
    return smooth


class Values(Featurized):
    """The values of a trace as they are, place by place, with NaN in gaps and behind its end."""

    name: str = "trace"
    title: str = "values"
    details: str = "the {count} values themselves"

    def __init__(self, of: Shape) -> None:
        super().__init__(of)
        self.feature_names: Sequence[str] = [
            f"{place} {channel}" for place in range(of.places(MOST_SEEN)) for channel in range(of.channels)
        ]
        self.quantities = len(self.feature_names)

    def features(self, trace: Trace) -> NDArray[np.float32]:
        """Return the values in the order place, channel."""
        values = np.full((self.of.places(MOST_SEEN), self.of.channels), np.nan, np.float32)
        seen = averaged(trace, self.of.factor(MOST_SEEN))
        values[: len(seen)] = seen
        return values.ravel()


KINDS: Mapping[str, Callable[..., Featurized]] = MappingProxyType(
    {kind.name: kind for kind in (Kernels, Spectrum, Values)}
)
"""The kinds of features by name."""


def restore(state: dict[str, Any]) -> Featurized:
    """Return the featurizer that a `state` described.

    Raises:
        DataError: there is no such featurizer.
    """
    given = dict(state)
    made = KINDS.get(given.pop("name", ""))
    count = {"count": int(given.pop("count"))} if "count" in given else {}
    if made is None or min(given.get("size", 0), given.get("channels", 0)) < 1:
        raise DataError(f"there are no features of traces like {state}.")
    return made(Shape(int(given["size"]), int(given["channels"]), bool(given["uneven"])), **count)
