"""What stands beside a target's values: a column of units, or of relations that make bounds of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from amalthea.datasets.columns import is_missing
from amalthea.datasets.messages import counted, listed

RELATION = re.compile(r"(relation|operator|qualifier|modifier|censor(ing|ed)?|prefix|sign)s?$", re.I)
UNIT = re.compile(r"(^|[\s_.-])units?$|Units?$", re.I)

RELATIONS = {"<": "<", "<=": "<", "<<": "<", "≤": "<", ">": ">", ">=": ">", ">>": ">", "≥": ">"}
EXACT = frozenset({"=", "~", "==", "≈", ""})


def with_relations_and_units(table: pd.DataFrame, targets: Sequence[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table whose targets are written with the bound and the unit that stand beside them, where these differ.

    A bound is then treated as one, and a value in another unit than most is refused.

    Args:
        table: all columns as text.
        targets: the names of the targets.

    Example:
        >>> table = pd.DataFrame({"Ki": ["5", "9"], "Ki relation": ["=", ">"]}, dtype="str")
        >>> with_relations_and_units(table, ["Ki"])[0]["Ki"].tolist()
        ['5', '>9']
    """
    notes = []
    for target in targets:
        column = table[target]
        relation = _beside(table, target, RELATION)
        if relation and set(table[relation].dropna().str.strip(" '\"")) <= {*RELATIONS, *EXACT}:
            bound = table[relation].str.strip(" '\"").map(RELATIONS).fillna("")
            column = (bound + column).where(column.notna())
            if count := int((bound != "").sum()):
                notes.append(f"'{relation}' makes bounds of {counted(count, 'value')} of '{target}'.")
        unit = _beside(table, target, UNIT)
        if unit and 1 < (units := table[unit][~is_missing(column)].value_counts()).size <= 12:
            common = str(units.index[0])
            other = table[unit].notna() & (table[unit] != common)
            column = column.mask(other & column.notna(), column + " " + table[unit])
            shown = listed((f"{name} ({count:,})" for name, count in units.items()), 6)
            notes.append(f"'{unit}' says that '{target}' is in {shown}: only values in {common} are used.")
        table = table.assign(**{target: column})
    return table, tuple(notes)


def _of_another(name: str, target: str, names: Sequence[str]) -> bool:
    """Say whether a column of units or relations is called after another column than the target."""
    stem = re.sub(r"[\s_.-]*[A-Za-z]+$", "", name).casefold()
    others = [each for each in names if each not in (name, target) and each.casefold().startswith(stem)]
    values = [each for each in others if not RELATION.search(each) and not UNIT.search(each)]
    return bool(stem) and bool(values) and not target.casefold().startswith(stem)


def _beside(table: pd.DataFrame, target: str, pattern: re.Pattern[str]) -> str:
    """Return the column of a kind that belongs to a target, by its name or its place; "" where none does."""
    names = [str(name) for name in table.columns]
    stem = re.sub(r"[\s_.-]*values?$", "", target, flags=re.I).casefold()
    kind = [name for name in names if name != target and pattern.search(name) and not _of_another(name, target, names)]
    called = [name for name in kind if stem and name.casefold().startswith(stem)]
    place = names.index(target)
    next_to = [name for name in kind if abs(names.index(name) - place) == 1]
    return next(iter([*called, *next_to]), "")
