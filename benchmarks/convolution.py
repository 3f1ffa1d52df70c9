"""Time a step of convolutional networks: Amalthea beside a loop of `keras.Model.fit`, on the same arrays.

All run one after the other in one go, each program in a process of its own. "by XLA" is our compiled program with XLA's
own convolution and pooling in it (jax issue 12868), which is what our slices and products replace. The limit is the
machine's own matrix-product rate, measured in the same run; operations are those of convolutions and dense layers
alone, and "predicted" is how long they would take at that rate.

    python benchmarks/convolution.py
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import sys
import time
from typing import Any
from unittest import mock

import numpy as np
from machine import measured, products_rate


@dataclasses.dataclass(frozen=True)
class Case:
    """Networks of the same shape on the same images."""

    name: str
    side: int
    channels: int
    filters: tuple[int, ...]
    padding: str
    batch: int
    members: int
    steps: int


CASES = (
    Case("28x28x1, valid, batch 128", 28, 1, (16, 32, 48, 64), "valid", 128, 2, 20),
    Case("28x28x1, same, batch 128", 28, 1, (16, 32, 48, 64), "same", 128, 2, 10),
    Case("32x32x3, same, batch 32", 32, 3, (16, 32, 48, 64), "same", 32, 2, 20),
    Case("8x8x1, same, batch 32", 8, 1, (16, 32, 48, 64), "same", 32, 2, 40),
)


def arrays(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Random images: the time does not depend on what is learned."""
    random = np.random.default_rng(0)
    rows = case.batch * case.steps
    x = random.integers(0, 256, (rows, case.side, case.side, case.channels)).astype(np.uint8)
    return x, random.integers(0, 10, rows)


def build(case: Case) -> Any:
    """The case's network, plain Keras, compiled."""
    import keras
    from keras import layers

    first, *others = case.filters
    model = keras.Sequential([keras.Input((case.side, case.side, case.channels)), layers.Rescaling(1 / 255)])
    strides = 2 if case.side > 16 else 1
    for number, filters in enumerate((first, *others)):
        size, stride = (5, strides) if number == 0 else (3, 1)
        model.add(layers.Conv2D(filters, size, strides=stride, padding=case.padding, use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
        if number == 1:
            model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss="sparse_categorical_crossentropy")
    return model


def operations(case: Case) -> float:
    """Floating-point operations of one step of one network: forward, weights' and inputs' gradients."""
    total, inputs_need_none = 0.0, 1
    for layer in build(case).layers:
        if not hasattr(layer, "kernel"):
            continue
        places = math.prod(layer.output.shape[1:-1])  # 1 for a dense layer
        once = 2.0 * case.batch * places * math.prod(layer.kernel.shape)
        total += once * (3 - inputs_need_none)
        inputs_need_none = 0
    return total


class Times:
    """When each epoch ended."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.at.append(time.perf_counter())


def amalthea_step(case: Case, by_xla: bool = False) -> float:
    """Seconds a step and member, our program on all cores."""
    import amalthea as am
    from amalthea.training import program

    x, y = arrays(case)
    times = Times()
    nothing = mock.patch.object(program, "fast_convolutions", return_value=contextlib.nullcontext())
    with nothing if by_xla else contextlib.nullcontext():
        ensemble = am.Ensemble(build(case), folds=1, members=case.members)
        ensemble.fit(x, y, epochs=4 if by_xla else 7, batch_size=case.batch, callbacks=[times], verbose=0)
    return float(np.median(np.diff(times.at)[1:])) / case.steps / case.members


def keras_step(case: Case) -> float:
    """Seconds a step of one network with `keras.Model.fit` on all cores: members trained one after the other."""
    x, y = arrays(case)
    model = build(case)
    model.fit(x, y, batch_size=case.batch, epochs=1, verbose=0)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        model.fit(x, y, batch_size=case.batch, epochs=1, verbose=0)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)) / case.steps


PROGRAMS = {
    "amalthea": amalthea_step,
    "amalthea, by XLA": lambda case: amalthea_step(case, by_xla=True),
    "keras.Model.fit": keras_step,
    "rate": lambda _: products_rate(),
    "operations": operations,
}


def main() -> None:
    """Print the table; with two arguments, measure one program on one case."""
    if len(sys.argv) == 3:
        case = next(case for case in CASES if case.name == sys.argv[2])
        print(json.dumps(PROGRAMS[sys.argv[1]](case)))
        return
    rate = measured(__file__, "rate", CASES[0].name)
    print(f"matrix products of this machine: {rate / 1e9:.0f} GFLOP/s\n")
    print(f"{'network':28} {'program':18} {'ms a step and member':>21} {'ratio':>7} {'predicted':>10} {'share':>6}")
    for case in CASES:
        predicted, ours = measured(__file__, "operations", case.name) / rate, None
        for name in ("amalthea", "amalthea, by XLA", "keras.Model.fit"):
            seconds = measured(__file__, name, case.name)
            ours = ours or seconds
            print(
                f"{case.name:28} {name:18} {1e3 * seconds:21.2f} {seconds / ours:7.1f} {1e3 * predicted:10.2f} "
                f"{predicted / seconds:6.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
