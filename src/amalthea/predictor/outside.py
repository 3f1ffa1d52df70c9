"""What becomes of examples that lie outside of what was learned."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd

from amalthea.datasets.messages import counted
from amalthea.training.prediction import Prediction

Outside = Literal["warn", "refuse", "answer"]
"""They are answered with a warning, not answered, or answered like all others."""

Answer = TypeVar("Answer", bound=Prediction)

MARK = "outside"
"""What the warning of such an example begins with."""


def treated(prediction: Answer, outside: Outside = "warn") -> Answer:
    """Return predictions of which those outside are marked (as they come), refused or not marked.

    Args:
        prediction: with `outside` and `warnings`.
        outside: "warn", "refuse" or "answer".

    Example:
        >>> reasons = np.array(["", "outside what was learned; salt removed"], object)
        >>> asked = Prediction(np.array([1.0, 9.0]), np.ones(2), None, warnings=reasons)
        >>> nothing, far = np.array(["", ""], object), np.array([False, True])
        >>> asked = dataclasses.replace(asked, problems=nothing, outside=far)
        >>> refused = treated(asked, "refuse")
        >>> refused.mean.tolist(), refused.problems.tolist()
        ([1.0, nan], ['', 'outside what was learned'])
        >>> treated(asked, "answer").warnings.tolist()
        ['', 'salt removed']
    """
    if outside == "warn" or prediction.outside is None or not prediction.outside.any():
        return prediction
    rows = np.flatnonzero(prediction.outside)
    warnings, problems = np.array(prediction.warnings, object), np.array(prediction.problems, object)
    for row in rows:
        reason, _, warnings[row] = warnings[row].partition("; ")
        if outside == "refuse" and not problems[row]:
            problems[row] = reason
    if outside == "answer":
        return dataclasses.replace(prediction, warnings=warnings)
    blank = {name: _blank(getattr(prediction, name), rows) for name in prediction.answers}
    members = prediction.members
    if members is not None:
        members = members.copy()
        members[:, rows] = np.nan
    return dataclasses.replace(prediction, **blank, members=members, warnings=warnings, problems=problems)


def _blank(values: Any, rows: Any) -> Any:
    """Return answers without those of some rows."""
    if isinstance(values, Mapping):
        return {name: _blank(part, rows) for name, part in values.items()}
    if values is None or isinstance(values, tuple):
        return values
    blank = values.copy()
    if isinstance(blank, list):
        for row in rows:
            blank[row] = None
    else:
        blank[rows] = np.nan
    return blank


@dataclasses.dataclass
class Counts:
    """How many rows were predicted, and how those outside differ from the others.

    Example:
        >>> answers = {"lower": [0.0, 0.0], "upper": [1.0, 3.0], "warning": ["", "outside: far"], "problem": ["", ""]}
        >>> counts = Counts()
        >>> counts.add(pd.DataFrame(answers))
        >>> counts.sentence
        'Of 2 rows predicted 1 lies outside of what was learned; its interval is 3.0 times as wide.'
    """

    rows: int = 0
    predicted: int = 0
    problems: int = 0
    warnings: int = 0
    outside: int = 0
    _inside_width: float = 0.0
    _outside_width: float = 0.0

    def add(self, table: pd.DataFrame) -> None:
        """Count a table of predictions."""
        answered, warned = table["problem"] == "", table["warning"] != ""
        far = table["warning"].astype(str).str.startswith(MARK) & answered
        self.rows += len(table)
        self.predicted += int(answered.sum())
        self.problems += int((~answered).sum())
        self.warnings += int(warned.sum())
        self.outside += int(far.sum())
        ends = [name for name in table.columns if str(name).endswith("upper")]
        if ends:
            # Of several targets the first stands for all.
            width = table[ends[0]] - table[f"{ends[0].removesuffix('upper')}lower"]
            self._inside_width += float(width[answered & ~far].sum())
            self._outside_width += float(width[far].sum())

    @property
    def record(self) -> dict[str, int]:
        """What `--json` prints."""
        names = ("rows", "predicted", "problems", "warnings", "outside")
        return {name: getattr(self, name) for name in names}

    @property
    def sentence(self) -> str:
        """How many lie outside, and how much less is known of them; "" where none does."""
        if not self.outside:
            return ""
        one = self.outside == 1
        lie, their = ("lies", "its interval is") if one else ("lie", "their intervals are")
        text = f"Of {counted(self.predicted, 'row')} predicted {self.outside:,} {lie} outside of what was learned"
        inside = self.predicted - self.outside
        if not (inside and self._inside_width > 0):
            return f"{text}."
        ratio = self._outside_width / self.outside / (self._inside_width / inside)
        return f"{text}; {their} {ratio:.1f} times as wide."
