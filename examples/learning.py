"""How networks learn, in figures: the computational graph, the path of the weights, steps, and overfitting.

    python examples/learning.py [FOLDER] [--theme dark] [--only NAME ...] [--dots 75]

writes numbered figures into FOLDER (`learning` unless given), and prints two sentences on each. It takes less than two
minutes on two cores; the figures of paths and steps need Matplotlib (`pip install amalthea[plots]`).

The README's two figures: python examples/learning.py docs --dots 100 --only chain-of-gradients learning-by-heart
"""

from __future__ import annotations

import argparse
from pathlib import Path

import amalthea as am
import amalthea.insight as insight
import jax.numpy as jnp
import keras
import numpy as np
import pandas as pd
from amalthea.insight import figures
from amalthea.insight.gradient_descent import benchmark_functions, descent_plots, optimizer_steps

SGD = keras.optimizers.SGD


def error(w, b, y):
    x1 = 2 * w
    x2 = x1 + b
    loss = abs(y - x2)
    return loss  # noqa: RET504 - the figure shows the name


def line(x):
    y = 2 * x + 3
    return y  # noqa: RET504


def affine(x, W, b):
    y = x @ W + b
    return y  # noqa: RET504


def network(x, W1, W2, W3):
    one = jnp.ones(1)  # the first row of each matrix is the bias
    h1 = jnp.tanh(jnp.concatenate([one, x]) @ W1)
    h2 = jnp.tanh(jnp.concatenate([one, h1]) @ W2)
    output = jnp.tanh(jnp.concatenate([one, h2]) @ W3)
    return output  # noqa: RET504


def convolutional():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(8, 3, activation="relu", name="convolution"),
            layers.MaxPooling2D(name="pooling"),
            layers.Flatten(name="flatten"),
            layers.Dense(16, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="answer"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def graphs():
    """Yield name, title, caption and graph of each figure."""
    yield (
        "chain-of-gradients",
        "x1 = 2·w, x2 = x1 + b, loss = |y − x2|",
        "Values (blue, =) are computed from left to right, gradients (orange, ∂) from right to left. Each gradient is "
        "the one behind it times the local derivative (green) on the arrow: for w it is 1·(−1)·(−1)·1·2 = 2.",
        insight.graph(error, 3.0, 1.0, 5.0),
    )
    yield (
        "a-line",
        "y = 2x + 3",
        "Where x grows by a little, y grows by twice as much: the gradient is 2, wherever x is. The 3 only shifts y "
        "and leaves no trace in the gradient.",
        insight.graph(line, 4.0),
    )
    yield (
        "a-line-of-matrices",
        "y = 2x + 3 with four numbers at once",
        "The same line for a matrix of 2 × 2 numbers, each on its own way. The gradient of the sum has the shape of x, "
        "and is 2 in each place.",
        insight.graph(line, np.array([[1.0, 2.0], [3.0, 4.0]])),
    )
    yield (
        "x-times-w-plus-b",
        "y = x·W + b, a layer without activation",
        "The gradient for W is xᵀ times the gradient of y, and the one for b adds up that of all rows. Each gradient "
        "has the shape of what it belongs to, so that it can be subtracted from it.",
        insight.graph(affine, np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.1, 0.2], [0.3, 0.4]]), np.ones(2)),
    )
    weights = [np.array(rows) for rows in ([[0.1, 0.2], [0.3, 0.4]], [[0.2], [1.0], [-3.0]], [[1.0], [2.0]])]
    yield (
        "a-small-network",
        "A network of three layers, every activation shown",
        "For x = 2 the network answers tanh(−0.803) = −0.666; each tanh flattens what it gets, and with it the "
        "gradient that comes back. Read the orange numbers upwards: each tanh shrinks them by the factor in green.",
        insight.graph(network, np.array([2.0]), *weights),
    )
    picture = np.add.outer(np.sin(np.arange(12) / 2), np.cos(np.arange(12) / 3))[..., None]
    real = insight.graph(convolutional(), picture, np.array(3))
    yield (
        "a-real-network",
        "A convolutional network, one node a layer",
        "The same two passes run through a network of thousands of weights; each layer is folded into one node. The "
        "orange bar is the share of the loss's change that one small step would owe to the weights of this layer.",
        real,
    )
    yield (
        "a-real-network-unfolded",
        "The same network, its hidden layer unfolded",
        "A layer is nothing but the operations of the figures before: a product with the weights, a sum with the "
        "biases, an activation. Where relu received a negative number, it lets no gradient pass.",
        real.unfold("hidden"),
    )


def drawn(name, title, caption, followed, **options):
    """Return a figure's name, caption and picture, with what `descent_plots.figure` needs."""
    return name, title, caption, followed, options


def one_weight():
    """Yield the paths of one weight."""
    rates = {"too small: 0.01": 0.01, "right: 0.3": 0.3, "too large: 1.05": 1.05}
    yield drawn(
        "learning-rates",
        "The learning rate, on loss = w²",
        "A small learning rate creeps, a good one is there in a few steps, and one that is too large jumps over the "
        "minimum to a higher place on the other side. Each step multiplies w by 1 − 2 · rate, so rates above 1 climb.",
        {name: insight.descent(benchmark_functions.parabola, SGD(rate), -2.0, 20) for name, rate in rates.items()},
        window=[[-4.0, 4.0]],
    )
    choices = {
        "gradient descent": SGD(0.2),
        "with momentum 0.9": SGD(0.2, momentum=0.9),
        "Adam": keras.optimizers.Adam(0.02),
    }
    yield drawn(
        "plateau-and-local-minimum",
        "A plateau, and a local minimum on the way",
        "On the plateau the gradient is small, and so are the steps; in the first hollow it is zero, though a deeper "
        "one lies behind. Momentum keeps the speed of earlier "
        "steps and rolls on; plain gradient descent, and Adam with such short steps, stay.",
        {
            name: insight.descent(benchmark_functions.plateau, optimizer, -2.5, 120)
            for name, optimizer in choices.items()
        },
        window=[[-3.0, 3.0]],
    )


def two_weights():
    """Yield the paths of two weights."""
    raw, scaled = benchmark_functions.made_up_line(mean=3.0), benchmark_functions.made_up_line()
    whole = {name: benchmark_functions.in_batches(data, 64) for name, data in (("raw", raw), ("scaled", scaled))}
    yield drawn(
        "scaled-features",
        "The same data with an unscaled and with a scaled feature",
        "With a feature far from zero the loss is a narrow, slanting ravine: the steps jump from wall to wall and "
        "hardly move along it. Scaled to mean 0 and deviation 1 it is a round bowl, and three times the rate is safe.",
        {
            "feature of mean 3, rate 0.09": insight.descent(
                benchmark_functions.linear_model, SGD(0.09), [-2, 2], 30, whole["raw"]
            ),
            "scaled feature, rate 0.3": insight.descent(
                benchmark_functions.linear_model, SGD(0.3), [-2, 2], 30, whole["scaled"]
            ),
        },
        names=("slope", "intercept"),
        window=[[-7.5, 9.5], [-6.0, 3.6]],
    )
    sizes = {"batch: all 64 rows": 64, "mini-batches of 8 rows": 8, "stochastic: 1 row": 1}
    yield drawn(
        "batches",
        "Batch, mini-batch and stochastic gradient descent, 64 steps each",
        "The gradient of all rows leads straight down, that of a few rows nearly so, that of a single row only on "
        "average. But a step with one row costs a 64th of a step with all of them.",
        {
            name: insight.descent(
                benchmark_functions.linear_model, SGD(0.1), [-2, -2], 64, benchmark_functions.in_batches(scaled, size)
            )
            for name, size in sizes.items()
        },
        names=("slope", "intercept"),
    )
    four = {
        "SGD, rate 0.15": SGD(0.15),
        "RMSprop, rate 0.1": keras.optimizers.RMSprop(0.1),
        "Adagrad, rate 0.5": keras.optimizers.Adagrad(0.5),
        "Adam, rate 0.2": keras.optimizers.Adam(0.2),
    }
    yield drawn(
        "four-optimizers",
        "Four optimizers in a valley that is ten times steeper across than along",
        "Plain gradient descent swings across the valley, because its step is longest where it is steepest. RMSprop "
        "and Adagrad divide each weight's gradient by its usual size and go nearly straight. Adam divides as well, but "
        "keeps the speed of earlier steps, runs past the minimum and circles back. With these rates SGD is there as "
        "soon as Adagrad: swinging looks worse than it is.",
        {name: insight.descent(benchmark_functions.valley, optimizer, [-2, 1], 50) for name, optimizer in four.items()},
    )


def one_step(theme):
    """Return caption and figure of one step of four optimizers."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((20,)), layers.Dense(64, activation="tanh"), layers.Dense(32), layers.Dense(1)]
    )
    model.compile("sgd", "mean_squared_error")
    x = np.random.default_rng(0).normal(size=(32, 20))
    taken = optimizer_steps.steps(model, x, np.sin(x[:, :1]) + x[:, 1:2])
    caption = (
        "Each point is a weight: plain SGD moves it in proportion to its gradient (dashed), Adam moves all by nearly "
        "the same amount in its first step. Gradient times update predicts the change of the loss; the longer the "
        "step, the more the true change falls short of it."
    )
    title = "One step on the same mini-batch, with four optimizers at their usual learning rates"
    return caption, optimizer_steps.figure(taken, theme, title, caption)


def noisy_waves(rows, seed=0):
    """Return made-up examples with four features, of which two tell something."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, (rows, 4)).astype(np.float32)
    return x, np.sin(3 * x[:, 0]) + x[:, 1] ** 2 + 0.3 * generator.standard_normal(rows)


def many_paths(theme):
    """Return caption and figure of the paths of nine networks in one plane."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), "mean_squared_error")
    ensemble = am.Ensemble(model, folds=3, members=3)
    ensemble.fit(*noisy_waves(150), epochs=60, batch_size=16, verbose=0, record=True)
    found = insight.trajectories(ensemble)
    caption = (
        "Nine networks leave nine starts, and none goes where another one does: there are many good networks, not one. "
        f"The surface is the loss of the bold path alone; the plane shows {found.share:.0%} of the movement, and the "
        "hollow of the examples that were learned (left) is deeper than that of the held-out ones (right)."
    )
    return caption, found.figure(theme, "The paths of nine networks in one plane", caption)


def learning_by_heart(theme):
    """Return caption and figure of losses, the learning curve and three sizes of a network."""
    x, y = noisy_waves(240)
    table = pd.DataFrame(x, columns=list("abcd")).assign(y=y)
    predictor = am.train(table, "y", folds=2, members=2, epochs=40, verbose=0)
    found = insight.generalization(predictor)
    caption = (
        "A network that is too small cannot follow: both of its losses stay high. The training loss of a large one "
        "falls and falls, its validation loss does not. More examples help against the second, not against the first."
    )
    title = "Learning and overfitting"
    return caption, found.figure(theme, title, f"{caption} {found!r}".replace("\n", " "))


def pictures(theme):
    """Yield the name of each figure, and what returns its caption and picture."""
    for name, title, caption, graph in graphs():
        yield name, lambda: (caption, graph.svg(title, caption))  # noqa: B023 - called before the next one
    for name, title, caption, followed, options in (*one_weight(), *two_weights()):
        yield name, lambda: (caption, descent_plots.figure(followed, theme, title, caption, **options))  # noqa: B023
    yield "one-step", lambda: one_step(theme)
    yield "nine-networks", lambda: many_paths(theme)
    yield "learning-by-heart", lambda: learning_by_heart(theme)


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("learning"))
    parser.add_argument("--theme", choices=sorted(figures.THEMES), default="light")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="figures to make; else all")
    parser.add_argument("--dots", type=int, default=150, help="per inch, of the PNG files")
    arguments = parser.parse_args()
    for number, (name, make) in enumerate(pictures(arguments.theme), 1):
        if arguments.only and name not in arguments.only:
            continue
        caption, picture = make()
        ending = "svg" if isinstance(picture, str) else "png"
        path = arguments.folder / f"{number:02d}-{name}.{ending}"
        print(f"{figures.save(picture, path, arguments.dots)}: {caption}")


if __name__ == "__main__":
    try:
        main()
    except am.AmaltheaError as mistake:
        raise SystemExit(str(mistake)) from None
