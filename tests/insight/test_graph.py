"""The computational graph: the lecture's cases by hand, and gradients that agree with others' ways to them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amalthea
from amalthea import insight
from amalthea.insight.computational_graph.derivatives import number
from amalthea.tasks.lessons import lessons_of
from tests.predictor.models import trained

SMALL = ([[0.1, 0.2], [0.3, 0.4]], [[0.2], [1.0], [-3.0]], [[1.0], [2.0]])


def error(w, b, y):
    x1 = 2 * w
    x2 = x1 + b
    loss = abs(y - x2)
    return loss  # noqa: RET504 - the name is what is tested


def affine(x, W, b):
    y = x @ W + b
    return y  # noqa: RET504


def network(x, W1, W2, W3):
    one = jnp.ones(1)
    h1 = jnp.tanh(jnp.concatenate([one, x]) @ W1)
    h2 = jnp.tanh(jnp.concatenate([one, h1]) @ W2)
    output = jnp.tanh(jnp.concatenate([one, h2]) @ W3)
    return output  # noqa: RET504


def small_model():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((3,)), keras.layers.Dense(4, "tanh", name="first"), keras.layers.Dense(2, name="second")]
    model = keras.Sequential(layers)
    model.compile("sgd", "mean_squared_error")
    return model


def test_the_chain_of_gradients_of_the_lecture():
    shown = insight.graph(error, 3.0, 1.0, 5.0)
    values = {node.name: (float(node.value), float(node.gradient)) for node in shown.nodes}
    assert values == {
        "w": (3, 2),
        "b": (1, 1),
        "y": (5, -1),
        "x1": (6, 1),
        "x2": (7, 1),
        "t1": (-2, -1),
        "loss": (2, 1),
    }
    local = {(edge.source, edge.target): float(edge.derivative) for edge in shown.edges}
    assert local == {
        ("w", "x1"): 2,
        ("x1", "x2"): 1,
        ("b", "x2"): 1,
        ("y", "t1"): 1,
        ("x2", "t1"): -1,
        ("t1", "loss"): -1,
    }
    assert shown["x1"].formula == "2 × w"
    assert shown["loss"].formula == "|t1|"
    assert shown.result == "loss"


@pytest.mark.parametrize("x", [4.0, np.array([[1.0, 2.0], [3.0, 4.0]])])
def test_a_line_has_the_gradient_two(x):
    shown = insight.graph(lambda x: 2 * x + 3, x)
    np.testing.assert_array_equal(shown["x"].gradient, np.full(np.shape(x), 2.0))
    np.testing.assert_array_equal(shown[shown.result].value, 2 * np.asarray(x) + 3)
    assert any("those of their sum" in note for note in shown.notes) == (np.ndim(x) > 0)


def test_a_layer_without_activation_has_the_gradients_of_its_formula():
    x, weights, bias = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([[0.1, 0.2], [0.3, 0.4]]), np.ones(2)
    shown = insight.graph(affine, x, weights, bias)
    np.testing.assert_allclose(shown["y"].value, x @ weights + bias, rtol=1e-6)
    np.testing.assert_allclose(shown["W"].gradient, x.T @ np.ones((3, 2)))
    np.testing.assert_allclose(shown["b"].gradient, [3, 3])
    assert shown.edge("W", "t1").label == "xᵀ·∂"
    assert shown.edge("x", "t1").label == "∂·Wᵀ"
    product, copies = (next(e for e in shown.edges if (e.source, e.target) == (name, "y")) for name in ("t1", "t2"))
    np.testing.assert_array_equal(product.derivative, np.ones((3, 2)))  # only what is repeated adds up
    assert copies.label == "copies add up"
    assert shown.edge("b", "t2").label == "1, rearranged"  # one row is as large as the vector: no copy is made here


def test_a_layer_of_few_numbers_shows_them_and_no_mean_size():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(20), keras.layers.Dense(10, name="answer")])
    model.compile("sgd", "mse")
    x = np.linspace(-1, 1, 30)
    shown = insight.graph(model, x, np.zeros(10))
    picture = shown.svg("", "")
    answer = model.predict(x[None], verbose=0)[0]
    texts = " ".join(re.findall(r'class="value"[^>]*>([^<]*)', picture))
    assert all(number(each) in texts for each in answer)
    assert "1 × 20, mean size" in texts


def test_the_small_network_answers_minus_two_thirds():
    shown = insight.graph(network, np.array([2.0]), *map(np.array, SMALL))
    assert round(float(shown["output"].value[0]), 3) == -0.666
    np.testing.assert_allclose(shown["h1"].value, np.tanh([0.7, 1.0]), rtol=1e-6)
    np.testing.assert_allclose(shown["h2"].value, np.tanh([0.2 + np.tanh(0.7) - 3 * np.tanh(1.0)]), rtol=1e-6)


def test_the_small_network_has_the_sensitivities_of_the_textbook():
    """Y. S. Abu-Mostafa et al., Learning From Data, Example 7.1, for x = 2, y = 1 and the error (output − 1)²."""

    def squared(x, W1, W2, W3):
        return jnp.sum((network(x, W1, W2, W3) - 1) ** 2)

    shown = insight.graph(squared, np.array([2.0]), *map(np.array, SMALL))
    np.testing.assert_allclose(shown["W3"].gradient.ravel(), [-1.85, 1.67], atol=0.01)
    np.testing.assert_allclose(shown["W2"].gradient.ravel(), [-0.69, -0.42, -0.53], atol=0.01)
    np.testing.assert_allclose(shown["W1"].gradient, [[-0.44, 0.88], [-0.88, 1.75]], atol=0.01)


UNARY = (jnp.tanh, jnp.sin, jnp.exp, jnp.square, jax.nn.relu, jax.nn.softplus, jnp.cumsum, jax.nn.logsumexp, jnp.sort)
BINARY = (jnp.add, jnp.subtract, jnp.multiply, jnp.maximum, jnp.outer, lambda a, b: a / (1 + b**2))


@settings(max_examples=5, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(UNARY), st.sampled_from(BINARY)), min_size=1, max_size=2),
    st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3),
)
def test_gradients_are_those_of_jax(chain, numbers):
    def function(x, y):
        for one, two in chain:
            x = jnp.tanh(two(one(x), y)).mean(0) * y
        return jnp.sum(x * x)

    x, y = jnp.array(numbers), jnp.array([0.5, -1.0, 2.0])
    shown = insight.graph(function, x, y)
    expected = jax.grad(function, argnums=(0, 1))(x, y)
    for name, gradient in zip("xy", expected, strict=True):
        np.testing.assert_allclose(shown[name].gradient, gradient, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(shown[shown.result].value, function(x, y), rtol=1e-5)


def test_every_gradient_is_the_difference_that_a_small_change_makes():
    weights = [np.array(rows, np.float32) for rows in SMALL]
    shown = insight.graph(network, np.array([2.0]), *weights)
    for place, name in enumerate(("W1", "W2", "W3")):
        for index in np.ndindex(weights[place].shape):
            moved = [[w.copy() for w in weights] for _ in range(2)]
            moved[0][place][index] += 1e-2
            moved[1][place][index] -= 1e-2
            higher, lower = (float(network(jnp.array([2.0]), *changed)[0]) for changed in moved)
            np.testing.assert_allclose(shown[name].gradient[index], (higher - lower) / 2e-2, rtol=5e-3, atol=1e-4)


def test_the_gradient_of_a_node_is_that_behind_it_times_the_local_derivative():
    def chain(x):
        a = jnp.exp(x)
        b = jnp.sin(a) * a
        return b / (1 + a)

    shown = insight.graph(chain, 0.7)
    for node in shown.nodes[:-1]:
        ways = [edge for edge in shown.edges if edge.source == node.name]
        total = sum(float(shown[edge.target].gradient) * float(edge.derivative) for edge in ways)
        np.testing.assert_allclose(float(node.gradient), total, rtol=1e-5)


def test_a_number_that_is_used_twice_by_one_operation_is_one_edge_with_both_derivatives():
    shown = insight.graph(lambda x: x * x, 3.0)
    assert float(shown.edge("x", "result").derivative) == 6


def test_relu_at_its_kink_has_the_gradient_that_jax_gives():
    assert float(insight.graph(jax.nn.relu, 0.0).nodes[0].gradient) == float(jax.grad(jax.nn.relu)(0.0))
    shown = insight.graph(abs, 0.0)
    assert "kink" in shown[shown.result].remark


def test_control_flow_is_one_node():
    def function(x):
        a = jax.lax.fori_loop(0, 3, lambda _, c: c * x, x)
        b = jax.lax.cond(x > 0, jnp.sin, jnp.cos, x)
        return a + b

    shown = insight.graph(function, 1.5)
    kinds = [node.operation for node in shown.nodes]
    assert kinds.count("a loop (scan)") == 1
    assert kinds.count("a choice (cond)") == 1
    np.testing.assert_allclose(shown["x"].gradient, jax.grad(function)(1.5), rtol=1e-6)


def test_before_a_while_loop_gradients_are_undefined_and_the_text_says_so():
    shown = insight.graph(lambda x: jax.lax.while_loop(lambda c: c < 10, lambda c: 2 * c, x * 2) + 1, 1.5)
    loop = next(node for node in shown.nodes if node.operation == "a loop (while)")
    assert float(loop.value) == 12
    assert float(loop.gradient) == 1
    assert shown["x"].gradient is None
    assert "undefined" in shown["x"].remark
    assert "undefined" in shown.text()


def test_integers_and_steps_have_no_gradient_or_zero():
    def function(x, n):
        return jnp.floor(x) * 2 + n * x + jax.lax.stop_gradient(x)

    shown = insight.graph(function, 1.5, 3)
    assert shown["n"].gradient is None
    assert "undefined" in shown["n"].remark
    assert float(shown["x"].gradient) == 3
    floor = next(node for node in shown.nodes if node.operation == "floor")
    assert "a step" in floor.remark
    assert float(shown.edge("x", floor.name).derivative) == 0
    whole = insight.graph(lambda n: n * 2, 3)
    assert whole["n"].gradient is None
    assert "nothing has a gradient" in whole.notes[0]


def test_an_argument_that_is_not_used_has_the_gradient_zero():
    def function(x, y):
        return x * 2

    assert insight.graph(function, 1.0, np.ones(2))["y"].gradient.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(lambda x: (x, x), (1.0,)), (lambda x: x * 1j, (1.0,)), (lambda x: x, ("text",))],
)
def test_what_has_no_graph_is_refused_in_words(function, arguments):
    with pytest.raises(amalthea.AmaltheaError, match="Received"):
        insight.graph(function, *arguments)


@pytest.mark.parametrize("repeats", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_a_hundred_thousand_operations_are_folded(repeats):
    @jax.jit
    def thousand(x):
        for _ in range(500):
            x = 0.999 * x + 0.001
        return x

    def function(x):
        for _ in range(repeats):
            x = thousand(x)
        return x

    shown = insight.graph(function, 0.5)
    assert sum(node.operations for node in shown.nodes) == 1000 * repeats
    assert len(shown.nodes) < 50
    assert f"{1000 * repeats:,} operations are folded" in shown.notes[0]
    np.testing.assert_allclose(shown["x"].gradient, jax.jit(jax.grad(function))(0.5), rtol=1e-3, atol=1e-30)
    block = next(node.name for node in shown.nodes if node.kind == "folded")
    opened = shown.unfold(block)
    assert sum(node.operations for node in opened.nodes) == 1000 * repeats
    assert 25 < len(opened.nodes) < 300
    ET.fromstring(opened.svg())


def test_a_model_is_one_node_a_layer_with_the_gradients_of_its_weights():
    model, x, y = small_model(), np.array([[1.0, -2.0, 0.5]]), np.array([[1.0, 0.0]])
    shown = insight.graph(model, x, y)
    assert [node.name for node in shown.nodes] == ["x", "y", "first", "second", "loss"]
    assert [(edge.source, edge.target) for edge in shown.edges] == [
        ("x", "first"),
        ("first", "second"),
        ("y", "loss"),
        ("second", "loss"),
    ]
    assert shown["first"].shape == (1, 4)
    np.testing.assert_allclose(shown["loss"].value, model.evaluate(x, y, verbose=0), rtol=1e-5)

    def loss(weights):
        return jnp.mean((model.stateless_call(weights, [], x)[0] - y) ** 2)

    gradients = jax.grad(loss)([variable.value for variable in model.trainable_variables])
    sizes = [float((gradient**2).sum()) for gradient in gradients]
    np.testing.assert_allclose(shown["first"].share, sum(sizes[:2]) / sum(sizes), rtol=1e-4)
    np.testing.assert_allclose(shown["first"].share + shown["second"].share, 1, rtol=1e-6)
    everything = shown.unfold()
    names = ["first/kernel", "first/bias", "second/kernel", "second/bias"]
    for name, gradient in zip(names, gradients, strict=True):
        np.testing.assert_allclose(everything[name].gradient, gradient, rtol=1e-4, atol=1e-6)
    assert any(node.operation == "tanh" for node in everything.nodes)


def test_the_own_loss_of_a_trained_model_is_one_node_too():
    predictor = trained("number")
    asked = lessons_of(predictor).example(None)
    shown = insight.graph(asked.network, *asked.arguments)
    assert shown.result == "loss"
    assert [node.name for node in shown.nodes if node.kind not in ("folded", "argument")] == []
    assert {edge.source for edge in shown.edges if edge.target == "loss"} >= {"y"}
    assert shown.unfold("loss")["loss" if shown.unfold("loss").result == "loss" else "result"].kind == "operation"
    answer = insight.graph(asked.network, asked.arguments[0])
    assert "loss" not in [node.name for node in answer.nodes]


def test_one_layer_is_unfolded_where_asked():
    shown = insight.graph(small_model(), np.array([1.0, -2.0, 0.5]), unfold=["first"])
    assert "second" in [node.name for node in shown.nodes]
    assert "first/kernel" in [node.name for node in shown.nodes]
    assert "second/kernel" not in [node.name for node in shown.nodes]
    with pytest.raises(amalthea.AmaltheaError, match="third"):
        shown.unfold("third")


def test_a_layer_that_is_called_twice_is_two_nodes():
    given = keras.Input((3,))
    shared = keras.layers.Dense(3, name="shared")
    middle = keras.layers.Activation("tanh", name="middle")
    model = keras.Model(given, shared(middle(shared(given))))
    shown = insight.graph(model, np.ones((1, 3)))
    assert [node.name for node in shown.nodes] == ["x", "shared", "middle", "shared#2"]


def test_a_model_without_a_loss_asked_for_it_says_what_to_do():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(amalthea.AmaltheaError, match="compile"):
        insight.graph(model, np.ones((1, 3)), np.ones((1, 1)))


def test_a_model_with_dropout_and_batch_normalization_is_shown_as_it_answers():
    layers = [keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    model, x = keras.Sequential(layers), np.ones((1, 3), np.float32)
    shown = insight.graph(model, x)
    np.testing.assert_allclose(shown[shown.result].value, model.predict(x, verbose=0), rtol=1e-5)
    assert "dropout is off" in shown.notes[0]


def test_the_picture_is_well_formed_and_shows_every_node():
    graphs = [
        insight.graph(error, 3.0, 1.0, 5.0),
        insight.graph(network, np.array([2.0]), *map(np.array, SMALL)),
        insight.graph(small_model(), np.ones((1, 3)), np.ones((1, 2))).unfold("first"),
    ]
    for shown in graphs:
        root = ET.fromstring(shown.svg("a < b & c", caption='"quoted" <sentence>'))
        space = {"s": "http://www.w3.org/2000/svg"}
        drawn = [group.get("data-name") for group in root.findall("s:g", space)]
        assert drawn == [node.name for node in shown.nodes]
        assert len(root.findall("s:path", space)) == len(shown.edges)
        assert root.find("s:title", space).text == "a < b & c"
        assert all(node.name in shown.text() for node in shown.nodes)
        boxes = [group.find("s:rect", space) for group in root.findall("s:g", space)]
        corners = [tuple(float(box.get(key)) for key in ("x", "y", "width", "height")) for box in boxes]
        for place, (x, y, width, height) in enumerate(corners):
            assert x >= 0
            assert x + width <= float(root.get("width"))
            assert y + height <= float(root.get("height"))
            for a, b, c, d in corners[:place]:
                assert x >= a + c or a >= x + width or y >= b + d or b >= y + height, "two nodes overlap"


def test_the_data_are_plain_and_say_what_is_not_finite():
    plain = insight.graph(lambda x: jnp.log(x) * 2, 0.0).data()
    told = json.loads(json.dumps(plain, allow_nan=False))
    assert told["nodes"][0] | {"gradient": None} == told["nodes"][0]
    assert told["edges"][0]["source"] == "x"
