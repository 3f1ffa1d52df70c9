"""The potential as a Keras model: one subnet for each element, the atoms' energies summed, forces as derivatives.

Source: Behler and Parrinello, Phys. Rev. Lett. 98, 146401 (2007), equations 1 and 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from amalthea.potentials.symmetry_functions.families import HARDLY, LEAST_SPREAD, family_scale
from amalthea.potentials.voigt import to_voigt

ENERGY_ERROR = 0.02
"""The error of an energy, in eV an atom, that weighs as much as ..."""

FORCE_ERROR = 0.1
"""... an error of a force's component, in eV/Å, and as ..."""

STRESS_ERROR = 0.2
"""... an error of a stress's component times the volume of an atom, in eV."""

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "gaussian": lambda x: ops.exp(-ops.square(x) / 2),
    "cos": ops.cos,
    "exp": lambda x: ops.exp(-x),
    "square": ops.square,
    "reversed_sigmoid": lambda x: 1 - ops.sigmoid(x),
}
"""Activations of n2p2 that Keras lacks; see `subnets.ACTIVATIONS`."""


@keras.saving.register_keras_serializable("amalthea")
class FunctionScaling(keras.layers.Layer):
    """Centres the symmetry functions of each element and scales them, each family of functions by one scale.

    Input: the functions, shape (batch, atoms, F), and the elements' numbers, shape (batch, atoms), -1 for no atom.

    Args:
        elements: the number of elements.
        functions: F.
        families: for each element the numbers of its functions' families; None: all are of one.
        typical_spread: for each element how much its functions' families vary in any structures; None: not known.
    """

    def __init__(
        self,
        elements: int,
        functions: int,
        families: Sequence[Sequence[int]] | None = None,
        typical_spread: Sequence[Sequence[float]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.elements, self.functions = elements, functions
        self.families = families or [[0] * functions] * elements
        self.typical_spread = typical_spread or [[0.0] * len(family) for family in self.families]

    def build(self, input_shape: Any) -> None:  # noqa: ARG002  (Keras's signature)
        """Create mean and inverse standard deviation of each function of each element."""
        shape = (self.elements, self.functions)
        self.center = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="center")
        self.inverse_scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="inverse_scale")

    def call(self, functions: Any, element: Any) -> Any:
        """Scale the functions of all atoms."""
        kind = ops.maximum(element, 0)
        center, inverse = (ops.take(ops.convert_to_tensor(v), kind, axis=0) for v in (self.center, self.inverse_scale))
        return (functions - center) * inverse

    def statistics(self, values: NDArray[np.object_]) -> list[NDArray[np.float32]]:
        """Return this layer's weights from (elements' numbers, functions) of each training structure."""
        kinds = np.concatenate([kind for kind, _ in values])
        functions = np.concatenate([described for _, described in values]).astype(np.float64)
        center = np.zeros((self.elements, self.functions))
        inverse = np.zeros_like(center)
        for element, family in enumerate(self.families):
            width, rows = len(family), kinds == element
            if rows.any():
                described = functions[rows, :width]
                center[element, :width] = described.mean(axis=0)
                scale = family_scale(described.std(axis=0), family)
                size = family_scale(described.mean(axis=0), family)
                telling = scale > HARDLY * size  # more than rounding in single precision
                # A family that is all but silent in training must not be deafening where it does speak.
                scale = np.maximum(scale, LEAST_SPREAD * np.array(self.typical_spread[element]))
                inverse[element, :width] = np.divide(1.0, scale, out=np.zeros(width), where=telling)
        return [center.astype(np.float32), inverse.astype(np.float32)]

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {
            **super().get_config(),
            "elements": self.elements,
            "functions": self.functions,
            "families": self.families,
        }


@keras.saving.register_keras_serializable("amalthea")
class AtomicEnergies(keras.layers.Layer):
    """Brings the subnets' sum to eV and adds the energies of the atoms alone.

    Input: the sum over the atoms, shape (batch,), and how many atoms there are of each element, shape (batch, E).

    Args:
        elements: E, the number of elements.
    """

    def __init__(self, elements: int, **options: Any) -> None:
        super().__init__(**options)
        self.elements = elements

    def build(self, input_shape: Any) -> None:  # noqa: ARG002  (Keras's signature)
        """Create the energy of an atom of each element and the unit of the subnets' answers, both in eV."""
        self.atoms = self.add_weight(shape=(self.elements,), initializer="zeros", trainable=False, name="atoms")
        self.unit = self.add_weight(shape=(), initializer="ones", trainable=False, name="unit")

    def call(self, total: Any, counts: Any) -> Any:
        """Return total energies in eV, shape (batch,)."""
        return total * self.unit + ops.matmul(counts, ops.convert_to_tensor(self.atoms))

    def statistics(self, values: NDArray[np.float64]) -> list[NDArray[np.float32]]:
        """Return this layer's weights from rows of counts, energy, squared forces and their number.

        The energies of atoms are least squares over the compositions; the unit grows with the forces.
        """
        counts, energy = values[:, : self.elements], values[:, self.elements]
        squares, components = values[:, self.elements + 1], values[:, self.elements + 2]
        known = np.isfinite(energy)
        atoms = np.zeros(self.elements)
        if known.any():
            per_atom = 1 / counts[known].sum(axis=1)
            atoms = np.linalg.lstsq(counts[known] * per_atom[:, None], energy[known] * per_atom, rcond=1e-8)[0]
        unit = 1.0
        if components.sum() > 0:
            unit = 0.3 * float(np.sqrt(squares.sum() / components.sum()))
        elif known.any():
            unit = float(np.std((energy[known] - counts[known] @ atoms) / counts[known].sum(axis=1)))
        return [atoms.astype(np.float32), np.array(unit or 1.0, np.float32)]

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), "elements": self.elements}


@keras.saving.register_keras_serializable("amalthea")
class PotentialNetwork(keras.Model):
    """Energies, forces and stresses of structures from their symmetry functions and the derivatives of these.

    Args:
        elements: the symbols.
        functions: F, the number of symmetry functions; an element with fewer has zeros behind its own.
        hidden: the widths of each subnet's hidden layers: the same for all elements, or those of each.
        activation: their activation: one for all, or for each element those of its hidden layers.
        energy_weight: how much an energy's squared error counts in the loss.
        force_weight: how much those of the forces count.
        stress_weight: how much those of the stress count.
        families, typical_spread: of the functions, as `FunctionScaling` has them.
    """

    def __init__(
        self,
        elements: Sequence[str],
        functions: int,
        hidden: Sequence[int] | Mapping[str, Sequence[int]] = (40, 40),
        activation: str | Mapping[str, Sequence[str]] = "softplus",
        energy_weight: float = 1.0,
        force_weight: float = 1.0,
        stress_weight: float = 1.0,
        families: Sequence[Sequence[int]] | None = None,
        typical_spread: Sequence[Sequence[float]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.elements, self.functions = tuple(elements), functions
        self.hidden = dict(hidden) if isinstance(hidden, Mapping) else tuple(hidden)
        self.activation = activation if isinstance(activation, str) else dict(activation)
        self.energy_weight, self.force_weight, self.stress_weight = energy_weight, force_weight, stress_weight
        self.scaling = FunctionScaling(len(self.elements), functions, families, typical_spread, name="scaling")
        self.subnets = [self._subnet(element) for element in self.elements]
        self.energies = AtomicEnergies(len(self.elements), name="energies")
        self.derive: Any = None  # (numbers, atoms, pairs an atom) -> derivatives, where they are not stored
        self.build()

    def _subnet(self, element: str) -> keras.Sequential:
        widths = self.hidden[element] if isinstance(self.hidden, dict) else self.hidden
        names = [self.activation] * len(widths) if isinstance(self.activation, str) else self.activation[element]
        layers = [
            keras.layers.Dense(
                width, activation=ACTIVATIONS.get(name, name), kernel_initializer="lecun_normal", name=f"hidden_{n}"
            )
            for n, (width, name) in enumerate(zip(widths, names, strict=True), start=1)
        ]
        out = keras.layers.Dense(1, kernel_initializer="lecun_normal", name="energy")
        return keras.Sequential([keras.Input((None, self.functions)), *layers, out], name=f"element_{element}")

    def build(self, input_shape: Any = None) -> None:  # noqa: ARG002  (Keras's signature)
        """Create the weights."""
        for layer in (self.scaling, self.energies):
            if not layer.built:
                layer.build(None)
                layer.built = True
        self.built = True

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return energies (batch,) in eV, forces (batch, atoms, 3) in eV/Å and stresses (batch, 6) in eV/Å³."""
        unit = ops.convert_to_tensor(self.energies.unit)
        (total, gradient) = _with_gradient(lambda g: self._sum(g, inputs["element"]), inputs["functions"])
        pairs = contract(self._derivatives(inputs), gradient * inputs["unit"]) * unit
        backward = jax.vmap(lambda flat, reverse: flat.reshape(-1, 3)[reverse])(pairs, inputs["reverse"])
        forces = (pairs - backward.reshape(pairs.shape)).sum(axis=2)
        virial = jnp.einsum("bapx,bapy->bxy", inputs["vectors"], pairs) / inputs["volume"][:, None, None]
        return {"energy": self.energies(total, inputs["counts"]), "forces": forces, "stress": to_voigt(virial)}

    def _derivatives(self, inputs: dict[str, Any]) -> Any:
        if "derivatives" in inputs:
            return inputs["derivatives"]
        count, atoms, most, _ = inputs["vectors"].shape
        shape = jax.ShapeDtypeStruct((count, atoms, 3 * most, self.functions), "float16")
        return jax.pure_callback(
            lambda numbers: self.derive(numbers, atoms, most), shape, inputs["number"], vmap_method="sequential"
        )

    def _sum(self, functions: Any, element: Any) -> Any:
        """Return the sum of the subnets' answers over each structure's atoms, in the networks' own unit."""
        scaled = self.scaling(functions, element)
        return sum(
            ops.sum(subnet(scaled)[..., 0] * ops.cast(element == number, scaled.dtype), axis=1)
            for number, subnet in enumerate(self.subnets)
        )

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,  # noqa: ARG002  (Keras's signature)
    ) -> Any:
        """Return the mean over the batch of the squared errors of energies an atom, forces and stresses.

        Each is counted in units of the error that weighs equally. What is not known (NaN) counts for nothing.
        """
        atoms = x["counts"].sum(axis=1)
        energy = _squares((y_pred["energy"] - y["energy"]) / atoms / ENERGY_ERROR)
        there = ops.cast(x["element"] >= 0, energy.dtype)[..., None]
        forces = ops.sum(_squares((y_pred["forces"] - y["forces"]) / FORCE_ERROR) * there, axis=(1, 2)) / (3 * atoms)
        volume = ops.where(ops.isfinite(x["volume"]), x["volume"] / atoms, 0.0)[:, None]
        stress = ops.mean(_squares((y_pred["stress"] - y["stress"]) * volume / STRESS_ERROR), axis=1)
        each = self.energy_weight * energy + self.force_weight * forces + self.stress_weight * stress
        weight = ops.ones_like(each) if sample_weight is None else sample_weight
        return ops.sum(each * weight) / each.shape[0]

    def scalers(self, shapes: Any, y: Any) -> list[Any]:  # noqa: ARG002
        """Return the layers that hold statistics of a member's training structures, and from what they are made."""
        count = len(shapes)
        functions, rows = np.empty(count, object), np.zeros((count, len(self.elements) + 3))
        for (x, labels), numbers in zip(shapes.parts, shapes.rows, strict=True):
            for row, number in enumerate(numbers):
                there = x["element"][row] >= 0
                known = np.isfinite(labels["forces"][row]).all(axis=1) & there
                forces = labels["forces"][row][known].astype(np.float64)
                functions[number] = (x["element"][row][there], x["functions"][row][there])
                rows[number] = [*x["counts"][row], labels["energy"][row], (forces**2).sum(), forces.size]
        return [(self.scaling, functions), (self.energies, rows)]

    def get_config(self) -> dict[str, Any]:
        """Return the model's arguments."""
        names = ("elements", "functions", "hidden", "activation", "energy_weight", "force_weight", "stress_weight")
        options = {name: getattr(self, name) for name in names}
        scaling = {name: getattr(self.scaling, name) for name in ("families", "typical_spread")}
        return {**super().get_config(), **options, **scaling}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> PotentialNetwork:  # noqa: ARG003
        """Return the model that `get_config` described."""
        return cls(**config)


def _with_gradient(function: Any, values: Any) -> tuple[Any, Any]:
    """Return a function's values, one a structure, and the gradient of their sum."""
    total, pull = jax.vjp(function, values)
    return total, pull(jnp.ones_like(total))[0]


def _squares(errors: Any) -> Any:
    """Return squares, 0 where something is not known; no NaN reaches a gradient."""
    return ops.square(ops.where(ops.isfinite(errors), errors, 0.0))


@jax.custom_vjp
def contract(derivatives: Any, gradient: Any) -> Any:
    """Return the derivative of the energy by each pair's vector: the chain rule over the symmetry functions.

    Structure by structure, so that the derivatives, large and in half precision, pass through the cache once; they are
    constants of the training, so nothing is differentiated by them.

    Args:
        derivatives: shape (batch, atoms, 3 pairs, F), float16.
        gradient: of the energy by the functions, shape (batch, atoms, F).

    Returns:
        Shape (batch, atoms, pairs, 3).
    """

    def one(given: Any) -> Any:
        slopes, by_function = given
        return jnp.einsum("apf,af->ap", slopes.astype(by_function.dtype), by_function)

    answers = jax.lax.map(one, (derivatives, gradient))
    return answers.reshape(*answers.shape[:2], -1, 3)


def _contract_forward(derivatives: Any, gradient: Any) -> tuple[Any, Any]:
    return contract(derivatives, gradient), derivatives


def _contract_backward(derivatives: Any, cotangent: Any) -> tuple[None, Any]:
    def one(given: Any) -> Any:
        slopes, by_pair = given
        return jnp.einsum("apf,ap->af", slopes.astype(by_pair.dtype), by_pair)

    return None, jax.lax.map(one, (derivatives, cotangent.reshape(*cotangent.shape[:2], -1)))


contract.defvjp(_contract_forward, _contract_backward)
