"""The kinds of data, each registered under its name and imported when it is first asked for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from amalthea import registration
from amalthea.domains.protocol import Domain

GROUP = "amalthea.domains"
"""The group of entry points in which a kind of data is registered."""


def domain(name: str) -> Domain:
    """Return a domain by its name.

    Raises:
        DataError: there is no such domain.

    Example:
        >>> domain("tables").name
        'tables'
    """
    kind: Domain = registration.registered(GROUP, name, "kind of data")
    return kind


def domains() -> list[Domain]:
    """Return all domains, the most special kinds of data first.

    Example:
        >>> [each.name for each in domains()][-1]
        'tables'
    """
    return sorted(map(domain, registration.names(GROUP)), key=lambda each: each.precedence)


def claimed(path: Path) -> Domain | None:
    """Return the domain that alone can read a file or folder; None: it is a table, or nothing.

    Example:
        >>> claimed(Path("solubility.csv")) is None
        True
    """
    return next((each for each in domains() if each.claims(path)), None)


def recognise(table: pd.DataFrame) -> Domain:
    """Return the first domain that finds its kind of examples in a table; the last one takes any.

    Args:
        table: all columns as text.

    Example:
        >>> recognise(pd.DataFrame({"x": ["1", "2"], "y": ["3", "4"]}, dtype="str")).name
        'tables'
    """
    *special, general = domains()
    return next((each for each in special if each.recognises(table)), general)
