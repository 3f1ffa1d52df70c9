"""What a network sees of a series: a window of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.domains.protocol import Metric, Progress
from amalthea.errors import DataError

MOST_PERIODS = 14
"""Periods of the past that are seen at most."""

FEWEST_STEPS = 8
"""Steps of the past that are seen at least."""


CUSTOM = "network"
"""The name of a network of the user's."""


class _Uncounted:
    """The parts of `Featurizer` that windows have alike."""

    feature_names: Sequence[str] = ()
    quantities: int = 0
    metric: Metric = "euclidean"
    dtype: Literal["float32", "uint8"] = "float32"


@dataclasses.dataclass
class WindowShape(_Uncounted):
    """The sizes of a window; it fulfils `Featurizer` where nothing is to be made, for windows are cut in training.

    Args:
        name: of the network that sees it.
        context: steps of the past.
        horizon: steps of the future.
        patch: steps that are read at once: the shortest period, if one was found.
        periods: those that were found, in steps, the shortest first.
        known: columns that are known in advance.
        fixed: for each column that never changes, how many values it has.
    """

    name: str
    context: int
    horizon: int
    patch: int
    periods: tuple[int, ...] = ()
    known: int = 0
    fixed: tuple[int, ...] = ()

    @property
    def columns(self) -> int:
        """The target, what is known in advance and what never changes."""
        return 1 + self.known + len(self.fixed)

    @property
    def hidden(self) -> int:
        """The steps of the future that a window holds: only where something is known of them."""
        return self.horizon if self.columns > 1 else 0

    @property
    def shape(self) -> tuple[int, int]:
        """Steps and columns."""
        return (self.context + self.hidden, self.columns)

    def transform(
        self,
        examples: pd.DataFrame,  # noqa: ARG002
        progress: Progress | None = None,  # noqa: ARG002
    ) -> tuple[NDArray[Any], NDArray[np.object_]]:
        """Refuse: a row of a series is no window.

        Raises:
            DataError: always.
        """
        raise DataError("a single row of a series is not predicted: amalthea forecast foretells what follows.")

    def state(self) -> dict[str, Any]:
        """Return the sizes as JSON."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def propose(span: int, horizon: int, periods: Sequence[int], known: int, fixed: Sequence[int]) -> WindowShape:
    """Return the window for series of so many steps: as many periods as leave enough windows to learn from.

    Args:
        span: steps of the longest series.
        horizon: steps that are foretold.
        periods: those that were found, the shortest first.
        known: columns known in advance.
        fixed: numbers of values.

    Example:
        >>> propose(11_520, 96, (24, 168), 0, ()).context
        336
    """
    patch = periods[0] if periods else max(1, min(FEWEST_STEPS, span // 16))
    # A fifth of the span: the first fold has half of it, and learns from what follows its windows.
    most = max(1, min(MOST_PERIODS, span // 5 // patch))
    context = patch * max(most, -(-min(FEWEST_STEPS, span // 5) // patch))
    return WindowShape("windows", context, horizon, patch, tuple(periods), known, tuple(fixed))
