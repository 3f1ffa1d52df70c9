"""Series in time as a kind of data."""

from __future__ import annotations

from amalthea.domains.sequences.domain import Sequences

DOMAIN = Sequences()
