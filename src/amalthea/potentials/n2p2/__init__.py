"""The files of n2p2 and RuNNer: input.nn, scaling.data, weights.ZZZ.data and input.data, read and written as records.

The format: https://compphysvienna.github.io/n2p2/topics/keywords.html and cfg_file.html beside it; Singraber, Behler,
Dellago, J. Chem. Theory Comput. 15, 1827 (2019). Lengths are converted to Å and energies to eV while reading.
"""

from __future__ import annotations

from amalthea.potentials.n2p2.frames import Frame, read_structures, write_structures
from amalthea.potentials.n2p2.keywords import read_input, write_input
from amalthea.potentials.n2p2.parameters import (
    Statistics,
    linear_scaling,
    read_scaling,
    read_weights,
    weights_name,
    write_scaling,
    write_weights,
)
from amalthea.potentials.n2p2.settings import Normalization, Settings
from amalthea.potentials.n2p2.symfunctions import order

__all__ = [
    "Frame",
    "Normalization",
    "Settings",
    "Statistics",
    "linear_scaling",
    "order",
    "read_input",
    "read_scaling",
    "read_structures",
    "read_weights",
    "weights_name",
    "write_input",
    "write_scaling",
    "write_structures",
    "write_weights",
]
