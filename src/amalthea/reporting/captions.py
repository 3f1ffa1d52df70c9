"""What stands beside an example and beside an axis."""

from __future__ import annotations

import math

import numpy as np

from amalthea.reporting.out_of_fold import Judged
from amalthea.reporting.translate import Words
from amalthea.validation.metrics import Figure

LEAST_ERROR = 0.05
"""In percent: a smaller error of a probability is not told."""


def answer_lines(words: Words, judged: Judged, index: int) -> list[str]:
    """Return the truth of one example, the answer with its interval, and where it stands."""
    if judged.classes:
        code = judged.named[index]
        error = 100 * judged.std[index]
        share = Figure(100 * judged.probabilities[index, code], error if error >= LEAST_ERROR else math.nan)
        return [
            words("true: {label}", label=judged.label(judged.truth[index])),
            words("predicted: {label} ({share} %)", label=judged.label(code), share=words.figure(share)),
            where(words, judged, index),
        ]
    unit = f" {judged.target.unit}" if judged.target.unit else ""
    return [
        words("true: {value}{unit}", value=words.rounded(judged.truth[index], judged.std[index]), unit=unit),
        words("predicted: {value}{unit}", value=words.rounded(judged.mean[index], judged.std[index]), unit=unit),
        *interval_line(words, judged, index),
        where(words, judged, index),
    ]


def interval_line(words: Words, judged: Judged, index: int, scale: float = 1.0) -> list[str]:
    """Return the 90 % interval times a scale; nothing where there is none."""
    if not np.isfinite(judged.lower[index]):
        return []
    ends = (scale * values[index] for values in (judged.lower, judged.upper))
    lower, upper = (words.rounded(end, scale * judged.std[index]) for end in ends)
    return [words("90 % interval: {lower} to {upper}", lower=lower, upper=upper)]


def where(words: Words, judged: Judged, index: int) -> str:
    """Return where one example stands."""
    if judged.aside:
        return words("row {row}", row=judged.rows[index])
    return words("row {row}, fold {fold}", row=judged.rows[index], fold=judged.folds[index] + 1)


def with_unit(text: str, unit: str) -> str:
    """Return an axis title with its unit.

    Example:
        >>> with_unit("error", "eV"), with_unit("error", "")
        ('error (eV)', 'error')
    """
    return f"{text} ({unit})" if unit else text
