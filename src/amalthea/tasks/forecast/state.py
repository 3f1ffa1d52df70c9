"""What a model of series must remember beside its networks."""

from __future__ import annotations

import dataclasses

from amalthea.datasets.archive import Number
from amalthea.domains.sequences.panel import Panel
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
    """

    series: tuple[str, ...]
    channel: tuple[int, ...]
    spread: tuple[Number, ...]
    season: tuple[Number, ...]
    last: tuple[int, ...]

    @classmethod
    def of(cls, panel: Panel, scales: Scales) -> ForecastState:
        """Return the state after all that was learned."""
        numbers = (panel.channel, scales.spread, scales.season, panel.last)
        return cls(tuple(map(str, panel.series)), *(tuple(values.tolist()) for values in numbers))
