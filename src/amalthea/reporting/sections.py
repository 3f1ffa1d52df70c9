"""The nine sections that a report has: their names, headings, and the sentence that says how to read each."""

from __future__ import annotations

from collections.abc import Sequence

from amalthea.reporting.blocks import Block, Section
from amalthea.reporting.context import Context


def section(context: Context, name: str, blocks: Sequence[Block], reading: str = "") -> Section:
    """Return a section with its usual heading.

    Args:
        context: the model and the language.
        name: "verdict", "figures", "agreement", "certainty", "range", "learning", "importance", "data" or "methods".
        blocks: what it shows.
        reading: how to read it, where the usual sentence does not fit.
    """
    words = context.words
    usual = {
        "verdict": (
            words("Verdict"),
            words("The sentences below follow from the figures of this model alone; ± is one standard error."),
        ),
        "figures": (
            words("Figures"),
            words(
                "Each metric with its standard error, from a bootstrap over the held-out examples; baselines are "
                "simple models judged on the same folds."
            ),
        ),
        "agreement": (
            words("Predicted against true"),
            words(
                "Each example is answered only by the networks that never saw it; point at one, or tap it, to see the "
                "example."
            ),
        ),
        "certainty": (
            words("How sure"),
            words("What the model says of its own certainty, beside what happened; each fold is judged by the others."),
        ),
        "range": (
            words("Where this model may be asked"),
            words("Beyond the distances at which held-out examples were judged, answers are marked as outside."),
        ),
        "learning": (
            words("How it learned"),
            words("Losses fall while networks learn; where only the training loss still falls, they overfit."),
        ),
        "importance": (
            words("What it looks at"),
            words("What changes when a part of an example is taken away, as answered by networks that never saw it."),
        ),
        "data": (
            words("The data"),
            words("What the networks were given, what was left out, and where the data seem to contradict themselves."),
        ),
        "methods": (
            words("The network and its training"),
            words("Text to be pasted into a paper, with what is needed to do it all again."),
        ),
    }
    title, sentence = usual[name]
    return Section(name, title, reading or sentence, blocks)
