"""What input.nn says of a potential, as a record."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, get_args

from amalthea.potentials.n2p2.units import EnergyUnit, LengthUnit, electronvolts
from amalthea.potentials.symmetry_functions.functions import Functions

Activation = Literal[
    "linear",
    "tanh",
    "sigmoid",
    "softplus",
    "relu",
    "gaussian",
    "cosine",
    "reversed_sigmoid",
    "decay",
    "square",
]
"""x; tanh x; 1/(1 + e^-x); ln(1 + e^x); max(0, x); e^(-x²/2); cos x; 1 - 1/(1 + e^-x); e^-x; x²."""

LETTERS: Mapping[str, Activation] = dict(zip("ltsprgcSeh", get_args(Activation), strict=True))
"""n2p2's letters for the activation functions."""

ScalingKind = Literal["none", "scale", "center", "scale_center", "sigma"]


@dataclasses.dataclass(frozen=True)
class Normalization:
    """How the energies that the networks learned differ from physical ones: E* = (E - N mean_energy) conv_energy.

    Args:
        mean_energy: the mean energy of an atom, in eV.
        conv_energy: in 1/eV.
        conv_length: in 1/Å; neither energies nor forces depend on it.
    """

    mean_energy: float
    conv_energy: float
    conv_length: float


@dataclasses.dataclass(frozen=True)
class Settings:
    """All that input.nn says of a potential at work; how it was trained is left out.

    Args:
        elements: sorted by atomic number.
        functions: the symmetry functions of each element, in n2p2's order; lengths in Å.
        hidden: the nodes of each element's hidden layers.
        activations: the activation of each element's hidden layers and, last, of its output.
        scaling: "none" G; "center" G - mean; "scale" by minimum and maximum; "scale_center" both; "sigma"
            (G - mean) / σ; all but "none" and "center" then to `scale_range`.
        scale_range: S_min and S_max, what is scaled to.
        atom_energy: what an atom of each element adds to the energy, in eV; 0 where the file says nothing.
        normalize_nodes: whether each neuron's argument is divided by the number of its inputs.
        normalization: None where the file has none.
        length_unit: the file's.
        energy_unit: the file's.
    """

    elements: tuple[str, ...]
    functions: Functions
    hidden: Mapping[str, tuple[int, ...]]
    activations: Mapping[str, tuple[Activation, ...]]
    scaling: ScalingKind = "none"
    scale_range: tuple[float, float] = (0.0, 1.0)
    atom_energy: Mapping[str, float] = dataclasses.field(default_factory=dict)
    normalize_nodes: bool = False
    normalization: Normalization | None = None
    length_unit: LengthUnit = "bohr"
    energy_unit: EnergyUnit = "hartree"

    def sizes(self, element: str) -> tuple[int, ...]:
        """Return the nodes of all layers of an element's network: its functions, the hidden layers, 1."""
        return len(self.functions[element]), *self.hidden[element], 1

    @property
    def network_energy(self) -> float:
        """What one unit of a network's output stands for, in eV."""
        return 1 / self.normalization.conv_energy if self.normalization else electronvolts(self.energy_unit)

    def offset(self, element: str) -> float:
        """Return what an atom of this element adds to the energy besides its network's output, in eV."""
        mean = self.normalization.mean_energy if self.normalization else 0.0
        return mean + self.atom_energy.get(element, 0.0)
