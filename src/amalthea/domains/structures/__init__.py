"""Atomic structures with energies and forces: potentials are learned from them."""

from __future__ import annotations

from amalthea.domains.structures.domain import Structures

DOMAIN = Structures()
