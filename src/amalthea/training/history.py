"""What happened while the members learned."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, eq=False)
class History:
    """Losses and metrics by epoch.

    Args:
        members: by name ("loss", "accuracy", "val_loss", ...), every member's own, shape (members, epochs); NaN once a
            member has stopped.
        epochs: the number of epochs that each member learned, shape (members,).
        left_out: the members that take no part: their loss became NaN or infinite, or they had not begun.
        notes: what a user should know of the training, as sentences.
        interrupted: True where the user stopped it.
    """

    members: Mapping[str, NDArray[np.float32]]
    epochs: NDArray[np.int64]
    left_out: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def history(self) -> dict[str, list[float]]:
        """By name, the mean over the members that were learning in each epoch: what Keras's `History.history` holds."""
        return {name: mean_by_epoch(values) for name, values in self.members.items()}

    def __repr__(self) -> str:
        last = {name: values[-1] for name, values in self.history.items() if values}
        figures = ", ".join(f"{name} {value:.4g}" for name, value in last.items())
        return f"<History of {len(self.epochs)} members, {len(self.epoch)} epochs; at the end {figures or 'nothing'}>"

    def _repr_html_(self) -> str:
        return pd.DataFrame(self.history).rename_axis("epoch").tail().to_html()

    @property
    def epoch(self) -> list[int]:
        """The epochs' numbers, as in Keras's `History`."""
        return list(range(max((values.shape[1] for values in self.members.values()), default=0)))

    def frame(self) -> pd.DataFrame:
        """Return one row a member and epoch, with the columns member, epoch, and one a name."""
        names = list(self.members)
        if not names:
            return pd.DataFrame(columns=["member", "epoch"])
        count, length = self.members[names[0]].shape
        member, epoch = np.divmod(np.arange(count * length), length)
        columns: dict[str, Any] = {"member": member, "epoch": epoch}
        columns |= {name: values.ravel() for name, values in self.members.items()}
        return pd.DataFrame(columns).dropna(subset=names, how="all").reset_index(drop=True)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, count: int, left_out: Sequence[int] = ()) -> History:
        """Return the history that `frame` describes, for `count` members."""
        length = int(frame["epoch"].max()) + 1 if len(frame) else 0
        members = {}
        for name in frame.columns.drop(["member", "epoch"]):
            values = np.full((count, length), np.nan, np.float32)
            values[frame["member"], frame["epoch"]] = frame[name]
            members[str(name)] = values
        learned = np.bincount(frame["member"], minlength=count)
        return cls(members, learned, tuple(left_out))


def mean_by_epoch(values: NDArray[np.float32]) -> list[float]:
    """Return each epoch's mean over the members that have a number there, NaN where none has."""
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=0, dtype=np.float64)
    count = known.sum(axis=0)
    return [float(t / c) if c else float("nan") for t, c in zip(total, count, strict=True)]


def far_above(losses: NDArray[np.float32], best: bool) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the members whose loss ended far above the others', and where each member's ended, shape (members,).

    Far is beyond five times the median and beyond ten median absolute deviations (times 1.4826, so that they are a
    normal distribution's standard deviation; Leys et al., J. Exp. Soc. Psychol. 49 (2013) 764) from it.

    Args:
        losses: shape (members, epochs), NaN once a member has stopped.
        best: whether members end with the weights of their lowest loss, or with the last.

    Example:
        >>> far_above(np.array([[1.0, 0.5], [1.0, 0.4], [1.0, 0.6], [1.0, 30.0]]), best=False)[0].tolist()
        [3]
    """
    known = pd.DataFrame(np.where(np.isfinite(losses), losses, np.nan).astype(np.float64))
    ends: NDArray[np.float64] = (known.min(axis=1) if best else known.ffill(axis=1).iloc[:, -1]).to_numpy()
    if not np.isfinite(ends).any():
        return np.empty(0, np.int64), ends
    median = np.nanmedian(ends)
    deviation = 1.4826 * np.nanmedian(np.abs(ends - median))
    limit = max(5 * median, median + 10 * deviation)
    # Where most losses are alike to the last bit, there is no measure of what is far.
    return np.flatnonzero(ends > limit) if limit > 0 and deviation > 0 else np.empty(0, np.int64), ends


def quantiles(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the 5, 50 and 95 % quantiles over the members that were learning, shape (3, epochs); NaN where none was.

    Args:
        values: shape (members, epochs), NaN once a member has stopped.
    """
    by_epoch = np.full((3, values.shape[1]), np.nan)
    some = np.isfinite(values).any(axis=0)
    known = np.where(np.isfinite(values), values, np.nan)[:, some].astype(np.float64)
    by_epoch[:, some] = np.nanquantile(known, [0.05, 0.5, 0.95], axis=0)
    return by_epoch


def best_epochs(history: History) -> NDArray[np.int64]:
    """Return the epoch of each member's lowest validation loss, from 1."""
    losses = history.members["val_loss"]
    known = losses[np.isfinite(losses).any(axis=1)]
    best: NDArray[np.int64] = np.nanargmin(np.where(np.isfinite(known), known, np.nan), axis=1) + 1
    return best
