"""What `--help` shows: options in groups, in the user's language."""

from __future__ import annotations

import copy
import re
import sys
from typing import Any

from typer.core import TyperCommand, TyperGroup

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


def translated(text: str | None) -> str:
    """Return a text of several paragraphs in the user's language."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in (text or "").split("\n\n")]
    return "\n\n".join(map(sentences_of(sys.argv), paragraphs))


class InTheUsersLanguage:
    """What the help of a command and that of the whole program have in common."""

    help: str | None

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write how the command is called."""
        say, pieces = sentences_of(sys.argv), ctx.command.collect_usage_pieces(ctx)
        formatter.write_usage(ctx.command_path, " ".join(map(say, pieces)), prefix=f"{say('Usage:')} ")

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write what the command does."""
        self.help = translated(self.help)
        super().format_help_text(ctx, formatter)  # type: ignore[misc]

    def record(self, parameter: Any, ctx: Any) -> tuple[str, str] | None:
        """Return the names of an option and what it does, if it is to be shown."""
        say, shown = sentences_of(sys.argv), copy.copy(parameter)
        shown.help = say(getattr(parameter, "help", None) or "")
        record = shown.get_help_record(ctx)
        if record is None:
            return None
        # The parser adds its words: [default: 5; x>=1; required].
        text = re.sub(r"\[([^]]*)]$", lambda found: f"[{'; '.join(map(say, found[1].split('; ')))}]", record[1])
        return record[0], text


class Group(InTheUsersLanguage, TyperGroup):
    """The whole program: its help lists the commands in the user's language."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options of the whole program, and its commands."""
        say = sentences_of(sys.argv)
        records = [record for each in self.get_params(ctx) if (record := self.record(each, ctx)) is not None]
        commands = [(name, translated(command.help).split("\n\n")[0]) for name, command in self.commands.items()]
        for title, rows in (("Options", records), ("Commands", commands)):
            with formatter.section(say(title)):
                formatter.write_dl(rows)


class Command(InTheUsersLanguage, TyperCommand):
    """A command whose help has its options in groups, where it has many, and speaks the user's language."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, group by group."""
        say = sentences_of(sys.argv)
        group_of = {name: group for group, names in GROUPS.items() for name in names} if self.name == "train" else {}
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], **{group: [] for group in GROUPS}}
        for parameter in self.get_params(ctx):
            record = self.record(parameter, ctx)
            usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
            group = getattr(parameter, "rich_help_panel", None) or group_of.get(parameter.name or "", usual)
            if record is not None:
                groups.setdefault(group, []).append(record)
        groups["Options"] = groups.pop("Options")  # what all commands have comes last
        for title, records in groups.items():
            if records:
                with formatter.section(say(title)):
                    formatter.write_dl(records)
