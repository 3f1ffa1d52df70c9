"""How good the answers for a column are, in plain words."""

from __future__ import annotations

import math

from amalthea.reporting.context import Context
from amalthea.reporting.translate import metric
from amalthea.validation.summary import TargetSummary


def in_words(context: Context, summary: TargetSummary) -> str:
    """Return how far off the held-out answers are, and what that means."""
    words, metrics = context.words, summary.metrics
    main = metrics[summary.main]
    head = words(
        "{target}: {metric} {figure} on examples that the answering models had never seen.",
        target=summary.target,
        metric=metric(words, summary.main, summary.units),
        figure=words.figure(main, summary.unit if summary.main == "rmse" else ""),
    )
    if summary.task == "regression" and "r2" in metrics:
        meaning = words(
            "That is the size of a typical error; {share} of the variance is explained (R²).",
            share=words.percent(max(metrics["r2"].value, 0.0)),
        )
    elif summary.main == "roc_auc":
        meaning = words(
            "Of two examples, one of each class, it ranks the right one first {count} times out of 100.",
            count=round(100 * main.value) if math.isfinite(main.value) else "?",
        )
    else:
        meaning = words("It names the right class for {count} of 100 examples.", count=round(100 * main.value))
    return f"{head} {meaning}"
