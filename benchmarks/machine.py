"""What the benchmarks share: the machine's own rate, and a process of its own for each measurement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def products_rate() -> float:
    """The machine's own rate of float32 matrix products, FLOP/s, all cores."""
    import jax
    import jax.numpy as jnp

    values = jnp.ones((2048, 2048))
    multiply = jax.jit(lambda a: a @ a)
    multiply(values).block_until_ready()
    start = time.perf_counter()
    for _ in range(20):
        result = multiply(values)
    result.block_until_ready()
    return 20 * 2 * 2048**3 / (time.perf_counter() - start)


def measured(script: str, program: str, case: str, backend: str = "jax") -> float:
    """Return what a script prints for one program and one case, run in a process of its own.

    So threads, devices and caches of one program do not disturb the next.
    """
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run([sys.executable, script, program, case], env=environment, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr)
    return float(json.loads(run.stdout.splitlines()[-1]))
