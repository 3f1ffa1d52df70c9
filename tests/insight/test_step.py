"""One step on a mini-batch."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

import amalthea
from amalthea import insight
from amalthea.insight.gradient_descent import optimizer_steps as updates

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(16, 3)).astype(np.float32)
Y = (X[:, :1] - X[:, 1:2]).astype(np.float32)


def model(rate=0.0):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((3,)), keras.layers.Dense(5, "tanh"), keras.layers.Dropout(rate), keras.layers.Dense(1)]
    built = keras.Sequential(layers)
    built.compile("sgd", "mean_squared_error")
    return built


@pytest.mark.parametrize("name", updates.FOUR)
@pytest.mark.parametrize("previous", [0, 2])
def test_the_step_is_the_one_that_keras_takes(name, previous):
    other = model()
    other.compile(name, "mean_squared_error")
    for _ in range(previous):
        other.train_on_batch(X, Y)
    before, loss = [w.copy() for w in other.get_weights()], other.evaluate(X, Y, verbose=0)
    other.train_on_batch(X, Y)
    taken = insight.step(model(), X, Y, name, previous=previous)
    for update, new, old in zip(taken.update, other.get_weights(), before, strict=True):
        np.testing.assert_allclose(update, new - old, rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(taken.loss, loss, rtol=1e-4)
    np.testing.assert_allclose(taken.actual_change, other.evaluate(X, Y, verbose=0) - loss, rtol=2e-2, atol=1e-6)


def test_plain_gradient_descent_scales_every_gradient_by_the_learning_rate():
    taken = insight.step(model(), X, Y, keras.optimizers.SGD(0.05))
    for update, gradient, scaling in zip(taken.update, taken.gradient, taken.scaling, strict=True):
        np.testing.assert_allclose(update, -0.05 * gradient, rtol=1e-3, atol=1e-7)
        assert np.nanmax(np.abs(scaling - 0.05)) < 0.01
    squared = sum(float((gradient**2).sum()) for gradient in taken.gradient)
    np.testing.assert_allclose(taken.predicted_change, -0.05 * squared, rtol=1e-3)
    assert taken.state == {}


def test_adam_remembers_the_gradient_and_its_square():
    taken = insight.step(model(), X, Y, keras.optimizers.Adam(0.01))
    momenta = [value for name, value in taken.state.items() if name.endswith("momentum")]
    velocities = [value for name, value in taken.state.items() if name.endswith("velocity")]
    for momentum, velocity, gradient in zip(momenta, velocities, taken.gradient, strict=True):
        np.testing.assert_allclose(momentum, 0.1 * gradient, rtol=1e-4, atol=1e-8)
        np.testing.assert_allclose(velocity, 0.001 * gradient**2, rtol=1e-3, atol=1e-9)


def test_a_short_step_does_what_was_predicted_also_with_dropout():
    taken = insight.step(model(rate=0.5), X, Y, keras.optimizers.SGD(1e-3))
    assert taken.predicted_change < 0
    np.testing.assert_allclose(taken.actual_change, taken.predicted_change, rtol=0.05)


def test_the_model_is_left_as_it_was():
    untouched = model()
    before = [weights.copy() for weights in untouched.get_weights()]
    insight.steps(untouched, X, Y, ("sgd", "adam"))
    assert all(np.array_equal(a, b) for a, b in zip(before, untouched.get_weights(), strict=True))


def test_four_steps_are_drawn_side_by_side():
    taken = insight.steps(model(), X, Y)
    assert list(taken) == list(updates.FOUR)
    for theme in ("light", "dark"):
        drawn = updates.figure(taken, theme, "title", "caption")
        assert [axes.get_title() for axes in drawn.axes[:4]] == ["SGD", "RMSprop", "Adagrad", "Adam"]
        assert len({axes.get_ylim() for axes in drawn.axes[4:]}) == 1
    plain = json.loads(json.dumps(taken["adam"].data(), allow_nan=False))
    assert plain["optimizer"] == "Adam"
    (kernel, *_), (scaling, *_) = taken["adam"].weights, taken["adam"].scaling
    np.testing.assert_allclose(np.array(plain["weights"][kernel]["scaling"], float), scaling, rtol=1e-6)


def test_the_legend_of_a_step_hides_no_point():
    drawn = updates.figure(insight.steps(model(), X, Y), "light", "", "")
    drawn.draw_without_rendering()
    for axes in drawn.axes[:4]:
        box = axes.get_legend().get_window_extent()
        points = np.concatenate([axes.transData.transform(line.get_xydata()) for line in axes.lines])
        assert not box.count_contains(points)


def test_a_progress_bar_is_shown_where_asked(capfd):
    insight.steps(model(), X, Y, ("sgd", "adam"), verbose=1)
    assert "2/2" in capfd.readouterr().err
    insight.steps(model(), X, Y, ("sgd",), verbose=0)
    assert not capfd.readouterr().err


def test_what_cannot_be_a_step_is_refused():
    bare = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(amalthea.AmaltheaError, match="compile"):
        insight.step(bare, X, Y)
    with pytest.raises(amalthea.AmaltheaError, match="not finite"):
        insight.step(model(), np.full_like(X, np.nan), Y)
    with pytest.raises(amalthea.AmaltheaError, match="rows"):
        insight.step(model(), X, Y[:3])
