"""Atomic structures with energies and forces: potentials are learned from them."""

from __future__ import annotations

from amalthea.potentials.domain import Structures

DOMAIN = Structures()
