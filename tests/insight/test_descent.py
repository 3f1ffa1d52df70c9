"""The path of an optimizer: the closed form, Keras's own steps, and paths that leave the picture."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import amalthea
from amalthea import insight
from amalthea.insight import figures
from amalthea.insight.gradient_descent import benchmark_functions as surfaces
from amalthea.insight.gradient_descent import descent_plots as landscapes


def test_gradient_descent_on_a_quadratic_has_the_closed_form():
    path = insight.descent(surfaces.valley, keras.optimizers.SGD(0.05), [-2.0, 1.0], 30)
    steps = np.arange(31)[:, None]
    expected = np.array([-2.0, 1.0]) * (1 - 0.05 * np.array([1.0, 10.0])) ** steps
    np.testing.assert_allclose(path.weights, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(path.losses, (expected**2 @ [1, 10]) / 2, rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(path.gradients, path.weights[:-1] * [1, 10], rtol=1e-5)
    assert not path.diverged


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        keras.optimizers.RMSprop(0.05),
        keras.optimizers.Adagrad(0.5),
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.2, 5, 0.5)),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_the_steps_are_those_that_keras_takes(optimizer):
    path = insight.descent(surfaces.valley, optimizer, [-2.0, 1.0], 10)
    weights = keras.Variable([-2.0, 1.0])
    for place in range(10):
        optimizer.apply([jax.grad(surfaces.valley)(weights.value)], [weights])
        np.testing.assert_allclose(path.weights[place + 1], weights.numpy(), rtol=1e-4, atol=1e-6)


def test_the_same_path_twice_has_the_same_bits_and_leaves_the_optimizer_as_it_was():
    optimizer = keras.optimizers.Adam(0.1)
    first, second = (insight.descent(surfaces.plateau, optimizer, -2.5, 20) for _ in range(2))
    assert first.weights.tobytes() == second.weights.tobytes()
    assert first.losses.tobytes() == second.losses.tobytes()
    assert not optimizer.built


def test_batches_are_taken_in_turn():
    x, y = surfaces.made_up_line(rows=12)
    batches = surfaces.in_batches((x, y), size=4)
    path = insight.descent(surfaces.linear_model, keras.optimizers.SGD(0.1), [0.0, 0.0], 7, batches)
    weights = np.zeros(2)
    for place in range(7):
        own, target = (values[place % 3] for values in batches)
        slope = 2 * (weights[0] * own + weights[1] - target)
        gradient = np.array([(slope * own).mean(), slope.mean()])
        np.testing.assert_allclose(path.gradients[place], gradient, rtol=1e-4, atol=1e-5)
        weights = weights - 0.1 * gradient
    np.testing.assert_allclose(path.losses[0], np.mean(y**2), rtol=1e-5)
    assert sorted(np.concatenate(batches[0])) == sorted(x)


def test_a_learning_rate_that_is_too_large_climbs_and_its_path_ends_in_a_readable_picture():
    path = insight.descent(surfaces.valley, keras.optimizers.SGD(5.0), [-2.0, 1.0], 300)
    assert path.diverged
    assert 0 < path.steps < 300
    assert len(path.weights) == len(path.losses) == path.steps + 1
    assert np.isfinite(path.weights).all()
    assert np.isfinite(path.losses).all()
    drawn = path.figure()
    surface = drawn.axes[0]
    assert surface.get_xlim()[0] < -2 < surface.get_xlim()[1]
    assert np.ptp(surface.get_xlim()) < 20
    assert f"diverged after {path.steps} steps" in surface.get_title()


def test_momentum_passes_the_local_minimum_in_which_plain_descent_stays():
    plain = insight.descent(surfaces.plateau, keras.optimizers.SGD(0.2), -2.5, 120)
    rolling = insight.descent(surfaces.plateau, keras.optimizers.SGD(0.2, momentum=0.9), -2.5, 120)
    assert abs(plain.weights[-1, 0] + 0.9) < 0.1
    assert abs(rolling.weights[-1, 0] - 1.5) < 0.1


@pytest.mark.parametrize(
    ("function", "start", "told"),
    [
        (surfaces.parabola, [1.0, 2.0, 3.0], "one or two"),
        (lambda w: w, [1.0, 2.0], "one real number"),
        (lambda w: jnp.sum(w) > 0, 1.0, "one real number"),
        (lambda w: jnp.log(w), -1.0, "not finite at the start"),
    ],
)
def test_what_is_no_surface_is_refused(function, start, told):
    with pytest.raises(amalthea.AmaltheaError, match=told):
        insight.descent(function, "sgd", start, 3)


def test_an_unknown_optimizer_is_named():
    with pytest.raises(amalthea.AmaltheaError, match="sgdd"):
        insight.descent(surfaces.parabola, "sgdd", 1.0, 3)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_paths_are_drawn_on_their_surface_and_saved(theme, tmp_path):
    paths = {str(rate): insight.descent(surfaces.parabola, keras.optimizers.SGD(rate), -2.0, 5) for rate in (0.1, 1.05)}
    drawn = landscapes.figure(paths, theme, "title", "caption")
    assert len(drawn.axes) == 4
    assert drawn.axes[2].get_ylim() == drawn.axes[3].get_ylim()
    assert figures.save(drawn, tmp_path / "paths.png").stat().st_size > 1000
    assert [file.name for file in tmp_path.iterdir()] == ["paths.png"]
    assert json.loads(json.dumps(paths["0.1"].data()))["weights"][0] == [-2.0]


def test_figures_need_a_known_ending_and_theme(tmp_path):
    with pytest.raises(amalthea.AmaltheaError, match=r"\.svg"):
        figures.save("<svg/>", tmp_path / "graph.png")
    with pytest.raises(amalthea.AmaltheaError, match="dark"):
        figures.theme("grey")


def test_start_and_end_are_explained_and_every_loss_is_on_the_picture():
    path = insight.descent(surfaces.parabola, keras.optimizers.SGD(0.3), -2.0, 3)
    drawn = landscapes.figure({"right": path})
    assert [text.get_text() for text in drawn.axes[0].get_legend().get_texts()] == ["start", "end"]
    low, high = drawn.axes[1].get_ylim()
    assert low < path.losses.min() < path.losses.max() < high
