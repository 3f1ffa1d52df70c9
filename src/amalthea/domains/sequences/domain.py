"""Series in time as a kind of data: one row of a file is one step of one series."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.archive import checked
from amalthea.datasets.assembly import refusals, well_formed
from amalthea.datasets.columns import as_text, is_numeric
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target
from amalthea.datasets.files import read_table
from amalthea.datasets.messages import counted, listed
from amalthea.domains.protocol import Defaults, Featurizer, Nouns
from amalthea.domains.sequences.known import read_known
from amalthea.domains.sequences.panel import panel, seasons
from amalthea.domains.sequences.reading import (
    POSITION,
    SERIES,
    TIME,
    SeriesState,
    check_columns,
    find_state,
    read_series,
    reading_notes,
    time_column,
)
from amalthea.domains.sequences.windows import WindowShape, propose
from amalthea.domains.tabular_inputs import Rows
from amalthea.errors import DataError

FEWEST_STEPS = 16
"""Steps of the longest series with which anything can be learned and judged."""


class Sequences(Rows):
    """Series of numbers on a regular grid of times."""

    name: str = "sequences"
    precedence: int = 90
    task: str = "forecast"
    nouns: Nouns = Nouns("step", "steps")
    asked_by: str = "horizon"
    identity: Sequence[str] = (SERIES, POSITION)
    input_state_type: Any = SeriesState
    feature_choices: Sequence[str] = ("auto", "windows")
    network_choices: Sequence[str] = ("auto", "gru", "lstm", "convolution", "nlinear")
    keras_modules: Sequence[str] = ("amalthea.domains.sequences.networks",)
    suggestions: Mapping[str, str] = MappingProxyType(
        {"verb": "forecast", "predict": "-o forecast.csv", "train": "--members 5"}
    )

    def recognises(self, table: pd.DataFrame) -> bool:  # noqa: ARG002
        """Say no: only with a horizon is a table one of series."""
        return False

    def read(self, paths: Sequence[Path], name: str, options: ReadOptions) -> Dataset:
        """Read a data set of the catalogue, by the conventions of its field."""
        return read_known(self, paths, name, options)

    def dataset(self, table: pd.DataFrame, name: str, options: ReadOptions) -> Dataset:
        """Turn a table into series.

        Args:
            table: all columns as text; the index is the line in the file.
            name: what the data set is called.
            options: `time`, `horizon`, `series`, `known`, `fixed`, `every`, and the targets.

        Raises:
            DataError: the table cannot be used.
        """
        table, malformed = well_formed(table)
        time = time_column(table, options.time)
        horizon = options.horizon or 1
        taken = [time, *filter(None, [options.series]), *options.known, *options.fixed]
        for option in ("series", "known", "fixed"):
            asked = getattr(options, option)
            check_columns(table, [asked] if isinstance(asked, str) else asked or (), f"--{option}")
        targets = options.target or self._only_number(table, taken)
        check_columns(table, targets, "--target")
        if set(targets) & set(taken):
            raise DataError(f"{listed(set(targets) & set(taken))}: a target cannot be something else as well.")
        state = find_state(
            table, time, targets, horizon, options.series or "", options.known, options.fixed, options.every
        )
        read = read_series(table, state)
        left = [str(column) for column in table.columns if column not in (*taken, *targets)]
        notes = reading_notes(read.examples, read.problems, state)
        if left:
            notes.append(f"Not learned from, for their future is not known: {listed(left)}. Name what is with --known.")
        return self.assembled(name, read.examples, read.problems, state, notes, malformed, options.strict)

    def assembled(
        self,
        name: str,
        examples: pd.DataFrame,
        problems: NDArray[np.object_],
        state: SeriesState,
        notes: Sequence[str] = (),
        refused: Sequence[Any] = (),
        strict: bool = False,
        fewest: int = FEWEST_STEPS,
    ) -> Dataset:
        """Return the data set of rows that were read.

        Raises:
            DataError: too few rows can be used, or `strict` and one cannot.
        """
        bad, good = problems != "", examples[problems == ""]
        refused = (*refused, *refusals(_shown(examples[bad]), problems[bad].tolist()))
        refused = tuple(sorted(refused, key=lambda refusal: refusal.row))
        if strict and refused:
            raise DataError(f"{name}: row {refused[0].row}: {refused[0].reason}. Mend it, or leave --strict out.")
        longest = (
            int((good.groupby(SERIES)[POSITION].max() - good.groupby(SERIES)[POSITION].min()).max() + 1)
            if len(good)
            else 0
        )
        if longest < max(fewest, (state.horizon * 4) * (fewest > 1)):
            reason = f" The first row that cannot be used: {refused[0].reason}." if refused else ""
            raise DataError(
                f"{name}: the longest series has {counted(longest, 'step')}, too few to foretell {state.horizon} "
                f"and to be judged: it takes {max(fewest, 4 * state.horizon)}.{reason}"
            )
        good = good.sort_values([SERIES, POSITION], kind="stable")
        return Dataset(
            name=name,
            domain=self.name,
            examples=good.reset_index(drop=True),
            targets=tuple(Target(target, "regression") for target in state.targets),
            values=good[list(state.targets)].to_numpy(np.float64),
            groups=np.arange(len(good)),
            rows=good.index.to_numpy(np.int64),
            columns=good.reset_index(drop=True).astype(str),
            refused=refused,
            notes=tuple(notes),
            input_state=dataclasses.asdict(state),
        )

    def labelled(self, source: Any, targets: Sequence[Target], state: dict[str, Any]) -> Dataset:
        """Read new rows of the series, on the model's own grid of times."""
        asked = self.inputs(source, state)
        there = [target.name for target in targets if target.name in asked.table.columns]
        if len(there) < len(targets):
            raise DataError(f"these data have no column {targets[len(there)].name!r}.")
        known = checked(SeriesState, state, "model.json, input_state")
        nothing = asked.examples[list(known.targets)].isna().all(axis=1).to_numpy(bool) & (asked.problems == "")
        problems = np.where(nothing, "no target is known: a gap", asked.problems).astype(object)
        name = source.stem if isinstance(source, Path) else "table"
        return self.assembled(name, asked.examples, problems, known, fewest=1)

    def inputs(self, source: Any, state: dict[str, Any]) -> Inputs:
        """Turn a table or a file into rows of series; rows without targets tell what is known of the future."""
        table = read_table(source) if isinstance(source, str | Path) else as_text(pd.DataFrame(source))
        read = read_series(table, checked(SeriesState, state, "model.json, input_state"), future=True)
        return Inputs(
            table.loc[read.examples.index], read.examples, read.problems, np.full(len(read.examples), "", object)
        )

    def state(self, dataset: Dataset) -> SeriesState:
        """Return how the series were read."""
        state: SeriesState = checked(SeriesState, dataset.input_state, "input_state")
        return state

    def featurizers(self, dataset: Dataset, choice: str) -> tuple[Featurizer, ...]:
        """Return the window that is seen of these series.

        Raises:
            DataError: `choice` is not one of `feature_choices`.
        """
        if choice not in self.feature_choices:
            raise DataError(f"series have no features '{choice}'. Choose one of: {', '.join(self.feature_choices)}.")
        state = self.state(dataset)
        tracks = panel(dataset.examples, state, 0, 0)
        # Only the first half of the time decides: what is judged has no say.
        middle = int(tracks.first.min() + (tracks.last.max() + 1 - tracks.first.min()) // 2)
        found = seasons(tracks, state.calendar.periods, middle)
        span = int((tracks.last - tracks.first).max()) + 1
        sizes = [len(values) for values in state.fixed.values()]
        return (propose(span, state.horizon, found, len(state.known), sizes),)

    def restore(self, state: dict[str, Any]) -> Featurizer:
        """Return the window that `WindowShape.state` described."""
        window: Featurizer = checked(WindowShape, state, "model.json, featurizers")
        return window

    def defaults(self, dataset: Dataset, network: str = "auto") -> Defaults:  # noqa: ARG002
        """Return how series are learned from when nothing else is said."""
        return Defaults(3, 3, 6, 256, "adam", 3e-3, network)

    def network(self, featurizer: Featurizer, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:  # noqa: ARG002
        """Return a compiled network for a window."""
        from amalthea.domains.sequences.networks import forecaster

        assert isinstance(featurizer, WindowShape)
        return forecaster(featurizer, defaults, steps)

    def describe(self, examples: pd.DataFrame) -> list[str]:
        """Return each step's series and time."""
        return [f"{series} {time}".strip() for series, time in zip(examples[SERIES], examples[TIME], strict=True)]

    def _only_number(self, table: pd.DataFrame, taken: Sequence[str]) -> tuple[str, ...]:
        numeric = [str(name) for name in table.columns if name not in taken and is_numeric(table[name])]
        if len(numeric) != 1:
            raise DataError(f"name what is to be foretold: --target NAME. Columns of numbers: {listed(numeric)}.")
        return (numeric[0],)


def _shown(examples: pd.DataFrame) -> pd.DataFrame:
    return examples[[SERIES, TIME]].fillna("").astype("str")
