"""What `--help` shows: options in groups, in the user's language."""

from __future__ import annotations

import copy
import sys
from typing import Any

from typer.core import TyperCommand

from amalthea.cli.console import sentences_of

GROUPS = {
    "Data": ("target", "task", "threshold", "keep", "sheet", "header_line", "strict"),
    "Molecules": ("smiles", "clean", "features"),
    "Images": ("size", "intensity", "frame", "label_from_name"),
    "Series": ("time", "horizon", "series", "known", "fixed", "every", "sequence", "order"),
    "Atomic structures": (
        *("symmetry_functions", "length_unit", "energy_unit", "energy_key", "forces_key", "stress_key"),
    ),
    "Network and training": (
        *("network", "augment", "members", "epochs", "batch_size", "optimizer", "learning_rate", "patience"),
    ),
    "Validation": ("folds", "split", "group", "time_column", "fold_column", "test"),
    "What is written": ("output", "report", "out_of_fold", "examples"),
}
"""The options of `train` by what they are about; those of no group, common to all commands, come last."""


class Command(TyperCommand):
    """A command whose help has its options in groups, where it has many, and speaks the user's language."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write what the command does."""
        paragraphs = [" ".join(paragraph.split()) for paragraph in (self.help or "").split("\n\n")]
        self.help = "\n\n".join(map(sentences_of(sys.argv), paragraphs))
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, group by group."""
        say = sentences_of(sys.argv)
        group_of = {name: group for group, names in GROUPS.items() for name in names} if self.name == "train" else {}
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], **{group: [] for group in GROUPS}}
        for parameter in self.get_params(ctx):
            translated: Any = copy.copy(parameter)
            translated.help = say(translated.help or "") if hasattr(translated, "help") else ""
            record = translated.get_help_record(ctx)
            usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
            group = getattr(parameter, "rich_help_panel", None) or group_of.get(parameter.name or "", usual)
            if record is not None:
                groups.setdefault(group, []).append(record)
        groups["Options"] = groups.pop("Options")  # what all commands have comes last
        for title, records in groups.items():
            if records:
                with formatter.section(say(title)):
                    formatter.write_dl(records)
