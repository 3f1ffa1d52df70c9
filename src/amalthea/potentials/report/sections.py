"""The sections of a report on a potential."""

from __future__ import annotations

from amalthea.reporting.blocks import Section
from amalthea.reporting.context import Context
from amalthea.reporting.page import SECTIONS


def sections(context: Context) -> list[Section]:
    """Return the sections, in the order in which they are read."""
    return [section(context) for section in SECTIONS]
