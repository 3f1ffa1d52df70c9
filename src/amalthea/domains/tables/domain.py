"""Tables as a kind of data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amalthea import backend
from amalthea.datasets import class_balance
from amalthea.datasets.archive import checked
from amalthea.datasets.assembly import ParsedTable, assemble, well_formed
from amalthea.datasets.cells import as_record, from_record, plain_numbers
from amalthea.datasets.columns import as_text, is_missing, natural_order
from amalthea.datasets.dataset import Dataset, Inputs, ReadOptions, Target
from amalthea.datasets.files import iterate_table, malformed, read_table
from amalthea.datasets.messages import listed
from amalthea.datasets.targets import read_targets
from amalthea.domains.column_features import Columns, ColumnsState, LinearColumns
from amalthea.domains.layout import Layout, as_examples, find_layout, kept_columns, with_known_names
from amalthea.domains.networks import dense
from amalthea.domains.protocol import Defaults, Featurizer, Fields, Nouns
from amalthea.domains.tabular_inputs import Rows
from amalthea.errors import DataError

FEATURIZERS: dict[str, type[Columns]] = {"columns": Columns, "linear": LinearColumns}

NOTHING_KNOWN = "no feature is known"


class Tables(Rows):
    """Rows of numbers and categories."""

    name: str = "tables"
    nouns: Nouns = Nouns("row", "rows")
    input_state_type: Any = ColumnsState
    keras_modules: Sequence[str] = ("amalthea.domains.linear_network",)
    feature_choices: Sequence[str] = ("auto", *FEATURIZERS)

    def parts(self, examples: pd.DataFrame) -> Fields:
        """Return that rows consist of their columns."""
        return Fields([str(name) for name in examples.columns])

    def recognises(self, table: pd.DataFrame) -> bool:
        """Say that any table holds rows of columns."""
        return not table.empty

    def dataset(self, table: pd.DataFrame, name: str, options: ReadOptions) -> Dataset:
        """Turn a table into examples and targets: every column that is no target becomes a feature, or is noted.

        Raises:
            DataError: the table cannot be used.

        Example:
            >>> table = pd.DataFrame({"x": ["1", "2", "4"], "y": ["0.1", "0.3", "0.2"]}, index=[2, 3, 4], dtype="str")
            >>> Tables().dataset(table, "small", ReadOptions(target=("y",)))
            <Dataset small: 3 tables examples, y (regression), 0 refused>
        """
        table, refused = well_formed(table)
        table, writings, written = plain_numbers(table, options.keep)
        labels = read_targets(table, options)
        targets = [target.name for target in labels.targets]
        for target in set(targets) & set(options.keep):
            raise DataError(f"'{target}' is the target, which cannot be a feature too. Take it out of --keep.")
        keep = kept_columns([*options.keep, *options.beside], list(map(str, table.columns)))
        layout = find_layout(table, [*targets, *options.ignore], keep, labels)
        examples = as_examples(table, layout)
        problems = np.where(examples.isna().all(axis=1), NOTHING_KNOWN, "").astype(object)
        state = {"written": as_record(writings)}
        notes = (*written, *layout.notes)
        parsed = ParsedTable(examples, problems, list(examples.columns), notes, input_state=state)
        return assemble(name, self.name, table, labels, parsed, options, refused)

    def input_state(self, dataset: Dataset) -> dict[str, Any]:
        """Return the features' columns, the values of the categories, and how numbers are written, as JSON."""
        return {**self._featurizer(dataset).state(), **dataset.input_state}

    def inputs(self, source: Any, state: dict[str, Any]) -> Inputs:
        """Turn a table, a list of rows as dicts, or a file into examples; values that cannot be read count as missing.

        Raises:
            DataError: a column that the model needs is not there.
        """
        table = read_table(source) if isinstance(source, str | Path) else as_text(pd.DataFrame(source))
        return self._inputs(table, state)

    def read_inputs(self, path: Path, state: dict[str, Any], rows: int) -> Iterator[Inputs]:
        """Yield the examples of a file, at most `rows` at a time."""
        for table in iterate_table(path, rows):
            yield self._inputs(table, state)

    def featurizers(self, dataset: Dataset, choice: str) -> tuple[Featurizer, ...]:
        """Return the columns, for a dense or a linear network; "auto": dense, and linear too where a class is rare.

        Few examples of a class are too few for many weights: which network serves is found by measurement.

        Raises:
            DataError: `choice` is not one of `feature_choices`.
        """
        if choice not in self.feature_choices:
            raise DataError(f"tables have no features '{choice}'. Choose one of: {', '.join(self.feature_choices)}.")
        names = (choice,) if choice != "auto" else tuple(FEATURIZERS) if _has_rare_class(dataset) else ("columns",)
        return tuple(self._featurizer(dataset, name) for name in names)

    def restore(self, state: dict[str, Any]) -> Featurizer:
        """Return the featurizer that `Columns.state` described."""
        stored = checked(ColumnsState, state, "model.json, featurizers")
        return FEATURIZERS[stored.name](stored.numbers, stored.categories)

    def network(self, featurizer: Featurizer, targets: Sequence[Target], defaults: Defaults, steps: int) -> Any:
        """Return a compiled network: without hidden layers for the features "linear", else a dense one."""
        if not isinstance(featurizer, LinearColumns):
            return dense(featurizer, targets, defaults, steps)
        backend.prepare()
        from amalthea.domains.linear_network import linear

        return linear(featurizer, targets, defaults, steps)

    def _featurizer(self, dataset: Dataset, name: str = "columns") -> Columns:
        categories = {str(n): c for n, c in dataset.examples.items() if not pd.api.types.is_numeric_dtype(c)}
        plain = [name for name in map(str, dataset.examples.columns) if name not in categories]
        return FEATURIZERS[name](plain, {n: natural_order(c.dropna().unique()) for n, c in categories.items()})

    def _inputs(self, table: pd.DataFrame, state: dict[str, Any]) -> Inputs:
        layout = Layout(tuple(state["numbers"]), tuple(state["categories"]))
        given = table
        table = with_known_names(table, [*layout.numbers, *layout.categories])
        table = plain_numbers(table, known=from_record(state.get("written", {})))[0]
        absent = [name for name in (*layout.numbers, *layout.categories) if name not in table.columns]
        if absent:
            there = f"There are: {listed(table.columns)}."
            raise DataError(f"the model needs these columns, which are not there: {listed(absent)}. {there}")
        examples = as_examples(table, layout, state["categories"])
        warnings: list[list[str]] = [[] for _ in range(len(table))]
        for name in layout.numbers:
            for row in np.flatnonzero(examples[name].isna() & ~is_missing(table[name])):
                warnings[row].append(f"'{name}' is '{table[name].iloc[row]}', no finite number: taken as missing")
        for name in layout.categories:
            for row in np.flatnonzero(examples[name].notna() & ~examples[name].isin(state["categories"][name])):
                warnings[row].append(f"'{name}' is '{table[name].iloc[row]}', which the model has never seen")
        misfits = malformed(table)
        unknown = np.where(examples.isna().all(axis=1), NOTHING_KNOWN, "")
        problems = [misfits.get(line, problem) for line, problem in zip(table.index, unknown, strict=True)]
        sentences = np.array(["; ".join(warning) for warning in warnings], object)
        return Inputs(given, examples, np.array(problems, object), sentences)


def _has_rare_class(dataset: Dataset) -> bool:
    classes = ((index, target) for index, target in enumerate(dataset.targets) if target.task == "classification")
    return any(class_balance.has_rare_class(dataset.values[:, index], target.width) for index, target in classes)
