"""Molecules: SMILES, cleaned and described with RDKit."""

from __future__ import annotations

from amalthea.domains.molecules.domain import Molecules

DOMAIN = Molecules()
