"""What is known of a model's quality: its figures, its baselines' figures, and a verdict in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from html import escape
from typing import Any, get_args

from amalthea.datasets.archive import Number
from amalthea.datasets.dataset import Refusal, Task
from amalthea.validation.baselines import baseline_names
from amalthea.validation.distance_bands import Band
from amalthea.validation.metrics import HIGHER_IS_BETTER, METRICS, Figure, beats

Figures = Mapping[str, Figure]


@dataclasses.dataclass(frozen=True)
class ClusterFigures:
    """The figures of rows whose whole cluster was held out: nearer to what people ask about than random rows are.

    Args:
        metrics: as out of fold.
        coverage: the share of truths inside the cross-fitted 90 % interval; None for classes.
        bands: how the answers hold with distance.
    """

    metrics: Figures
    coverage: Figure | None
    bands: tuple[Band, ...] = ()


@dataclasses.dataclass(frozen=True)
class TargetSummary:
    """The figures of one target.

    Args:
        target: its name.
        task: "regression", "classification", or another kind of answer.
        unit: of a regression's errors.
        main: the metric by which models are compared.
        metrics: out of fold; empty with one fold.
        baselines: by name, the same metrics of simple models on the same folds.
        differences: by baseline, how much better the network is in the main metric, with the error of the pairs.
        coverage: the share of out-of-fold truths inside the cross-fitted 90 % interval; None for classes.
        test: the metrics on a test set of its own, or None.
        test_baselines: by name, the baselines' there.
        baselines_by_fold: by baseline, the main metric in each fold, NaN where it is not defined; empty in models that
            did not keep them.
        units: by metric its unit, in the order in which they are listed, where the kind of answer has metrics of its
            own ("energy_mae": "meV/atom"); empty for numbers and classes.
        bands: how the answers hold with distance, out of fold; empty where it is not known.
        clusters: the figures of rows whose whole cluster was held out; None where there are no such folds.
        answering: what answers: "network", or the name of a simple model.
    """

    target: str
    task: Any
    unit: str
    main: str
    metrics: Figures
    baselines: Mapping[str, Figures]
    differences: Figures
    coverage: Figure | None
    test: Figures | None = None
    test_baselines: Mapping[str, Figures] = dataclasses.field(default_factory=dict)
    baselines_by_fold: Mapping[str, tuple[Number, ...]] = dataclasses.field(default_factory=dict)
    units: Mapping[str, str] = dataclasses.field(default_factory=dict)
    bands: tuple[Band, ...] = ()
    clusters: ClusterFigures | None = None
    answering: str = "network"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the metrics that the target may have, in the order in which they are listed."""
        figures = self.metrics or self.test or {}
        usual = [name for name in METRICS.get(self.task, ()) if name in figures or not figures]
        return tuple(self.units) or tuple(usual or self.metrics)

    @property
    def simple(self) -> bool:
        """Whether no networks answer."""
        return self.answering != "network"

    def written(self, metric: str) -> str:
        """Return a metric's name as people write it, with its unit where it carries one."""
        return written(metric, self.units.get(metric, ""))

    def verdict(self) -> list[str]:
        """Return in words how the network compares with each baseline that is better or hardly worse."""
        sentences = []
        subject = f"{self.answering} model" if self.simple else "network"
        for name, difference in self.differences.items():
            if beats(Figure(-difference.value, difference.error)):
                known = self.task in get_args(Task) and name in baseline_names(self.task)
                use = f"Use it (amalthea train ... --model {name})" if known else "Use it"
                sentences.append(
                    f"The {name} baseline is better than the {subject} at {self.target or 'all'}: by "
                    f"{Figure(-difference.value, difference.error)} in {self.written(self.main)}. "
                    f"{use}{'.' if self.simple else ', or give the network more data or better features.'}"
                )
            elif not beats(difference):
                sentences.append(
                    f"The {subject} is not clearly better at {self.target or 'all'} than the {name} baseline: "
                    f"{difference} in {self.written(self.main)}."
                )
        return sentences


@dataclasses.dataclass(frozen=True)
class Validation:
    """The figures of a model, from rows that the answering members never saw.

    Args:
        targets: one summary a target.
        folds: K; with one fold there are no out-of-fold figures.
        members: M, the members a fold.
        examples: the number of training examples.
        test_refused: the rows of the test set that could not be judged, as `Refusal`s.

    Printing it shows the table of figures; in a notebook it is an HTML table.
    """

    targets: tuple[TargetSummary, ...]
    folds: int
    members: int
    examples: int
    test_refused: tuple[Refusal, ...] = ()

    @property
    def compared(self) -> tuple[TargetSummary, ...]:
        """The summaries whose baselines are told: that over all targets alone, if there is one (it has no name)."""
        return self.targets[:1] if self.targets and not self.targets[0].target else self.targets

    def rows(self) -> list[tuple[str, str, Figures]]:
        """Return (target, what, figures) for each line of the table: the network, the test set, the baselines."""
        lines: list[tuple[str, str, Figures]] = []
        for summary in self.targets:
            name = summary.target or "all"
            if summary.metrics:
                lines.append((name, f"{summary.answering}, out of fold", summary.metrics))
            if summary.clusters:
                lines.append((name, f"{summary.answering}, clusters held out", summary.clusters.metrics))
            if summary.test:
                lines.append((name, f"{summary.answering}, test set", summary.test))
            if summary not in self.compared:
                continue
            lines += [(name, f"test set: {other}", figures) for other, figures in summary.test_baselines.items()]
            lines += [(name, f"baseline: {other}", figures) for other, figures in summary.baselines.items()]
        return lines

    def names(self) -> list[str]:
        """Return the names of all metrics that occur, those of numbers before those of classes."""
        known = dict.fromkeys(name for summary in self.targets for name in summary.names)
        usual = [name for names in METRICS.values() for name in names]
        return [name for name in usual if name in known] + [name for name in known if name not in usual]

    @property
    def units(self) -> dict[str, str]:
        """The units of the metrics that carry one of their own."""
        return {name: unit for summary in self.targets for name, unit in summary.units.items()}

    def titles(self) -> list[str]:
        """Return the names of all metrics as people write them, with an arrow that says which way is good."""
        return [title(name, self.units.get(name, "")) for name in self.names()]

    def head(self) -> str:
        """Return the main figures in one line."""
        main = []
        for summary in self.compared:
            figures = summary.metrics or summary.test or {}
            if summary.main in figures:
                unit = f" {summary.unit}" if summary.unit and summary.main in ("rmse", "mae") else ""
                name = title(summary.main, summary.units.get(summary.main, ""))
                main.append(f"{summary.target or 'all'}: {name} {figures[summary.main]}{unit}")
        judged = any(summary.metrics for summary in self.targets)
        alone = "the past predicts the future" if judged else "no folds"
        members = "" if self.targets and self.targets[0].simple else f"{self.members} members"
        how = " x ".join(filter(None, [f"{self.folds} folds", members]))
        if self.folds == 1:
            how = ", ".join(filter(None, [members, alone]))
        if not self.examples:
            return f"{'; '.join(main) or 'no figures'} (trained elsewhere)"
        return f"{'; '.join(main) or 'no figures'} ({how}, {self.examples} examples)"

    def verdict(self) -> list[str]:
        """Return what a reader must know, as sentences."""
        sentences = [sentence for summary in self.compared for sentence in summary.verdict()]
        if not self.examples:
            sentences.append("It was trained elsewhere, so nothing is known of its errors: judge it on labelled data.")
        elif not any(summary.metrics for summary in self.targets):
            sentences.append("With one fold nothing was held out: there are no out-of-fold figures and no intervals.")
        return sentences

    def __str__(self) -> str:
        rows = self.rows()
        names = self.names() if rows else []
        table = [["", *self.titles()]] if rows else []
        several = len(self.targets) > 1
        for target, what, figures in rows:
            label = f"{target}, {what}" if several else what
            table.append([label, *(str(figures[name]) if name in figures else "" for name in names)])
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]
        return "\n".join([self.head(), *lines, *self.verdict()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        names = self.names()
        header = "".join(f"<th>{name}</th>" for name in self.titles())
        body = "".join(
            f"<tr><td>{escape(target)}</td><td>{escape(what)}</td>"
            + "".join(f"<td>{figures.get(name, '')}</td>" for name in names)
            + "</tr>"
            for target, what, figures in self.rows()
        )
        words = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.verdict())
        return f"<p>{escape(self.head())}</p><table><tr><th></th><th></th>{header}</tr>{body}</table>{words}"


def title(name: str, unit: str = "") -> str:
    """Return a metric's name as people write it, with an arrow that says which way is good.

    Example:
        >>> title("rmse"), title("roc_auc")
        ('RMSE ↓', 'ROC AUC ↑')
    """
    if name == "coverage_90":
        return "coverage of 90 %"
    return f"{written(name, unit)} {'↑' if name in HIGHER_IS_BETTER else '↓'}"


def written(name: str, unit: str = "") -> str:
    """Return a metric's name as people write it, with the unit that it carries.

    Example:
        >>> written("rmse"), written("pr_auc"), written("energy_mae", "meV/atom")
        ('RMSE', 'PR AUC', 'energy MAE (meV/atom)')
    """
    if unit:
        what, _, measure = name.partition("_")
        return f"{what} {measure.upper()} ({unit})"
    words = {"r2": "R²", "accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "brier": "Brier"}
    return words.get(name, name.upper().replace("_", " "))
