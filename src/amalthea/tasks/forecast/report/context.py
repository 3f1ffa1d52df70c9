"""What the sections of a report on a model of series are told: its held-out forecasts, step by step."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from amalthea.datasets.archive import checked
from amalthea.domains.sequences.calendar import parse
from amalthea.domains.sequences.reading import SeriesState
from amalthea.reporting.context import Context


class ForecastContext(Context):
    """A model of series, and the language."""

    @functools.cached_property
    def how(self) -> SeriesState:
        """How the series are read."""
        state: SeriesState = checked(SeriesState, dict(self.predictor.input_state), "model.json, input_state")
        return state

    def called(self, target: str) -> str:
        """Return what a target is called; the one without a name stands for all."""
        return target or self.words("all targets")

    @functools.cached_property
    def errors(self) -> pd.DataFrame:
        """The held-out forecasts of all targets, one row a target and step.

        Target, series, origin, step, time (as text), truth, mean, lower, upper, and the error by the scale of its
        series.
        """
        table, several = self.predictor.out_of_fold, len(self.predictor.targets) > 1
        parts = []
        for target in self.predictor.targets:
            prefix = f"{target.name}_" if several else ""
            values = {name: table[prefix + name].to_numpy(np.float64) for name in ("target", "prediction")}
            ends = {name: table[prefix + name].to_numpy(np.float64) for name in ("lower", "upper")}
            scaled = (values["prediction"] - values["target"]) / table[f"{prefix}raw_std"].to_numpy(np.float64)
            shared = {"target": target.name, "series": table["series"].fillna("").astype(str), "step": table["step"]}
            times = {"origin": table["origin"].astype(str), "time": table[self.how.time].astype(str)}
            named = {"truth": values["target"], "mean": values["prediction"], **ends, "scaled": scaled}
            parts.append(pd.DataFrame({**shared, **times, **named}))
        joined: pd.DataFrame = pd.concat(parts, ignore_index=True)
        known: pd.DataFrame = joined[np.isfinite(joined["scaled"].to_numpy(np.float64))]
        return known

    @functools.cached_property
    def stamps(self) -> pd.Series | None:  # type: ignore[type-arg]
        """The time of each row of `errors`; None where times are plain numbers."""
        if self.how.calendar.unit == "number":
            return None
        seconds = parse(self.errors["time"].astype("str"))[0]
        return pd.Series(pd.to_datetime(seconds, unit="s"), index=self.errors.index)
