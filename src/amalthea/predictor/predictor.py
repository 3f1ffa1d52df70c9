"""A trained model at work."""

from __future__ import annotations

import dataclasses
import html
import importlib
import os
from collections.abc import Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.datasets.dataset import Dataset, Inputs, Refusal, Target
from amalthea.datasets.messages import shortened
from amalthea.domains import domain
from amalthea.domains.protocol import Featurizer
from amalthea.errors import AmaltheaError, DataError
from amalthea.predictor.predictions import Calibration, answer_all, beside, columns, mixed, pooled
from amalthea.training.prediction import Prediction
from amalthea.validation.applicability_domain import Applicability
from amalthea.validation.calibration import IntervalCalibration
from amalthea.validation.metrics import bootstrap
from amalthea.validation.summary import Validation

if TYPE_CHECKING:
    from amalthea.training.ensemble import Ensemble

NO_ANSWER = "the network's answer is no finite number"
FAR = 95.0
"""The percentile of the distance to the training set above which a prediction is warned of."""


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """A set of features and the ensemble that learned from them.

    Args:
        featurizer: makes the features.
        ensemble: the networks.
        shares: shape (folds, sum of the targets' widths): how much they count beside the other parts in each fold.
    """

    featurizer: Featurizer
    ensemble: Ensemble
    shares: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Predictor:
    """A trained model: asked, judged on new data, saved and opened.

    Args:
        domain: the kind of data: "tables", "molecules".
        targets: what it predicts.
        parts: one ensemble for each set of features in use, all on the same folds; their answers are mixed.
        calibrations: one a target: what turns the members' spread into an honest interval, or probabilities into
            honest ones; None with one fold.
        applicability: how far from the training set an example lies.
        input_state: what the domain must remember to read inputs.
        validation: the figures, from rows that the answering members never saw.
        out_of_fold: one row a training example: row, fold, target, and the columns of `table`.
        facts: where it all came from: data, settings, versions, refused rows, notes.
        examples: the training examples in their own form; empty if they were not saved.
    """

    domain: str
    targets: tuple[Target, ...]
    parts: tuple[Part, ...]
    calibrations: tuple[Calibration, ...]
    applicability: Applicability
    input_state: Mapping[str, Any]
    validation: Validation
    out_of_fold: pd.DataFrame
    facts: Mapping[str, Any]
    examples: pd.DataFrame

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The rows of the training file that could not be used."""
        return tuple(Refusal(**refusal) for refusal in self.facts["refused"])

    def predict(self, inputs: Any) -> Prediction:
        """Predict the targets of new examples.

        Args:
            inputs: a file, a table, or a list of examples (SMILES; rows as dicts; or both as one dict of columns).

        Returns:
            For one regression `mean`, `std`, `lower`, `upper` of shape (n,); for one classification `mean` and `std`
            of shape (n, classes); for several targets dicts of these by target. Rows that cannot be predicted stay in
            place with NaN and a reason in `problems`.

        Raises:
            AmaltheaError: nothing in `inputs` can be used.
        """
        home = domain(self.domain)
        if isinstance(inputs, str) and not os.path.exists(inputs):
            raise DataError(f"no such file: {shortened(inputs)}. An example itself is given in a list: predict([...]).")
        if isinstance(inputs, str | os.PathLike):
            read = list(home.read_inputs(Path(inputs), dict(self.input_state), rows=1_000_000_000))
            asked = read[0] if read else home.inputs(pd.DataFrame(), dict(self.input_state))
        else:
            asked = home.inputs(_as_table(inputs), dict(self.input_state))
        return self.answer(asked)

    def answer(self, asked: Inputs) -> Prediction:
        """Predict for inputs that the domain has read."""
        count = len(asked)
        problems = asked.problems.copy()
        good = np.flatnonzero(problems == "")
        features, problems[good] = self._features(asked.examples.iloc[good])
        good = good[(problems[good] == "").astype(bool)] if len(good) else good
        width = sum(target.width for target in self.targets)
        members = np.full((len(self.parts[0].ensemble), count, width), np.nan, np.float32)
        applicability = np.full(count, np.nan)
        if len(good):
            kept = [values[np.isin(np.flatnonzero(asked.problems == ""), good)] for values in features]
            members[:, good] = mixed(
                [part.ensemble.predict(x).members for part, x in zip(self.parts, kept, strict=True)],
                [np.repeat(part.shares, part.ensemble.members, axis=0)[:, None] for part in self.parts],
            )
            applicability[good] = self.applicability.percentile(kept[0])
        warnings = asked.warnings.copy()
        for row in np.flatnonzero(applicability > FAR):
            warnings[row] = "; ".join(filter(None, [warnings[row], "far from the training set"]))
        powers = [c.power if isinstance(c, IntervalCalibration) else 1.0 for c in self.calibrations]
        widths = [target.width for target in self.targets]
        mean, std = pooled(members, self.parts[0].ensemble.folds, np.repeat(powers, widths))
        problems[(problems == "") & ~np.isfinite(mean).all(axis=1)] = NO_ANSWER
        return dataclasses.replace(
            answer_all(self.targets, self.calibrations, mean, std, members),
            applicability=applicability,
            problems=problems,
            warnings=warnings,
        )

    def stream(self, path: Path, rows: int = 10_000) -> Iterator[pd.DataFrame]:
        """Yield the table of predictions for a file, at most `rows` rows at a time, so that memory does not grow."""
        home = domain(self.domain)
        for asked in home.read_inputs(path, dict(self.input_state), rows):
            yield self.table(asked)

    def table(self, asked: Inputs) -> pd.DataFrame:
        """Return the input's columns and, behind them, the columns of `amalthea predict`; see `beside`."""
        return beside(asked.table, columns(self.answer(asked), self.targets, asked.table.index))

    def trained_on(self, data: Dataset) -> NDArray[np.bool_]:
        """Say which examples are copies of training examples, shape (n,).

        Where the model was saved without its examples, only a file is known again, by its fingerprint.
        """
        names = list(domain(self.domain).identity or data.examples.columns)
        if not set(names) <= set(self.examples.columns):
            same = bool(data.fingerprint) and data.fingerprint == self.facts["fingerprint"]
            return np.full(len(data), same)
        known = set(_rows(self.examples[names]))
        return np.array([row in known for row in _rows(data.examples[names])], bool)

    def evaluate(self, data: Dataset) -> dict[str, dict[str, Any]]:
        """Return, by target, the metrics on new labelled data, as `Figure`s with bootstrap errors.

        Raises:
            AmaltheaError: the data have other targets, or no example has both a value and a prediction.
        """
        if data.domain != self.domain:
            raise AmaltheaError(f"This model knows {self.domain}, and these data are {data.domain}.")
        if [target.name for target in data.targets] != [target.name for target in self.targets]:
            told = ", ".join(target.name for target in data.targets)
            raise AmaltheaError(f"These data have other targets than the model: {told}.")
        asked = Inputs(data.examples, data.examples, np.full(len(data), "", object), np.full(len(data), "", object))
        prediction = self.answer(asked)
        figures = {}
        for index, target in enumerate(self.targets):
            mean = prediction.mean[target.name] if len(self.targets) > 1 else prediction.mean
            known = np.isfinite(data.values[:, index]) & np.isfinite(mean.reshape(len(data), -1)).all(axis=1)
            if not known.any():
                raise DataError(f"No example here has both a value of {target.name!r} and a prediction.")
            scores = bootstrap(target.task, data.values[known, index], {"network": mean[known]}, data.groups[known])
            figures[target.name] = dict(scores.figures["network"])
        return figures

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

    def report(self, path: str | os.PathLike[str], *, language: str = "en", learning_curve: bool = False) -> None:
        """Write the report of this model: one HTML file that opens offline.

        Args:
            path: the file, written whole or not at all.
            language: "en" or "pt-BR".
            learning_curve: train again on parts of the data (some minutes) to see what more examples would give.

        Raises:
            AmaltheaError: the file cannot be written, or what a report needs is not installed.
        """
        # By name, because the report is built upon predictors, and not the other way round.
        pages = importlib.import_module("amalthea.reporting")
        pages.write(self, path, language=language, learning_curve=learning_curve)

    def __repr__(self) -> str:
        ensemble = self.parts[0].ensemble
        names = " + ".join(part.featurizer.name for part in self.parts)
        head = (
            f"<Predictor of {', '.join(target.name for target in self.targets)} from {names}: "
            f"{len(self.out_of_fold)} examples, {ensemble.folds} folds x {ensemble.members} members>"
        )
        return f"{head}\n{self.validation}"

    def _repr_html_(self) -> str:
        head = repr(self).partition("\n")[0]
        return f"<p>{html.escape(head[1:-1])}</p>{self.validation._repr_html_()}"

    def _features(self, examples: pd.DataFrame) -> tuple[list[NDArray[Any]], NDArray[np.object_]]:
        made = [part.featurizer.transform(examples) for part in self.parts]
        problems = np.full(len(examples), "", object)
        for _, found in made:
            problems = np.where(problems == "", found, problems)
        return [values for values, _ in made], problems


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
