"""The epoch in which overfitting begins."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amalthea.training.history import History, quantiles
from amalthea.validation.metrics import Figure

RESAMPLES = 200

SURE = 2.0
"""Standard errors by which the validation loss must have risen to be called rising."""

SHARE = 0.01
"""The part of its lowest value by which it must have risen besides."""

BY_HEART = 3.0
"""How many times the training loss the validation loss is where networks are said to know their examples by heart."""


@dataclasses.dataclass(frozen=True)
class Turn:
    """Where the losses of training and of validation part.

    Args:
        kind: "rising": the validation loss rose again; "level": it neither rose nor fell; "falling": it still fell at
            the end.
        parting: the median over the members of the epoch, from 1, since which the validation loss has been higher than
            the training loss, with its standard error; NaN: it is not.
        epoch: the median over the members of the epoch of the lowest validation loss, from 1, with its standard error.
        earliest: the epoch that 5 % of the members reached before.
        latest: the one that 95 % did.
        rise: of the mean validation loss from that epoch to the end, with its standard error over the members.
    """

    kind: str
    parting: Figure
    epoch: Figure
    earliest: float
    latest: float
    rise: Figure

    def __str__(self) -> str:
        sentence = "The losses of training and validation do not part."
        if math.isfinite(self.parting.value):
            sentence = f"The losses of training and validation part in epoch {_written(self.parting)}."
        if self.kind == "falling":
            return f"{sentence} The validation loss still falls at the end: more epochs may help."
        sentence = f"{sentence} The validation loss is lowest in epoch {_written(self.epoch)}"
        if self.kind == "level":
            return f"{sentence} and stays level after it."
        return f"{sentence} and rises after it: the networks overfit."

    def data(self) -> dict[str, Any]:
        """Return the turn as plain numbers."""
        return dataclasses.asdict(self)


def _written(epoch: Figure) -> str:
    error = max(1, math.ceil(epoch.error)) if math.isfinite(epoch.error) else None
    return f"{epoch.value:.0f}" if error is None else f"{epoch.value:.0f} ± {error}"


def turn_of(history: History, seed: int = 0) -> Turn | None:
    """Return where validation losses turn; None where none were measured.

    Args:
        history: of a training with rows set aside.
        seed: of the resamples of the members, from which the errors come.

    Example:
        >>> losses = np.array([[3, 1, 2.0], [3, 1, 2.1], [3, 1, 1.9]], np.float32)
        >>> turn = turn_of(History({"loss": losses[:, ::-1], "val_loss": losses}, np.full(3, 3)))
        >>> turn.kind, turn.epoch.value
        ('rising', 2.0)
    """
    if "val_loss" not in history.members:
        return None
    training, losses = (np.asarray(history.members[name], np.float64) for name in ("loss", "val_loss"))
    measured = np.isfinite(losses).any(axis=1)
    if not measured.any():
        return None
    training, losses = training[measured], losses[measured]
    best = np.nanargmin(np.where(np.isfinite(losses), losses, np.nan), axis=1) + 1
    epoch = _median(best, seed)
    low, high = np.quantile(best, [0.05, 0.95])
    last = np.array([row[np.isfinite(row)][-1] for row in losses])
    # All at the same epoch: from its own lowest one every member would rise, by chance alone.
    then = losses[:, int(epoch.value) - 1]
    both = np.isfinite(then)
    rise = _mean((last - then)[both])
    length = int(np.isfinite(losses).any(axis=0).sum())
    if epoch.value >= 0.98 * length:
        kind = "falling"
    else:
        sure = rise.value > SURE * rise.error if math.isfinite(rise.error) else rise.value > 0
        kind = "rising" if sure and rise.value > SHARE * abs(float(then[both].mean())) else "level"
    return Turn(kind, _parting(training, losses, seed), epoch, float(low), float(high), rise)


def gap(history: History) -> float:
    """Return how many times the training loss the validation loss is at the end, medians over the members.

    NaN where there is none, or where losses are not positive.
    """
    if not {"loss", "val_loss"} <= set(history.members) or not len(history.epoch):
        return math.nan
    training, validation = (float(quantiles(history.members[name])[1][-1]) for name in ("loss", "val_loss"))
    return validation / training if training > 0 and validation > 0 else math.nan


def _parting(training: NDArray[np.float64], losses: NDArray[np.float64], seed: int) -> Figure:
    """Return since which epoch validation losses, shape (members, epochs), have been above the training losses."""
    known = np.isfinite(losses) & np.isfinite(training)
    lower = known & ~(losses > training)
    length = losses.shape[1]
    last_lower = np.where(lower.any(axis=1), length - np.argmax(lower[:, ::-1], axis=1), 0)
    end = np.where(known.any(axis=1), length - np.argmax(known[:, ::-1], axis=1), 0)
    parted = last_lower < end
    if parted.mean() <= 0.5:
        return Figure(math.nan, math.nan)
    return _median(last_lower[parted] + 1, seed)


def _median(epochs: NDArray[np.int64], seed: int) -> Figure:
    """Return the median with the standard deviation of medians of resampled members."""
    rng = np.random.default_rng(seed)
    drawn = np.median(epochs[rng.integers(0, len(epochs), (RESAMPLES, len(epochs)))], axis=1)
    return Figure(float(np.median(epochs)), float(drawn.std(ddof=1)) if len(epochs) > 1 else math.nan)


def _mean(values: NDArray[np.float64]) -> Figure:
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan
    return Figure(float(values.mean()), error)
