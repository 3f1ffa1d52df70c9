"""Tables: numbers and categories in columns."""

from __future__ import annotations

from amalthea.domains.tables.domain import Tables

DOMAIN = Tables()
