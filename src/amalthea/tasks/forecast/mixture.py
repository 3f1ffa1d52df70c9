"""Which networks and simple rules answer for a series: those that erred least in its past."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from amalthea.tasks.forecast.figures import window_mean
from amalthea.tasks.forecast.origins import Rows

Floats = NDArray[np.float64]

PICKS = 10
"""How often one of the candidates is picked."""

SHARINGS = (1.0, 0.5, 0.0)
"""How much of the choice may be common to all tracks."""


def select(answers: Mapping[str, Floats], truth: Floats, spread: Floats, rows: Rows, count: int) -> Floats:
    """Return how much each candidate counts for each track, shape (candidates, count): ensemble selection.

    Again and again the candidate is picked with which the mean of all picked so far errs least; once for each track by
    itself, and once for all together. How much the one counts and how much the other: what errs least in one half of
    the windows' time after picking in the other. A track without any window has what serves all others together.

    Args:
        answers: by candidate, shape (n, horizon).
        truth: what came, likewise, NaN where unknown.
        spread: shape (n,): the scale of each window's track.
        rows: the windows.
        count: the number of tracks.

    Example:
        >>> truth, rows = np.ones((1, 2)), Rows(np.array([0]), np.array([5]))
        >>> select({"low": truth - 1, "high": truth + 1}, truth, np.ones(1), rows, 1).tolist()
        [[0.5], [0.5]]

    Source: Caruana, Niculescu-Mizil, Crew and Ksikes, ICML 2004, section 2.
    """
    # Who has no answer is never picked.
    answers = {name: np.nan_to_num(answer, nan=1e100) for name, answer in answers.items()}
    counts = np.bincount(rows.track, minlength=count)
    order = np.lexsort((rows.origin, rows.track))
    rank = np.empty(len(rows), np.int64)
    rank[order] = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    early = 2 * rank < counts[rows.track]
    errors = np.zeros(len(SHARINGS))
    for learned, left in ((early, ~early), (~early, early)):
        of_learned = {name: answer[learned] for name, answer in answers.items()}
        together, apart = _both(of_learned, truth[learned], spread[learned], rows.track[learned], count)
        for place, sharing in enumerate(SHARINGS):
            shares = dict(zip(answers, sharing * together + (1 - sharing) * apart, strict=True))
            error = blended({name: answer[left] for name, answer in answers.items()}, shares, rows.track[left])
            errors[place] += _error(error - truth[left], spread[left], rows.track[left] * 0, 1)[0]
    sharing = SHARINGS[int(errors.argmin())]
    together, apart = _both(answers, truth, spread, rows.track, count)
    return np.asarray(sharing * together + (1 - sharing) * apart)


def _both(
    answers: Mapping[str, Floats], truth: Floats, spread: Floats, track: NDArray[np.int64], count: int
) -> tuple[Floats, Floats]:
    """Return what is picked for all tracks together and for each by itself, shape (candidates, count) each."""
    together = np.repeat(_picked(answers, truth, spread, track * 0, 1), count, axis=1)
    measured = np.bincount(track[np.isfinite(truth).any(axis=1)], minlength=count) > 0
    return together, np.where(measured, _picked(answers, truth, spread, track, count), together)


def _picked(
    answers: Mapping[str, Floats], truth: Floats, spread: Floats, track: NDArray[np.int64], count: int
) -> Floats:
    picks, total = np.zeros((len(answers), count)), np.zeros(truth.shape)
    for turn in range(1, PICKS + 1):
        errors = np.stack(
            [_error((total + answer) / turn - truth, spread, track, count) for answer in answers.values()]
        )
        best = errors.argmin(axis=0)
        picks[best, np.arange(count)] += 1
        for place, answer in enumerate(answers.values()):
            rows = best[track] == place
            total[rows] += answer[rows]
    return picks / PICKS


def _error(error: Floats, spread: Floats, track: NDArray[np.int64], count: int) -> Floats:
    """Return the sum over its windows of each track's mean absolute error, shape (count,)."""
    each = np.nan_to_num(window_mean(np.abs(error)) / spread)
    return np.asarray(np.bincount(track, each, count), np.float64)


def blended(answers: Mapping[str, Floats], shares: Mapping[str, Floats], track: NDArray[np.int64]) -> Floats:
    """Return the mean of candidates, each counted as its track counts it, shape (n, horizon).

    Args:
        answers: by candidate, shape (n, horizon).
        shares: by candidate, shape (N,).
        track: shape (n,).
    """
    parts = [shares[name][track, None] * np.where(shares[name][track, None] > 0, answers[name], 0.0) for name in shares]
    return np.asarray(np.sum(parts, axis=0))
