"""`amalthea info`."""

from __future__ import annotations

from amalthea.cli.console import Console, Debug, Json, Lang, Model, Quiet, by_target, figures


def info(model: Model, json: Json = False, quiet: Quiet = False, lang: Lang = None, debug: Debug = False) -> None:
    """Show a model's card: what it predicts, what it learned from and how, and its figures.

    Example: amalthea info solubility.amalthea
    """
    from amalthea.cli.closing import validation_lines
    from amalthea.predictor.info import info as read

    card = read(model)
    metrics = [(summary.target, figures(summary.metrics)) for summary in card.card.validation.targets]
    console = Console(json, quiet, lang)
    lines = [card.about, "", *validation_lines(console, card.card.validation)]
    console.result("\n".join(map(console.sentences, lines)), {**card.record, "metrics": by_target(metrics)})
