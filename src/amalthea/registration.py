"""What other packages, and this one, register under a name: kinds of data and kinds of answer."""

from __future__ import annotations

import functools
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from amalthea.errors import DataError


def names(group: str) -> tuple[str, ...]:
    """Return the names that are registered in a group of entry points, in alphabetical order.

    Example:
        >>> names("amalthea.tasks")[:1]
        ('columns',)
    """
    return tuple(sorted(_entries(group, tuple(sys.path))))


def registered(group: str, name: str, what: str) -> Any:
    """Return what is registered under a name, imported when it is first asked for.

    Args:
        group: of entry points, as `pyproject.toml` has them: "amalthea.domains", "amalthea.tasks".
        name: of the entry point.
        what: what such a thing is called in a message: "kind of data".

    Raises:
        DataError: nothing bears this name.

    Example:
        >>> registered("amalthea.domains", "tables", "kind of data").name
        'tables'
    """
    entries = _entries(group, tuple(sys.path))
    if name not in entries:
        raise DataError(f"there is no {what} called '{name}'. There are: {', '.join(sorted(entries))}.")
    return _loaded(entries[name])


@functools.lru_cache
def _entries(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:  # noqa: ARG001 - packages on another path
    return {entry.name: entry for entry in entry_points(group=group)}


@functools.lru_cache
def _loaded(entry: EntryPoint) -> Any:
    return entry.load()
