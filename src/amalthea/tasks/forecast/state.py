"""What a model of series must remember beside its networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from amalthea.datasets.archive import Number
from amalthea.domains.sequences.panel import Panel
from amalthea.domains.sequences.windows import WindowShape
from amalthea.tasks.forecast.scales import Scales


@dataclasses.dataclass(frozen=True)
class ForecastState:
    """Scales of each track of the training set, and where it ended.

    Args:
        series: the name of each track's series.
        channel: which target a track is.
        spread: see `Scales`.
        season: see `Scales`.
        last: the position of each track's last known step.
        shares: by network and simple model how much it counts for each track.
        window: what is seen.
    """

    series: tuple[str, ...]
    channel: tuple[int, ...]
    spread: tuple[Number, ...]
    season: tuple[Number, ...]
    last: tuple[int, ...]
    shares: Mapping[str, tuple[Number, ...]]
    window: WindowShape

    @classmethod
    def of(
        cls, panel: Panel, scales: Scales, shares: Mapping[str, NDArray[np.float64]], window: WindowShape
    ) -> ForecastState:
        """Return the state after all that was learned."""
        counted = {name: tuple(of.tolist()) for name, of in shares.items() if of.any()}
        return cls(
            series=tuple(map(str, panel.series)),
            channel=tuple(panel.channel.tolist()),
            spread=tuple(scales.spread.tolist()),
            season=tuple(scales.season.tolist()),
            last=tuple(panel.last.tolist()),
            shares=counted,
            window=window,
        )
