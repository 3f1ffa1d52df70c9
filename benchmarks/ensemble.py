"""Time an epoch of many networks: Amalthea beside Keras on JAX, Keras on TensorFlow (if installed) and scikit-learn.

All run one after the other in one go, each other program in a process of its own, on the same arrays. The ratio is what
a user saves: the others' time for all networks, one after the other, divided by ours. The limit of each case is the
machine's own matrix-product rate, measured in the same run; FLOP are those of the matrix products alone.

    python benchmarks/ensemble.py
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
import time

import numpy as np
from machine import measured, products_rate


@dataclasses.dataclass(frozen=True)
class Case:
    """Networks of the same shape on the same rows."""

    name: str
    sizes: tuple[int, ...]
    networks: int
    rows: int
    batch: int
    optimizer: str
    epochs: int

    @property
    def flops(self) -> float:
        """Operations in the matrix products of one epoch of one network: forward, weights' and inputs' gradients."""
        products = [a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False)]
        return 2.0 * self.trained * (3 * sum(products) - products[0])

    @property
    def trained(self) -> int:
        """Rows that one network sees in an epoch: with several folds, those of the others."""
        return self.rows * 4 // 5 if self.networks > 5 else self.rows


CASES = (
    Case("50 x 47-40-40-1", (47, 40, 40, 1), 50, 1128, 32, "adam", 40),
    Case("50 x 217-128-64-1", (217, 128, 64, 1), 50, 1128, 32, "adam", 20),
    Case("5 x 784-512-10", (784, 512, 10), 5, 60_000, 128, "rmsprop", 3),
)


def arrays(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Random rows: the time does not depend on what is learned."""
    random = np.random.default_rng(0)
    x = random.normal(size=(case.rows, case.sizes[0])).astype("float32")
    if case.sizes[-1] > 1:
        return x, random.integers(0, case.sizes[-1], case.rows)
    return x, (x[:, :1] * x[:, 1:2]).astype("float32")


def build(case: Case):
    """The case's network, compiled."""
    import keras

    layers = [keras.Input((case.sizes[0],))]
    layers += [keras.layers.Dense(size, activation="relu") for size in case.sizes[1:-1]]
    classes = case.sizes[-1] > 1
    model = keras.Sequential([*layers, keras.layers.Dense(case.sizes[-1], activation="softmax" if classes else None)])
    model.compile(optimizer=case.optimizer, loss="sparse_categorical_crossentropy" if classes else "mse")
    return model


def amalthea_epoch(case: Case) -> float:
    """Seconds an epoch of all networks, our program."""
    import amalthea as am

    class Times:
        def __init__(self) -> None:
            self.at: list[float] = []

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            self.at.append(time.perf_counter())

    x, y = arrays(case)
    folds = 5 if case.networks > 5 else 1
    ensemble = am.Ensemble(build(case), folds=folds, members=case.networks // folds)
    times = Times()
    ensemble.fit(x, y, epochs=case.epochs + 2, batch_size=case.batch, callbacks=[times], verbose=0)
    return float(np.median(np.diff(times.at)[1:]))


def keras_epoch(case: Case) -> float:
    """Seconds an epoch of one network with `keras.Model.fit`, times the number of networks."""
    x, y = (values[: case.trained] for values in arrays(case))
    model = build(case)
    model.fit(x, y, batch_size=case.batch, epochs=1, verbose=0)
    start = time.perf_counter()
    model.fit(x, y, batch_size=case.batch, epochs=case.epochs, verbose=0)
    return (time.perf_counter() - start) / case.epochs * case.networks


def scikit_learn_epoch(case: Case) -> float:
    """Seconds an epoch of one `MLPRegressor` or `MLPClassifier`, times the number of networks."""
    import warnings

    from sklearn.neural_network import MLPClassifier, MLPRegressor

    x, y = (values[: case.trained] for values in arrays(case))
    kind = MLPClassifier if case.sizes[-1] > 1 else MLPRegressor
    epochs = min(case.epochs, 5)
    network = kind(hidden_layer_sizes=case.sizes[1:-1], batch_size=case.batch, max_iter=epochs, n_iter_no_change=epochs)
    warnings.simplefilter("ignore")  # it did not converge in so few epochs, and need not
    start = time.perf_counter()
    network.fit(x, y.ravel())
    return (time.perf_counter() - start) / epochs * case.networks


PROGRAMS = {
    "amalthea": ("jax", amalthea_epoch),
    "keras, jax": ("jax", keras_epoch),
    "keras, tensorflow": ("tensorflow", keras_epoch),
    "scikit-learn": ("jax", scikit_learn_epoch),
}


def main() -> None:
    """Print the table; with two arguments, measure one program on one case and print the seconds."""
    if len(sys.argv) == 3:
        case = next(case for case in CASES if case.name == sys.argv[2])
        seconds = products_rate() if sys.argv[1] == "rate" else PROGRAMS[sys.argv[1]][1](case)
        print(json.dumps(seconds))
        return
    peak = measured(__file__, "rate", CASES[0].name)
    print(f"matrix products of this machine: {peak / 1e9:.0f} GFLOP/s\n")
    print(f"{'networks':20} {'program':18} {'ms an epoch':>12} {'ratio':>7} {'GFLOP/s':>8} {'share':>6}")
    for case in CASES:
        ours = None
        for name, (backend, _) in PROGRAMS.items():
            if backend == "tensorflow" and importlib.util.find_spec("tensorflow") is None:
                print(f"{case.name:20} {name:18} {'not installed':>12}")
                continue
            seconds = measured(__file__, name, case.name, backend)
            ours = ours or seconds
            rate = case.flops * case.networks / seconds
            print(
                f"{case.name:20} {name:18} {1e3 * seconds:12.1f} {seconds / ours:7.1f} {rate / 1e9:8.1f} "
                f"{rate / peak:6.0%}"
            )


if __name__ == "__main__":
    main()
