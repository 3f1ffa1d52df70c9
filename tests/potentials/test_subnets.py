"""The networks of a potential: their gradients are those of their energies."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from amalthea.potentials.networks.subnets import ACTIVATIONS, energies_and_gradients


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_is_that_of_the_energy(activation: str) -> None:
    random = np.random.default_rng(0)
    sizes = (5, 4, 3, 1)
    weights = [
        (random.normal(size=(2, a, b)) / 2, random.normal(size=(2, b)) / 2) for a, b in itertools.pairwise(sizes)
    ]
    x, way, step = random.normal(size=(7, 5)), random.normal(size=(7, 5)), 1e-6
    names = [activation, activation, "linear"]
    energy, gradient = energies_and_gradients(weights, names, x)
    ahead, _ = energies_and_gradients(weights, names, x + step * way)
    behind, _ = energies_and_gradients(weights, names, x - step * way)
    assert energy.shape == (2, 7)
    assert gradient.shape == (2, 7, 5)
    np.testing.assert_allclose((gradient * way).sum(-1), (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-7)


def test_members_do_not_mix() -> None:
    random = np.random.default_rng(1)
    weights = [
        (random.normal(size=(3, 4, 6)), random.normal(size=(3, 6))),
        (random.normal(size=(3, 6, 1)), np.zeros((3, 1))),
    ]
    x = random.normal(size=(5, 4))
    energy, gradient = energies_and_gradients(weights, ["tanh", "linear"], x)
    for member in range(3):
        alone = [(kernel[member : member + 1], bias[member : member + 1]) for kernel, bias in weights]
        own_energy, own_gradient = energies_and_gradients(alone, ["tanh", "linear"], x)
        np.testing.assert_allclose(energy[member], own_energy[0], rtol=1e-12)
        np.testing.assert_allclose(gradient[member], own_gradient[0], rtol=1e-12)


def test_float32_stays_float32() -> None:
    weights = [(np.ones((1, 2, 3)), np.ones((1, 3))), (np.ones((1, 3, 1)), np.ones((1, 1)))]
    energy, gradient = energies_and_gradients(weights, ["silu", "linear"], np.ones((4, 2), np.float32))
    assert energy.dtype == gradient.dtype == np.float32
