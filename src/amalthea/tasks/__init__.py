"""The kinds of answer, each registered under its name and imported when it is first asked for."""

from __future__ import annotations

from amalthea import registration
from amalthea.tasks.protocol import Task

GROUP = "amalthea.tasks"
"""The group of entry points in which a kind of answer is registered."""


def task(name: str) -> Task:
    """Return a task by its name.

    Raises:
        DataError: there is no such task.

    Example:
        >>> task("columns").name
        'columns'
    """
    kind: Task = registration.registered(GROUP, name, "kind of answer")
    return kind
