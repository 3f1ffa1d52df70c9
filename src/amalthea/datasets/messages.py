"""How names, numbers and texts stand in a sentence for the user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def listed(names: Iterable[object], most: int = 30) -> str:
    """Return names as a list, cut after `most`.

    Example:
        >>> listed(["a", "b", "c"], most=2), listed([])
        ('a, b, ...', 'none')
    """
    texts = [str(name) for name in names]
    return ", ".join(texts[:most]) + (", ..." if len(texts) > most else "") or "none"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> counted(1, "row"), counted(1128, "row")
        ('1 row', '1,128 rows')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def shortened(text: str, most: int = 60) -> str:
    """Return a text of at most `most` characters.

    Example:
        >>> shortened("amphetamine", most=8)
        'amphe...'
    """
    return text if len(text) <= most else text[: most - 3] + "..."


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Return the question whether a close name was meant, with a space before it; "" where none is close.

    Example:
        >>> did_you_mean("log s", ["mass", "logS"])
        " Did you mean 'logS'?"
    """
    lowered = {known.lower(): known for known in reversed(names)}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    return f" Did you mean '{lowered[close[0]]}'?" if close else ""
