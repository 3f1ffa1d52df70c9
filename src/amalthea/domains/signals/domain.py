"""Signals as a kind of data: spectra, recordings, any sequence of numbers that has one answer as a whole."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from amalthea.datasets.archive import checked, pack_arrays, unpack_arrays
from amalthea.datasets.assembly import ParsedTable, assemble, labelled_rows, well_formed
from amalthea.datasets.columns import as_text
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target
from amalthea.datasets.files import malformed, read_table
from amalthea.datasets.messages import listed
from amalthea.datasets.targets import choose_targets, read_targets
from amalthea.domains.protocol import Defaults, Featurizer, Nouns, Pieces
from amalthea.domains.signals import drawing, formats, known
from amalthea.domains.signals.columns import find_columns
from amalthea.domains.signals.featurizers import Featurized, Kernels, Spectrum, Values, restore
from amalthea.domains.signals.reading import (
    Traces,
    TraceState,
    channel_columns,
    common_grid,
    onto_grid,
    propose,
    read_long,
    read_wide,
    reading_notes,
    settle,
)
from amalthea.domains.tabular_inputs import Rows
from amalthea.errors import DataError

FEWEST_FOR_CONVOLUTION = 40
"""Examples from which on a convolution is tried."""

MANY = 2_000
"""Examples from which on fewer random kernels are enough."""

ROCKET = """@article{dempster2020, author = {Dempster, Angus and Petitjean, Fran{\\c{c}}ois and Webb, Geoffrey I.},
  title = {{ROCKET}: Exceptionally Fast and Accurate Time Series Classification using Random Convolutional Kernels},
  journal = {Data Mining and Knowledge Discovery}, volume = {34}, pages = {1454--1495}, year = {2020}}"""

PLS = """@article{wold2001, author = {Wold, Svante and Sj{\\"o}str{\\"o}m, Michael and Eriksson, Lennart},
  title = {{PLS}-Regression: a Basic Tool of Chemometrics}, journal = {Chemometrics and Intelligent Laboratory Systems},
  volume = {58}, pages = {109--130}, year = {2001}}"""

INCEPTION = """@article{fawaz2020, author = {Ismail Fawaz, Hassan and others}, title = {{InceptionTime}: Finding
  {AlexNet} for Time Series Classification}, journal = {Data Mining and Knowledge Discovery}, volume = {34},
  pages = {1936--1962}, year = {2020}}"""
"""The works on which traces rest, as BibTeX."""


class Signals(Rows):
    """Sequences of numbers, each with answers of its own."""

    name: str = "signals"
    precedence: int = 25
    nouns: Nouns = Nouns("sequence", "sequences")
    asked_by: str = "sequence"
    identity: Sequence[str] = ("key",)
    input_state_type: Any = TraceState
    feature_choices: Sequence[str] = ("auto", "kernels", "spectrum", "trace")
    keras_modules: Sequence[str] = ("amalthea.domains.signals.networks",)
    network_choices: Sequence[str] = ("auto",)
    suggestions: Mapping[str, str] = MappingProxyType({"train": "--features spectrum"})

    def claims(self, path: Path) -> bool:
        """Say whether this is a .ts file, or an .npz with an array of traces."""
        return formats.is_ts(path) or formats.holds_traces(path)

    def recognises(self, table: pd.DataFrame) -> bool:  # noqa: ARG002
        """Say no: only where a sequence is named does a table hold one."""
        return False

    def read(self, paths: Sequence[Path], name: str, options: ReadOptions) -> Dataset:
        """Read a file of traces, a training and a test file, or a data set of the catalogue.

        Raises:
            DataError: they cannot be used, or have no labels.
        """
        if name in known.CONVENTIONS:
            usual = known.CONVENTIONS[name]
            asked = dataclasses.replace(
                options, sequence=options.sequence or (usual.sequence,), target=options.target or (usual.target,)
            )
            return self._of_table(known.side_by_side(paths), name, asked, usual.unit)
        ordered = sorted(paths, key=lambda path: "_TEST" in path.name.upper())
        if len(paths) > 2 or (len(paths) == 2 and "_TEST" not in ordered[1].name.upper()):
            raise DataError(f"give one file of sequences, or NAME_TRAIN and NAME_TEST. Received: {listed(paths)}.")
        array, label = (options.sequence or ("",))[0], (options.target or ("",))[0]
        recorded = _recorded(ordered[0], array, label)
        if len(paths) == 2:
            recorded = dataclasses.replace(recorded, test=_recorded(ordered[1], array, label))
        return self._of_file(recorded, name, options, array)

    def dataset(self, table: pd.DataFrame, name: str, options: ReadOptions) -> Dataset:
        """Turn a table into traces and targets.

        Args:
            table: all columns as text: a trace a row, in the columns that `sequence` names; or a place a row, with
                `series`, `order`, and the channels in `sequence`, or in all other columns of numbers.
            name: what the data set is called.
            options: these, and the targets.

        Raises:
            DataError: the table cannot be used.

        Example:
            >>> table = pd.DataFrame({"850nm": ["1", "2", "3"], "852nm": ["2", "4", "5"], "fat": ["10", "20", "25"]})
            >>> Signals().dataset(table.astype("str"), "small", ReadOptions(target=("fat",), sequence=("850nm:852nm",)))
            <Dataset small: 3 signals examples, fat (regression), 0 refused>
        """
        return self._of_table(table, name, options)

    def _of_table(self, table: pd.DataFrame, name: str, options: ReadOptions, unit: str = "") -> Dataset:
        table, refused = well_formed(table)
        if options.order is None:
            columns, notes = find_columns(list(map(str, table.columns)), options.sequence or ())
            for target in set(options.target) & set(columns):
                raise DataError(
                    f"'{target}' is the target, and lies in the sequence too. Name the sequence's ends anew."
                )
            read, state = read_wide(table, columns), TraceState("wide", columns)
            read.notes[:0] = notes
        else:
            read, state = self._long(table, options)
        return self._assembled(read, state, name, options, refused, unit)

    def _long(self, table: pd.DataFrame, options: ReadOptions) -> tuple[Traces, TraceState]:
        if options.series is None or options.order is None:
            raise DataError("name the column that tells sequences apart: --series NAME.")
        taken = (options.series, options.order, *options.target, *options.ignore)
        asked = options.sequence or ()
        if not options.target:
            raise DataError("name what is to be learned: --target NAME.")
        columns = tuple(part for text in asked for part in text.split(",")) or channel_columns(table, taken)
        read, grids = read_long(table, options.series, options.order, columns, options.target)
        grid = common_grid(grids)
        if grid:
            onto_grid(read, grids, grid, options.order)
        else:
            read.notes.append(f"The sequences have different places in '{options.order}': only their order counts.")
        read.notes.append(f"The values are in {listed(columns)}, a sequence for each '{options.series}'.")
        return read, TraceState("long", columns, options.series, options.order, grid)

    def _of_file(self, recorded: formats.Recorded, name: str, options: ReadOptions, array: str) -> Dataset:
        if recorded.labels is None:
            raise DataError(f"{name} has sequences and no labels, so there is nothing to be learned.")
        label = options.target[0] if options.target else recorded.label
        task = options.task or (recorded.task if options.threshold is None else None)
        asked = dataclasses.replace(options, target=(label,), task=task)
        dataset = self._assembled(
            _as_read(recorded, label), TraceState("file", (array,) if array else (), label=label), name, asked
        )
        if recorded.test is None or recorded.test.labels is None:
            return dataset
        state = checked(TraceState, dataset.input_state, "input_state")
        inputs = _settled(_as_read(recorded.test, label), state)
        test = labelled_rows(f"{name}, test set", self.name, inputs, dataset.targets, self.identity)
        return dataclasses.replace(dataset, test=test)

    def _assembled(
        self,
        read: Traces,
        state: TraceState,
        name: str,
        options: ReadOptions,
        refused: tuple[Any, ...] = (),
        unit: str = "",
    ) -> Dataset:
        state = propose(read, state)
        settle(read, state)
        labels = read_targets(read.table, options, [state.series] if state.series else [], unit)
        parsed = ParsedTable(
            examples=read.examples(),
            problems=np.array(read.problems, object),
            identity=list(self.identity),
            notes=reading_notes(read, state),
            noun=self.nouns.one,
            input_state=dataclasses.asdict(state),
        )
        return assemble(name, self.name, read.table, labels, parsed, options, refused)

    def labelled(self, source: Any, targets: Sequence[Target], state: dict[str, Any]) -> Dataset:
        """Read new labelled data the way a model reads its inputs; a file of its own has one target, by any name."""
        if state["form"] == "long" and not isinstance(source, Traces):
            table = read_table(source) if isinstance(source, str | Path) else as_text(pd.DataFrame(source))
            choose_targets(table, [target.name for target in targets], ())
        return super().labelled(source, targets, state)

    def inputs(self, source: Any, state: dict[str, Any]) -> Inputs:
        """Turn traces into examples.

        Args:
            source: a file or a table as the model learned from, a .ts or .npz; an array of shape (n, places) or (n,
                places, channels); a list of arrays.
            state: as `input_state` gave it.

        Raises:
            DataError: a column is not there, or there are no traces.
        """
        remembered: TraceState = checked(TraceState, state, "model.json, input_state")
        if isinstance(source, str | Path):
            path = Path(source)
            if self.claims(path) or remembered.form == "file":
                array = remembered.columns[0] if remembered.form == "file" and remembered.columns else ""
                label = remembered.label or formats.LABEL
                return _settled(_as_read(_recorded(path, array, label, needed=False), label), remembered)
            source = read_table(path)
        elif isinstance(source, pd.DataFrame):
            source = source if "malformed" in source.attrs else as_text(source)
        else:
            return _settled(_of_arrays(source), remembered)
        misfits = malformed(source)
        if remembered.form == "wide":
            read = read_wide(source, remembered.columns)
        elif remembered.form == "long":
            read, grids = read_long(source, remembered.series, remembered.order, remembered.columns)
            if remembered.grid:
                onto_grid(read, grids, remembered.grid, remembered.order)
        else:
            raise DataError("this model reads sequences from .ts or .npz files, or arrays: no tables.")
        read.problems = [
            misfits.get(line, problem) for line, problem in zip(read.table.index, read.problems, strict=True)
        ]
        return _settled(read, remembered)

    def featurizers(self, dataset: Dataset, choice: str) -> tuple[Featurizer, ...]:
        """Return the features that are asked for; "auto": kernels and spectrum, from 40 examples on also the values.

        Raises:
            DataError: `choice` is not one of `feature_choices`.
        """
        if choice not in self.feature_choices:
            raise DataError(f"sequences have no features '{choice}'. Choose one of: {', '.join(self.feature_choices)}.")
        state: TraceState = checked(TraceState, dataset.input_state, "input_state")
        made: dict[str, Featurized] = {
            "kernels": Kernels(state.shape, 2000 if len(dataset) < MANY else 500),
            "spectrum": Spectrum(state.shape),
            "trace": Values(state.shape),
        }
        if choice != "auto":
            return (made[choice],)
        return tuple(made.values()) if len(dataset) >= FEWEST_FOR_CONVOLUTION else (made["kernels"], made["spectrum"])

    def restore(self, state: dict[str, Any]) -> Featurizer:
        """Return the featurizer that a `state` described."""
        return restore(state)

    def defaults(self, dataset: Dataset, network: str = "auto") -> Defaults:  # noqa: ARG002
        """Return how traces are learned from: 1,000 steps and more, the square root of the rows."""
        rows = max(len(dataset), 1)
        batch = 16 if rows < 1_000 else 64
        steps = 600 * math.sqrt(max(1.0, rows / 100))
        epochs = min(max(round(steps * batch / rows), 4), 100)
        return Defaults(5, 3, epochs, batch, "adamw", 5e-3, "auto")

    def network(self, featurizer: Featurizer, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:
        """Return a compiled network: convolutions for the values, a linear model that is solved for other features."""
        from amalthea import backend

        backend.prepare()
        from amalthea.domains.signals import networks

        assert isinstance(featurizer, Featurized)
        made = networks.convolution if isinstance(featurizer, Values) else networks.solved
        return made(featurizer, targets, defaults, steps)

    def parts(self, examples: pd.DataFrame) -> Pieces:  # noqa: ARG002
        """Return that traces consist of stretches."""
        return Pieces(drawing.without_stretches, drawing.coloured, drawing.READING)

    def works(self, features: Sequence[str]) -> list[str]:
        """Return the works on which these features rest, as BibTeX."""
        of = {"kernels": ROCKET, "spectrum": PLS, "trace": INCEPTION}
        return [of[name] for name in features if name in of]

    def draw(self, examples: pd.DataFrame, point: str = ".") -> list[str]:  # noqa: ARG002
        """Return each trace as a line, in SVG."""
        return [drawing.line(np.asarray(trace, np.float32)) for trace in examples["trace"]]

    def describe(self, examples: pd.DataFrame) -> list[str]:
        """Return each trace's name, or its first and last values."""
        rows = examples.to_dict("records")
        return [str(row.get("name") or "") or _ends(row["trace"]) for row in rows]

    def pack(self, examples: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, bytes]]:
        """Return the names and keys of traces, and their values one behind the other."""
        if "trace" not in examples:
            return examples, {}
        traces = [np.asarray(trace, np.float32) for trace in examples["trace"]]
        arrays = {"values": np.concatenate(traces), "lengths": np.array([len(trace) for trace in traces])}
        return examples.drop(columns="trace"), {"traces.safetensors": pack_arrays(arrays)}

    def unpack(self, table: pd.DataFrame, parts: Mapping[str, bytes]) -> pd.DataFrame:
        """Return the examples that `pack` packed."""
        if "traces.safetensors" not in parts:
            return table
        arrays = unpack_arrays(parts["traces.safetensors"])
        values, lengths = arrays.get("values"), arrays.get("lengths")
        if values is None or lengths is None or values.ndim != 2 or len(lengths) != len(table):
            raise DataError("the sequences of this model do not fit its table of examples.")
        if (lengths < 0).any() or lengths.sum() != len(values):
            raise DataError("the sequences of this model are damaged: their lengths do not fit.")
        traces = np.split(values.astype(np.float32), np.cumsum(lengths)[:-1])
        return table.assign(trace=pd.Series(traces, index=table.index, dtype=object))


def _recorded(path: Path, array: str = "", label: str = "", needed: bool = True) -> formats.Recorded:
    if path.suffix.lower() == ".npz":
        return formats.read_npz(path, array, label, needed)
    if formats.is_ts(path):
        return formats.read_ts(path)
    return formats.read_rows(path)


def _as_read(recorded: formats.Recorded, label: str) -> Traces:
    columns = {} if recorded.labels is None else {label: recorded.labels}
    table = pd.DataFrame(columns, index=recorded.rows, dtype="str")
    return Traces(table, recorded.traces, recorded.problems, [""] * len(table), list(recorded.notes))


def _of_arrays(source: Any) -> Traces:
    traces: list[Any] = []
    for each in source:
        trace = np.asarray(each, np.float32)
        traces.append(trace[:, None] if trace.ndim == 1 else trace)
        if traces[-1].ndim != 2:
            raise DataError(f"a sequence has the shape (places,) or (places, channels). Received: {trace.shape}")
    table = pd.DataFrame(index=range(1, len(traces) + 1))
    return Traces(table, traces, [""] * len(traces), [""] * len(traces))


def _settled(read: Traces, state: TraceState) -> Inputs:
    warnings = settle(read, state)
    return Inputs(read.table, read.examples(), np.array(read.problems, object), np.array(warnings, object))


def _ends(trace: Any) -> str:
    if trace is None:
        return ""
    values = np.asarray(trace, np.float32)
    return f"{values[0, 0]:.4g} ... {values[-1, 0]:.4g} ({len(values)} places)"
