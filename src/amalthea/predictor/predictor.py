"""A trained model at work."""

from __future__ import annotations

import dataclasses
import functools
import html
import os
import re
from collections.abc import Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Inputs, Refusal, Target
from amalthea.datasets.messages import shortened
from amalthea.datasets.splits import row_digests
from amalthea.domains import domain
from amalthea.domains.protocol import Featurizing
from amalthea.errors import DataError
from amalthea.predictor.outside import Outside, treated
from amalthea.predictor.predictions import beside
from amalthea.predictor.provenance import Provenance
from amalthea.tasks import task
from amalthea.tasks.protocol import Calibration, Forecasting, Part
from amalthea.training.prediction import Prediction
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.summary import Validation

if TYPE_CHECKING:
    from amalthea.predictor.evaluation import Evaluation

NO_ANSWER = "the network's answer is no finite number"
RAW = re.compile(r"(^|_)raw_(std|force_std|probability_|distance|excess|base_share)")
"""The columns of the out-of-fold table that hold answers before any calibration."""
FAR = 95.0
"""The percentile of the distance to the training set above which a prediction is warned of."""
MOST_RECOGNIZED = 20_000
"""Training examples that are known again by their features; more of them only as they stand."""


@dataclasses.dataclass(frozen=True, eq=False)
class Predictor:
    """A trained model: asked, judged on new data, saved and opened.

    Args:
        domain: the name of the kind of data.
        task: the name of the kind of answer.
        targets: what it predicts.
        parts: one ensemble for each set of features in use, all on the same folds; their answers are mixed.
        calibrations: one a target: what turns the members' spread into an honest interval, or probabilities into
            honest ones; None with one fold.
        applicability: how far from the training set an example lies.
        input_state: what the domain must remember to read inputs.
        validation: the figures, from rows that the answering members never saw.
        out_of_fold: one row a training example: row, fold, target, and the columns of `table`.
        provenance: where it all came from: data, settings, versions, refused rows, notes.
        examples: the training examples in their own form; empty if they were not saved.
        state: what the task must remember beside all that, of its type `Task.state_type`.
        arrays: the arrays that it must remember, by name.
    """

    domain: str
    task: str
    targets: tuple[Target, ...]
    parts: tuple[Part, ...]
    calibrations: tuple[Calibration, ...]
    applicability: Applicability
    input_state: Mapping[str, Any]
    validation: Validation
    out_of_fold: pd.DataFrame
    provenance: Provenance
    examples: pd.DataFrame
    state: Any = None
    arrays: Mapping[str, NDArray[Any]] = dataclasses.field(default_factory=dict)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The rows of the training file that could not be used."""
        return self.provenance.refused

    @property
    def predictions(self) -> pd.DataFrame:
        """The out-of-fold table without what was answered before any calibration."""
        raw = [name for name in self.out_of_fold.columns if RAW.search(str(name))]
        return self.out_of_fold.drop(columns=raw)

    @property
    def seed(self) -> int:
        """Everything random followed from it."""
        return int(self.parts[0].ensemble.seed if self.parts else self.provenance.chosen.get("seed", 0))

    @functools.cached_property
    def ready(self) -> Any:
        """What the task keeps ready for answers."""
        return task(self.task).restore(self)

    def predict(self, inputs: Any, *, outside: Outside = "warn") -> Prediction:
        """Predict the targets of new examples.

        Args:
            inputs: a file, a table, or a list of examples (SMILES; rows as dicts; or both as one dict of columns).
            outside: what becomes of examples outside of what was learned: "warn" (their warning begins with
                "outside"), "refuse" or "answer".

        Returns:
            For one regression `mean`, `std`, `lower`, `upper` of shape (n,); for one classification `mean` and `std`
            of shape (n, classes); for several targets dicts of these by target. Rows that cannot be predicted stay in
            place with NaN and a reason in `problems`.

        Raises:
            AmaltheaError: nothing in `inputs` can be used.
        """
        kind = domain(self.domain)
        if isinstance(inputs, str) and not os.path.exists(inputs):
            raise DataError(f"no such file: {shortened(inputs)}. An example itself is given in a list: predict([...]).")
        if isinstance(inputs, str | os.PathLike):
            read = list(kind.read_inputs(Path(inputs), dict(self.input_state), rows=1_000_000_000))
            asked = read[0] if read else kind.inputs(pd.DataFrame(), dict(self.input_state))
        else:
            asked = kind.inputs(_as_table(inputs), dict(self.input_state))
        return self.answer(asked, outside)

    def answer(self, asked: Inputs, outside: Outside = "warn") -> Prediction:
        """Predict for inputs that the domain has read."""
        return treated(task(self.task).answer(self, asked), outside)

    def forecast(self, newer: Any = None, levels: Sequence[float] = ()) -> pd.DataFrame:
        """Return what follows the last known step of each series; see `amalthea.forecast`.

        Args:
            newer: a file or a table with steps later than those learned from, and what is known of the future.
            levels: of further intervals beside that of 90 %.

        Raises:
            DataError: the model is none of series, or `newer` cannot be used.
        """
        if not all(0 < level < 1 for level in levels):
            raise DataError(f"a level lies between 0 and 1. Received: {', '.join(map(str, levels))}")
        return self._forecasting().forecast(self, None if newer is None else self._series(newer), levels)

    def anomalies(self, newer: Any, alarms: float = 1.0) -> pd.DataFrame:
        """Return the values of series since the training, each with its band and whether it lies outside.

        Args:
            newer: a file or a table with steps later than those learned from.
            alarms: false alarms that are put up with, a month and series (in a thousand steps that are no times).

        Raises:
            DataError: the model is none of series, `newer` cannot be used, or too little was held out in training.
        """
        if not alarms > 0:
            raise DataError(f"false alarms a month are more than none. Received: {alarms}")
        return self._forecasting().anomalies(self, self._series(newer), alarms)

    def _forecasting(self) -> Forecasting:
        answer = task(self.task)
        if not isinstance(answer, Forecasting):
            raise DataError(f"this model answers {self.task}, and forecasts nothing: ask it with predict.")
        return answer

    def _series(self, newer: Any) -> Inputs:
        source = Path(newer) if isinstance(newer, str | os.PathLike) else newer
        return domain(self.domain).inputs(source, dict(self.input_state))

    def stream(self, path: Path, rows: int = 10_000) -> Iterator[pd.DataFrame]:
        """Yield the table of predictions for a file, at most `rows` rows at a time, so that memory does not grow."""
        kind = domain(self.domain)
        for asked in kind.read_inputs(path, dict(self.input_state), rows):
            yield self.table(asked)

    def table(self, asked: Inputs, outside: Outside = "warn") -> pd.DataFrame:
        """Return the input's columns and, behind them, the columns of `amalthea predict`; see `beside`."""
        return beside(asked.table, task(self.task).columns(self, self.answer(asked, outside), asked.table.index))

    def trained_on(self, data: Dataset) -> NDArray[np.bool_]:
        """Say which examples are copies of training examples, shape (n,): alike as they stand, or in all features.

        Where the model was saved without its examples, only a file is known again, by its fingerprint.
        """
        kind = domain(self.domain)
        names = list(kind.identity or data.examples.columns)
        if not set(names) <= set(self.examples.columns):
            same = bool(data.fingerprint) and data.fingerprint == self.provenance.fingerprint
            return np.full(len(data), same)
        if isinstance(kind, Featurizing) and len(self.examples) <= MOST_RECOGNIZED:
            learned = set(self._digests(self.examples))
            return np.array([digest in learned for digest in self._digests(data.examples)], bool)
        known = set(_rows(self.examples[names]))
        return np.array([row in known for row in _rows(data.examples[names])], bool)

    def _digests(self, examples: pd.DataFrame) -> list[bytes]:
        made = [part.featurizer.transform(examples)[0] for part in self.parts]
        nothing = np.full(len(examples), "", object)
        return row_digests(made or [task(self.task).positions(self, Inputs(examples, examples, nothing, nothing))])

    def evaluate(self, data: Any) -> Evaluation:
        """Judge the model on labelled data that it was not trained on; see `amalthea.evaluate`.

        Args:
            data: a file, a table, a catalogue name or a `Dataset`, with the model's target columns.

        Raises:
            AmaltheaError: the data cannot be used, or no example has both a value and a prediction.
        """
        from amalthea.predictor.evaluation import evaluate

        return evaluate(self, data)

    def save(self, path: str | os.PathLike[str], *, examples: bool = True) -> None:
        """Write the model to one file, whole or not at all.

        Args:
            path: by custom `NAME.amalthea`.
            examples: keep the training examples in the file.

        Raises:
            DataError: the file cannot be written.
        """
        from amalthea.predictor.serialization import save

        save(self, Path(path), examples=examples)

    def __repr__(self) -> str:
        names = " + ".join(part.featurizer.name for part in self.parts) or self.validation.targets[0].answering
        trained = [f"{part.ensemble.folds} folds x {part.ensemble.members} members" for part in self.parts[:1]]
        head = (
            f"<Predictor of {', '.join(target.name for target in self.targets)} from {names}: "
            f"{', '.join([f'{len(self.out_of_fold)} examples', *trained])}>"
        )
        return f"{head}\n{self.validation}"

    def _repr_html_(self) -> str:
        head = repr(self).partition("\n")[0]
        return f"<p>{html.escape(head[1:-1])}</p>{self.validation._repr_html_()}"


def _as_table(inputs: Any) -> Any:
    """Return rows given as dicts, or one dict of columns, as a table; everything else as it is."""
    if isinstance(inputs, Mapping):
        single = not any(isinstance(values, Sized) and not isinstance(values, str) for values in inputs.values())
        return pd.DataFrame([inputs] if single else dict(inputs))
    if isinstance(inputs, Sequence) and len(inputs) and all(isinstance(row, Mapping) for row in inputs):
        return pd.DataFrame(list(inputs))
    return inputs


def _rows(examples: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return each row as a tuple, None where a value is missing."""
    known = examples.astype(object).where(examples.notna(), None)
    return list(known.itertuples(index=False, name=None))
