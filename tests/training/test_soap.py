"""The optimizer SOAP does what its paper says, and is an optimizer like any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from networks import FEATURES, FOLD_IDS, TARGET, Case, am, assert_close, dense, keras, train_alone, weights_of

from amalthea.training.soap import Soap, orthonormal

RATE, BETA_1, BETA_2, BETA_3, EPSILON, REFRESH = 0.1, 0.9, 0.8, 0.7, 1e-8, 2


def by_the_paper(weights: np.ndarray, gradients: list[np.ndarray]) -> np.ndarray:
    """Algorithm 3 of Vyas et al., with Adam's corrections of the first steps."""
    rows, columns = weights.shape
    left, right = np.zeros((rows, rows)), np.zeros((columns, columns))
    q_left, q_right = np.eye(rows), np.eye(columns)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step, gradient in enumerate(gradients, start=1):
        rotated = q_left.T @ gradient @ q_right
        mean = BETA_1 * mean + (1 - BETA_1) * gradient
        square = BETA_2 * square + (1 - BETA_2) * rotated**2
        corrected = (q_left.T @ mean @ q_right) / (1 - BETA_1**step)
        direction = corrected / (np.sqrt(square / (1 - BETA_2**step)) + EPSILON)
        weights = weights - RATE * q_left @ direction @ q_right.T
        left = BETA_3 * left + (1 - BETA_3) * gradient @ gradient.T
        right = BETA_3 * right + (1 - BETA_3) * gradient.T @ gradient
        if (step - 1) % REFRESH == 0:
            q_left, q_right = np.linalg.qr(left @ q_left)[0], np.linalg.qr(right @ q_right)[0]
    return weights


def descend(optimizer: Any, start: np.ndarray, gradient: Callable[[np.ndarray], np.ndarray], steps: int) -> np.ndarray:
    """Follow an optimizer down a function with this gradient."""
    variable = keras.Variable(start)
    optimizer.build([variable])
    step = jax.jit(optimizer.stateless_apply)
    weights, state = [start], [own.value for own in optimizer.variables]
    for _ in range(steps):
        weights, state = step(state, [np.asarray(gradient(np.asarray(weights[0])), np.float32)], weights)
    return np.asarray(weights[0])


def soap(rate: float = RATE) -> Soap:
    return Soap(rate, BETA_1, BETA_2, BETA_3, EPSILON, REFRESH)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (1, 1)])
def test_steps_are_those_of_the_paper(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(2)
    start, gradients = random.normal(size=shape).astype(np.float32), list(random.normal(size=(6, *shape)))
    given = iter(gradients)
    moved = descend(soap(), start, lambda _: next(given), 6)
    np.testing.assert_allclose(moved, by_the_paper(start.astype(np.float64), gradients), rtol=1e-4, atol=1e-5)


def test_vectors_follow_adam() -> None:
    random = np.random.default_rng(3)
    start, gradients = random.normal(size=7).astype(np.float32), list(random.normal(size=(6, 7)))
    moved = []
    for optimizer in (soap(), keras.optimizers.Adam(RATE, BETA_1, BETA_2, EPSILON)):
        given = iter(gradients)
        moved.append(descend(optimizer, start, lambda _, given=given: next(given), 6))
    np.testing.assert_allclose(*moved, rtol=1e-5)


def test_turned_valleys_are_descended_faster_than_by_adam() -> None:
    """Least squares from mini-batches; neither inputs nor outputs vary along the axes of the weights."""
    random = np.random.default_rng(4)
    turns = [np.linalg.qr(random.normal(size=(6, 6)))[0] for _ in range(2)]
    outputs, inputs = (
        turn @ np.diag(np.geomspace(1, ratio, 6)) @ turn.T for turn, ratio in zip(turns, (10, 30), strict=True)
    )
    wanted = random.normal(size=(6, 6))

    def height(kind: Any, rate: float) -> float:
        batches = np.random.default_rng(1)

        def gradient(weights: np.ndarray) -> np.ndarray:
            x, noise = inputs @ batches.normal(size=(6, 16)), 0.3 * batches.normal(size=(6, 16))
            return outputs.T @ (outputs @ (weights - wanted) @ x + noise) @ x.T / 16

        optimizer = kind(keras.optimizers.schedules.CosineDecay(rate, 200), beta_1=0.95, beta_2=0.95)
        reached = descend(optimizer, np.zeros((6, 6), np.float32), gradient, 200)
        return float(((outputs @ (reached - wanted) @ inputs) ** 2).sum())

    assert height(Soap, 0.3) < 0.1 * min(height(keras.optimizers.Adam, rate) for rate in (1.0, 0.3, 0.1))


@pytest.mark.parametrize("singular", [False, True])
def test_orthonormal_is_the_q_of_a_qr_decomposition(singular: bool) -> None:
    matrix = np.random.default_rng(5).normal(size=(6, 6)).astype(np.float32)
    if singular:
        matrix[:, 4] = matrix[:, 1]
    q = np.asarray(orthonormal(matrix))
    np.testing.assert_allclose(q.T @ q, np.eye(6), atol=2e-6)
    np.testing.assert_allclose(np.tril(q.T @ matrix, -1), 0, atol=2e-5)


@pytest.mark.parametrize("scale", [1e-20, 1e15])
def test_orthonormal_of_tiny_and_of_large_numbers(scale: float) -> None:
    matrix = np.random.default_rng(6).normal(size=(4, 4))
    product = np.asarray(orthonormal((scale * (matrix @ matrix.T)).astype(np.float32)))
    np.testing.assert_allclose(np.abs(product), np.abs(np.linalg.qr(matrix @ matrix.T)[0]), atol=1e-4)


def test_no_gradient_moves_nothing() -> None:
    start = np.ones((3, 2), np.float32)
    np.testing.assert_array_equal(descend(soap(), start, np.zeros_like, 5), start)


def test_members_of_an_ensemble_equal_networks_trained_alone() -> None:
    case = Case(lambda: dense(soap(0.01)))
    ensemble = am.Ensemble(case.build(), folds=2, members=2, seed=3)
    ensemble.fit(FEATURES, TARGET, epochs=3, batch_size=4, fold_ids=FOLD_IDS)
    for number, weights in train_alone(case, [0, 3], fold_ids=FOLD_IDS, folds=2, members=2, seed=3).items():
        assert_close(weights_of(ensemble, number), weights, rtol=1e-3, atol=1e-4)


def test_it_is_made_again_from_its_configuration() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.0, 20, 0.1, warmup_target=0.05, warmup_steps=3)
    first = Soap(schedule, beta_1=0.9, beta_2=0.91, beta_3=0.92, epsilon=1e-6, refresh=3, weight_decay=0.1)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(first))
    assert type(again) is Soap
    assert again.get_config() == first.get_config()
    start = np.random.default_rng(7).normal(size=(3, 2)).astype(np.float32)
    np.testing.assert_array_equal(*(descend(own, start, np.sin, 7) for own in (first, again)))
