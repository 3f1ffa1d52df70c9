"""Potentials in the files of other programs: n2p2's, and through these LAMMPS's `pair_style hdnnp`."""

from __future__ import annotations

from amalthea.potentials.exchange.n2p2_export import Exported, export_n2p2
from amalthea.potentials.exchange.n2p2_import import import_n2p2

__all__ = ["Exported", "export_n2p2", "import_n2p2"]
