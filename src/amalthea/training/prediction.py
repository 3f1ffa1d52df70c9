"""What a model answers."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5
"""Examples that are printed."""

WIDEST = 12
"""Columns of an answer that are printed side by side; of wider ones only the shape is told."""


@dataclasses.dataclass(frozen=True, eq=False)
class Aside:
    """What each member says of the training rows that it was measured on and did not learn from."""

    rows: NDArray[np.int64]  # shape (members, v), the rows of each member
    answers: Any  # shape (members, v, ...), NaN for members left out


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions for n examples, with what the members say of their certainty.

    From an `Ensemble`: the members' raw spread, and no interval. From a `Predictor`: calibrated.

    Args:
        mean: the mean over the members, shape (n, ...); for a model with several outputs a dict or list of such.
        std: the uncertainty of each value, as `mean`.
        members: each member's own prediction, shape (members, n, ...).
        lower: the lower end of the 90 % interval, as `mean`; None without calibration.
        upper: the upper end.
        applicability: shape (n,): the percentile of the distance to the training set among the training examples' own.
        problems: shape (n,): why nothing was predicted for an example, "" where something was.
        warnings: shape (n,): what should be known about a prediction, "" where nothing.
        outside: shape (n,): whether an example lies where no held-out example was ever judged; its warning says so.
        classes: for a classification, the labels in the order of the last axis of `mean`.

    Printing it shows the first examples; in a notebook it is an HTML table.

    Example:
        >>> Prediction(mean=np.array([1.5, 2.5]), std=np.array([0.1, 0.2]), members=np.ones((3, 2)))
        <Prediction of 2 examples, mean (2,), raw spread>
           mean  std
        0   1.5  0.1
        1   2.5  0.2
    """

    mean: Any
    std: Any
    members: Any
    lower: Any = None
    upper: Any = None
    applicability: NDArray[np.float64] | None = None
    problems: NDArray[np.object_] | None = None
    warnings: NDArray[np.object_] | None = None
    outside: NDArray[np.bool_] | None = None
    classes: tuple[str, ...] = ()

    answers: ClassVar[tuple[str, ...]] = ("mean", "std", "lower", "upper")
    """The fields that hold what is predicted, one entry an example."""

    def __len__(self) -> int:
        return len(next(iter(_named(self.mean).values())))

    def __repr__(self) -> str:
        shown = self._shown()
        return f"{self._head()}\n{shown.to_string()}{self._more()}" if shown.shape[1] else self._head()

    def _repr_html_(self) -> str:
        head = f"<p>{html.escape(self._head()[1:-1])}</p>"
        shown = self._shown()
        return f"{head}{shown.to_html()}<p>{self._more().strip()}</p>" if shown.shape[1] else head

    def _head(self) -> str:
        shapes = ", ".join(
            f"{name} {values.shape}" if name else str(values.shape) for name, values in _named(self.mean).items()
        )
        intervals = any(ends is not None for ends in _named(self.lower).values())
        certainty = "raw spread" if self.applicability is None else "90 % interval" if intervals else "no interval"
        return f"<Prediction of {len(self)} examples, mean {shapes}, {certainty}>"

    def _more(self) -> str:
        return f"\n... and {len(self) - SHOWN} more" if len(self) > SHOWN else ""

    def _shown(self) -> pd.DataFrame:
        """Return the first examples as a table; one without columns where an answer is no number or short vector."""
        import pandas as pd

        columns: dict[str, Any] = {}
        for field in ("mean", "std", "lower", "upper"):
            for name, values in _named(getattr(self, field)).items():
                for label, column in self._columns(values):
                    columns[" ".join(filter(None, [name, field, label]))] = column[:SHOWN]
        for field in ("applicability", "warnings", "problems"):
            if columns and getattr(self, field) is not None:
                columns[field] = getattr(self, field)[:SHOWN]
        return pd.DataFrame(columns)

    def _columns(self, values: Any) -> list[tuple[str, Any]]:
        """Return an answer of shape (n,) or (n, few) as columns with their labels."""
        if values is None or values.ndim > 2 or (values.ndim == 2 and values.shape[1] > WIDEST):
            return []
        if values.ndim == 1:
            return [("", values)]
        numbers = tuple(map(str, range(values.shape[1]))) if values.shape[1] > 1 else ("",)
        labels = self.classes if len(self.classes) == values.shape[1] else numbers
        return [(label, values[:, column]) for column, label in enumerate(labels)]


def _named(values: Any) -> dict[str, Any]:
    """Return answers by the names of a model's outputs or targets, "" for the only one."""
    if isinstance(values, Mapping):
        return {f"{outer} {inner}".strip(): leaf for outer, v in values.items() for inner, leaf in _named(v).items()}
    if isinstance(values, list | tuple):
        return _named({str(index): part for index, part in enumerate(values)})
    return {"": values}
