"""What `train` says in the end: figures, what was refused, and what is worth trying next."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from amalthea.cli.console import Console

MOST_REFUSED = 5
"""Refused examples that are listed."""


def closing(console: Console, predictor: Any, output: Path | None, again: str, asked: str) -> str:
    """Return the closing lines of a training, in the user's language.

    Args:
        console: knows the language and the width of the terminal.
        predictor: the trained model.
        output: its file, if it was saved.
        again: the command that reads the same data again.
        asked: all words of the command, so that nothing is recommended that was just done.
    """
    lines = [*validation_lines(console, predictor.validation), *_coverage(predictor.validation)]
    lines += _refused(predictor)
    seconds = ", ".join(f"{stage} {spent:.1f}" for stage, spent in predictor.provenance.seconds.items())
    lines.append(f"Seconds: {seconds}")
    if output is None:
        lines.append("Not saved: name a file with -o MODEL.amalthea.")
    else:
        lines.append(f"Saved to {output}. Worth trying next:")
    text = "\n".join(map(console.sentences, lines))
    return (
        text
        if output is None
        else "\n".join([text, *(f"  {line}" for line in worth_trying(predictor, output, again, asked))])
    )


def validation_lines(console: Console, validation: Any) -> list[str]:
    """Return a validation's figures: the main ones, the table, and the verdict."""
    rows, names = validation.rows(), validation.names()
    several = len(validation.targets) > 1
    cells = [
        [f"{target}, {what}" if several else what, *(str(of[name]) if name in of else "" for name in names)]
        for target, what, of in rows
    ]
    table = [console.table(["", *validation.titles()], cells)] if rows else []
    return [validation.head(), *table, *validation.verdict()]


def worth_trying(predictor: Any, output: Path, again: str, asked: str) -> list[str]:
    """Return commands that were not given yet: for answers, for figures of how it learned, for another training."""
    from amalthea.domains import domain

    kind, model = domain(predictor.domain), shlex.quote(str(output))
    data = shlex.split(again)[2]
    words = kind.suggestions.get("predict", f"{shlex.quote(data)} -o predictions.csv")
    lines = [f"amalthea {kind.suggestions.get('verb', 'predict')} {model} {words}"]
    if "--report" not in asked:
        lines.append(f"amalthea report {model} -o report.html")
    if predictor.parts:
        lines.append(f"amalthea explain {model}")
    others = (
        [kind.suggestions["train"]] if predictor.parts and kind.suggestions["train"].split()[0] not in asked else []
    )
    others += ["--out-of-fold held_out.csv"] if "--out-of-fold" not in asked and predictor.validation.folds > 1 else []
    if others:
        lines.append(" ".join([again, *others]))
    return lines


def _coverage(validation: Any) -> list[str]:
    several = len(validation.targets) > 1
    lines = []
    for summary in validation.targets:
        if summary.coverage is None:
            continue
        held = f"held {100 * summary.coverage.value:.0f} %"
        what = f" of {summary.target or 'all'}" if several else ""
        clusters = None if summary.clusters is None else summary.clusters.coverage
        if clusters is None:
            lines.append(f"The 90 % intervals{what} {held} of the held-out values.")
        else:
            rest = f"{100 * clusters.value:.0f} % of cluster-held-out values"
            lines.append(f"The 90 % intervals{what} {held} of random, {rest}.")
    return lines


def _refused(predictor: Any) -> list[str]:
    from amalthea.datasets.messages import counted
    from amalthea.domains import domain

    refused, numbered = predictor.refused, domain(predictor.domain).numbered
    if not refused:
        return []
    lines = [f"{counted(len(refused), 'example')} refused:"]
    lines += [
        f"  line {row.row}: {row.reason} ({row.example})" if numbered else f"  {row.example}: {row.reason}"
        for row in refused[:MOST_REFUSED]
    ]
    if len(refused) > MOST_REFUSED:
        lines.append(f"  and {len(refused) - MOST_REFUSED} more, all listed in the model")
    return lines
