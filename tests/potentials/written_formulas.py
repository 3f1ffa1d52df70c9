"""A whole potential from n2p2's files: symmetry functions, scaling, network, energy and forces, as formulas."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from amalthea.potentials import n2p2
from amalthea.potentials.symmetry_functions import definitions as symmetry_functions
from amalthea.potentials.symmetry_functions.functions import reach
from amalthea.potentials.symmetry_functions.neighbours import neighbours, position_gradient

Floats = NDArray[np.float64]

ACTIVATIONS: dict[str, Any] = {
    "linear": lambda x: x,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "relu": jax.nn.relu,
    "gaussian": lambda x: jnp.exp(-(x**2) / 2),
    "cosine": jnp.cos,
    "reversed_sigmoid": lambda x: 1 - jax.nn.sigmoid(x),
    "decay": lambda x: jnp.exp(-x),
    "square": jnp.square,
}


@dataclasses.dataclass(frozen=True, eq=False)
class Potential:
    """A potential as it lies in a folder."""

    settings: n2p2.Settings
    statistics: dict[str, n2p2.Statistics]
    layers: dict[str, list[tuple[Floats, Floats]]]

    @classmethod
    def read(cls, folder: Path, **units: Any) -> Potential:
        settings = n2p2.read_input(folder / "input.nn", **units)
        layers = {
            element: n2p2.read_weights(folder / n2p2.weights_name(element), settings.sizes(element))
            for element in settings.elements
        }
        return cls(settings, n2p2.read_scaling(folder / "scaling.data", settings), layers)

    def energy_and_forces(self, frame: n2p2.Frame, *, own_images: bool = True) -> tuple[float, Floats]:
        """Return the total energy in eV and the forces in eV/Å, shape (N, 3).

        Without `own_images`, the force on an atom as a neighbour of itself is left out, as n2p2 does: its forces are
        then not quite the gradient of its energy.
        """
        functions, symbols = self.settings.functions, np.array(frame.symbols)
        pairs = neighbours(frame.positions, frame.cell, frame.cell is not None, reach(functions))
        values = symmetry_functions.values(functions, frame.symbols, pairs)
        energy, gradient = 0.0, np.zeros_like(values)
        for element in self.settings.elements:
            atoms, width = symbols == element, len(functions[element])
            with jax.enable_x64(True):
                own, slope = jax.vmap(jax.value_and_grad(lambda g, e=element: self.network(e, g)))(
                    jnp.asarray(values[atoms, :width])
                )
            energy += float(np.asarray(own).sum()) * self.settings.network_energy
            energy += atoms.sum() * self.settings.offset(element)
            gradient[np.ix_(atoms, np.arange(width))] = np.asarray(slope) * self.settings.network_energy
        pulled = symmetry_functions.pull_back(functions, frame.symbols, pairs, gradient)
        forces = -position_gradient(pairs, pulled)
        if not own_images:
            mirrored = pairs.neighbour == pairs.centre
            np.add.at(forces, pairs.centre[mirrored], pulled[pairs.reverse[mirrored]])
        return energy, forces

    def network(self, element: str, values: jax.Array) -> jax.Array:
        """Return one atom's output from its symmetry functions, shape (F,)."""
        factor, offset = n2p2.linear_scaling(self.settings, self.statistics[element])
        x = factor * values + offset
        for (kernel, bias), name in zip(self.layers[element], self.settings.activations[element], strict=True):
            inputs = len(kernel) if self.settings.normalize_nodes else 1
            x = ACTIVATIONS[name]((x @ kernel + bias) / inputs)
        return x[0]
