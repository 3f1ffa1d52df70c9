"""The kinds of data, each imported when it is first asked for."""

from __future__ import annotations

import importlib
from pathlib import Path

import pandas as pd

from amalthea.domains.protocol import Domain
from amalthea.errors import DataError

DOMAINS = (
    ("structures", "amalthea.potentials"),
    ("images", "amalthea.domains.images"),
    ("molecules", "amalthea.domains.molecules"),
    ("tables", "amalthea.domains.tables"),
)
"""The name of each domain and the package that has it as `DOMAIN`; the last one takes what no other recognises."""


def domain(name: str) -> Domain:
    """Return a domain by its name.

    Raises:
        DataError: there is no such domain.

    Example:
        >>> domain("tables").name
        'tables'
    """
    homes = dict(DOMAINS)
    if name not in homes:
        raise DataError(f"there is no kind of data called '{name}'. There are: {', '.join(homes)}.")
    found: Domain = importlib.import_module(homes[name]).DOMAIN
    return found


def claimed(path: Path) -> Domain | None:
    """Return the domain that alone can read a file or folder; None: it is a table, or nothing.

    Example:
        >>> claimed(Path("solubility.csv")) is None
        True
    """
    return next((found for found in map(domain, dict(DOMAINS)) if found.claims(path)), None)


def recognise(table: pd.DataFrame) -> Domain:
    """Return the first domain that finds its kind of examples in a table.

    Args:
        table: all columns as text.

    Example:
        >>> recognise(pd.DataFrame({"x": ["1", "2"], "y": ["3", "4"]}, dtype="str")).name
        'tables'
    """
    names = [name for name, _ in DOMAINS]
    return next((found for found in map(domain, names[:-1]) if found.recognises(table)), domain(names[-1]))
