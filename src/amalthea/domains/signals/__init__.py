"""Signals: whole sequences, such as spectra and recordings, of which each has an answer."""

from __future__ import annotations

from amalthea.domains.signals.domain import Signals

DOMAIN = Signals()
